//! Gates that look outside of the run: windows of time, endpoints, and what still names a column that goes.

use crate::support::{Database, on_postgresql, plan_file};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active', note text);
    INSERT INTO vehicles SELECT i, 'active' FROM generate_series(1, 100) AS i;
";

fn rename(gates: &str) -> String {
    format!(
        "version: 1\nname: rename\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\ngates:\n{gates}"
    )
}

fn start(database: &Database, plan: &str) {
    let file = plan_file(plan);
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

/// The condition of that kind in the gate of that phase.
fn condition(status: &Value, phase: &str, kind: &str) -> Value {
    let phases = status["phases"].as_array().unwrap();
    let phase = phases.iter().find(|one| one["name"] == phase).unwrap();
    let gate = phase["gate"].as_array().unwrap();
    let found = gate.iter().find(|condition| condition["kind"] == kind);
    found
        .cloned()
        .unwrap_or_else(|| panic!("no {kind} in {gate:?}"))
}

/// An application that answers every request with the status that it is told, if the token is right; 0: it says nothing.
fn application(status: &Arc<AtomicU16>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let status = Arc::clone(status);
    thread::spawn(move || {
        let mut silent = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let lines: Vec<String> = BufReader::new(connection.try_clone().unwrap())
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let known = lines.iter().any(|line| line == "x-token: let me in");
            let asked = lines
                .first()
                .is_some_and(|line| line == "GET /health HTTP/1.1");
            match status.load(Ordering::SeqCst) {
                0 => silent.push(connection),
                status => {
                    let status = if known && asked { status } else { 403 };
                    let _ = write!(
                        connection,
                        "HTTP/1.1 {status} so\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                    );
                }
            }
        }
    });
    format!("http://{address}/health")
}

#[test]
fn an_endpoint_holds_a_gate_until_it_answers_as_expected() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let answers = Arc::new(AtomicU16::new(503));
        let url = application(&answers);
        start(
            database,
            &rename(&format!(
                "  expand: {{http: {{name: health, url: '{url}', timeout: 30s, headers: {{X-Token: let me in}}}}}}\n"
            )),
        );
        let health = || condition(&database.status("rename"), "expand", "http");
        database.crossfade(&["advance", "rename"]).exits(3);
        assert_eq!(health()["detail"], "health: answered 503, expected 200");
        answers.store(302, Ordering::SeqCst);
        assert_eq!(health()["detail"], "health: answered 302, expected 200");
        // Whoever looks does not wait for as long as the plan does.
        answers.store(0, Ordering::SeqCst);
        let before = Instant::now();
        let detail = health()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("health: no answer within "), "{detail}");
        assert!(before.elapsed() < Duration::from_secs(5), "status hangs");
        answers.store(200, Ordering::SeqCst);
        assert_eq!(health()["holds"], true);
        database.crossfade(&["advance", "rename"]).exits(0);
    });
}

#[test]
fn nobody_at_an_endpoint_is_not_an_open_gate() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        start(
            database,
            &rename(&format!(
                "  expand: {{http: {{name: health, url: 'http://{address}/'}}}}\n"
            )),
        );
        let ran = database.crossfade(&["advance", "rename"]).exits(3);
        assert!(ran.stderr.contains("health: no answer: "), "{}", ran.stderr);
        assert!(
            !ran.stderr.contains(&address.port().to_string()),
            "{}",
            ran.stderr
        );
    });
}

