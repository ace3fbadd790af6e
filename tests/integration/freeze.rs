//! A freeze: nothing begins in the database, a backfill rests at its checkpoint, and going back stays possible.

use crate::support::{Database, on_postgresql, plan_file};
use nix::sys::signal::Signal;

const RUN: &str = "rename-status";

async fn start(database: &Database) {
    database
        .execute(
            "CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL, pad text NOT NULL) WITH (autovacuum_enabled = off); \
             INSERT INTO vehicles SELECT i, 'status ' || i % 7, repeat('x', 900) FROM generate_series(1, 6000) AS i",
        )
        .await;
    database.crossfade(&["init"]).exits(0);
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {{batch_target: 5ms, batch_rows_max: 10}}}}\n"
    ));
    database
        .crossfade(&["start", file.path().to_str().unwrap()])
        .exits(0);
}

#[test]
fn a_backfill_rests_no_phase_begins_and_all_goes_on_where_it_was() {
    on_postgresql(async |database| {
        start(database).await;
        let driver = database.spawn(&[], &["advance", RUN, "--to", "verify"]);
        database
            .wait_until("SELECT EXISTS (SELECT FROM crossfade.segments WHERE step = 'fill:public.vehicles' AND rows_changed > 100)")
            .await;
        let frozen = database
            .crossfade(&["freeze", "--reason", "the sale", "--for", "12h"])
            .exits(0);
        assert!(
            frozen.stdout.starts_with("frozen until"),
            "{}",
            frozen.stdout
        );
        let told = driver.wait().exits(4);
        assert!(
            told.stderr.contains("the database is frozen until"),
            "{}",
            told.stderr
        );
        let checkpoint = "SELECT sum(next_block) FROM crossfade.segments";
        let before = database.value(checkpoint).await;
        database.crossfade(&["advance", RUN]).exits(4);
        // A pause of the run ends, and the freeze still holds it.
        database
            .crossfade(&["pause", RUN, "--reason", "lunch"])
            .exits(0);
        database.crossfade(&["resume", RUN, "--detach"]).exits(0);
        assert_eq!(database.value(checkpoint).await, before);
        let status = database.status(RUN);
        assert_eq!(status["waiting"][0]["kind"], "frozen");
        assert_eq!(status["frozen"]["reason"], "the sale");
        let list = database.crossfade(&["status"]).exits(0).stdout;
        assert!(list.contains("the database is frozen until"), "{list}");
        let ended = database.crossfade(&["unfreeze"]).exits(0).stdout;
        assert!(ended.contains("the sale"), "{ended}");
        let none = database.crossfade(&["unfreeze"]).exits(0).stdout;
        assert_eq!(none, "the database was not frozen\n");
        database
            .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.leases WHERE holder IS NOT NULL AND heartbeat > now() - interval '15 s')")
            .await;
        database
            .crossfade(&["advance", RUN, "--to", "verify"])
            .exits(0);
        let kinds = database
            .value("SELECT string_agg(kind, ',' ORDER BY number) FROM crossfade.events WHERE kind LIKE '%frozen'")
            .await;
        assert_eq!(kinds, "frozen,unfrozen");
        let intact = database.crossfade(&["history", RUN, "--verify"]).exits(0);
        assert!(intact.stdout.contains("is intact"), "{}", intact.stdout);
    });
}

#[test]
fn going_back_is_possible_and_a_server_keeps_orders_until_the_freeze_is_over() {
    on_postgresql(async |database| {
        start(database).await;
        database
            .crossfade(&["advance", RUN, "--to", "dual_write"])
            .exits(0);
        let server = database.spawn(&[], &["serve"]);
        database
            .crossfade(&["freeze", "--reason", "the sale", "--for", "4s"])
            .exits(0);
        database
            .crossfade(&["advance", RUN, "--to", "verify", "--detach"])
            .exits(0);
        let ends = database.value("SELECT until FROM crossfade.freezes").await;
        database
            .wait_until("SELECT state = 'done' FROM crossfade.orders ORDER BY id DESC LIMIT 1")
            .await;
        let began =
            format!("SELECT started_at > '{ends}' FROM crossfade.phases WHERE phase = 'backfill'");
        assert_eq!(database.value(&began).await, "true");
        database
            .crossfade(&["freeze", "--reason", "until somebody says so"])
            .exits(0);
        database
            .crossfade(&["rollback", RUN, "--yes", "--detach"])
            .exits(0);
        database
            .wait_until("SELECT state = 'rolled_back' FROM crossfade.runs")
            .await;
        server.signal(Signal::SIGTERM);
        server.wait().exits(0);
    });
}

#[test]
fn a_server_freezes_by_its_calendar_once_for_each_time() {
    on_postgresql(async |database| {
        start(database).await;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        // A time that began this year and ends the next.
        let year = database
            .value("SELECT extract(year FROM clock_timestamp() AT TIME ZONE 'UTC')")
            .await;
        let text = format!(
            "freeze:\n- {{from: \"{year}-01-01\", to: \"{}-02-01\", zone: UTC, reason: end of the year}}\n- {{from: \"1999-12-31\", to: \"2000-01-01\", zone: UTC, reason: over}}\n",
            year.parse::<i32>().unwrap() + 1
        );
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let configuration = file.path().to_str().unwrap();
        let serve = || database.spawn(&[], &["serve", "--config", configuration]);
        let servers = [serve(), serve()];
        database
            .wait_until("SELECT count(*) = 1 AND bool_and(reason = 'end of the year') FROM crossfade.freezes")
            .await;
        database.crossfade(&["advance", RUN]).exits(4);
        database.crossfade(&["unfreeze"]).exits(0);
        for server in servers {
            server.signal(Signal::SIGTERM);
            server.wait().exits(0);
        }
        let again = serve();
        database
            .wait_until("SELECT count(*) = 3 FROM crossfade.servers")
            .await;
        database.crossfade(&["advance", RUN]).exits(0);
        again.signal(Signal::SIGTERM);
        again.wait().exits(0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM crossfade.freezes")
                .await,
            "1"
        );
    });
}
