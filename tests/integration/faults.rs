//! The database goes away, or has no room, while both versions of the application write: the run goes on by itself where
//! that is safe, or pauses and says why, and nothing that was acknowledged is lost.

use crate::support::{
    Background, Database, Ran, command, connect, faults_table::Line, on_own_postgresql,
    on_postgresql, plan_file,
};
use crossfade::demo::traffic::{Options, Shape, Traffic, Version, create_table};
use crossfade_postgres::launch::{LaunchOptions, Server, StopMode};
use std::{io::Write, os::unix::fs::MetadataExt, path::Path, process::Command, time::Duration};

const RUN: &str = "rename-status";
const ROWS: u64 = 4_000;
/// Two rows in each block, so that there are many batches, and what is updated moves.
const WIDE: &str = "
    ALTER TABLE vehicles SET (autovacuum_enabled = off);
    ALTER TABLE vehicles ADD pad text NOT NULL DEFAULT repeat('x', 3900), ALTER pad SET STORAGE PLAIN;
    CLUSTER vehicles USING vehicles_pkey;
";
/// The rows that the backfill changes, as the database counts them: with the transaction that changed them.
const COUNTED: &str = "
    CREATE TABLE filled (id bigint NOT NULL);
    CREATE FUNCTION note_fill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN INSERT INTO public.filled VALUES (new.id); RETURN NULL; END $$;
    CREATE TRIGGER note_fill AFTER UPDATE ON vehicles FOR EACH ROW
        WHEN (current_setting('application_name') LIKE 'crossfade/%') EXECUTE FUNCTION note_fill();
    ALTER TABLE vehicles ENABLE ALWAYS TRIGGER note_fill;
";
const SOME_FILLED: &str = "SELECT count(*) > 200 FROM filled";
/// What a client says whose server is away: by its SQLSTATE, or that it cannot be reached.
const AWAY: [&str; 3] = ["57P0", "connect", "communicating"];

fn crossfade(url: &str, arguments: &[&str]) -> Ran {
    Ran::of(command(url, arguments).output().expect("the program runs"))
}

async fn count(url: &str, sql: &str) -> i64 {
    let row = connect(url).await.query_one(sql, &[]).await;
    row.expect(sql).get(0)
}

/// A run in `dual_write`, and clients of both versions that write from now on.
async fn under_traffic(url: &str, pacing: &str) -> Traffic {
    let client = connect(url).await;
    create_table(&client, ROWS).await.expect("the table");
    for sql in [WIDE, COUNTED] {
        client.batch_execute(sql).await.expect(sql);
    }
    let file = plan_file(&format!(
        "version: 1\nname: {RUN}\nchange:\n  rename_column: {{table: public.vehicles, from: status, to: vehicle_status}}\n\
         settings: {{pacing: {{batch_target: 20ms, batch_rows_max: 10{pacing}}}}}\n"
    ));
    let start = ["start", file.path().to_str().unwrap()];
    for arguments in [
        &["init"][..],
        &start,
        &["advance", RUN, "--to", "dual_write"],
    ] {
        crossfade(url, arguments).exits(0);
    }
    let options = Options {
        clients_per_version: 2,
        pause: Duration::from_millis(5),
        initial_rows: ROWS,
        ..Options::default()
    };
    let clients = Traffic::start(url, Shape::demo(), options).await;
    let clients = clients.expect("the old version is in service");
    let deployed = clients.start_version(Version::New).await;
    deployed.expect("the new version is in service");
    clients
}

/// After a backfill, however it went: it filled what was to be filled, each row once and in one pass, and counted it; the
/// verification passes under the same traffic; and the rows are those that the clients know of. They have seen no errors
/// but `faults`. `injected` says what was done, and how often.
async fn nothing_is_lost(
    url: &str,
    clients: Traffic,
    faults: &[&str],
    (fault, injected): (&str, u64),
) {
    let status = crossfade(url, &["status", RUN, "--format", "json"])
        .exits(0)
        .json();
    let filled = count(url, "SELECT count(*) FROM filled").await;
    assert_eq!(status["backfill"]["rows_changed"], filled, "{status}");
    let distinct = count(url, "SELECT count(DISTINCT id) FROM filled").await;
    assert_eq!(filled, distinct, "no row is filled twice");
    let left = "SELECT count(*) FROM vehicles WHERE vehicle_status IS DISTINCT FROM status";
    assert_eq!(count(url, left).await, 0);
    let passes = "SELECT pass::bigint FROM crossfade.walks WHERE step LIKE 'fill:%'";
    assert_eq!(
        count(url, passes).await,
        2,
        "the second finds nothing: no range was left out"
    );
    crossfade(url, &["advance", RUN, "--to", "verify"]).exits(0);
    let report = clients.stop().await;
    assert!(report.operations > 200, "{} operations", report.operations);
    let expected = |error: &&String| faults.iter().any(|fault| error.contains(fault));
    let others: Vec<&String> = report
        .errors
        .iter()
        .filter(|error| !expected(error))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(
        faults.is_empty(),
        report.error_count == 0,
        "the clients met it"
    );
    let client = connect(url).await;
    for column in ["status", "vehicle_status"] {
        let differences = report.ledger.compare(&client, column).await;
        let differences = differences.expect("compared");
        assert!(differences.is_empty(), "{column}: {differences:?}");
    }
    Line {
        fault,
        injected,
        operations: report.operations,
        lost: 0,
        errors: &format!("{} statements", report.error_count),
        longest: Duration::from_secs_f64(report.max_ms / 1_000.0),
    }
    .print();
}

