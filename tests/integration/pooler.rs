//! A connection pooler: the application may have one, Crossfade may not, and says so.

use crate::support::{
    Database, Ran,
    application::{Options, Protocol},
    cases::{Case, TWO_SIDED},
    command, connect, on_empty_postgresql, on_postgresql,
    pgbouncer::PgBouncer,
    walk::{self, Walk, Ways},
};
use crossfade_coordinator::SESSION;

const MODES: [&str; 2] = ["session", "transaction"];
/// PgBouncer then takes what a session is to begin with, and does nothing with it.
const SWALLOWS: &str = "ignore_startup_parameters = options, extra_float_digits\n";

/// The plans whose triggers write other tables, and those that write their own row.
fn cases() -> Vec<Case> {
    let plans = ["vehicles-rename-status.yaml", "acknowledgments-fold.yaml"];
    let cases = TWO_SIDED.into_iter();
    cases.filter(|case| plans.contains(&case.plan)).collect()
}

/// A run through all its phases, driven directly, while both versions write through the pooler.
async fn both_versions_write_through(database: &Database, mode: &str, protocol: Protocol) {
    let Some(pooler) = PgBouncer::before(database, mode, "") else {
        return;
    };
    walk::tables(database).await;
    let pooled = pooler.url("postgres", database);
    for case in cases() {
        let options = Options {
            protocol,
            ..Options::default()
        };
        let ways = Ways {
            application: pooled.clone(),
            ..Ways::direct(&database.url)
        };
        let walk = Walk::start(case, ways, options).await;
        for phase in &walk.phases {
            walk.before(phase).await;
            walk.crossfade(&walk.forward(phase)).exits(0);
            walk.after(phase).await;
            walk.application
                .work(usize::from(phase == "retire"), 20)
                .await;
        }
        let (wrong, report) = walk.ends().await;
        assert_eq!(wrong, Vec::<String>::new(), "{mode}, {}", case.plan);
        assert_eq!(report.connections_lost, 0, "{mode}, {}", case.plan);
        assert!(report.rows() > 100, "{} rows", report.rows());
    }
}

#[test]
fn both_versions_write_through_a_pooler_of_sessions_with_prepared_statements() {
    on_postgresql(async |database| {
        both_versions_write_through(database, "session", Protocol::Prepared).await;
    });
}

#[test]
fn both_versions_write_through_a_pooler_of_transactions() {
    on_postgresql(async |database| {
        both_versions_write_through(database, "transaction", Protocol::Unnamed).await;
    });
}

/// Whatever it does with what a session is to begin with: hands it back, drops it, or drops it before a database whose
/// own settings happen to be the same.
#[test]
fn crossfade_refuses_a_pooler_by_name_and_leaves_its_sessions_as_they_were() {
    on_empty_postgresql(async |database| {
        for mode in MODES {
            for (further, like_ours) in [("", false), (SWALLOWS, false), (SWALLOWS, true)] {
                for (name, value) in SESSION {
                    let to = match like_ours {
                        true => format!("SET {name} = {value}"),
                        false => format!("RESET {name}"),
                    };
                    let value = format!("'{value}'");
                    let to = match name {
                        // A list, whose quotes would make one name of it.
                        "search_path" => to,
                        _ => to.replace(value.trim_matches('\''), &value),
                    };
                    let alter = format!("ALTER DATABASE {} {to}", database.name);
                    database.execute(&alter).await;
                }
                let Some(pooler) = PgBouncer::before(database, mode, further) else {
                    return;
                };
                let url = pooler.url("postgres", database);
                let application = connect(&url).await;
                let settings = async || {
                    // PgBouncer gives each of its clients its own `application_name`.
                    let sql = "SELECT coalesce(string_agg(name || '=' || setting, ' ' ORDER BY name), '') \
                               FROM pg_catalog.pg_settings WHERE source = 'session' AND name <> 'application_name'";
                    let row = application.query_typed(sql, &[]).await.expect(sql);
                    row[0].get::<_, String>(0)
                };
                let before = settings().await;
                for arguments in [&["init"][..], &["status"]] {
                    let ran = Ran::of(command(&url, arguments).output().expect("it runs"));
                    let at = format!("{mode}, {further}, like ours: {like_ours}");
                    assert!(
                        ran.stderr.contains("a connection pooler is between"),
                        "{at}: {}{}",
                        ran.stdout,
                        ran.stderr
                    );
                    assert_eq!(ran.code, Some(1), "{at}");
                }
                assert_eq!(settings().await, before);
                let installed = "SELECT to_regnamespace('crossfade') IS NULL";
                assert_eq!(database.value(installed).await, "true");
            }
        }
    });
}
