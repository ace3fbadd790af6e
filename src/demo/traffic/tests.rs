//! The traffic against a real PostgreSQL: quiet where all is well, and loud where it is not.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::{UnixListener, UnixStream};

use super::*;
use crossfade_postgres::launch::{LaunchOptions, Server};
use tokio_postgres::error::SqlState;

/// One for all tests; in a static it is removed by its watchdog.
static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::launch(&LaunchOptions::default()).expect("a PostgreSQL"));
static DATABASES: AtomicU32 = AtomicU32::new(0);

const ROWS: u64 = 2_000;
const OPERATIONS: u64 = 3_000;

async fn client(url: &str) -> tokio_postgres::Client {
    let config: Config = url.parse().expect("a URL");
    connect(&config).await.expect("a connection")
}

/// A database of the test's own: its URL and a client.
async fn database() -> (String, tokio_postgres::Client) {
    let admin_url = tokio::task::spawn_blocking(|| SERVER.url("postgres"))
        .await
        .expect("a server");
    let name = format!("traffic_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let create = format!("CREATE DATABASE {name}");
    client(&admin_url)
        .await
        .batch_execute(&create)
        .await
        .expect("a database");
    let url = SERVER.url(&name);
    let client = client(&url).await;
    (url, client)
}

async fn demo_table() -> (String, tokio_postgres::Client) {
    let (url, client) = database().await;
    create_table(&client, ROWS).await.expect("a table");
    (url, client)
}

fn options() -> Options {
    Options {
        seed: 7,
        clients_per_version: 3,
        initial_rows: ROWS,
        ..Options::default()
    }
}

/// A sync that is good enough for values that are the same on both sides. `fires_on` ends the UPDATE trigger's head.
fn sync_sql(column_type: &str, fires_on: &str) -> String {
    format!(
        "ALTER TABLE vehicles ADD COLUMN vehicle_status {column_type};
         CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF tg_op = 'INSERT' AND new.vehicle_status IS NOT NULL
                 OR tg_op = 'UPDATE' AND new.vehicle_status IS DISTINCT FROM old.vehicle_status
             THEN new.status := new.vehicle_status;
             ELSE new.vehicle_status := new.status;
             END IF;
             RETURN new;
         END $$;
         CREATE TRIGGER sync_insert BEFORE INSERT ON vehicles FOR EACH ROW EXECUTE FUNCTION sync();
         CREATE TRIGGER sync_update BEFORE UPDATE {fires_on} ON vehicles FOR EACH ROW EXECUTE FUNCTION sync();"
    )
}

const FILL: &str = "UPDATE vehicles SET vehicle_status = status WHERE vehicle_status IS NULL AND status IS NOT NULL";

/// Both versions over a sync that is made while the old one writes; filled while both write. Their report.
async fn cross_fade(
    url: &str,
    client: &tokio_postgres::Client,
    shape: Shape,
    sync: &str,
    fill: &str,
) -> Report {
    let traffic = Traffic::start(url, shape, options())
        .await
        .expect("traffic");
    traffic.wait_for_operations(OPERATIONS).await;
    client
        .batch_execute(&format!("BEGIN; {sync} COMMIT"))
        .await
        .expect("a sync");
    traffic
        .start_version(Version::New)
        .await
        .expect("the new version");
    traffic.wait_for_operations(OPERATIONS).await;
    for first in (0..=3 * ROWS).step_by(50) {
        // As in the program: the batch gives way, long before the server looks for a deadlock and may end the other one.
        let batch = format!(
            "SET lock_timeout = '100ms'; {fill} AND id BETWEEN {first} AND {}",
            first + 49
        );
        while let Err(error) = client.batch_execute(&batch).await {
            let code = error.code().cloned();
            assert_eq!(code, Some(SqlState::LOCK_NOT_AVAILABLE), "{error:?}");
        }
    }
    traffic.wait_for_operations(OPERATIONS).await;
    traffic.stop_version(Version::Old).await;
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    client.batch_execute(fill).await.expect("the rest");
    report
}

async fn compare(
    report: &Report,
    client: &tokio_postgres::Client,
    column: &str,
) -> Vec<Difference> {
    report
        .ledger
        .compare(client, column)
        .await
        .expect("a comparison")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_migration_nothing_fails_and_the_ledger_equals_the_table() {
    let (url, client) = demo_table().await;
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    traffic.wait_for_operations(2 * OPERATIONS).await;
    let report = traffic.stop().await;
    assert_eq!((report.errors.clone(), report.error_count), (vec![], 0));
    assert_eq!(compare(&report, &client, "status").await, vec![]);
    assert!(report.operations >= 2 * OPERATIONS);
    assert!(
        0.0 < report.p50_ms && report.p50_ms <= report.p99_ms && report.p99_ms <= report.max_ms
    );
    let rows: i64 = client
        .query_one("SELECT count(*) FROM vehicles", &[])
        .await
        .expect("rows")
        .get(0);
    assert_eq!(report.ledger.len() as i64, rows);
    assert!(!report.ledger.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_write_reaches_the_table() {
    let (url, client) = demo_table().await;
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    traffic.wait_for_operations(2 * OPERATIONS).await;
    traffic.stop().await;
    let row = client
        .query_one(
            "SELECT count(*) FILTER (WHERE id > $1 AND status = 'active'),
                    count(*) FILTER (WHERE id > $1 AND status LIKE 'status %'),
                    count(*) FILTER (WHERE id <= $1 AND status LIKE 'status %'),
                    count(*) FILTER (WHERE id <= $1 AND status LIKE 'status %' AND n > 1),
                    $1 - count(*) FILTER (WHERE id <= $1)
             FROM (SELECT *, count(*) OVER (PARTITION BY status) AS n FROM vehicles) AS v",
            &[&(ROWS as i64)],
        )
        .await
        .expect("counts");
    for kind in 0..5 {
        assert!(row.get::<_, i64>(kind) > 10, "kind {kind}: {row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_write_over_a_sync_and_the_ledger_equals_both_columns() {
    let (url, client) = demo_table().await;
    let report = cross_fade(
        &url,
        &client,
        Shape::demo(),
        &sync_sql("varchar(50)", ""),
        FILL,
    )
    .await;
    assert_eq!((report.errors.clone(), report.error_count), (vec![], 0));
    assert_eq!(compare(&report, &client, "status").await, vec![]);
    assert_eq!(compare(&report, &client, "vehicle_status").await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_and_another_type_over_a_sync_and_the_ledger_equals_both_columns() {
    let (url, client) = database().await;
    let table = format!(
        "CREATE TABLE vehicles (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, license_plate text UNIQUE NOT NULL,
             status integer, mileage integer NOT NULL DEFAULT 0, note text);
         INSERT INTO vehicles (license_plate, status)
             SELECT 'V' || n, nullif(n % 5, 0) FROM generate_series(1, {ROWS}) AS n"
    );
    client.batch_execute(&table).await.expect("a table");
    let shape = Shape {
        not_null: false,
        has_default: false,
        new_writes_null: true,
        values: Values::Integer,
        ..Shape::demo()
    };
    // The new version's NULLs are well defined only once everything is filled: here before it is deployed.
    let sync = format!("{} {FILL};", sync_sql("numeric(14, 2)", ""));
    let report = cross_fade(&url, &client, shape, &sync, FILL).await;
    assert_eq!((report.errors.clone(), report.error_count), (vec![], 0));
    assert_eq!(compare(&report, &client, "status").await, vec![]);
    assert_eq!(compare(&report, &client, "vehicle_status").await, vec![]);
    let nulls: i64 = client
        .query_one(
            "SELECT count(*) FROM vehicles WHERE status IS NULL AND id > $1",
            &[&(ROWS as i32)],
        )
        .await
        .expect("a count")
        .get(0);
    assert!(nulls > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lossy_change_is_compared_by_what_each_side_shows() {
    let (url, client) = database().await;
    // Old: amounts with three decimals as text. New: whole numbers. Back again: without decimals.
    let table = format!(
        "CREATE TABLE vehicles (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, license_plate text UNIQUE NOT NULL,
             status text NOT NULL DEFAULT '7.250', mileage integer NOT NULL DEFAULT 0, note text);
         INSERT INTO vehicles (license_plate, status)
             SELECT 'V' || n, n || '.125' FROM generate_series(1, {ROWS}) AS n"
    );
    client.batch_execute(&table).await.expect("a table");
    let values = Values::Custom {
        // So few that writers often meet what is there already.
        pair: |version, number| match (version, number % 500) {
            (Version::Old, number) => Pair {
                old: Some(format!("{number}.500").into()),
                new: Some(number.to_string().into()),
            },
            (Version::New, number) => Pair::same(&number.to_string()),
        },
        forward: |old| old.split('.').next().map(str::to_owned),
    };
    let sync = sync_sql("bigint", "")
        .replace("new.vehicle_status := new.status", "new.vehicle_status := trunc(new.status::numeric)")
        .replace(
            "ELSE",
            "ELSIF tg_op = 'UPDATE' AND new.status = old.status AND old.vehicle_status IS NOT NULL THEN NULL; ELSE",
        );
    let sync = format!("{sync} UPDATE vehicles SET status = status;");
    let report = cross_fade(
        &url,
        &client,
        Shape {
            values,
            ..Shape::demo()
        },
        &sync,
        "UPDATE vehicles SET vehicle_status = trunc(status::numeric) WHERE vehicle_status IS NULL",
    )
    .await;
    assert_eq!((report.errors.clone(), report.error_count), (vec![], 0));
    assert_eq!(compare(&report, &client, "status").await, vec![]);
    assert_eq!(compare(&report, &client, "vehicle_status").await, vec![]);
    let swapped = report
        .ledger
        .compare_side(&client, "status", Version::New)
        .await
        .expect("compared");
    assert!(!swapped.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_behind_its_back_is_reported_and_nothing_else() {
    let (url, client) = demo_table().await;
    // One row deleted before the start is not missed.
    client
        .batch_execute("DELETE FROM vehicles WHERE id = 2")
        .await
        .expect("deleted");
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    let entry = |at: usize| report.ledger.entries()[at].clone();
    let last = report.ledger.len() - 1;
    let (valued, driven, deleted) = (entry(3).row, entry(4).row, entry(last));
    let plate = |id: i64| {
        let client = &client;
        async move {
            let row = client
                .query_one("SELECT license_plate FROM vehicles WHERE id = $1", &[&id])
                .await;
            row.expect("a row").get::<_, String>(0)
        }
    };
    let (valued_plate, driven_plate, deleted_plate) = (
        plate(valued.id).await,
        plate(driven.id).await,
        plate(deleted.row.id).await,
    );
    let nobody = format!("{}nobody", KeySpace::of(7, 0).prefix);
    let sql = format!(
        "UPDATE vehicles SET status = 'forged' WHERE id = {};
         UPDATE vehicles SET mileage = -1 WHERE id = {};
         DELETE FROM vehicles WHERE id = {};
         INSERT INTO vehicles (id, license_plate) VALUES (2, 'V2 again'), (900001, '{nobody}'), (900002, 'another');
         UPDATE vehicles SET note = 'a note is nobody''s'",
        valued.id, driven.id, deleted.row.id
    );
    client.batch_execute(&sql).await.expect("forged");
    let mut found = compare(&report, &client, "status").await;
    found.sort_by_key(Difference::to_string);
    let mut expected = vec![
        Difference::Value {
            id: valued.id,
            license_plate: valued_plate,
            expected: valued.pair.side(Version::Old).map(str::to_owned),
            found: Some("forged".to_owned()),
        },
        Difference::Mileage {
            id: driven.id,
            license_plate: driven_plate,
            expected: driven.mileage,
            found: -1,
        },
        Difference::Missing {
            id: deleted.row.id,
            license_plate: Some(deleted_plate),
            expected: deleted.row.pair.side(Version::Old).map(str::to_owned),
        },
        Difference::Unexpected {
            id: 2,
            license_plate: "V2 again".to_owned(),
        },
        Difference::Unexpected {
            id: 900_001,
            license_plate: nobody,
        },
    ];
    expected.sort_by_key(Difference::to_string);
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_fires_for_the_old_column_only_is_detected() {
    let (url, client) = demo_table().await;
    let sync = sync_sql("varchar(50)", "OF status");
    let report = cross_fade(&url, &client, Shape::demo(), &sync, FILL).await;
    // What the new version updated is lost on the old side.
    assert!(compare(&report, &client, "status").await.len() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_trigger_is_detected() {
    let (url, client) = demo_table().await;
    let sync = "ALTER TABLE vehicles ADD COLUMN vehicle_status varchar(50);";
    let report = cross_fade(&url, &client, Shape::demo(), sync, FILL).await;
    assert!(compare(&report, &client, "status").await.len() > 10);
    assert!(compare(&report, &client, "vehicle_status").await.len() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn inserts_that_fail_are_reported_with_their_statement() {
    let (url, client) = demo_table().await;
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    client
        .batch_execute("ALTER TABLE vehicles ADD COLUMN vin text; ALTER TABLE vehicles ADD CHECK (vin <> '' OR id <= 2000) NOT VALID; ALTER TABLE vehicles ADD CONSTRAINT no_more CHECK (id <= 2000) NOT VALID")
        .await
        .expect("a constraint");
    traffic.wait_for_operations(OPERATIONS).await;
    let errors = traffic.errors();
    assert_eq!(errors.len(), 51);
    assert!(
        errors
            .iter()
            .take(50)
            .all(|error| error.contains("23514") && error.contains("no_more")),
        "{errors:?}"
    );
    assert!(
        errors
            .iter()
            .any(|error| error.contains(": INSERT INTO public.vehicles ("))
    );
    assert!(errors.last().is_some_and(|error| error.starts_with("and ")));
    let report = traffic.stop().await;
    assert!(report.error_count > 100);
    // What failed is not in the ledger, nor what shared its transaction.
    assert_eq!(compare(&report, &client, "status").await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_closed_by_the_server_is_an_error_and_the_client_goes_on() {
    let (url, client) = demo_table().await;
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    for _ in 0..40 {
        traffic.wait_for_operations(100).await;
        client
            .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vehicles old' AND datname = current_database()")
            .await
            .expect("terminated");
    }
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    assert!(report.error_count >= 60, "{report:?}");
    assert!(
        report
            .errors
            .iter()
            .all(|error| error.contains("57P01") || error.contains("closed")),
        "{:?}",
        report.errors
    );
    assert_eq!(compare(&report, &client, "status").await, vec![]);
}

/// Carries one connection, then swallows the server's answers for a while, as a network that breaks does.
async fn break_later(
    mut client: UnixStream,
    server_socket: PathBuf,
    begun: CancellationToken,
    after: Duration,
) {
    let mut server = UnixStream::connect(server_socket)
        .await
        .expect("the server");
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
        () = async { begun.cancelled().await; tokio::time::sleep(after).await } => {}
    }
    let (mut from_client, _to_client) = client.split();
    let (_from_server, mut to_server) = server.split();
    let sent = tokio::io::copy(&mut from_client, &mut to_server);
    let _ = tokio::time::timeout(Duration::from_millis(20), sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_in_the_ledger_if_it_is_in_the_table() {
    let (url, client) = demo_table().await;
    let folder = tempfile::tempdir().expect("a folder");
    let socket_name = format!(".s.PGSQL.{}", SERVER.port());
    let server_folder = SERVER
        .data_directory()
        .parent()
        .expect("a folder")
        .to_owned();
    let listener = UnixListener::bind(folder.path().join(&socket_name)).expect("a socket");
    let server_socket = server_folder.join(&socket_name);
    // Not before everything is connected: what fails at the start is not an error of the traffic.
    let begun = CancellationToken::new();
    let begins = begun.clone();
    let proxy = tokio::spawn(async move {
        let mut rng = fastrand::Rng::with_seed(1);
        while let Ok((stream, _)) = listener.accept().await {
            let after = Duration::from_millis(rng.u64(100..300));
            let (server_socket, begun) = (server_socket.clone(), begun.clone());
            tokio::spawn(break_later(stream, server_socket, begun, after));
        }
    });
    let encoded = |path: &Path| path.display().to_string().replace('/', "%2F");
    let broken_url = url.replace(&encoded(&server_folder), &encoded(folder.path()));
    assert_ne!(url, broken_url);
    let traffic = Traffic::start(&broken_url, Shape::demo(), options())
        .await
        .expect("traffic");
    begins.cancel();
    while traffic.error_count() < 60 {
        traffic.wait_for_operations(100).await;
    }
    let report = traffic.stop().await;
    proxy.abort();
    assert_eq!(compare(&report, &client, "status").await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_of_the_server_the_ledger_equals_what_was_recovered() {
    let launch = || Server::launch(&LaunchOptions::default());
    let mut server = tokio::task::spawn_blocking(launch)
        .await
        .expect("a task")
        .expect("a server");
    let url = server.url("postgres");
    create_table(&client(&url).await, ROWS)
        .await
        .expect("a table");
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    traffic.wait_for_operations(OPERATIONS).await;
    let server = tokio::task::spawn_blocking(move || {
        server
            .restart(crossfade_postgres::launch::StopMode::Immediate)
            .map(|()| server)
    });
    let server = server.await.expect("a task").expect("a restart");
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    assert!(report.error_count >= 3, "{report:?}");
    assert_eq!(
        compare(&report, &client(&url).await, "status").await,
        vec![]
    );
    tokio::task::spawn_blocking(move || server.stop())
        .await
        .expect("a task")
        .expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_out_of_service_has_no_connection_and_can_be_deployed_again() {
    let (url, client) = demo_table().await;
    client
        .batch_execute(&sync_sql("varchar(50)", ""))
        .await
        .expect("a sync");
    let traffic = Traffic::start(&url, Shape::demo(), options())
        .await
        .expect("traffic");
    traffic.start_version(Version::New).await.expect("deployed");
    traffic
        .start_version(Version::New)
        .await
        .expect("deployed already");
    traffic.wait_for_operations(OPERATIONS).await;
    traffic.stop_version(Version::New).await;
    let others = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vehicles new' AND datname = current_database()";
    let mut count = 1;
    for _ in 0..100 {
        count = client
            .query_one(others, &[])
            .await
            .expect("a count")
            .get::<_, i64>(0);
        if count == 0 {
            break;
        }
    }
    assert_eq!(count, 0);
    // As a rollback does, and the way forward again.
    client.batch_execute("BEGIN; DROP TRIGGER sync_insert ON vehicles; DROP TRIGGER sync_update ON vehicles; DROP FUNCTION sync; ALTER TABLE vehicles DROP COLUMN vehicle_status; COMMIT").await.expect("back");
    let error = traffic
        .start_version(Version::New)
        .await
        .expect_err("no column");
    assert!(matches!(error, Error::NoColumn { .. }), "{error}");
    traffic.wait_for_operations(OPERATIONS).await;
    client
        .batch_execute(&format!("BEGIN; {} COMMIT", sync_sql("varchar(50)", "")))
        .await
        .expect("forward");
    traffic
        .start_version(Version::New)
        .await
        .expect("deployed again");
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    client.batch_execute(FILL).await.expect("filled");
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(compare(&report, &client, "status").await, vec![]);
    assert_eq!(compare(&report, &client, "vehicle_status").await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_stays_within_its_bound_and_a_second_traffic_needs_another_seed() {
    let (url, client) = demo_table().await;
    let bounded = Options {
        inserted_rows_max: 10,
        ..options()
    };
    let traffic = Traffic::start(&url, Shape::demo(), bounded.clone())
        .await
        .expect("traffic");
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    assert_eq!(report.errors, Vec::<String>::new());
    assert!(report.ledger.len() <= ROWS as usize + 3 * 10);
    assert_eq!(compare(&report, &client, "status").await, vec![]);

    let error = Traffic::start(&url, Shape::demo(), bounded.clone())
        .await
        .expect_err("taken");
    assert!(matches!(error, Error::KeysTaken { .. }), "{error}");
    let pause = std::time::Duration::from_millis(1);
    let other = Options {
        seed: 8,
        pause,
        ..bounded.clone()
    };
    let traffic = Traffic::start(&url, Shape::demo(), other)
        .await
        .expect("traffic");
    traffic.wait_for_operations(100).await;
    let report = traffic.stop().await;
    assert_eq!(compare(&report, &client, "status").await, vec![]);

    let none = Options {
        clients_per_version: 0,
        ..bounded
    };
    let error = Traffic::start(&url, Shape::demo(), none)
        .await
        .expect_err("nobody");
    assert!(matches!(error, Error::Clients { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_need_quotes_work() {
    let (url, client) = database().await;
    client
        .batch_execute(
            "CREATE SCHEMA \"Fleet\";
             CREATE TABLE \"Fleet\".\"Vehicle \"\"Log\" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                 license_plate varchar(20) UNIQUE NOT NULL, \"Größe, alt\" text DEFAULT 'x', mileage integer DEFAULT 0, note text)",
        )
        .await
        .expect("a table");
    let shape = Shape {
        table: "\"Fleet\".\"Vehicle \"\"Log\"".to_owned(),
        old_column: "\"Größe, alt\"".to_owned(),
        new_column: "\"new\"".to_owned(),
        not_null: false,
        ..Shape::demo()
    };
    let traffic = Traffic::start(
        &url,
        shape,
        Options {
            initial_rows: 0,
            ..options()
        },
    )
    .await
    .expect("traffic");
    traffic.wait_for_operations(OPERATIONS).await;
    let report = traffic.stop().await;
    assert_eq!(report.errors, Vec::<String>::new());
    assert_eq!(compare(&report, &client, "\"Größe, alt\"").await, vec![]);
}
