//! Roles that are entered by `SET ROLE`: logins that inherit nothing, as vaults make them. What a session may do is what its current
//! role may; approvals are of the login.

use crate::support::{Background, Database, on_empty_postgresql, on_own_postgresql, plan_file};

const RUN: &str = "rename";
const PLAN: &str = "version: 1\nname: rename\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\ngates:\n  contract: {approvals: 1}\n";

/// The owner, which nobody logs in as, and a login that is a member of it and inherits nothing.
struct Roles {
    owner: String,
    login: String,
    url: String,
}

async fn roles(database: &Database) -> Roles {
    let (owner, login) = (
        format!("owner_{}", database.name),
        format!("login_{}", database.name),
    );
    database
        .execute(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {login} LOGIN NOINHERIT; GRANT {owner} TO {login}; \
             GRANT CREATE ON DATABASE {} TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}; \
             CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL); ALTER TABLE vehicles OWNER TO {owner}; \
             INSERT INTO vehicles SELECT i, 'status ' || i FROM generate_series(1, 500) AS i",
            database.name
        ))
        .await;
    let url = database.url.replacen("postgres@", &format!("{login}@"), 1);
    Roles { owner, login, url }
}

fn entered(roles: &Roles) -> String {
    let separator = if roles.url.contains('?') { '&' } else { '?' };
    format!(
        "{}{separator}options=-c%20role%3D{}",
        roles.url, roles.owner
    )
}

/// What the help says to run: from ALTER or GRANT to the last semicolon of the line.
fn advised(text: &str) -> String {
    let begin = ["ALTER ROLE", "GRANT "]
        .iter()
        .filter_map(|word| text.find(word))
        .min()
        .unwrap_or_else(|| panic!("no statement is advised: {text}"));
    let line = text[begin..].lines().next().unwrap_or_default();
    let end = line.rfind(';').expect("a statement ends");
    line[..=end].to_owned()
}

#[test]
fn a_run_is_driven_by_a_login_whose_role_is_set() {
    on_empty_postgresql(async |database| {
        let roles = roles(database).await;
        let file = plan_file(PLAN);
        let path = file.path().to_str().unwrap();
        let by_url = entered(&roles);
        for (command, code) in [
            (&["init"][..], 0),
            (&["check", path], 0),
            (&["explain", path], 0),
            (&["start", path], 0),
            (&["advance", RUN, "--to", "backfill"], 0),
        ] {
            let arguments = [&["--database-url", &by_url][..], command].concat();
            database.crossfade(&arguments).exits(code);
        }
        let check = database.crossfade(&["--database-url", &by_url, "check", path]);
        assert!(
            !check.stderr.contains("run with the rights of"),
            "{}",
            check.stderr
        );
        // From here on by the login's own setting.
        let Roles { owner, login, url } = &roles;
        database
            .execute(&format!("ALTER ROLE {login} SET role = {owner}"))
            .await;
        let run = |arguments: &[&str]| {
            database.crossfade(&[&["--database-url", url][..], arguments].concat())
        };
        run(&["advance", RUN, "--to", "retire"]).exits(0);
        // Who approves is who logged in, and whoever started the run does not count.
        run(&["approve", RUN, "contract"]).exits(0);
        assert_eq!(
            database.value("SELECT role FROM crossfade.approvals").await,
            *login
        );
        run(&["advance", RUN, "--yes"]).exits(3);
        let approver = format!("approver_{}", database.name);
        database
            .execute(&format!(
                "CREATE ROLE {approver} LOGIN NOINHERIT; GRANT {owner} TO {approver}; ALTER ROLE {approver} SET role = {owner}"
            ))
            .await;
        let other = database
            .url
            .replacen("postgres@", &format!("{approver}@"), 1);
        database
            .crossfade(&["--database-url", &other, "approve", RUN, "contract"])
            .exits(0);
        run(&["advance", RUN, "--yes"]).exits(0);
        run(&["history", RUN, "--verify"]).exits(0);
    });
}

#[test]
fn the_advice_enters_the_role_that_is_there_already() {
    on_empty_postgresql(async |database| {
        let roles = roles(database).await;
        let Roles { owner, login, url } = &roles;
        let run = |arguments: &[&str]| {
            database.crossfade(&[&["--database-url", url][..], arguments].concat())
        };
        let file = plan_file(PLAN);
        let path = file.path().to_str().unwrap();
        let reset = format!("ALTER ROLE {login} RESET role");
        let wanted = format!("ALTER ROLE {login} SET role = {owner};");
        // Whose right to install is the role's.
        let refused = run(&["init"]).exits(1);
        assert_eq!(advised(&refused.stderr), wanted, "{}", refused.stderr);
        database.execute(&wanted).await;
        run(&["init"]).exits(0);
        for command in [&["start", path][..], &["status"], &["check", path]] {
            database.execute(&reset).await;
            let refused = run(command);
            assert_ne!(refused.code, Some(0), "{command:?}");
            let said = format!("{}{}", refused.stdout, refused.stderr);
            assert_eq!(advised(&said), wanted, "{command:?}: {said}");
            database.execute(&wanted).await;
            run(command).exits(0);
        }
    });
}

