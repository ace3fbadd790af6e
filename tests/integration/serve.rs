//! `crossfade serve`: what is ordered is carried out once, by whichever server lives, for roles that may have it done.

use crate::support::{
    Background, Database, Ran, connect, on_own_postgresql, on_postgresql, plan_file,
};
use nix::sys::signal::Signal;
use std::{
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};
use tokio_postgres::error::SqlState;

const RUN: &str = "rename-status";
const ROWS: i64 = 6_000;

/// `settings` is what the plan says beside the change: small batches, so that a backfill takes some seconds.
async fn start(database: &Database, more: &str) {
    database
        .execute(&format!(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, {ROWS}) AS i"
        ))
        .await;
    database.crossfade(&["init"]).exits(0);
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n{more}"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

const SLOW: &str = "settings: {pacing: {batch_target: 5ms, batch_rows_max: 10}}\n";

async fn serve(database: &Database) -> Background {
    let before = database
        .value("SELECT coalesce(max(started_at), '-infinity') FROM crossfade.servers")
        .await;
    let server = database.spawn(&[], &["serve"]);
    database
        .wait_until(&format!(
            "SELECT max(started_at) > '{before}' FROM crossfade.servers"
        ))
        .await;
    server
}

fn order(database: &Database, arguments: &[&str]) -> Ran {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--detach"]).collect();
    database.crossfade(&arguments)
}

async fn until_ended(database: &Database) -> String {
    database
        .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.orders WHERE state = 'open')")
        .await;
    database
        .value(
            "SELECT concat_ws(': ', state, outcome) FROM crossfade.orders ORDER BY id DESC LIMIT 1",
        )
        .await
}

async fn until_in_backfill(database: &Database) {
    database
        .wait_until(
            "SELECT EXISTS (SELECT FROM crossfade.segments WHERE step = 'fill:public.vehicles' AND rows_changed > 100)",
        )
        .await;
}

#[test]
fn a_service_manager_is_told_when_the_server_is_ready_and_when_it_stops() {
    fn told(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).expect("a datagram");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }
    on_postgresql(async |database| {
        database.crossfade(&["init"]).exits(0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let patience = Duration::from_secs(30);
        manager.set_read_timeout(Some(patience)).unwrap();
        let environment = [("NOTIFY_SOCKET", path.to_str().unwrap())];
        let server = database.spawn(&environment, &["serve"]);
        assert_eq!(told(&manager), "READY=1");
        server.signal(Signal::SIGTERM);
        assert_eq!(told(&manager), "STOPPING=1");
        server.wait().exits(0);
    });
}

#[test]
fn an_order_waits_for_a_server_and_is_shown_and_recorded_until_it_is_done() {
    on_postgresql(async |database| {
        start(database, "").await;
        let placed = order(database, &["advance", RUN, "--to", "dual_write"]).exits(0);
        let warning = "no `crossfade serve` has been connected to this database";
        assert!(placed.stderr.contains(warning), "{}", placed.stderr);
        let status = database.status(RUN);
        assert_eq!(status["order"]["state"], "open");
        assert_eq!(status["order"]["action"], "advance");
        assert_eq!(status["order"]["phase"], "dual_write");
        assert_eq!(status["server"], serde_json::Value::Null);
        // One at a time, and the one that is open is named.
        let second = order(database, &["verify", RUN]).exits(1);
        let named =
            "an order of rename-status is open already: advance to dual_write, placed by postgres";
        assert!(second.stderr.contains(named), "{}", second.stderr);
        let server = serve(database).await;
        assert_eq!(until_ended(database).await, "done");
        let quiet = order(database, &["advance", RUN, "--to", "verify"]).exits(0);
        assert_eq!(quiet.stderr, "", "a server is there");
        assert_eq!(until_ended(database).await, "done");
        for (arguments, what) in [
            (&["verify", RUN][..], "verify"),
            (&["verify", RUN, "--repair"], "verify and repair"),
            (
                &["rollback", RUN, "--to", "dual_write", "--yes"],
                "roll back to the end of dual_write",
            ),
            (
                &["advance", RUN, "--to", "contract", "--yes"],
                "advance to contract",
            ),
        ] {
            order(database, arguments).exits(0);
            assert_eq!(until_ended(database).await, "done", "{what}");
            let shown = database.crossfade(&["status", RUN]).exits(0).stdout;
            assert!(shown.contains(what), "{shown}");
        }
        assert_eq!(database.status(RUN)["state"], "completed");
        let recorded = database
            .value("SELECT string_agg(kind, ',' ORDER BY number) FROM crossfade.events WHERE kind LIKE 'order%'")
            .await;
        assert_eq!(recorded, ["ordered,order ended"; 6].join(","));
        let intact = database
            .crossfade(&["history", RUN, "--verify"])
            .exits(0)
            .stdout;
        assert!(intact.contains("is intact"), "{intact}");
        order(database, &["advance", RUN]).exits(1);
        server.signal(Signal::SIGTERM);
        let ended = server.wait().exits(0);
        assert!(ended.stderr.contains("order 6 is done"), "{}", ended.stderr);
        let alive = "SELECT count(*) FROM crossfade.servers WHERE ended_at IS NULL";
        assert_eq!(database.value(alive).await, "0");
    });
}

