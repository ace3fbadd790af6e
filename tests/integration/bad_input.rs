//! Bad input and faults: one clear error that says what to do, a non-zero exit, and nothing has changed. And odd input
//! that has to work.

use crate::support::{Background, Database, Ran, on_empty_postgresql, on_postgresql, plan_file};
use crossfade_postgres::launch::{LaunchOptions, Listen, Server};
use std::time::{Duration, Instant};

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status varchar(50) NOT NULL DEFAULT 'active', mileage integer);
    INSERT INTO vehicles SELECT i, 'status ' || i % 7, i FROM generate_series(1, 1000) AS i;
";

const RENAME: &str = "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\n";

fn start(database: &Database, plan: &str) -> Ran {
    let file = plan_file(plan);
    database.crossfade(&["start", file.path().to_str().unwrap()])
}

/// The plan is refused with all of this on stderr, with the place of each error, and nothing is registered.
async fn refused(database: &Database, plan: &str, places: &[(usize, usize)], said: &[&str]) {
    let file = plan_file(plan);
    let path = file.path().to_str().unwrap();
    for command in ["check", "start"] {
        let ran = database.crossfade(&[command, path]).exits(1);
        assert_eq!(ran.stdout, "", "{plan}");
        for said in said {
            assert!(
                ran.stderr.contains(said),
                "{said:?} in {}\n{plan}",
                ran.stderr
            );
        }
        for (line, column) in places {
            let place = format!("--> {path}:{line}:{column}\n");
            assert!(
                ran.stderr.contains(&place),
                "{place:?} in {}\n{plan}",
                ran.stderr
            );
        }
        let errors = ran.stderr.matches("error: ").count();
        assert_eq!(errors, places.len().max(1), "{}\n{plan}", ran.stderr);
        assert_eq!(
            ran.stderr.matches(" ^").count(),
            places.len(),
            "{}\n{plan}",
            ran.stderr
        );
    }
}

async fn runs(database: &Database) -> String {
    database.value("SELECT count(*) FROM crossfade.runs").await
}

#[test]
fn what_is_wrong_with_a_plan_is_told_with_its_place_and_what_would_be_right() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let before = database.dump_schema();
        let head = "version: 1\nname: a\n";
        let plan = |rest: &str| format!("{head}{rest}\n");
        let change = |words: &str| plan(&format!("change:\n  rename_column: {{{words}}}"));
        let cases: [(String, (usize, usize), &[&str]); 12] = [
            ("version: 1\nname: [a\nchange: }\n".to_owned(), (3, 7), &[]),
            (
                change("table: vehicles, from: status, to: s, colour: red"),
                (4, 57),
                &["unknown key `colour`", "the keys here are `table`"],
            ),
            (
                plan(
                    "change:\n  rename_column: {table: vehicles, from: status, to: s}\nphases: []",
                ),
                (5, 1),
                &["either `change` or `phases`", "leave one of them out"],
            ),
            (
                head.to_owned(),
                (1, 1),
                &["neither `change` nor `phases`", "rename_column"],
            ),
            (
                plan("phases:\n  - phase: expand\n  - phase: expand"),
                (5, 12),
                &["the phase expand is there twice"],
            ),
            (
                plan(
                    "phases:\n  - phase: verify\n    steps:\n      - query: {name: q, sql: select 1, expect: no_rows}\n      - query: {name: q, sql: select 2, expect: no_rows}",
                ),
                (7, 9),
                &["the step query:q is there twice"],
            ),
            (
                plan("phases:\n  - phase: contract\n  - phase: verify"),
                (5, 12),
                &["verify cannot come after contract", "the order is expand"],
            ),
            (
                change("table: public.nothing, from: status, to: s"),
                (4, 26),
                &["there is no table public.nothing", "schema.table"],
            ),
            (
                change("table: vehicles, from: colour, to: s"),
                (4, 42),
                &[
                    "public.vehicles has no column colour",
                    "its columns are id, status, mileage",
                ],
            ),
            (
                change("table: vehicles, from: status, to: mileage"),
                (4, 18),
                &[
                    "already has a column mileage of type integer, not character varying(50)",
                    "another name",
                ],
            ),
            (
                change("table: vehicles, from: status, to: status"),
                (4, 54),
                &["the new name is the old one"],
            ),
            (
                plan(
                    "change:\n  change_column_type: {table: vehicles, column: status, to: s, type: nothing}",
                ),
                (4, 70),
                &["type \"nothing\" does not exist"],
            ),
        ];
        for (plan, place, said) in &cases {
            refused(database, plan, &[*place], said).await;
        }
        let expressions: [(&str, &str); 10] = [
            ("status +", "syntax error"),
            ("upper(colour)", "column \"colour\" does not exist"),
            ("max(status)", "aggregate functions are not allowed"),
            ("lag(status) over ()", "window functions are not allowed"),
            ("(select 'x')", "has a sub-select"),
            (
                "(select v.status from public.vehicles v limit 1)",
                "has a sub-select",
            ),
            ("status; drop table vehicles", "has a `;`"),
            (
                "status) from vehicles; drop table vehicles; select (1",
                "closes a parenthesis",
            ),
            ("status || random()", "is volatile"),
            (
                "generate_series(1, 2)",
                "set-returning functions are not allowed",
            ),
        ];
        for (expression, said) in expressions {
            let plan = plan(&format!(
                "change:\n  change_column_type:\n    table: vehicles\n    column: status\n    to: s\n    type: text\n    forward: \"{expression}\""
            ));
            refused(database, &plan, &[(9, 14)], &[said]).await;
        }
        assert_eq!(database.dump_schema(), before);
        assert_eq!(runs(database).await, "0");
    });
}