#[test]
fn a_window_holds_a_gate_until_it_opens() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        // By the database's clock, which is this machine's: a window that has just closed, and one that is open.
        let utc = |minutes: i64| {
            let moment = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
            moment.strftime("%H:%M").to_string()
        };
        let (ago, just, ahead) = (utc(-120), utc(-60), utc(60));
        start(
            database,
            &rename(&format!(
                "  expand: {{window: {{from: '{ago}', to: '{ahead}', zone: UTC}}}}\n  dual_write: {{window: {{from: '{ago}', to: '{just}', zone: UTC}}}}\n"
            )),
        );
        database.crossfade(&["advance", "rename"]).exits(0);
        let ran = database.crossfade(&["advance", "rename"]).exits(3);
        assert!(ran.stderr.contains("window: opens "), "{}", ran.stderr);
        let status = database.status("rename");
        let until: jiff::Timestamp = status["waiting"][0]["until"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let hours = until.duration_since(jiff::Timestamp::now()).as_secs_f64() / 3600.0;
        assert!((21.9..22.1).contains(&hours), "{until}");
    });
}

#[test]
fn an_approval_does_not_outlive_a_rollback_behind_its_phase() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        start(
            database,
            &rename("  verify: {approvals: 1}\n  contract: {approvals: 1}\n"),
        );
        let role = format!("approver_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA crossfade TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {role}"
            ))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        let approve =
            |phase: &str| database.crossfade(&["--database-url", &url, "approve", "rename", phase]);
        let approved = |phase: &str| {
            condition(&database.status("rename"), phase, "approvals")["holds"].clone()
        };
        for phase in ["verify", "contract"] {
            approve(phase).exits(0);
            assert_eq!(approved(phase), true);
        }
        let to = |phase: &'static str| ["advance", "rename", "--to", phase];
        database.crossfade(&to("enforce")).exits(0);
        let done = approve("verify").exits(1);
        assert!(done.stderr.contains("has been done"), "{}", done.stderr);
        // Back to behind neither of them: both stay.
        database
            .crossfade(&["rollback", "rename", "--to", "enforce", "--yes"])
            .exits(0);
        assert_eq!(approved("contract"), true);

        database
            .crossfade(&["rollback", "rename", "--to", "backfill", "--yes"])
            .exits(0);
        assert_eq!(approved("contract"), false);
        database.crossfade(&to("enforce")).exits(3);
        approve("verify").exits(0);
        database.crossfade(&to("enforce")).exits(0);
        database
            .crossfade(&["history", "rename", "--verify"])
            .exits(0);
        let void = "SELECT count(*) FROM crossfade.events WHERE kind = 'approvals void' AND detail LIKE '%contract%'";
        assert_eq!(database.value(void).await, "1");
        database
            .crossfade(&["rollback", "rename", "--yes"])
            .exits(0);
        let ended = approve("contract").exits(1);
        assert!(
            ended.stderr.contains("the run rename is rolled_back"),
            "{}",
            ended.stderr
        );
    });
}

/// `avg` of integers has more digits than a double, and the first column is not the first name.
#[test]
fn a_query_is_judged_by_its_first_column_as_the_server_writes_it() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        start(
            database,
            &rename(
                "  backfill: {query: {name: mean, sql: 'SELECT avg(id) AS z, 1 AS a FROM public.vehicles', expect: {value: '50.5000000000000000'}}}\n  \
                   switch_reads: {query: {name: sums, sql: 'SELECT sum(id)::numeric(38,20) AS ours, 1 AS a FROM public.vehicles', \
                   expect: {equal_to: 'SELECT 5050::numeric(38,20) AS theirs, 2 AS a'}}}\n",
            ),
        );
        database
            .crossfade(&["advance", "rename", "--to", "switch_reads"])
            .exits(0);
    });
}

