//! Triggers of the application that change the row: ours fire after those that are there, whatever they are called, and one
//! that comes later and would fire after ours is told by name.

use crate::crash_everywhere::all_of;
use crate::support::{Database, on_postgresql, plan_file};

const SETUP: &str = "
    CREATE TABLE users (id integer PRIMARY KEY, status text, note text);
    INSERT INTO users SELECT i, 's' || i FROM generate_series(1, 50) AS i;
    CREATE TABLE measured (id integer NOT NULL, status text, note text) PARTITION BY RANGE (id);
    CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM (0) TO (100) PARTITION BY LIST (id);
    CREATE TABLE measured_rest PARTITION OF measured_1 DEFAULT;
    INSERT INTO measured SELECT i, 's' || i FROM generate_series(1, 50) AS i;
    CREATE FUNCTION trim_status() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status := btrim(NEW.status, '! '); RETURN NEW; END $$;
";

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().expect("a path of text")
}

fn plan(table: &str) -> tempfile::NamedTempFile {
    plan_file(&format!(
        "version: 1\nname: x\nchange:\n  rename_column: {{table: {table}, from: status, to: state}}\n"
    ))
}

async fn prepared(database: &Database) -> Database {
    database.execute(SETUP).await;
    database.copy().await
}

fn trims(name: &str, table: &str) -> String {
    format!(
        "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION trim_status()"
    )
}

#[test]
fn ours_fire_after_every_trigger_that_may_change_the_row_whatever_it_is_called() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        let cases = [
            ("users", "users", "zzz_trim"),
            ("users", "users", "\"{trim}\""),
            ("users", "users", "\"~\""),
            ("users", "users", "\"zz_crossfade_x_u!\""),
            ("measured", "measured", "zzzz"),
            ("measured", "measured_1", "zzz_of_partition"),
            ("measured", "measured_rest", "zzz_of_leaf"),
        ];
        all_of(&cases, async |(table, on, name)| {
            let database = template.copy().await;
            database.execute(&trims(name, on)).await;
            let plan = plan(table);
            let before = database.dump_schema();
            database.crossfade(&["start", path(&plan)]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "dual_write"])
                .exits(0);
            let differ = format!(
                "SELECT count(*) FROM {table} WHERE status IS DISTINCT FROM state AND state IS NOT NULL"
            );
            database
                .execute(&format!(
                    "INSERT INTO {table} (id, status) VALUES (60, 'old!'); INSERT INTO {table} (id, state) VALUES (61, 'new');
                     UPDATE {table} SET status = 'written! ' WHERE id = 7; UPDATE {table} SET status = ' !!' WHERE id = 60"
                ))
                .await;
            assert_eq!(database.value(&differ).await, "0", "{name}");
            database
                .crossfade(&["advance", "x", "--to", "switch_reads"])
                .exits(0);
            database
                .execute(&format!("UPDATE {table} SET status = 'again!' WHERE id > 40; UPDATE {table} SET state = 'more' WHERE id < 10"))
                .await;
            assert_eq!(database.value(&differ).await, "0", "{name}");
            // Put back by the same names, taken away by them, and made again.
            database
                .execute(&format!(
                    "DO $$ DECLARE one text; BEGIN FOR one IN SELECT tgname FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND tgname LIKE '%zz_crossfade_x__' AND tgparentid = 0 \
                     LOOP EXECUTE format('DROP TRIGGER %I ON {table}', one); END LOOP; END $$"
                ))
                .await;
            database.crossfade(&["verify", "x", "--repair"]).exits(0);
            database.crossfade(&["rollback", "x", "--yes"]).exits(0);
            assert_eq!(database.dump_schema(), before, "{name}");
            database.crossfade(&["start", path(&plan)]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "switch_reads"])
                .exits(0);
            database.remove().await;
        });
        template.remove().await;
    });
}

#[test]
fn a_trigger_that_comes_later_and_fires_after_ours_closes_the_gates_by_name() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        let cases = [
            ("users", "users"),
            ("measured", "measured"),
            ("measured", "measured_rest"),
        ];
        all_of(&cases, async |(table, on)| {
            let database = template.copy().await;
            let plan = plan(table);
            database.crossfade(&["start", path(&plan)]).exits(0);
            database
                .crossfade(&["advance", "x", "--to", "backfill"])
                .exits(0);
            // These change no row, or fire before ours.
            database
                .execute(&format!(
                    "{}; CREATE TRIGGER zzz_after AFTER UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION trim_status();
                     CREATE TRIGGER zzz_delete BEFORE DELETE ON {on} FOR EACH ROW EXECUTE FUNCTION trim_status()",
                    trims("a_trim", on)
                ))
                .await;
            database
                .crossfade(&["advance", "x", "--to", "verify"])
                .exits(0);
            database.execute(&trims("zzz_trim", on)).await;
            let waited = database.crossfade(&["advance", "x", "--to", "switch_reads"]);
            let said = format!("{}{}", waited.stdout, waited.stderr);
            assert_ne!(waited.code, Some(0), "{said}");
            assert!(
                said.contains(&format!("the trigger zzz_trim of public.{on} fires after")),
                "{said}"
            );
            // As advised.
            database
                .execute(&format!("ALTER TRIGGER zzz_trim ON {on} RENAME TO b_trim"))
                .await;
            database
                .crossfade(&["advance", "x", "--to", "switch_reads"])
                .exits(0);
            database.remove().await;
        });
        template.remove().await;
    });
}

#[test]
fn one_that_would_come_after_every_name_of_ours_is_refused_by_name() {
    on_postgresql(async |database| {
        let template = prepared(database).await;
        for (table, name) in [("users", "\"~~~~~~~~~~\""), ("measured", "übrig")] {
            let database = template.copy().await;
            database.execute(&trims(name, table)).await;
            for command in ["check", "start"] {
                let refused = database.crossfade(&[command, path(&plan(table))]).exits(1);
                let said = format!("{}{}", refused.stdout, refused.stderr);
                assert!(
                    said.contains("would fire after the triggers that keep both sides in step"),
                    "{said}"
                );
                assert!(said.contains(name.trim_matches('"')), "{said}");
            }
            database
                .execute(&format!("ALTER TRIGGER {name} ON {table} RENAME TO trim"))
                .await;
            database.crossfade(&["check", path(&plan(table))]).exits(0);
            database.remove().await;
        }
        template.remove().await;
    });
}
