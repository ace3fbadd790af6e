//! What a server orders though nobody asked for it now: phases that the plan says begin by themselves, and comparisons that are due.

use crate::support::{Background, Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;

const RUN: &str = "rename-status";

async fn start(database: &Database, more: &str) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7 FROM generate_series(1, 500) AS i",
        )
        .await;
    database.crossfade(&["init"]).exits(0);
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n{more}"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

fn stop(server: Background) {
    server.signal(Signal::SIGTERM);
    server.wait().exits(0);
}

async fn until_completed(database: &Database, phase: &str) {
    database
        .wait_until(&format!(
            "SELECT state = 'completed' FROM crossfade.phases WHERE phase = '{phase}'"
        ))
        .await;
}

const ORDERS: &str = "SELECT coalesce(string_agg(action || coalesce(' ' || phase, ''), ', ' ORDER BY id), '') FROM crossfade.orders";

#[test]
fn phases_that_say_so_begin_by_themselves_once_and_a_rollback_is_not_undone() {
    on_postgresql(async |database| {
        start(
            database,
            "gates: {dual_write: {auto: true}, backfill: {auto: true}, verify: {auto: true, approvals: 1}}\n",
        )
        .await;
        let servers = [
            database.spawn(&[], &["serve"]),
            database.spawn(&[], &["serve"]),
        ];
        database
            .wait_until("SELECT count(*) = 2 FROM crossfade.servers")
            .await;
        assert_eq!(database.value(ORDERS).await, "", "expand does not say so");
        database
            .crossfade(&["advance", RUN, "--to", "expand", "--detach"])
            .exits(0);
        until_completed(database, "backfill").await;
        database
            .wait_until(
                "SELECT phase = 'verify' AND waits FROM crossfade.orders WHERE state = 'open'",
            )
            .await;
        assert_eq!(
            database.value(ORDERS).await,
            "advance expand, advance dual_write, advance backfill, advance verify"
        );
        // Who cancels it is not asked again.
        database.crossfade(&["cancel", RUN]).exits(0);
        database
            .crossfade(&["rollback", RUN, "--to", "dual_write", "--yes", "--detach"])
            .exits(0);
        database
            .wait_until("SELECT state = 'done' FROM crossfade.orders ORDER BY id DESC LIMIT 1")
            .await;
        for server in servers {
            stop(server);
        }
        let before = database.value(ORDERS).await;
        let again = database.spawn(&[], &["serve"]);
        database
            .wait_until("SELECT count(*) = 3 AND max(heartbeat - started_at) > interval '6 s' FROM crossfade.servers")
            .await;
        assert_eq!(database.value(ORDERS).await, before);
        stop(again);
    });
}

#[test]
fn a_server_compares_again_when_it_is_due_and_says_what_differs() {
    on_postgresql(async |database| {
        start(database, "settings: {verify_every: 1h}\n").await;
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
        let server = database.spawn(&[], &["serve"]);
        database
            .wait_until("SELECT count(*) = 1 FROM crossfade.servers")
            .await;
        assert_eq!(database.value(ORDERS).await, "", "it is not due yet");
        stop(server);
        database
            .execute(
                "UPDATE crossfade.verifications SET finished_at = finished_at - interval '61 min'; \
                 SET session_replication_role = replica; UPDATE vehicles SET vehicle_status = 'other' WHERE id = 7",
            )
            .await;
        let server = database.spawn(&[], &["serve"]);
        database
            .wait_until(
                "SELECT state = 'stopped' AND outcome = '1 rows differ' FROM crossfade.orders",
            )
            .await;
        assert_eq!(database.value(ORDERS).await, "verify");
        stop(server);
    });
}

