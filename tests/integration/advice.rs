//! What messages tell people to do: that it can be typed as it stands, and that it does no harm.

use crate::support::{Database, Ran, on_postgresql, plan_file};

const VEHICLES: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'active', note text);
    INSERT INTO vehicles SELECT i, 'status ' || i % 7 FROM generate_series(1, 100) AS i;
";

const RENAME: &str = "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: condition}\n";

fn of(database: &Database, command: &str, plan: &str) -> Ran {
    let file = plan_file(plan);
    database.crossfade(&[command, file.path().to_str().unwrap()])
}

fn says(ran: &Ran, words: &str) {
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains(words), "{words:?} in {said}");
}

async fn begin(database: &Database) {
    database.execute(VEHICLES).await;
    of(database, "start", RENAME).exits(0);
}

#[test]
fn a_column_of_another_run_is_not_to_be_dropped_by_hand() {
    on_postgresql(async |database| {
        begin(database).await;
        database
            .crossfade(&["advance", "rename-status", "--to", "backfill"])
            .exits(0);
        let change = |words: &str| format!("version: 1\nname: other\nchange:\n  {words}\n");
        for words in [
            "add_column: {table: vehicles, column: condition, type: text}",
            "rename_column: {table: vehicles, from: note, to: condition, strategy: alias}",
            "rename_column: {table: vehicles, from: id, to: condition}",
            "change_column_type: {table: vehicles, column: note, to: condition, type: bigint}",
        ] {
            for command in ["check", "start"] {
                let ran = of(database, command, &change(words)).exits(1);
                let said = format!("{}{}", ran.stdout, ran.stderr);
                assert!(!said.contains("drop that column first"), "{words}: {said}");
                if said.contains("already has a column condition") {
                    says(
                        &ran,
                        "it is a column of the active run rename-status, which is before verify",
                    );
                }
            }
        }
        let named = of(
            database,
            "check",
            &change("add_column: {table: vehicles, column: condition, type: text}"),
        );
        says(&named, "`crossfade status rename-status` shows it");
        // Nobody's column may be dropped.
        let own = change("add_column: {table: vehicles, column: note, type: text}");
        says(
            &of(database, "check", &own).exits(1),
            "or drop that column first",
        );
    });
}

/// Commands in backquotes are complete: they can be typed as they stand.
#[test]
fn advice_names_the_run() {
    on_postgresql(async |database| {
        begin(database).await;
        let status = database.crossfade(&["status", "rename-status"]).exits(0);
        says(&status, "`crossfade advance rename-status` runs it");
        database
            .crossfade(&["advance", "rename-status", "--to", "backfill"])
            .exits(0);
        database
            .execute(
                "SET session_replication_role = replica; UPDATE vehicles SET condition = 'x' WHERE id = 3",
            )
            .await;
        let differs = database.crossfade(&["advance", "rename-status"]).exits(5);
        says(
            &differs,
            "`crossfade verify rename-status --repair` corrects them",
        );
        database
            .crossfade(&["verify", "rename-status", "--repair"])
            .exits(0);
        database.crossfade(&["advance", "rename-status"]).exits(0);
    });
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_one_that_was_meant() {
    on_postgresql(async |database| {
        begin(database).await;
        for arguments in [
            &["status", "rename-statsu"][..],
            &["advance", "rename_status"],
            &["history", "renamestatus"],
            &["approve", "rename-statu", "contract"],
            &["pause", "rename-statuss", "--reason", "x"],
            &["rollback", "rename-stauts", "--yes"],
            &["quarantine", "list", "rename-stats"],
            &["verify", "rename-stat"],
        ] {
            let ran = database.crossfade(arguments).exits(1);
            says(
                &ran,
                "did you mean `rename-status`? `crossfade status` lists them",
            );
        }
        let far = database.crossfade(&["status", "orders"]).exits(1);
        says(
            &far,
            "there is no run named orders; `crossfade status` lists them",
        );
        let phase = database
            .crossfade(&["advance", "rename-status", "--to", "backfil"])
            .exits(2);
        says(&phase, "did you mean `backfill`? the phases are expand");
        for arguments in [
            &["advance", "rename-status", "--to", "sql"][..],
            &["approve", "rename-status", "sql"],
        ] {
            let ran = database.crossfade(arguments).exits(1);
            says(
                &ran,
                "the plan of rename-status has no phase sql; its phases are expand, dual_write, backfill",
            );
        }
    });
}

#[test]
fn a_pause_until_a_time_of_day_says_which_instant_that_is() {
    on_postgresql(async |database| {
        begin(database).await;
        let pause = |zone: &str, until: &str| {
            database.crossfade_with(
                &[("TZ", zone)],
                &["pause", "rename-status", "--reason", "x", "--until", until],
            )
        };
        let utc = pause("UTC", "18:00").exits(0);
        says(
            &utc,
            "T18:00:00Z; `crossfade resume rename-status` continues",
        );
        let away = "SELECT paused_until > now() AND paused_until <= now() + interval '1 day' \
            AND to_char(paused_until AT TIME ZONE 'UTC', 'HH24:MI') = '18:00' FROM crossfade.runs";
        assert_eq!(database.value(away).await, "true");
        let berlin = pause("Asia/Tokyo", "18:00").exits(0);
        says(&berlin, "T09:00:00Z (");
        says(&berlin, " 18:00 +09:00)");
        let date = pause("Asia/Tokyo", "2099-01-02T08:00").exits(0);
        says(
            &date,
            "until 2099-01-01T23:00:00Z (2099-01-02 08:00 +09:00)",
        );
        let wrong = pause("UTC", "6pm").exits(2);
        says(
            &wrong,
            "write a time of day such as 18:00, a local date and time such as",
        );
        let over = pause("UTC", "2001-01-01T00:00:00Z").exits(2);
        says(
            &over,
            "2001-01-01T00:00:00Z is over already: give a later time",
        );
    });
}

/// One who looks and approves is told of no right to write, and what is told is enough.
#[test]
fn the_rights_that_are_named_are_enough_and_no_more() {
    on_postgresql(async |database| {
        begin(database).await;
        let role = format!("looks_{}", database.name);
        database.execute(&format!("CREATE ROLE {role} LOGIN")).await;
        database
            .execute("REVOKE EXECUTE ON FUNCTION crossfade.approve FROM PUBLIC")
            .await;
        let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
        let by = |arguments: &[&str]| {
            database.crossfade(&[arguments, &["--database-url", &url][..]].concat())
        };
        let commands: [&[&str]; 5] = [
            &["status"],
            &["status", "rename-status"],
            &["history", "rename-status"],
            &["advance", "rename-status", "--dry-run"],
            &["approve", "rename-status", "contract"],
        ];
        for arguments in commands {
            let mut tries = 0;
            loop {
                let ran = by(arguments);
                if ran.code == Some(0) {
                    break;
                }
                tries += 1;
                assert!(tries <= 2, "{arguments:?}: {}", ran.stderr);
                for more in ["INSERT", "UPDATE", "DELETE", "CREATE", "ALL FUNCTIONS"] {
                    assert!(!ran.stderr.contains(more), "{arguments:?}: {}", ran.stderr);
                }
                let advice = &ran.stderr[ran.stderr.find("GRANT ").expect("advice")..];
                database.execute(advice).await;
            }
        }
        assert_eq!(
            database.value("SELECT role FROM crossfade.approvals").await,
            role
        );
    });
}
