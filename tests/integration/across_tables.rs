//! Two tables in step: whichever of them is written, by whichever version, both say the same; what cannot be told is
//! refused by name; and a difference that somebody makes by hand is found, and mended.

use crate::support::{Database, on_postgresql, plan_file};
use tokio_postgres::Client;

const TABLES: &str = "CREATE TABLE parents (id bigint PRIMARY KEY, note text); \
    CREATE TABLE children (parent_id integer UNIQUE, amount numeric(10, 2), label text); \
    INSERT INTO parents SELECT i, 'n' || i FROM generate_series(1, 200) AS i; \
    INSERT INTO children SELECT i, i + 0.25, 'l' || i FROM generate_series(1, 200, 2) AS i";

/// A value that loses its cents on the way, and a copy beside it.
const FOLD: &str = "version: 1\nname: fold\nchange:\n  fold_table:\n    table: public.children\n    into: public.parents\n    by: {id: parent_id}\n    \
    columns: {total: {type: integer}, label: {}}\n    forward: {total: \"trunc(amount)::integer\"}\n    backward: {amount: total, label: label}\n";

/// What both versions see of each parent: the old one's amount in whole units, and its label.
const OLD_VIEW: &str = "SELECT p.id, trunc(c.amount)::integer, c.label FROM parents AS p LEFT JOIN children AS c ON c.parent_id = p.id ORDER BY 1";
const NEW_VIEW: &str = "SELECT id, total, label FROM parents ORDER BY 1";

async fn view(client: &Client, sql: &str) -> Vec<(i64, Option<i32>, Option<String>)> {
    let rows = client.query(sql, &[]).await.expect("the rows");
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

fn start(database: &Database, text: &str) {
    let file = plan_file(text);
    let path = file.path().to_str().expect("a path");
    database.crossfade(&["start", path]).exits(0);
}

fn to(database: &Database, phase: &str) {
    let arguments = ["advance", "fold", "--to", phase, "--yes"];
    database.crossfade(&arguments).exits(0);
}

/// A statement of one of the versions, for a key; another each time.
fn statement(random: &mut fastrand::Rng) -> String {
    let (id, value) = (random.i64(1..260), random.i64(0..1000));
    match random.u8(0..9) {
        0 => format!("INSERT INTO parents (id, note) VALUES ({id}, 'o') ON CONFLICT DO NOTHING"),
        1 => format!(
            "INSERT INTO parents (id, total, label) VALUES ({id}, {value}, 'new{value}') ON CONFLICT DO NOTHING"
        ),
        2 => format!("UPDATE parents SET total = {value} WHERE id = {id}"),
        3 => format!("UPDATE parents SET label = NULL, total = NULL WHERE id = {id}"),
        4 => format!(
            "INSERT INTO children SELECT id, {value}.5, 'old{value}' FROM parents WHERE id = {id} \
             ON CONFLICT (parent_id) DO UPDATE SET amount = excluded.amount"
        ),
        5 => format!("UPDATE children SET label = 'old{value}' WHERE parent_id = {id}"),
        6 => format!(
            "UPDATE children SET parent_id = {value} % 260 WHERE parent_id = {id} \
             AND NOT EXISTS (SELECT FROM children WHERE parent_id = {value} % 260) AND EXISTS (SELECT FROM parents WHERE id = {value} % 260)"
        ),
        7 => format!("DELETE FROM children WHERE parent_id = {id}"),
        _ => format!("DELETE FROM parents WHERE id = {id}"),
    }
}

#[test]
fn whichever_table_is_written_both_say_the_same() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        start(database, FOLD);
        to(database, "verify");
        let client = database.client().await;
        assert_eq!(view(&client, OLD_VIEW).await, view(&client, NEW_VIEW).await);
        let mut random = fastrand::Rng::with_seed(7);
        for number in 0..400 {
            let sql = statement(&mut random);
            client.batch_execute(&sql).await.expect(&sql);
            let (old, new) = (view(&client, OLD_VIEW).await, view(&client, NEW_VIEW).await);
            assert_eq!(old, new, "after statement {number}: {sql}");
        }
        let left = "SELECT count(*) FROM children AS c WHERE NOT EXISTS (SELECT FROM parents WHERE id = c.parent_id)";
        assert_eq!(database.value(left).await, "0");
        database.crossfade(&["verify", "fold"]).exits(0);
        to(database, "contract");
        assert_eq!(
            database
                .value("SELECT to_regclass('children') IS NULL")
                .await,
            "true"
        );
    });
}