#[test]
fn a_server_that_is_killed_is_followed_by_another_at_the_checkpoint() {
    on_postgresql(async |database| {
        start(database, SLOW).await;
        // Each row is touched once, whoever drives.
        database
            .execute(
                "CREATE TABLE touched (id bigint); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN INSERT INTO touched VALUES (new.id); RETURN NULL; END $$; \
                 CREATE TRIGGER zzz_note AFTER UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION note(); \
                 ALTER TABLE vehicles ENABLE ALWAYS TRIGGER zzz_note",
            )
            .await;
        let servers = [serve(database).await, serve(database).await];
        order(database, &["advance", RUN, "--to", "verify"]).exits(0);
        until_in_backfill(database).await;
        let holder = database
            .value("SELECT taken_by FROM crossfade.orders")
            .await;
        let [killed, other] = match servers {
            [first, second] if holder.ends_with(&format!(" {}", first.pid())) => [first, second],
            [first, second] => [second, first],
        };
        killed.signal(Signal::SIGKILL);
        let began = Instant::now();
        database
            .wait_until(&format!(
                "SELECT taken_by LIKE '% pid {}' FROM crossfade.orders",
                other.pid()
            ))
            .await;
        assert!(began.elapsed() < Duration::from_secs(20));
        assert_eq!(until_ended(database).await, "done");
        let twice = "SELECT count(*) - count(DISTINCT id) FROM touched";
        assert_eq!(database.value(twice).await, "0");
        let all = "SELECT count(DISTINCT id) FROM touched";
        assert_eq!(database.value(all).await, ROWS.to_string());
        drop(killed);
    });
}

#[test]
fn a_server_that_is_told_to_stop_ends_its_batch_and_leaves_the_order_open() {
    on_postgresql(async |database| {
        start(database, SLOW).await;
        let server = serve(database).await;
        order(database, &["advance", RUN, "--to", "backfill"]).exits(0);
        until_in_backfill(database).await;
        let began = Instant::now();
        server.signal(Signal::SIGTERM);
        let ended = server.wait().exits(0);
        assert!(
            began.elapsed() < Duration::from_secs(3),
            "{:?}",
            began.elapsed()
        );
        assert!(
            ended.stderr.contains("order 1 stays open"),
            "{}",
            ended.stderr
        );
        let status = database.status(RUN);
        assert_eq!(status["order"]["state"], "open");
        assert_eq!(status["lease"], serde_json::Value::Null);
        assert_eq!(status["server"]["is_alive"], false);
        let shown = database.crossfade(&["status", RUN]).exits(0).stdout;
        let why = "no `crossfade serve` is connected to this database. The last one was seen at";
        assert!(shown.contains(why), "{shown}");
        // The next one goes on from there.
        let _next = serve(database).await;
        assert_eq!(until_ended(database).await, "done");
    });
}

#[test]
fn a_cancelled_order_ends_at_a_batch_and_the_run_can_be_driven_by_hand() {
    on_postgresql(async |database| {
        start(database, SLOW).await;
        let _server = serve(database).await;
        order(database, &["advance", RUN, "--to", "verify"]).exits(0);
        until_in_backfill(database).await;
        // Nobody else drives it meanwhile.
        let held = database.crossfade(&["advance", RUN]).exits(6);
        assert!(held.stderr.contains("is driven by"), "{}", held.stderr);
        let cancelled = database.crossfade(&["cancel", RUN]).exits(0).stdout;
        let what = "cancelled order 1: advance to verify";
        assert!(cancelled.contains(what), "{cancelled}");
        database
            .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.leases WHERE holder IS NOT NULL)")
            .await;
        let begun = database.status(RUN)["phases"][2]["state"].clone();
        assert_eq!(begun, "running");
        database.crossfade(&["advance", RUN]).exits(0);
        let none = database.crossfade(&["cancel", RUN]).exits(0).stdout;
        assert!(none.contains("no order of rename-status is open"), "{none}");
    });
}