#[test]
fn a_login_that_inherits_nothing_is_told_more_than_a_grant() {
    on_empty_postgresql(async |database| {
        let roles = roles(database).await;
        let Roles { owner, login, url } = &roles;
        database.crossfade(&["init"]).exits(0);
        database
            .execute(&format!(
                "REVOKE {owner} FROM {login}; GRANT USAGE ON SCHEMA crossfade TO {login}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {login}"
            ))
            .await;
        let file = plan_file(PLAN);
        let path = file.path().to_str().unwrap();
        // As many statements as it takes, each by the advice of the one before.
        for _ in 0..4 {
            let check = database.crossfade(&["--database-url", url, "check", path]);
            if check.code == Some(0) {
                return;
            }
            database
                .execute(&advised(&format!("{}{}", check.stdout, check.stderr)))
                .await;
        }
        panic!("the advice leads nowhere");
    });
}

/// The own start of a session is hidden from the role that it has entered.
#[test]
fn the_lease_of_a_driver_that_entered_a_role_is_seen_and_taken_over() {
    on_empty_postgresql(async |database| {
        let roles = roles(database).await;
        let file = plan_file(PLAN);
        let url = entered(&roles);
        let with = |arguments: &[&str]| {
            [&["--database-url", &url][..], arguments]
                .concat()
                .iter()
                .map(|one| (*one).to_owned())
                .collect::<Vec<_>>()
        };
        let run = |arguments: &[&str]| {
            let arguments = with(arguments);
            database.crossfade(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
        };
        run(&["init"]).exits(0);
        run(&["start", file.path().to_str().unwrap()]).exits(0);
        run(&["advance", RUN, "--to", "verify"]).exits(0);
        let arguments = with(&["advance", RUN, "--to", "enforce"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let place = "stop:set_not_null:public.vehicles.vehicle_status part 2: before its effect";
        let stopped = database.spawn(&[("CROSSFADE_FAILPOINT", place)], &arguments);
        stopped.wait_until_stopped();
        let held = database.crossfade(&["advance", RUN, "--to", "enforce"]);
        assert_ne!(
            held.code,
            Some(0),
            "the lease was taken from a driver that lives"
        );
        assert!(held.stderr.contains("pid"), "{}", held.stderr);
        // Its sessions end when it is followed: what it would still send must not come.
        database
            .execute(
                "UPDATE crossfade.leases SET heartbeat = clock_timestamp() - interval '1 minute'",
            )
            .await;
        run(&["rollback", RUN, "--yes"]).exits(0);
        let left = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = '{}' AND application_name = 'crossfade/{RUN}'",
            roles.login
        );
        assert_eq!(database.value(&left).await, "0");
    });
}

#[test]
fn an_order_of_a_login_is_carried_out_by_a_server_of_the_same_login_and_role() {
    on_empty_postgresql(async |database| {
        let roles = roles(database).await;
        let url = entered(&roles);
        let file = plan_file(PLAN);
        let run = |arguments: &[&str]| {
            database.crossfade(&[&["--database-url", &url][..], arguments].concat())
        };
        run(&["init"]).exits(0);
        run(&["start", file.path().to_str().unwrap()]).exits(0);
        let _server: Background = database.spawn(&[], &["--database-url", &url, "serve"]);
        database
            .wait_until("SELECT EXISTS (SELECT FROM crossfade.servers)")
            .await;
        run(&["advance", RUN, "--to", "dual_write", "--detach"]).exits(0);
        database
            .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.orders WHERE state = 'open')")
            .await;
        assert_eq!(
            database
                .value("SELECT concat_ws(': ', state, outcome) FROM crossfade.orders")
                .await,
            "done"
        );
    });
}

/// The application's logins are such, too: their settings count, though they have no right of their own.
#[test]
fn what_is_set_for_a_login_of_the_application_that_enters_a_role_is_seen() {
    on_own_postgresql(&[], async |database| {
        let roles = roles(database).await;
        let login = &roles.login;
        database
            .execute(&format!(
                "ALTER ROLE {login} SET session_replication_role = replica; ALTER ROLE {login} SET search_path = elsewhere; \
                 CREATE SCHEMA elsewhere; CREATE FUNCTION public.f(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'"
            ))
            .await;
        database.crossfade(&["init"]).exits(0);
        let file = plan_file(
            "version: 1\nname: rename\nchange:\n  transform_columns:\n    table: public.vehicles\n    from: [status]\n    to: {vehicle_status: {type: text}}\n    forward: {vehicle_status: f(status)}\n    backward: {status: f(vehicle_status)}\n",
        );
        let check = database.crossfade(&["check", file.path().to_str().unwrap()]);
        let said = format!("{}{}", check.stdout, check.stderr);
        for named in [
            format!("the role {login} has the default session_replication_role = replica"),
            format!("{login}: "),
        ] {
            assert!(said.contains(&named), "{named}: {said}");
        }
    });
}