#[test]
fn all_errors_of_a_plan_are_told_at_once() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let plan = "\
version: 1
name: a
phases:
  - phase: expand
    steps:
      - add_column: {table: public.vehicles, column: mileage, type: text}
  - phase: dual_write
    steps:
      - sync_columns:
          table: public.vehicles
          forward: {colour: status}
          backward: {status: sum(mileage)}
  - phase: backfill
    steps:
      - fill: {table: public.lorries, set: {a: b}}
";
        refused(
            database,
            plan,
            &[(6, 54), (11, 29), (12, 30), (15, 23), (15, 9)],
            &[
                "already has a column mileage of type integer, not text",
                "has no column colour, and the plan adds none",
                "aggregate functions are not allowed",
                "there is no table public.lorries",
                "nothing keeps public.lorries in step",
            ],
        )
        .await;
        let mistyped = "version: 2\nname: A b\nchnge: {}\nsettings: {lock_timeout: soon}\n";
        refused(
            database,
            mistyped,
            &[(1, 10), (2, 7), (3, 1), (4, 26)],
            &["soon"],
        )
        .await;
        assert_eq!(runs(database).await, "0");
    });
}

#[test]
fn a_plan_that_is_far_too_large_is_refused_at_once() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let mut bomb =
            String::from("version: 1\nname: a\nchange:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let below = format!("*a{}", level - 1);
            bomb += &format!(
                "  a{level}: &a{level} [{}]\n",
                [below.as_str(); 9].join(", ")
            );
        }
        let huge = format!("{RENAME}description: \"{}\"\n", "x".repeat(10_000_000));
        let comment = format!("{RENAME}{}", "# x\n".repeat(2_500_000));
        let deep = format!("{RENAME}description: {}\n", "[".repeat(100_000));
        for (plan, said) in [
            (huge, "the limit is 1048576 bytes"),
            (comment, "the limit is 1048576 bytes"),
            (bomb, "alias"),
            (deep, "nested too deep"),
        ] {
            let began = Instant::now();
            let ran = start(database, &plan).exits(1);
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{said}: {:?}",
                began.elapsed()
            );
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
            assert!(ran.stderr.len() < 2_000, "{}", ran.stderr.len());
        }
        assert_eq!(runs(database).await, "0");
    });
}