#[test]
fn a_pause_holds_an_order_and_a_rollback_ends_it() {
    on_postgresql(async |database| {
        start(database, SLOW).await;
        let _server = serve(database).await;
        order(database, &["advance", RUN, "--to", "backfill"]).exits(0);
        until_in_backfill(database).await;
        database
            .crossfade(&["pause", RUN, "--reason", "a sale"])
            .exits(0);
        database
            .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.leases WHERE holder IS NOT NULL)")
            .await;
        assert_eq!(database.status(RUN)["order"]["state"], "open");
        // Ending the pause is enough: the order is still there.
        let resumed = database.crossfade(&["resume", RUN]).exits(0).stdout;
        let open = "order 1 continues: advance to backfill";
        assert!(resumed.contains(open), "{resumed}");
        assert_eq!(until_ended(database).await, "done");
        database
            .crossfade(&["pause", RUN, "--reason", "a fault"])
            .exits(0);
        order(database, &["rollback", RUN, "--yes"]).exits(0);
        assert_eq!(until_ended(database).await, "done");
        assert_eq!(database.status(RUN)["state"], "rolled_back");
    });
}

#[test]
fn what_people_have_to_decide_ends_an_order_with_its_reason() {
    on_postgresql(async |database| {
        start(database, "gates: {backfill: {approvals: 1}}\n").await;
        let role = format!("second_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role}"
            ))
            .await;
        let _server = serve(database).await;
        order(database, &["advance", RUN, "--to", "backfill"]).exits(0);
        let stopped = until_ended(database).await;
        assert!(
            stopped.starts_with("stopped: the gate of backfill is closed: approvals: "),
            "{stopped}"
        );
        // The same with --wait goes on when the approval is there.
        order(database, &["advance", RUN, "--to", "backfill", "--wait"]).exits(0);
        database
            .wait_until("SELECT taken_by IS NOT NULL FROM crossfade.orders WHERE state = 'open'")
            .await;
        let url = database.url.replace("postgres@", &format!("{role}@"));
        database
            .crossfade_with(
                &[("CROSSFADE_DATABASE_URL", &url)],
                &["approve", RUN, "backfill"],
            )
            .exits(0);
        assert_eq!(until_ended(database).await, "done");
        // A rollback that would take values away is refused by the server too, and changes nothing.
        database
            .execute("UPDATE vehicles SET vehicle_status = 'mine' WHERE id = 1; ALTER TABLE vehicles DISABLE TRIGGER USER; UPDATE vehicles SET vehicle_status = 'alone' WHERE id = 2; ALTER TABLE vehicles ENABLE TRIGGER USER")
            .await;
        let direct = "INSERT INTO crossfade.orders (run_id, action, os_user) SELECT id, 'rollback', 'somebody' FROM crossfade.runs";
        database.execute(direct).await;
        let failed = until_ended(database).await;
        assert!(failed.starts_with("failed: "), "{failed}");
        assert!(failed.contains("going back would lose"), "{failed}");
        assert_eq!(database.status(RUN)["phases"][2]["state"], "completed");
        database
            .execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await;
    });
}

#[test]
fn an_order_of_a_run_that_has_ended_is_not_carried_out_on_the_next_of_its_name() {
    on_postgresql(async |database| {
        start(database, "").await;
        database.crossfade(&["rollback", RUN, "--yes"]).exits(0);
        let file = plan_file(&format!(
            "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n"
        ));
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        database
            .execute("INSERT INTO crossfade.orders (run_id, action, phase, os_user) SELECT min(id), 'advance', 'verify', 'x' FROM crossfade.runs")
            .await;
        let _server = serve(database).await;
        let failed = until_ended(database).await;
        assert!(
            failed.starts_with("failed: the run that it was for has ended"),
            "{failed}"
        );
        assert_eq!(database.status(RUN)["phases"][0]["state"], "pending");
        assert_eq!(database.status(RUN)["order"], serde_json::Value::Null);
    });
}