#[test]
fn sessions_that_an_administrator_ends_are_replaced_and_the_backfill_goes_on() {
    on_postgresql(async |database| {
        let clients = under_traffic(&database.url, "").await;
        let driver = database.spawn(&[], &["advance", RUN]);
        database.wait_until(SOME_FILLED).await;
        for sessions in [&["crossfade/%/batch"][..], &["crossfade/%", "vehicles%"]] {
            for sessions in sessions {
                database
                    .execute(&format!(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND application_name LIKE '{sessions}'"
                    ))
                    .await;
            }
            let filled = database.value("SELECT count(*) FROM filled").await;
            database
                .wait_until(&format!("SELECT count(*) > {filled} + 200 FROM filled"))
                .await;
        }
        let ran = driver.wait().exits(0);
        assert!(
            ran.stderr.contains("the database is unavailable"),
            "{}",
            ran.stderr
        );
        nothing_is_lost(
            &database.url,
            clients,
            &AWAY,
            (
                "sessions of the program, then all, ended by an administrator",
                3,
            ),
        )
        .await;
    });
}

#[test]
fn a_server_that_restarts_in_the_middle_is_waited_for() {
    let mut server = Server::launch(&LaunchOptions::default()).expect("a PostgreSQL");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let url = server.url("postgres");
    let clients = runtime.block_on(under_traffic(&url, ""));
    let driver = Background::start(command(&url, &["advance", RUN]));
    let filled = || runtime.block_on(count(&url, "SELECT count(*) FROM filled"));
    for mode in [StopMode::Fast, StopMode::Immediate] {
        let before = filled();
        for _ in 0..2_000 {
            if filled() > before + 200 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(filled() > before + 200, "it goes on");
        server.restart(mode).expect("the server comes back");
    }
    let ran = driver.wait().exits(0);
    assert!(
        ran.stderr.contains("the database is unavailable"),
        "{}",
        ran.stderr
    );
    runtime.block_on(nothing_is_lost(
        &url,
        clients,
        &AWAY,
        ("server restarted: fast, and by a crash", 2),
    ));
    server.stop().expect("the server stops");
}

#[test]
fn a_role_out_of_connections_waits_until_there_are_some() {
    on_postgresql(async |database| {
        let clients = under_traffic(&database.url, "").await;
        let role = format!("limited_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN CONNECTION LIMIT 3; GRANT postgres TO {role}; \
                 GRANT ALL ON SCHEMA crossfade TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA crossfade TO {role}; \
                 GRANT ALL ON ALL SEQUENCES IN SCHEMA crossfade TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crossfade TO {role}; \
                 ALTER TABLE vehicles OWNER TO {role}"
            ))
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        assert_ne!(url, database.url);
        let driver = Background::start(command(&url, &["advance", RUN]));
        database
            .wait_until("SELECT EXISTS (SELECT 1 FROM crossfade.steps WHERE state = 'failed' AND error LIKE '%too many connections%')")
            .await;
        database
            .execute(&format!("ALTER ROLE {role} CONNECTION LIMIT -1"))
            .await;
        driver.wait().exits(0);
        nothing_is_lost(
            &database.url,
            clients,
            &[],
            ("role without a connection left", 1),
        )
        .await;
        database
            .execute(&format!(
                "REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"
            ))
            .await;
    });
}