#[test]
fn what_somebody_changes_on_the_old_column_holds_its_gate_until_the_new_one_has_it_too() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        start(database, &rename("  retire: {bake: 0s}"));
        database
            .crossfade(&["advance", "rename", "--to", "switch_reads"])
            .exits(0);
        let open = database.status("rename");
        assert_eq!(
            condition(&open, "retire", "no_dependents")["holds"],
            true,
            "{open}"
        );
        database
            .execute(
                "ALTER TABLE vehicles ALTER status SET DEFAULT 'parked', ALTER status DROP NOT NULL; \
                 COMMENT ON COLUMN vehicles.status IS 'where it is'; GRANT SELECT (status) ON vehicles TO PUBLIC",
            )
            .await;
        let waits = database.crossfade(&["advance", "rename"]).exits(3);
        for told in [
            "the default of public.vehicles.status (was 'active'::text, is 'parked'::text",
            "the NOT NULL of public.vehicles.status (was set, is none",
            "the comment of public.vehicles.status (was none, is where it is",
            "the privileges of public.vehicles.status (was none, is SELECT to PUBLIC",
            "put it back, and change that of vehicle_status after contract",
        ] {
            assert!(waits.stderr.contains(told), "{told}: {}", waits.stderr);
        }
        // The default of the new column does not count: `contract` sets the one that the plan found.
        database
            .execute(
                "ALTER TABLE vehicles ALTER vehicle_status SET DEFAULT 'parked', ALTER vehicle_status DROP NOT NULL; \
                 COMMENT ON COLUMN vehicles.vehicle_status IS 'where it is'; GRANT SELECT (vehicle_status) ON vehicles TO PUBLIC",
            )
            .await;
        let waits = database.crossfade(&["advance", "rename"]).exits(3);
        assert!(waits.stderr.contains("the default of"), "{}", waits.stderr);
        for mended in ["NOT NULL of", "comment of", "privileges of"] {
            assert!(!waits.stderr.contains(mended), "{}", waits.stderr);
        }
        database
            .execute(
                "ALTER TABLE vehicles ALTER status SET DEFAULT 'active', ALTER vehicle_status DROP DEFAULT",
            )
            .await;
        database
            .crossfade(&["advance", "rename", "--to", "contract", "--yes"])
            .exits(0);
        let left = database
            .value(
                "SELECT concat_ws(' ', pg_get_expr(d.adbin, d.adrelid), a.attnotnull, col_description(a.attrelid, a.attnum), a.attacl) \
                 FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                 WHERE a.attrelid = 'vehicles'::regclass AND a.attname = 'vehicle_status'",
            )
            .await;
        assert!(
            left.starts_with("'active'::text f where it is {=r/"),
            "{left}"
        );
    });
}

#[test]
fn a_default_is_the_same_whatever_time_zone_the_session_has_that_looks() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE vehicles (id bigint PRIMARY KEY, status timestamptz DEFAULT '2000-01-01 00:00:00+00'); \
                 INSERT INTO vehicles VALUES (1)",
            )
            .await;
        start(database, &rename("  retire: {bake: 0s}"));
        let there = format!(
            "ALTER DATABASE \"{}\" SET timezone = 'Asia/Tokyo'",
            database.name
        );
        database.execute(&there).await;
        database
            .crossfade(&["advance", "rename", "--to", "retire"])
            .exits(0);
    });
}

#[test]
fn what_the_plan_itself_changes_on_the_old_column_does_not_hold_its_gate() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let table = "table: public.vehicles";
        start(
            database,
            &format!(
                "version: 1\nname: rename\nphases:\n\
                 - phase: expand\n  steps:\n  - add_column: {{{table}, column: vehicle_status, type: text}}\n  - drop_not_null: {{{table}, column: status}}\n\
                 - phase: dual_write\n  steps:\n  - sync_columns: {{{table}, forward: {{vehicle_status: status}}, backward: {{status: vehicle_status}}}}\n\
                 - phase: backfill\n  steps:\n  - fill: {{{table}, set: {{vehicle_status: status}}}}\n\
                 - phase: verify\n  steps:\n  - match: {{{table}, columns: {{vehicle_status: status}}}}\n\
                 - phase: enforce\n  steps:\n  - set_not_null: {{{table}, column: vehicle_status}}\n\
                 - phase: retire\n  steps:\n  - retire_column: {{{table}, column: status}}\n"
            ),
        );
        database
            .crossfade(&["advance", "rename", "--to", "retire"])
            .exits(0);
    });
}
