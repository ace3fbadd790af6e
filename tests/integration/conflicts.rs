//! Two runs on one database: which may go on beside each other, and which are told of each other before anything is run.

use crate::support::{Database, on_postgresql, plan_file};

const GARAGE: &str = "
    CREATE TABLE vehicles (id bigint PRIMARY KEY, status text, make text, model text, note text);
    CREATE TABLE orders (id bigint PRIMARY KEY, status text);
    INSERT INTO vehicles SELECT i, 'active', 'a', 'b', 'n' FROM generate_series(1, 100) AS i;
    CREATE TABLE stock (id bigint PRIMARY KEY, quantity integer, price integer, note varchar(9));
    INSERT INTO stock SELECT i, i, 2, 'n' FROM generate_series(1, 100) AS i;
";

fn rename(name: &str, table: &str, from: &str, to: &str) -> String {
    format!(
        "version: 1\nname: {name}\nchange:\n  rename_column: {{table: public.{table}, from: {from}, to: {to}}}\n"
    )
}

fn own(name: &str, forward: &str) -> String {
    let allow = match forward {
        drop if drop.contains("DROP COLUMN") => "allow: {drop-column: meant so}\n",
        rename if rename.contains("RENAME") => "allow: {rename: meant so}\n",
        _ => "",
    };
    format!(
        "version: 1\nname: {name}\n{allow}change:\n  sql:\n    name: a\n    forward: {forward}\n    done_when: SELECT false\n    irreversible: true\n"
    )
}

/// `label` is filled from two columns that stay; an index reads a third.
const LABEL: &str = "
version: 1
name: label
phases:
  - phase: expand
    steps:
      - add_column: {table: public.vehicles, column: label, type: text}
      - create_index: {table: public.vehicles, name: vehicles_note, using: 'btree (lower(note))'}
  - phase: dual_write
    steps:
      - sync_columns: {table: public.vehicles, forward: {label: make || ' ' || model}}
  - phase: backfill
    steps:
      - fill: {table: public.vehicles, set: {label: make || ' ' || model}}
";

fn check_and_start(database: &Database, plan: &str, code: i32) -> String {
    let file = plan_file(plan);
    let path = file.path().to_str().unwrap();
    let checked = database.crossfade(&["check", path]).exits(code);
    let started = database.crossfade(&["start", path]).exits(code);
    if code != 0 {
        assert_eq!(checked.stderr, started.stderr, "check says it before start");
    }
    started.stderr
}

#[test]
fn a_run_may_not_change_what_another_uses() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        check_and_start(database, LABEL, 0);
        database
            .crossfade(&["advance", "label", "--to", "expand"])
            .exits(0);
        for (from, why) in [
            (
                "make",
                "public.vehicles.make (label reads it, other changes it)",
            ),
            (
                "note",
                "public.vehicles.note (label reads it, other changes it)",
            ),
        ] {
            let said = check_and_start(database, &rename("other", "vehicles", from, "renamed"), 1);
            assert!(said.contains(why), "{from}: {said}");
        }
        // Statements of one's own are read for what they touch.
        for (forward, why) in [
            (
                "UPDATE public.vehicles SET make = upper(make) WHERE id < 5",
                "public.vehicles.make (label reads it, other changes it)",
            ),
            (
                "ALTER TABLE public.vehicles DROP COLUMN note",
                "public.vehicles.note (label reads it, other changes it)",
            ),
            (
                "DO $$ BEGIN UPDATE public.vehicles SET label = $x$x$x$ WHERE id = 1; END $$",
                "public.vehicles.label (label changes it, other changes it)",
            ),
            (
                "ALTER TABLE public.vehicles RENAME TO cars",
                "public.vehicles, which one of them replaces as a whole",
            ),
        ] {
            let said = check_and_start(database, &own("other", forward), 1);
            assert!(said.contains(why), "{forward}: {said}");
        }
        for forward in [
            "UPDATE public.vehicles SET status = upper(status) WHERE id < 5",
            "DELETE FROM public.vehicles WHERE make = $x$none$x$",
            "ANALYZE public.vehicles",
        ] {
            check_and_start(database, &own("other", forward), 0);
            database.crossfade(&["rollback", "other", "--yes"]).exits(0);
        }
        let said = check_and_start(database, &rename("other", "vehicles", "make", "brand"), 1);
        for part in [
            "the active run label is in the way of other",
            "label is before dual_write: finish it or roll it back first; `crossfade status label` shows it",
            ":4:3\n",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        database
            .crossfade(&["pause", "label", "--reason", "the quarter ends"])
            .exits(0);
        let said = check_and_start(database, &rename("other", "vehicles", "make", "brand"), 1);
        assert!(said.contains("(the quarter ends): finish it"), "{said}");

        // Another column of the table, the same name in another table, and what both only read.
        check_and_start(
            database,
            &rename("a", "vehicles", "status", "vehicle_status"),
            0,
        );
        check_and_start(
            database,
            &rename("b", "orders", "status", "order_status"),
            0,
        );
        let again = LABEL
            .replace("name: label", "name: slogan")
            .replace("label", "slogan");
        check_and_start(
            database,
            &again.replace("vehicles_note", "vehicles_note_again"),
            0,
        );

        // And the other way round: what this one reads, another changes.
        let reads = LABEL
            .replace("name: label", "name: motto")
            .replace("label", "motto");
        let said = check_and_start(database, &reads.replace("make ||", "status ||"), 1);
        assert!(
            said.contains("public.vehicles.status (a changes it, motto reads it)"),
            "{said}"
        );

        database
            .crossfade(&["resume", "label", "--detach"])
            .exits(0);
        for run in ["label", "slogan"] {
            database.crossfade(&["rollback", run, "--yes"]).exits(0);
        }
        check_and_start(database, &rename("other", "vehicles", "make", "brand"), 0);
    });
}