#[test]
fn going_back_ends_what_was_ordered_before_and_is_not_undone_by_hand_unawares() {
    on_postgresql(async |database| {
        start(database, "").await;
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
        order(database, &["advance", RUN, "--to", "switch_reads"]).exits(0);
        database
            .crossfade(&["rollback", RUN, "--to", "dual_write", "--yes"])
            .exits(0);
        assert_eq!(until_ended(database).await, "stopped: a rollback began");
        order(database, &["rollback", RUN, "--to", "expand", "--yes"]).exits(0);
        let refused = database.crossfade(&["advance", RUN]).exits(1);
        let why = "an order of rename-status is open: roll back to the end of expand";
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        // A pause that came after the order holds it too.
        database
            .crossfade(&["pause", RUN, "--reason", "wait"])
            .exits(0);
        let _server = serve(database).await;
        let looks =
            "SELECT count(*) FROM crossfade.orders WHERE taken_by IS NOT NULL AND state = 'open'";
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(database.value(looks).await, "0");
        let resumed = database.crossfade(&["resume", RUN]).exits(0).stdout;
        assert!(
            resumed.contains("order 2 continues: roll back"),
            "{resumed}"
        );
        assert_eq!(until_ended(database).await, "done");
        assert_eq!(database.status(RUN)["phases"][1]["state"], "reverted");
    });
}

#[test]
fn an_order_to_go_back_ends_the_one_that_is_carried_out() {
    on_postgresql(async |database| {
        start(database, SLOW).await;
        let _server = serve(database).await;
        order(database, &["advance", RUN, "--to", "switch_reads"]).exits(0);
        until_in_backfill(database).await;
        order(database, &["rollback", RUN, "--to", "expand", "--yes"]).exits(0);
        assert_eq!(until_ended(database).await, "done");
        let orders = database
            .value("SELECT string_agg(concat_ws(' ', action, state, outcome), '; ' ORDER BY id) FROM crossfade.orders")
            .await;
        assert_eq!(
            orders,
            "advance stopped somebody ordered to go back; rollback done"
        );
        let no_phase = order(database, &["rollback", RUN, "--to", "sql", "--yes"]).exits(1);
        assert!(
            no_phase.stderr.contains("has no phase sql"),
            "{}",
            no_phase.stderr
        );
    });
}

#[test]
fn all_runs_are_resumed_whether_or_not_an_order_of_theirs_is_open() {
    on_postgresql(async |database| {
        start(database, SLOW).await;
        database
            .execute("CREATE TABLE trips (id bigint PRIMARY KEY, note text); INSERT INTO trips SELECT generate_series(1, 3000)")
            .await;
        let file = plan_file(
            "version: 1\nname: rename-note\nchange:\n  rename_column: {table: public.trips, from: note, to: remark}\n",
        );
        database
            .crossfade(&["start", file.path().to_str().unwrap()])
            .exits(0);
        let _server = serve(database).await;
        order(database, &["advance", RUN, "--to", "backfill"]).exits(0);
        until_in_backfill(database).await;
        database
            .crossfade(&["advance", "rename-note", "--to", "dual_write"])
            .exits(0);
        database
            .execute("UPDATE crossfade.phases SET state = 'running', started_at = now() WHERE phase = 'backfill' AND run_id = (SELECT max(id) FROM crossfade.runs)")
            .await;
        database
            .crossfade(&["pause", "--all", "--reason", "a sale"])
            .exits(0);
        database
            .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.leases WHERE holder IS NOT NULL)")
            .await;
        database
            .crossfade(&["resume", "--all", "--detach"])
            .exits(0);
        until_ended(database).await;
        let done = "SELECT count(*) FROM crossfade.orders WHERE state = 'done'";
        assert_eq!(database.value(done).await, "2");
        assert_eq!(
            database.status("rename-note")["phases"][2]["state"],
            "completed"
        );
    });
}