#[test]
fn timeouts_that_the_database_sets_do_not_cut_a_backfill_short() {
    on_postgresql(async |database| {
        let clients = under_traffic(&database.url, "").await;
        database
            .execute(&format!(
                "ALTER DATABASE {0} SET statement_timeout = '5ms'; ALTER DATABASE {0} SET lock_timeout = '5ms'; \
                 ALTER DATABASE {0} SET idle_in_transaction_session_timeout = '5ms'",
                database.name
            ))
            .await;
        let ran = database.crossfade(&["advance", RUN]).exits(0);
        assert!(!ran.stderr.contains("away"), "{}", ran.stderr);
        database
            .execute(&format!(
                "SET statement_timeout = 0; ALTER DATABASE {} RESET ALL",
                database.name
            ))
            .await;
        nothing_is_lost(
            &database.url,
            clients,
            &[],
            ("timeouts of 5 ms set on the database", 1),
        )
        .await;
    });
}

/// The run pauses with the reason, and the clients notice as well.
async fn pauses_as_the_disk_is_full(database: &Database, clients: &Traffic) {
    let ran = database.crossfade(&["advance", RUN]).exits(4);
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
    let reason = database.status(RUN)["paused"]["reason"].clone();
    let said = reason.as_str().is_some_and(|reason| {
        reason.contains("the server has no room left") && reason.contains("53100")
    });
    assert!(said, "{reason}");
    clients.wait_for_operations(200).await;
    let errors = clients.errors();
    assert!(
        errors.iter().any(|error| error.contains("53100")),
        "{errors:?}"
    );
    assert_eq!(database.status(RUN)["paused"]["reason"], reason);
}

/// Wherever no disk can be mounted: the server's own SQLSTATE for it, in the middle of the table.
#[test]
fn a_full_disk_pauses_the_run_with_the_reason_and_resume_goes_on() {
    on_postgresql(async |database| {
        let clients = under_traffic(&database.url, "").await;
        database
            .execute(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
                 CREATE TRIGGER full_disk BEFORE UPDATE ON vehicles FOR EACH ROW WHEN (old.id > 1000) EXECUTE FUNCTION full_disk(); \
                 ALTER TABLE vehicles ENABLE ALWAYS TRIGGER full_disk",
            )
            .await;
        pauses_as_the_disk_is_full(database, &clients).await;
        database.execute("DROP FUNCTION full_disk() CASCADE").await;
        database.crossfade(&["resume", RUN]).exits(0);
        nothing_is_lost(
            &database.url,
            clients,
            &["53100"],
            ("disk full, by its error", 1),
        )
        .await;
    });
}

/// A file system in memory with a size of its own. Unmounted when dropped, whoever still has files there open.
struct SmallDisk(tempfile::TempDir);

/// More than the table comes to, filled and written to.
const LARGE: &str = "128m";

impl SmallDisk {
    /// For whoever owns `neighbour`. `None` where this user, or this machine, may mount nothing.
    fn mount(size: &str, neighbour: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let owner = std::fs::metadata(neighbour).expect("the server's folder");
        let options = format!(
            "size={size},mode=0700,uid={},gid={}",
            owner.uid(),
            owner.gid()
        );
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self(folder)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        // Not by `eprintln!`, which nobody sees of a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "no disk was filled, as none can be mounted here: {why}"
        );
        None
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        let status = Command::new("mount")
            .args(["-o", &options])
            .arg(self.0.path())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "there is more room"
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .status();
    }
}

#[test]
fn a_disk_that_is_really_full_pauses_the_run_until_there_is_room() {
    on_own_postgresql(&[], async |database| {
        let folder = database.server().data_directory();
        let Some(disk) = SmallDisk::mount(LARGE, folder) else {
            return;
        };
        // Without vacuum the table would be twice its 16 MB.
        let clients = under_traffic(&database.url, ", vacuum_percent: 0").await;
        database
            .execute(&format!(
                "CREATE TABLESPACE small LOCATION '{}'",
                disk.0.path().display()
            ))
            .await;
        database
            .execute("ALTER TABLE vehicles SET TABLESPACE small")
            .await;
        let size = "SELECT pg_table_size('vehicles') / 1048576";
        let size: u32 = database.value(size).await.parse().expect("a size");
        disk.resize(&format!("{}m", size + 6));
        pauses_as_the_disk_is_full(database, &clients).await;
        // As full as before: it pauses again.
        database.crossfade(&["resume", RUN]).exits(4);
        disk.resize(LARGE);
        database.crossfade(&["resume", RUN]).exits(0);
        nothing_is_lost(
            &database.url,
            clients,
            &["53100"],
            ("disk really full, twice", 2),
        )
        .await;
        for sql in [
            "ALTER TABLE vehicles SET TABLESPACE pg_default",
            "DROP TABLESPACE small",
        ] {
            database.execute(sql).await;
        }
    });
}