#[test]
fn commands_that_cannot_be_are_told_so_with_exit_2_and_do_nothing() {
    on_postgresql(async |database| {
        database.execute(VEHICLES).await;
        start(database, RENAME).exits(0);
        let before = database.dump_schema();
        for arguments in [
            &["advance"][..],
            &["start"],
            &["fly"],
            &["advance", "rename-status", "--to", "expnd"],
            &["advance", "rename-status", "--to", "contract"],
            &["rollback", "rename-status"],
            &["approve", "rename-status", "nothing"],
        ] {
            let ran = database.crossfade(arguments).exits(2);
            assert!(!ran.stderr.is_empty());
        }
        for (arguments, said) in [
            (
                &["advance", "nothing"][..],
                "there is no run named nothing; `crossfade status` lists them",
            ),
            (&["status", "nothing"], "there is no run named nothing"),
            (
                &["pause", "nothing", "--reason", "x"],
                "there is no run named nothing",
            ),
            (
                &["start", "/nowhere/plan.yaml"],
                "/nowhere/plan.yaml cannot be read",
            ),
            (
                &["verify", "rename-status"],
                "nothing to verify before the backfill",
            ),
            (
                &["rollback", "rename-status", "--to", "verify", "--yes"],
                "has not been completed",
            ),
        ] {
            let ran = database.crossfade(arguments).exits(1);
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
        assert_eq!(database.dump_schema(), before);
    });
}

#[test]
fn a_run_keeps_its_plan_its_name_and_its_columns() {
    on_empty_postgresql(async |database| {
        database.execute(VEHICLES).await;
        let ran = start(database, RENAME).exits(1);
        assert!(
            ran.stderr.contains("run `crossfade init`"),
            "{}",
            ran.stderr
        );
        for arguments in [
            &["advance", "rename-status"][..],
            &["status"],
            &["status", "rename-status"],
            &["history", "rename-status"],
            &["resume", "rename-status"],
            &["rollback", "rename-status", "--yes"],
        ] {
            let ran = database.crossfade(arguments).exits(1);
            assert!(
                ran.stderr.contains("run `crossfade init`"),
                "{}",
                ran.stderr
            );
        }
        database.crossfade(&["init"]).exits(0);
        start(database, RENAME).exits(0);
        start(database, RENAME).exits(0);
        let changed = start(database, &RENAME.replace("vehicle_status", "condition")).exits(1);
        assert!(
            changed.stderr.contains("the plan of a run never changes"),
            "{}",
            changed.stderr
        );
        let other = RENAME
            .replace("name: rename-status", "name: other")
            .replace("vehicle_status", "condition");
        let other = start(database, &other).exits(1);
        assert!(
            other.stderr.contains(
                "the active run rename-status is in the way of other: both are about public.vehicles.status (rename-status changes it, other changes it)"
            ),
            "{}",
            other.stderr
        );
        assert_eq!(runs(database).await, "1");
        database
            .crossfade(&["advance", "rename-status", "--to", "contract", "--yes"])
            .exits(0);
        let taken = start(database, &RENAME.replace("from: status", "from: mileage")).exits(1);
        assert!(
            taken
                .stderr
                .contains("another plan was applied as the run rename-status"),
            "{}",
            taken.stderr
        );
        assert!(taken.stderr.contains("another name"), "{}", taken.stderr);
        assert_eq!(runs(database).await, "1");

        database
            .execute("INSERT INTO crossfade.schema_history (version, name) VALUES (9999, 'from_the_future')")
            .await;
        for arguments in [&["status"][..], &["init"], &["advance", "rename-status"]] {
            let ran = database.crossfade(arguments).exits(1);
            assert!(
                ran.stderr.contains("version 9999") && ran.stderr.contains("newer program"),
                "{}",
                ran.stderr
            );
        }
    });
}

#[test]
fn a_server_that_is_down_or_refuses_or_may_not_write_is_told_with_what_to_do() {
    on_empty_postgresql(async |database| {
        let at = |url: &str, arguments: &[&str]| {
            let mut command = database.command(arguments);
            let output = command.env("CROSSFADE_DATABASE_URL", url).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        let down = at("postgresql://postgres@127.0.0.1:1/postgres", &["status"]);
        assert!(down.contains("127.0.0.1:1"), "{down}");
        let missing = at(
            &database.url.replace(&database.name, "nowhere"),
            &["status"],
        );
        assert!(missing.contains("nowhere"), "{missing}");

        let server = Server::launch(&LaunchOptions {
            listen: Listen::Tcp {
                password: "right horse".to_owned(),
            },
            ..LaunchOptions::default()
        })
        .expect("a PostgreSQL");
        let url = server.tcp_url("postgres").unwrap();
        let refused = at(&url.replace("right", "wrong"), &["init"]);
        assert!(refused.contains("password"), "{refused}");
        assert!(
            !refused.contains("wrong") && !refused.contains("right"),
            "{refused}"
        );
        let output = database
            .command(&["init"])
            .env("CROSSFADE_DATABASE_URL", &url)
            .output()
            .unwrap();
        assert!(output.status.success());
        drop(server);
        let gone = at(&url, &["status"]);
        assert!(gone.contains("127.0.0.1"), "{gone}");

        database.execute(VEHICLES).await;
        database
            .execute(&format!(
                "ALTER DATABASE {} SET default_transaction_read_only = on",
                database.name
            ))
            .await;
        let init = database.crossfade(&["init"]).exits(1);
        assert!(
            init.stderr.contains("read-only") && init.stderr.contains("primary"),
            "{}",
            init.stderr
        );
        let off = format!(
            "BEGIN READ WRITE; ALTER DATABASE {} RESET default_transaction_read_only; COMMIT",
            database.name
        );
        database.execute(&off).await;
        database.crossfade(&["init"]).exits(0);
        start(database, RENAME).exits(0);
        let before = database.dump_schema();
        database
            .execute(&format!(
                "ALTER DATABASE {} SET default_transaction_read_only = on",
                database.name
            ))
            .await;
        for arguments in [
            &["advance", "rename-status"][..],
            &["pause", "rename-status", "--reason", "x"],
            &["resume", "rename-status"],
            &["approve", "rename-status", "contract"],
            &["verify", "rename-status"],
            &["tune", "rename-status", "workers=2", "--reason", "x"],
            &["rollback", "rename-status", "--yes"],
        ] {
            let ran = database.crossfade(arguments).exits(1);
            assert!(
                ran.stderr.contains("read-only") && ran.stderr.contains("connect to the primary"),
                "{arguments:?}: {}",
                ran.stderr
            );
        }
        // Looking is allowed; and what is logged to a file is text.
        let logged = database.crossfade(&["-vvv", "status"]).exits(0);
        assert!(!logged.stderr.is_empty() && !logged.stderr.contains('\u{1b}'));
        assert_eq!(database.status("rename-status")["state"], "active");
        database.execute(&off).await;
        assert_eq!(database.dump_schema(), before);
        database.crossfade(&["advance", "rename-status"]).exits(0);
    });
}

/// The GRANT and ALTER statements that a message names.
fn remedies(stderr: &str) -> Vec<String> {
    stderr
        .split_inclusive(';')
        .filter_map(|part| {
            let at = part.find("GRANT ").or_else(|| part.find("ALTER "))?;
            part.ends_with(';').then(|| part[at..].to_owned())
        })
        .collect()
}

#[test]
fn a_role_without_the_rights_is_told_the_grants_and_with_them_goes_all_the_way() {
    on_empty_postgresql(async |database| {
        let (owner, role) = (
            format!("owner_{}", database.name),
            format!("role_{}", database.name),
        );
        database
            .execute(&format!(
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE {owner}; CREATE ROLE {role} LOGIN; {VEHICLES} \
                 CREATE INDEX vehicles_status ON vehicles (status); \
                 CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.mileage := coalesce(new.mileage, 0) + 1; RETURN new; END'; \
                 CREATE TRIGGER touch BEFORE UPDATE ON vehicles FOR EACH ROW EXECUTE FUNCTION touch(); \
                 ALTER TABLE vehicles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; \
                 CREATE POLICY few ON vehicles USING (id < 10); ALTER TABLE vehicles OWNER TO {owner}"
            ))
            .await;
        let before = database.dump_schema();
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let run = |arguments: &[&str]| {
            let mut command = database.command(arguments);
            let output = command
                .env("CROSSFADE_DATABASE_URL", &url)
                .output()
                .unwrap();
            Ran {
                code: output.status.code(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }
        };
        let file = plan_file(RENAME);
        let path = file.path().to_str().unwrap();
        let mut granted = Vec::new();
        let mut warned = String::new();
        for arguments in [
            &["init"][..],
            &["start", path],
            &["advance", "rename-status", "--to", "contract", "--yes"],
        ] {
            loop {
                let ran = run(arguments);
                if ran.code == Some(0) {
                    warned += &ran.stderr;
                    break;
                }
                assert_eq!(ran.code, Some(1), "{}", ran.stderr);
                let named: Vec<String> = remedies(&ran.stderr)
                    .into_iter()
                    .filter(|statement| !granted.contains(statement))
                    .collect();
                assert!(!named.is_empty(), "what to grant? {}", ran.stderr);
                if granted.len() < 2 {
                    assert_eq!(database.dump_schema(), before);
                }
                for statement in named {
                    database.execute(&statement).await;
                    granted.push(statement);
                }
            }
        }
        let wanted = [
            format!("GRANT CREATE ON DATABASE {} TO {role};", database.name),
            format!("GRANT {owner} TO {role};"),
            format!("GRANT CREATE ON SCHEMA public TO {owner};"),
            format!("ALTER ROLE {role} BYPASSRLS;"),
        ];
        for wanted in wanted {
            assert!(granted.contains(&wanted), "{wanted} in {granted:#?}");
        }
        // It may not keep triggers out: the application's are warned of, ours stands aside.
        assert!(
            warned.contains(
                "fires the application's triggers on public.vehicles, once for each row: touch"
            ),
            "{warned}"
        );
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE vehicle_status = 'status ' || id % 7 AND mileage = id + 1")
                .await,
            "1000"
        );
        database
            .execute(&format!(
                "DROP SCHEMA crossfade CASCADE; DROP TABLE vehicles; DROP OWNED BY {owner}; DROP OWNED BY {role}; DROP ROLE {role}; DROP ROLE {owner}"
            ))
            .await;
    });
}

#[test]
fn a_role_that_did_not_install_the_tables_is_told_what_to_be_granted() {
    on_empty_postgresql(async |database| {
        let role = format!("guest_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {role} LOGIN; {VEHICLES} ALTER TABLE vehicles OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}"
            ))
            .await;
        database.crossfade(&["init"]).exits(0);
        let url = database.url.replace("postgres@", &format!("{role}@"));
        let file = plan_file(RENAME);
        let path = file.path().to_str().unwrap();
        let mut refusals = 0;
        for arguments in [
            &["status"][..],
            &["start", path],
            &["advance", "rename-status", "--to", "contract", "--yes"],
        ] {
            loop {
                let output = database
                    .command(arguments)
                    .env("CROSSFADE_DATABASE_URL", &url)
                    .output()
                    .unwrap();
                let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
                if output.status.success() {
                    break;
                }
                refusals += 1;
                assert!(refusals < 5, "{stderr}");
                let named = remedies(&stderr);
                assert!(!named.is_empty(), "what to grant? {stderr}");
                for statement in named {
                    database.execute(&statement).await;
                }
            }
        }
        assert!(refusals > 0);
        database
            .execute(&format!(
                "DROP SCHEMA crossfade CASCADE; DROP OWNED BY {role}; DROP ROLE {role}"
            ))
            .await;
    });
}

/// Tables and columns as SQL and YAML write them: `(table, old, new)`.
fn odd_names() -> Vec<(String, String, String)> {
    let long = "a".repeat(63);
    let wide = format!("{}x", "é".repeat(31));
    let name =
        |table: &str, old: &str, new: &str| (table.to_owned(), old.to_owned(), new.to_owned());
    vec![
        name(
            r#""Vehicle ""Log""""#,
            r#""Sta""tus""#,
            r#""Vehicle Status""#,
        ),
        name(r#""order""#, r#""select""#, r#""new""#),
        name("vehicles", r#""new""#, r#""old""#),
        name("status", "status", "tg_op"),
        name(r#""new""#, r#""old""#, r#""new""#),
        name(&format!("{long:.60}tbl"), &long, &format!("\"{wide}\"")),
        name(r#""日本 'quoted' $$""#, r#""a.b""#, r#""\\back%s""#),
    ]
}

/// A run over one of the odd names.
struct Odd {
    run: String,
    table: String,
    old: String,
    new: String,
    /// The old value from the new one, minus the new from the old.
    shift: i64,
}

async fn make_odd(database: &Database) -> Vec<Odd> {
    let mut all = Vec::new();
    for (number, (table, old, new)) in odd_names().into_iter().enumerate() {
        for recipe in ["rename", "retype"] {
            let run = format!("{recipe}-{number}");
            let schema = format!("\"Schema {run}\"");
            let table = format!("{schema}.{table}");
            database
                .execute(&format!(
                    "CREATE SCHEMA {schema}; CREATE TABLE {table} (id bigint PRIMARY KEY, {old} integer NOT NULL DEFAULT 5 CHECK ({old} > 0)); \
                     CREATE INDEX ON {table} ({old}); INSERT INTO {table} SELECT i, i FROM generate_series(1, 100) AS i"
                ))
                .await;
            let yaml = |name: &str| format!("'{}'", name.replace('\'', "''"));
            let (t, o, n) = (yaml(&table), yaml(&old), yaml(&new));
            let change = if recipe == "rename" {
                format!("rename_column: {{table: {t}, from: {o}, to: {n}}}")
            } else {
                format!(
                    "change_column_type: {{table: {t}, column: {o}, to: {n}, type: bigint, forward: {}, backward: {}}}",
                    yaml(&format!("{old}::bigint + 1000")),
                    yaml(&format!("({new} - 1000)::integer"))
                )
            };
            start(
                database,
                &format!("version: 1\nname: {run}\nchange:\n  {change}\n"),
            )
            .exits(0);
            let shift = if recipe == "rename" { 0 } else { 1000 };
            all.push(Odd {
                run,
                table,
                old: old.clone(),
                new: new.clone(),
                shift,
            });
        }
    }
    all
}

/// Both versions write, and what each wrote is what the other reads.
async fn both_write(database: &Database, odd: &Odd, round: i64) {
    let Odd {
        table,
        old,
        new,
        shift,
        ..
    } = odd;
    let id = 1000 + 10 * round;
    database
        .execute(&format!(
            "INSERT INTO {table} (id, {old}) VALUES ({id}, 11); INSERT INTO {table} (id, {new}) VALUES ({id} + 1, 12 + {shift}); \
             INSERT INTO {table} (id) VALUES ({id} + 2); \
             UPDATE {table} SET {old} = {old} + 1 WHERE id = {round}; UPDATE {table} SET {new} = 77 + {shift} WHERE id = {id} + 1; \
             DELETE FROM {table} WHERE id = 90 + {round}"
        ))
        .await;
    let wrong = database
        .value(&format!(
            "SELECT count(*) FROM {table} WHERE {new} IS DISTINCT FROM {old} + {shift} AND (id >= 1000 OR id = {round})"
        ))
        .await;
    assert_eq!(wrong, "0", "{table}");
}

#[test]
fn odd_names_go_all_the_way_while_both_versions_write() {
    on_postgresql(async |database| {
        let all = make_odd(database).await;
        let phases = [
            "expand",
            "dual_write",
            "backfill",
            "verify",
            "enforce",
            "switch_reads",
            "retire",
            "contract",
        ];
        for (round, phase) in phases.into_iter().enumerate() {
            let drivers: Vec<Background> = all
                .iter()
                .map(|odd| database.spawn(&[], &["advance", &odd.run, "--yes"]))
                .collect();
            for driver in drivers {
                driver.wait().exits(0);
            }
            if [
                "dual_write",
                "backfill",
                "verify",
                "enforce",
                "switch_reads",
            ]
            .contains(&phase)
            {
                for odd in &all {
                    both_write(database, odd, i64::try_from(round).unwrap()).await;
                }
            }
        }
        for Odd {
            run,
            table,
            new,
            shift,
            ..
        } in &all
        {
            let columns = database
                .value(&format!(
                    "SELECT count(*) FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 AND NOT attisdropped",
                    table.replace('\'', "''")
                ))
                .await;
            assert_eq!(columns, "2", "{table}");
            assert_eq!(database.status(run)["state"], "completed");
            database
                .execute(&format!("INSERT INTO {table} (id) VALUES (0)"))
                .await;
            let value = database
                .value(&format!("SELECT {new} - {shift} FROM {table} WHERE id = 0"))
                .await;
            assert_eq!(value, "5", "{table}: the default came along");
        }
    });
}

#[test]
fn tables_that_are_empty_or_have_no_key_go_all_the_way_and_those_that_cannot_are_refused_by_name() {
    on_postgresql(async |database| {
        let many: Vec<String> = (0..1598).map(|n| format!("c{n} smallint")).collect();
        database
            .execute(&format!(
                "CREATE TABLE keyless (status text, n integer); INSERT INTO keyless SELECT 'x', i % 3 FROM generate_series(1, 500) AS i; \
                 CREATE TABLE empty (id integer PRIMARY KEY, status text NOT NULL); \
                 CREATE TABLE wide (id integer, status text, {}); \
                 CREATE TABLE parts (id integer, status text) PARTITION BY RANGE (id); \
                 CREATE TABLE part PARTITION OF parts DEFAULT; \
                 CREATE TABLE parent (id integer, status text); CREATE TABLE child () INHERITS (parent); \
                 CREATE VIEW seen AS SELECT * FROM parent; CREATE MATERIALIZED VIEW kept AS SELECT * FROM parent; \
                 CREATE TABLE keyed (a integer, status text, PRIMARY KEY (a, status)); \
                 CREATE TABLE counted (id integer GENERATED ALWAYS AS IDENTITY, status integer GENERATED BY DEFAULT AS IDENTITY); \
                 CREATE TABLE computed (a integer, status integer GENERATED ALWAYS AS (a + 1) STORED); \
                 CREATE TABLE selfish (status text UNIQUE, boss text CONSTRAINT bosses REFERENCES selfish (status)); \
                 CREATE TABLE others (status text CONSTRAINT joins REFERENCES selfish (status)); \
                 CREATE TABLE excluded (status int4range, EXCLUDE USING gist (status WITH &&)); \
                 CREATE TABLE received (status text); \
                 CREATE SUBSCRIPTION rows_of_others CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false, slot_name = NONE); \
                 INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, 'received'::regclass, 'r' FROM pg_subscription; \
                 CREATE SEQUENCE numbers; CREATE TABLE lowered (status text); \
                 CREATE INDEX lowered_some ON lowered (status) WHERE status <> 'x'; CREATE INDEX lowered_lower ON lowered (lower(status))",
                many.join(", ")
            ))
            .await;
        let before = database.dump_schema();
        let plan = |table: &str| {
            format!(
                "version: 1\nname: r-{table}\nchange:\n  rename_column: {{table: public.{table}, from: status, to: condition}}\n"
            )
        };
        for (table, said) in [
            ("wide", "has had 1600 columns; PostgreSQL allows 1600"),
            ("part", "public.part is a partition"),
            ("parent", "has tables that inherit from it"),
            ("child", "is not an ordinary table"),
            ("seen", "public.seen is a view"),
            ("kept", "public.kept is a view"),
            ("keyed", "status is in the primary key keyed_pkey"),
            ("counted", "status is an identity column"),
            ("computed", "status is a generated column"),
            ("excluded", "exclusion constraint excluded_status_excl"),
            ("received", "by the subscription rows_of_others"),
            ("numbers", "is not an ordinary table"),
        ] {
            let ran = start(database, &plan(table)).exits(1);
            assert!(ran.stderr.contains(said), "{said:?} in {}", ran.stderr);
            assert!(ran.stderr.contains("help:"), "{table}: {}", ran.stderr);
        }
        for keep in ["to: condition", "keep_name: true"] {
            let retype = format!(
                "version: 1\nname: retype\nchange:\n  change_column_type: {{table: public.lowered, column: status, type: integer, {keep}, forward: 'status::integer'}}\n"
            );
            let ran = start(database, &retype).exits(1);
            for said in [
                "the index lowered_some_crossfade does not fit the new column",
                "the index lowered_lower_crossfade does not fit the new column",
                "recipe add_index",
            ] {
                assert!(ran.stderr.contains(said), "{said:?} in {}", ran.stderr);
            }
        }
        for (table, constraints) in [("selfish", ["bosses", "joins"]), ("others", ["joins"; 2])] {
            let retype = format!(
                "version: 1\nname: retype\nchange:\n  change_column_type: {{table: public.{table}, column: status, type: integer, keep_name: true, forward: 'status::integer'}}\n"
            );
            let ran = start(database, &retype).exits(1);
            for constraint in constraints {
                let said =
                    format!("the constraint {constraint}_crossfade does not fit the new column");
                assert!(ran.stderr.contains(&said), "{said:?} in {}", ran.stderr);
            }
        }
        assert_eq!(database.dump_schema(), before);
        assert_eq!(runs(database).await, "0");
        for table in ["keyless", "empty", "parts", "selfish"] {
            start(database, &plan(table)).exits(0);
            database
                .crossfade(&[
                    "advance",
                    &format!("r-{table}"),
                    "--to",
                    "contract",
                    "--yes",
                ])
                .exits(0);
        }
        let rows = database
            .value("SELECT count(*) FROM keyless WHERE condition = 'x'")
            .await;
        assert_eq!(rows, "500");
        // A database that has one cannot be dropped.
        database.execute("DROP SUBSCRIPTION rows_of_others").await;
    });
}

#[test]
fn what_still_names_the_old_column_keeps_the_gate_closed_until_it_is_changed() {
    on_postgresql(async |database| {
        let column_list = database
            .value("SELECT current_setting('server_version_num')::integer >= 150000")
            .await
            == "true";
        let publish = |column: &str| {
            if column_list {
                format!("CREATE PUBLICATION names FOR TABLE vehicles (id, {column})")
            } else {
                "SELECT 1".to_owned()
            }
        };
        database
            .execute(&format!(
                "{VEHICLES} CREATE VIEW overview AS SELECT id, status FROM vehicles; \
                 CREATE POLICY visible ON vehicles USING (status <> 'secret'); \
                 CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; \
                 CREATE TRIGGER noted AFTER UPDATE OF status ON vehicles FOR EACH ROW EXECUTE FUNCTION noted(); \
                 ALTER TABLE vehicles ADD shouted text GENERATED ALWAYS AS (upper(status)) STORED; {}",
                publish("status")
            ))
            .await;
        let named = [
            "view public.overview",
            "policy visible",
            "trigger noted",
            "shouted",
        ];
        let started = start(database, RENAME).exits(0);
        for name in named {
            assert!(started.stderr.contains(name), "{name}: {}", started.stderr);
        }
        database
            .crossfade(&["advance", "rename-status", "--to", "switch_reads"])
            .exits(0);
        // They came after the plan was made, which carries over what it found.
        database
            .execute(
                "ALTER TABLE vehicles ADD CONSTRAINT late_check CHECK (status <> 'no status'); \
                 CREATE UNIQUE INDEX late_unique ON vehicles (id, status); CREATE INDEX late_partial ON vehicles (id) WHERE status = ''; \
                 CREATE TABLE late (of integer, status text, CONSTRAINT late_reference FOREIGN KEY (of, status) REFERENCES vehicles (id, status))",
            )
            .await;
        let late = [
            "constraint late_check",
            "index public.late_unique",
            "index public.late_partial",
            "constraint late_reference on table public.late",
        ];
        let before = database.dump_schema();
        for _ in 0..2 {
            let waits = database.crossfade(&["advance", "rename-status"]).exits(3);
            for name in named.into_iter().chain(late) {
                assert!(waits.stderr.contains(name), "{name}: {}", waits.stderr);
            }
            assert_eq!(
                waits.stderr.contains("publication"),
                column_list,
                "{}",
                waits.stderr
            );
        }
        let status = database.status("rename-status");
        assert_eq!(status["waiting"][0]["kind"], "no_dependents");
        assert_eq!(database.dump_schema(), before);
        if column_list {
            database.execute("DROP PUBLICATION names").await;
        }
        database
            .execute(&format!(
                "DROP TABLE late; ALTER TABLE vehicles DROP CONSTRAINT late_check; DROP INDEX late_unique, late_partial; \
                 CREATE OR REPLACE VIEW overview AS SELECT id, vehicle_status AS status FROM vehicles; \
                 ALTER POLICY visible ON vehicles USING (vehicle_status <> 'secret'); \
                 DROP TRIGGER noted ON vehicles; \
                 CREATE TRIGGER noted AFTER UPDATE OF vehicle_status ON vehicles FOR EACH ROW EXECUTE FUNCTION noted(); \
                 ALTER TABLE vehicles DROP shouted; {}",
                publish("vehicle_status")
            ))
            .await;
        database
            .crossfade(&["advance", "rename-status", "--to", "contract", "--yes"])
            .exits(0);
        let seen = database
            .value("SELECT count(*) FROM overview WHERE status = 'status ' || id % 7")
            .await;
        assert_eq!(seen, "1000");
    });
}

#[test]
fn a_foreign_key_from_another_table_comes_along() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE depots (id integer PRIMARY KEY, code text NOT NULL UNIQUE); INSERT INTO depots VALUES (1, 'a'), (2, 'b'); \
                 CREATE TABLE trips (id integer PRIMARY KEY, depot text CONSTRAINT trip_depot REFERENCES depots (code) ON UPDATE CASCADE ON DELETE SET NULL); \
                 INSERT INTO trips VALUES (1, 'a'), (2, NULL)",
            )
            .await;
        start(
            database,
            "version: 1\nname: r\nchange:\n  rename_column: {table: public.depots, from: code, to: depot_code}\n",
        )
        .exits(0);
        database
            .crossfade(&["advance", "r", "--to", "contract", "--yes"])
            .exits(0);
        let definition = database
            .value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'trip_depot' AND convalidated")
            .await;
        assert_eq!(
            definition,
            "FOREIGN KEY (depot) REFERENCES public.depots(depot_code) ON UPDATE CASCADE ON DELETE SET NULL"
                .replace("public.", "")
        );
        let client = database.client().await;
        let error = client
            .batch_execute("INSERT INTO trips VALUES (3, 'nowhere')")
            .await
            .unwrap_err();
        assert_eq!(error.code().unwrap().code(), "23503");
    });
}

#[test]
fn a_foreign_key_to_its_own_table_comes_along_from_either_end() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE tree (code text NOT NULL UNIQUE, parent text CONSTRAINT up REFERENCES tree (code) ON UPDATE CASCADE ON DELETE SET NULL); \
                 COMMENT ON CONSTRAINT up ON tree IS 'a tree'; \
                 INSERT INTO tree SELECT 'c' || i, CASE WHEN i > 1 THEN 'c' || i / 2 END FROM generate_series(1, 500) AS i",
            )
            .await;
        for (from, to, row, other) in [("code", "slug", 2, 3), ("parent", "parent_slug", 4, 5)] {
            let native = database.copy().await;
            native
                .execute(&format!("ALTER TABLE tree RENAME {from} TO {to}"))
                .await;
            let run = format!("rename-{from}");
            let plan = format!(
                "version: 1\nname: {run}\nchange:\n  rename_column: {{table: public.tree, from: {from}, to: {to}}}\n"
            );
            start(database, &plan).exits(0);
            database
                .crossfade(&["advance", &run, "--to", "retire"])
                .exits(0);
            // What the two foreign keys do to a row is one thing.
            let column = if from == "code" { to } else { "slug" };
            database
                .execute(&format!(
                    "UPDATE tree SET {column} = 'd{row}' WHERE {column} = 'c{row}'; DELETE FROM tree WHERE {column} = 'c{other}'"
                ))
                .await;
            database
                .crossfade(&["advance", &run, "--to", "contract", "--yes"])
                .exits(0);
            let lines = |dump: String| -> std::collections::BTreeSet<String> {
                let lines = dump.lines();
                lines
                    .map(|line| line.trim_end_matches(',').to_owned())
                    .collect()
            };
            assert_eq!(lines(database.dump_schema()), lines(native.dump_schema()));
            let parent = if from == "code" { "parent" } else { to };
            for (above, count) in [
                (format!("{parent} = 'd{row}'"), row),
                (format!("{parent} IS NULL"), other),
            ] {
                let children = format!(
                    "SELECT count(*) FROM tree WHERE {above} AND slug IN ('c{}', 'c{}')",
                    2 * count,
                    2 * count + 1
                );
                assert_eq!(database.value(&children).await, "2", "{above}");
            }
            native.remove().await;
        }
    });
}