#[test]
fn an_order_that_makes_no_sense_is_refused_or_fails_alone() {
    on_postgresql(async |database| {
        start(database, "").await;
        let client = database.client().await;
        for columns in [
            "'advance', 'nonsense', '{}'",
            "'advance', NULL, '{}'",
            "'fly', NULL, '{}'",
            "'rollback', NULL, '{NULL}'",
            "'rollback', NULL, '{{a},{b}}'",
        ] {
            let sql = format!(
                "INSERT INTO crossfade.orders (run_id, action, phase, discards, os_user) SELECT id, v.*, 'x' FROM crossfade.runs, (VALUES ({columns}::text[])) AS v"
            );
            let refused = client.batch_execute(&sql).await.expect_err(columns);
            assert_eq!(
                refused.code(),
                Some(&SqlState::CHECK_VIOLATION),
                "{columns}"
            );
        }
        database
            .execute("INSERT INTO crossfade.orders (run_id, action, phase, os_user) SELECT id, 'advance', 'sql', 'x' FROM crossfade.runs")
            .await;
        let mut server = serve(database).await;
        let failed = until_ended(database).await;
        assert!(failed.contains("has no phase sql"), "{failed}");
        assert!(!server.has_ended());
        order(database, &["advance", RUN]).exits(0);
        assert_eq!(until_ended(database).await, "done");
    });
}

#[test]
fn a_server_acts_for_roles_that_are_members_of_its_own_only() {
    on_postgresql(async |database| {
        let role = format!("other_{}", database.name);
        start(database, "").await;
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT USAGE, CREATE ON SCHEMA crossfade TO {role}; \
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO {role}; \
                 GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role}"
            ))
            .await;
        let _server = serve(database).await;
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let by_other = [("CROSSFADE_DATABASE_URL", url.as_str())];
        let advance = ["advance", RUN, "--detach"];
        database.crossfade_with(&by_other, &advance).exits(0);
        let failed = until_ended(database).await;
        let why = format!(
            "failed: {role}, which placed it, is not a member of postgres, as which the server is connected"
        );
        assert!(failed.starts_with(&why), "{failed}");
        assert_eq!(database.status(RUN)["phases"][0]["state"], "pending");
        // Nor can it place one as another, or change one of another's.
        let client = connect(&url).await;
        let forged = "INSERT INTO crossfade.orders (run_id, action, phase, role, os_user) SELECT id, 'advance', 'contract', 'postgres', 'root' FROM crossfade.runs";
        client.batch_execute(forged).await.expect("placed");
        let placed_by = "SELECT role FROM crossfade.orders ORDER BY id DESC LIMIT 1";
        assert_eq!(database.value(placed_by).await, role);
        assert!(until_ended(database).await.starts_with(&why));
        for change in [
            "UPDATE crossfade.orders SET role = 'postgres'",
            "UPDATE crossfade.orders SET phase = 'contract'",
            "UPDATE crossfade.orders SET state = 'open', ended_at = NULL",
            "DELETE FROM crossfade.orders",
        ] {
            let refused = client.batch_execute(change).await.expect_err(change);
            assert_eq!(
                refused.code(),
                Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                "{change}"
            );
        }
        database.execute(&format!("GRANT postgres TO {role}")).await;
        database.crossfade_with(&by_other, &advance).exits(0);
        assert_eq!(until_ended(database).await, "done");
        assert_eq!(database.status(RUN)["phases"][0]["state"], "completed");
        database
            .execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await;
    });
}

/// A backend is killed, and the server ends all others and recovers.
async fn crash(database: &Database) {
    let pid = "SELECT pid FROM pg_stat_activity WHERE application_name = 'crossfade serve' LIMIT 1";
    let pid: i32 = database.value(pid).await.parse().expect("it is connected");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).expect("it is killed");
    let is_back = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'crossfade serve' AND pid <> {pid})"
    );
    for _ in 0..1_500 {
        if let Ok((client, connection)) =
            tokio_postgres::connect(&database.url, tokio_postgres::NoTls).await
        {
            tokio::spawn(connection);
            let row = client.query_one(&is_back, &[]).await;
            if row.is_ok_and(|row| row.get(0)) {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server did not come back to the database");
}

#[test]
fn a_server_waits_for_a_database_that_is_away_and_does_nothing_twice() {
    on_own_postgresql(&[], async |database| {
        start(database, SLOW).await;
        let server = serve(database).await;
        order(database, &["advance", RUN, "--to", "verify"]).exits(0);
        until_in_backfill(database).await;
        crash(database).await;
        assert_eq!(until_ended(database).await, "done");
        // Idle, too.
        crash(database).await;
        order(database, &["verify", RUN]).exits(0);
        assert_eq!(until_ended(database).await, "done");
        server.signal(Signal::SIGTERM);
        let ended = server.wait().exits(0);
        assert!(
            ended.stderr.contains("the database is unavailable"),
            "{}",
            ended.stderr
        );
        let verified = database.status(RUN)["verification"]["rows_different"].clone();
        assert_eq!(verified, 0);
    });
}