#[test]
fn a_comparison_that_nobody_ordered_gives_way_and_a_run_that_cannot_be_read_holds_up_no_other() {
    on_postgresql(async |database| {
        start(database, "settings: {verify_every: 1h}\n").await;
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
        // Its plan is of a later release, perhaps.
        database
            .execute(
                "UPDATE crossfade.verifications SET finished_at = finished_at - interval '61 min'; \
                 INSERT INTO crossfade.runs (name, document, plan, fingerprint, started_by_os) VALUES ('aaa', '', '{}', '', 'x')",
            )
            .await;
        // The order stays open while somebody else has the lease.
        let holds = "INSERT INTO crossfade.leases (run_id, holder, backend_pid, backend_start, epoch, heartbeat) \
            SELECT r.id, 'a test', a.pid, a.backend_start, 100, now() + interval '1 hour' FROM crossfade.runs AS r, pg_stat_activity AS a \
            WHERE r.name = 'rename-status' AND a.pid = pg_backend_pid() \
            ON CONFLICT (run_id) DO UPDATE SET holder = excluded.holder, backend_pid = excluded.backend_pid, \
                backend_start = excluded.backend_start, heartbeat = excluded.heartbeat";
        let holder = database.client().await;
        holder.batch_execute(holds).await.unwrap();
        let server = database.spawn(&[], &["serve"]);
        database
            .wait_until(
                "SELECT automatic AND state = 'open' AND action = 'verify' FROM crossfade.orders",
            )
            .await;
        database
            .crossfade(&["advance", RUN, "--to", "enforce", "--detach"])
            .exits(0);
        let ended = "SELECT state || ': ' || outcome FROM crossfade.orders WHERE automatic";
        assert_eq!(
            database.value(ended).await,
            "cancelled: somebody ordered something else"
        );
        drop(holder);
        database
            .execute("UPDATE crossfade.leases SET holder = NULL, backend_pid = NULL, backend_start = NULL, heartbeat = NULL")
            .await;
        until_completed(database, "enforce").await;
        stop(server);
    });
}

#[test]
fn who_waits_at_a_gate_compares_when_it_is_due() {
    on_postgresql(async |database| {
        start(
            database,
            "gates: {switch_reads: {approvals: 1}}\nsettings: {verify_every: 1h}\n",
        )
        .await;
        database
            .crossfade(&["advance", RUN, "--to", "enforce"])
            .exits(0);
        database
            .execute(
                "UPDATE crossfade.verifications SET finished_at = finished_at - interval '61 min'",
            )
            .await;
        let driver = database.spawn(&[], &["advance", RUN, "--wait"]);
        database
            .wait_until("SELECT count(*) = 2 AND max(finished_at) > now() - interval '1 min' FROM crossfade.verifications")
            .await;
        driver.signal(Signal::SIGINT);
        driver.wait().exits(130);
    });
}

#[test]
fn contract_never_begins_by_itself_and_off_is_a_word() {
    on_postgresql(async |database| {
        let plan = |more: &str| {
            plan_file(&format!(
                "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n{more}"
            ))
        };
        for (more, words) in [
            (
                "gates: {contract: {auto: true}}\n",
                "never begins by itself",
            ),
            ("settings: {verify_every: 5s}\n", "too short"),
            ("settings: {verify_every: daily}\n", "or off"),
        ] {
            let file = plan(more);
            let checked = database
                .crossfade(&["check", "--offline", file.path().to_str().unwrap()])
                .exits(1);
            let told = checked.stdout + &checked.stderr;
            assert!(told.contains(words), "{told}");
        }
        let file = plan("gates: {contract: {auto: false}}\nsettings: {verify_every: off}\n");
        database
            .crossfade(&["check", "--offline", file.path().to_str().unwrap()])
            .exits(0);
        // Both may change while a run goes on.
        start(database, "").await;
        let amendment =
            plan_file("gates: {backfill: {auto: true}}\nsettings: {verify_every: off}\n");
        let amended = database
            .crossfade(&[
                "amend",
                RUN,
                "--gates",
                amendment.path().to_str().unwrap(),
                "--reason",
                "x",
            ])
            .exits(0)
            .stdout;
        assert_eq!(
            amended,
            "backfill: auto false -> true\nverify_every 1d -> off\n"
        );
    });
}