#[test]
fn cents_that_the_new_side_has_not_are_kept_while_another_column_is_written() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        start(database, FOLD);
        to(database, "verify");
        let amount = "SELECT amount FROM children WHERE parent_id = 1";
        database
            .execute("UPDATE parents SET label = 'x' WHERE id = 1")
            .await;
        assert_eq!(database.value(amount).await, "1.25");
        database
            .execute("UPDATE parents SET total = 9 WHERE id = 1")
            .await;
        assert_eq!(database.value(amount).await, "9.00");
    });
}

#[test]
fn a_difference_is_found_and_mended_and_so_is_a_row_that_belongs_to_nothing() {
    on_postgresql(async |database| {
        database.execute(TABLES).await;
        start(database, FOLD);
        to(database, "verify");
        database
            .execute("SET session_replication_role = replica; UPDATE parents SET label = 'wrong' WHERE id = 3; DELETE FROM children WHERE parent_id = 5")
            .await;
        let client = database.client().await;
        assert_ne!(view(&client, OLD_VIEW).await, view(&client, NEW_VIEW).await);
        let found = database.crossfade(&["verify", "fold"]).exits(5);
        assert!(found.stdout.contains("2 differ"), "{}", found.stdout);
        // The row that is gone from the old side only leaves values that no other side has: they go only by name.
        let kept = database.crossfade(&["verify", "fold", "--repair"]).exits(5);
        assert!(kept.stdout.contains("1 repaired"), "{}", kept.stdout);
        let discards = [
            "--discard",
            "public.parents.label",
            "--discard",
            "public.parents.total",
        ];
        let repair: Vec<&str> = ["verify", "fold", "--repair"]
            .into_iter()
            .chain(discards)
            .collect();
        database.crossfade(&repair).exits(0);
        database.crossfade(&["verify", "fold"]).exits(0);
        let mended = "SELECT label FROM parents WHERE id = 3";
        assert_eq!(database.value(mended).await, "l3");
        database
            .execute("INSERT INTO children VALUES (900, 1, 'nobody')")
            .await;
        let orphan = database.crossfade(&["verify", "fold"]).exits(5);
        assert!(orphan.stdout.contains("1 differ"), "{}", orphan.stdout);
        let held = ["advance", "fold", "--to", "contract", "--yes"];
        let held = database.crossfade(&held).exits(5);
        assert!(
            held.stderr.contains("belongs to no row of public.parents"),
            "{}",
            held.stderr
        );
        assert_eq!(
            database
                .value("SELECT count(*) FROM children_crossfade_retired")
                .await,
            "100"
        );
    });
}

#[test]
fn what_cannot_be_told_is_refused_by_name() {
    on_postgresql(async |database| {
        database
            .execute(
                "CREATE TABLE parents (id bigint PRIMARY KEY, code text); \
                 CREATE TABLE children (parent_id bigint, amount integer, needed text NOT NULL); \
                 CREATE TABLE parted (parent_id bigint, amount integer) PARTITION BY RANGE (parent_id)",
            )
            .await;
        let refused = |change: &str| {
            let file = plan_file(&format!("version: 1\nname: x\nchange:\n  {change}\n"));
            let path = file.path().to_str().expect("a path").to_owned();
            database.crossfade(&["check", &path]).exits(1).stderr
        };
        let of = |table: &str, more: &str| {
            format!(
                "move_columns: {{table: {table}, to: public.parents, by: {{id: parent_id}}, columns: {{amount: {{}}}}{more}}}"
            )
        };
        let told = refused(&of("public.children", ""));
        for what in [
            "has no index on parent_id",
            "does not say which of them to use",
            "needed of public.children is NOT NULL without a default",
        ] {
            assert!(told.contains(what), "{what}: {told}");
        }
        let told = refused(&of("public.children", ", order_by: [amount DESC]"));
        assert!(
            told.contains("the triggers write it back: another row would be used then"),
            "{told}"
        );
        let told = refused(&of("public.parted", ""));
        assert!(told.contains("public.parted is partitioned"), "{told}");
        let told = refused(
            "move_columns: {table: public.children, to: public.parents, by: {code: parent_id}, columns: {amount: {}}}",
        );
        assert!(
            told.contains("code is not unique in public.parents"),
            "{told}"
        );
        let told = refused(
            "fold_table: {table: public.children, into: public.parents, by: {id: parent_id}, columns: {amount: {}}}",
        );
        assert!(
            told.contains("the column needed of public.children would be lost"),
            "{told}"
        );
        let told = refused(
            "extract_table: {table: public.parents, to: public.children, by: {parent_id: id}, columns: {code: code}}",
        );
        assert!(told.contains("public.children is there already"), "{told}");
    });
}