/// Its triggers stay when it is done.
const KEPT: &str = "
version: 1
name: total_u
change:
  add_column: {table: public.stock, column: total, type: integer, forward: quantity * price, keep_sync: true}
";

#[test]
fn triggers_that_stay_are_not_taken_anything_from() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        check_and_start(database, KEPT, 0);
        database
            .crossfade(&["advance", "total_u", "--to", "verify"])
            .exits(0);
        let change = |what: &str| format!("version: 1\nname: total\nchange:\n  {what}\n");
        for (what, why) in [
            (
                "rename_column: {table: public.stock, from: price, to: unit_price}",
                "public.stock.price, which they read",
            ),
            (
                "drop_column: {table: public.stock, column: total}",
                "public.stock.total, which they write",
            ),
            (
                "change_column_type: {table: public.stock, column: quantity, type: bigint, keep_name: true}",
                "public.stock.quantity, which they read",
            ),
            (
                "rename_column: {table: public.stock, from: price, to: unit_price, strategy: alias}",
                "public.stock.price, which they read",
            ),
            (
                "add_column: {table: public.stock, column: twice, type: integer, forward: total * 2}",
                "public.stock.total, which they write and triggers of total would read",
            ),
        ] {
            let said = check_and_start(database, &change(what), 1);
            assert!(
                said.contains("the run total_u is completed and its triggers stay on public.stock"),
                "{what}: {said}"
            );
            assert!(said.contains(why), "{what}: {said}");
        }
        for what in [
            "rename_column: {table: public.stock, from: note, to: remark}",
            "add_index: {table: public.stock, columns: [total]}",
            "set_not_null: {table: public.stock, column: total}",
        ] {
            check_and_start(database, &change(what), 0);
            database.crossfade(&["rollback", "total", "--yes"]).exits(0);
        }

        let said = check_and_start(
            database,
            &own(
                "own",
                "ALTER TABLE public.stock RENAME COLUMN price TO unit_price",
            ),
            1,
        );
        assert!(
            said.contains("public.stock.price, which they read"),
            "{said}"
        );

        // The table may have another name by now; and once the triggers are gone, as it is said, nothing is in the way.
        database.execute("ALTER TABLE stock RENAME TO goods").await;
        let rename = rename("total", "goods", "price", "unit_price");
        let said = check_and_start(database, &rename, 1);
        assert!(said.contains("`crossfade rollback total_u`"), "{said}");
        let drops = said
            .split_once("stop computing them: ")
            .and_then(|(_, drops)| drops.lines().next());
        database.execute(drops.unwrap()).await;
        check_and_start(database, &rename, 0);
    });
}

#[test]
fn a_table_that_a_backfill_puts_rows_into_is_kept_in_step_by_no_other_run() {
    on_postgresql(async |database| {
        database.execute(GARAGE).await;
        let extract = "version: 1\nname: extract\nchange:\n  extract_table: {table: public.vehicles, to: public.makes, by: {vehicle_id: id}, columns: {make: make}}\n";
        check_and_start(database, extract, 0);
        database
            .crossfade(&["advance", "extract", "--to", "dual_write"])
            .exits(0);
        // Its rows would come without the label, whenever this run has compared them.
        let label = "version: 1\nname: other\nchange:\n  add_column: {table: public.makes, column: label, type: text, forward: \"vehicle_id::text\"}\n";
        let said = check_and_start(database, label, 1);
        let why = "public.makes, where extract puts rows that fire no triggers of the other's";
        assert!(said.contains(why), "{said}");
        // What has no triggers does not mind.
        let index = "version: 1\nname: index\nchange:\n  add_index: {table: public.makes, columns: [vehicle_id]}\n";
        check_and_start(database, index, 0);
    });
}
