//! What the author's own statements (`sql`) do with which tables, as the classifier reads them: so that they meet other
//! runs, and are judged and estimated by what is known of the tables.

use super::{
    claims,
    facts::{Facts, Table},
    search_path::SearchPath,
    steps::sql::Sql,
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_sql::{
    name::Name,
    references::columns_set,
    script::Script,
    statement::{AlterTable, Body, ChangeKind, ConstraintKind, Kind, ReindexTarget, Runs, Verb},
    syntax,
};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touch {
    Reads,
    Changes,
    /// It is dropped, emptied or has another name afterwards.
    Replaces,
}

/// One table in one statement.
struct Touched {
    table: TableName,
    touch: Touch,
    columns: Columns,
}

#[derive(Clone)]
enum Columns {
    /// Those of the table that are among these words.
    Named(BTreeSet<String>),
    These(Vec<String>),
    All,
}

/// The tables that the statements are about, whether or not they are there.
pub fn tables(sql: &Sql, path: Path<'_>) -> Vec<TableName> {
    let mut tables: Vec<TableName> = touched(sql, path)
        .into_iter()
        .map(|one| one.table)
        .collect();
    tables.sort();
    tables.dedup();
    tables
}

/// Those of any text of SQL, by every schema of the path that they may be in.
pub fn tables_of(text: &str, path: Path<'_>) -> Vec<TableName> {
    let script = Script::read(text);
    let mut tables = Vec::new();
    for statement in syntax::read(&script) {
        each_within(&statement.kind, text, &mut |kind, _| {
            kind.clone()
                .each_relation(&mut |name| tables.extend(table_names(name, path)));
        });
    }
    tables.sort();
    tables.dedup();
    tables
}

/// The tables that are dropped, emptied or renamed.
pub fn replaced(sql: &Sql, path: Path<'_>) -> BTreeSet<TableName> {
    let touched = touched(sql, path).into_iter();
    let replaced = touched.filter(|one| one.touch == Touch::Replaces);
    replaced.map(|one| one.table).collect()
}

/// The columns that are written or altered.
pub fn changed(sql: &Sql, facts: &Facts) -> Vec<(TableName, Ident)> {
    columns(sql, facts, Touch::Changes)
}

/// The columns that are named, and not changed, as far as one can see.
pub fn read(sql: &Sql, facts: &Facts) -> Vec<(TableName, Ident)> {
    columns(sql, facts, Touch::Reads)
}

/// The columns that ALTER TABLE renames, drops or gives another type.
pub fn reshaped(sql: &Sql, path: Path<'_>) -> Vec<(TableName, Ident)> {
    let mut reshaped = Vec::new();
    each_statement(sql, |kind, _| {
        let Kind::AlterTable(alter) = kind else {
            return;
        };
        let columns = alter
            .changes
            .iter()
            .filter_map(|change| match &change.kind {
                ChangeKind::DropColumn { column, .. }
                | ChangeKind::RenameColumn { from: column, .. } => Some(column),
                ChangeKind::SetType(new) => Some(&new.column),
                _ => None,
            });
        let columns: Vec<Ident> = columns.map(Ident::from_catalog).collect();
        for table in table_names(&alter.table, path) {
            let columns = columns.iter().cloned();
            reshaped.extend(columns.map(|column| (table.clone(), column)));
        }
    });
    reshaped
}

/// The tables that these statements drop or empty, and the columns that they drop.
pub fn dropped(text: &str, path: Path<'_>) -> Vec<(TableName, Option<Ident>)> {
    let mut dropped = Vec::new();
    let script = Script::read(text);
    for statement in syntax::read(&script) {
        each_within(&statement.kind, text, &mut |kind, _| match kind {
            Kind::DropTable { tables, .. } | Kind::Truncate { tables, .. } => {
                let tables = tables.iter().flat_map(|table| table_names(table, path));
                dropped.extend(tables.map(|table| (table, None)));
            }
            Kind::AlterTable(alter) => {
                let columns = alter
                    .changes
                    .iter()
                    .filter_map(|change| match &change.kind {
                        ChangeKind::DropColumn { column, .. } => Some(Ident::from_catalog(column)),
                        _ => None,
                    });
                let columns: Vec<Ident> = columns.collect();
                for table in table_names(&alter.table, path) {
                    let columns = columns.iter().cloned();
                    dropped.extend(columns.map(|column| (table.clone(), Some(column))));
                }
            }
            _ => {}
        });
    }
    dropped.sort();
    dropped.dedup();
    dropped
}

fn columns(sql: &Sql, facts: &Facts, wanted: Touch) -> Vec<(TableName, Ident)> {
    let mut found = Vec::new();
    let path = facts.search_path.as_ref();
    for one in touched(sql, path)
        .into_iter()
        .filter(|one| one.touch == wanted)
    {
        let table = facts.table(&one.table);
        let columns = one.columns.of(table).into_iter();
        found.extend(columns.map(|column| (one.table.clone(), column)));
    }
    found
}

impl Columns {
    fn of(&self, table: Option<&Table>) -> Vec<Ident> {
        let all = table.into_iter().flat_map(|table| &table.columns);
        let all = all.map(|column| column.name.clone());
        match self {
            Self::All => all.collect(),
            Self::Named(words) => all.filter(|name| words.contains(name.as_str())).collect(),
            Self::These(names) => names.iter().map(Ident::from_catalog).collect(),
        }
    }
}

/// Where names without a schema are looked for.
pub type Path<'a> = Option<&'a SearchPath>;

/// Without a schema it is any of the path's: which of them has such a table when the statement is run is not known here.
fn table_names(name: &Name, path: Path<'_>) -> Vec<TableName> {
    let schemas: Vec<&str> = match (&name.schema, path) {
        (Some(schema), _) => vec![schema],
        (None, Some(path)) => path.schemas.iter().map(Ident::as_str).collect(),
        (None, None) => Vec::new(),
    };
    let schemas = schemas.into_iter();
    schemas
        .filter(|schema| !matches!(*schema, "pg_catalog" | "information_schema" | "pg_temp"))
        .map(|schema| TableName {
            schema: Ident::from_catalog(schema),
            name: Ident::from_catalog(&name.name),
        })
        .collect()
}

/// Every statement of both scripts, those of DO blocks too, with the text of the one that it is in.
fn each_statement(sql: &Sql, mut take: impl FnMut(&Kind, &str)) {
    for text in std::iter::once(&sql.forward).chain(&sql.reverse) {
        let script = Script::read(text);
        for statement in syntax::read(&script) {
            let text = script.text.get(statement.range).unwrap_or_default();
            each_within(&statement.kind, text, &mut take);
        }
    }
}

fn each_within(kind: &Kind, text: &str, take: &mut impl FnMut(&Kind, &str)) {
    if let Kind::Body(Body {
        runs: Runs::AtOnce,
        statements,
        ..
    }) = kind
    {
        for statement in statements {
            each_within(&statement.kind, text, take);
        }
    }
    take(kind, text);
}

fn touched(sql: &Sql, path: Path<'_>) -> Vec<Touched> {
    let mut all = Vec::new();
    each_statement(sql, |kind, text| {
        let named: BTreeSet<String> = claims::words(text).into_iter().collect();
        for (name, touch, columns) in of_kind(kind) {
            let columns = match columns {
                Which::Named => Columns::Named(named.clone()),
                // What is not understood may set all that it names.
                Which::Set => Columns::Named(columns_set(text).unwrap_or_else(|| named.clone())),
                Which::These(columns) => Columns::These(columns),
                Which::All => Columns::All,
            };
            let tables = table_names(name, path).into_iter();
            all.extend(tables.map(|table| Touched {
                table,
                touch,
                columns: columns.clone(),
            }));
        }
    });
    all
}

enum Which {
    /// Those that the statement names.
    Named,
    /// Those that it sets.
    Set,
    These(Vec<String>),
    All,
}

type Found<'a> = (&'a Name, Touch, Which);

fn of_kind(kind: &Kind) -> Vec<Found<'_>> {
    match kind {
        Kind::AlterTable(alter) => of_alter(alter),
        Kind::DropTable { tables, .. } => each(tables, Touch::Replaces),
        Kind::Truncate { tables, .. } => each(tables, Touch::Replaces),
        Kind::Write(write) => {
            let mut found = each(&write.reads, Touch::Reads);
            found.push((&write.table, Touch::Reads, Which::Named));
            found.extend(match write.verb {
                Verb::Update | Verb::Merge => Some((&write.table, Touch::Changes, Which::Set)),
                // Rows come with all their columns, whichever are named.
                Verb::Insert | Verb::Copy => Some((&write.table, Touch::Changes, Which::All)),
                Verb::Delete => None,
            });
            found
        }
        Kind::CreateTable(create) => {
            let of_columns = create.columns.iter().flat_map(|column| &column.constraints);
            let constraints = create.constraints.iter().chain(of_columns);
            let mut found: Vec<Found<'_>> = constraints
                .filter_map(|constraint| referenced(&constraint.kind))
                .collect();
            found.extend(each(&create.inherits, Touch::Reads));
            let parent = create.partition_of.iter();
            found.extend(parent.map(|(parent, _)| (parent, Touch::Reads, Which::Named)));
            found
        }
        Kind::CreateIndex { table, .. }
        | Kind::Reindex {
            target: ReindexTarget::Table(table),
            ..
        }
        | Kind::Cluster { table: Some(table) }
        | Kind::Touch { table, .. }
        | Kind::CreatePolicy { table }
        | Kind::TouchTrigger { table, .. } => vec![(table, Touch::Reads, Which::Named)],
        Kind::CreateView { reads, .. } | Kind::CreateMaterializedView { reads, .. } => {
            each(reads, Touch::Reads)
        }
        Kind::Refresh { view, .. } => vec![(view, Touch::Reads, Which::Named)],
        Kind::LockTable { tables, .. }
        | Kind::Vacuum { tables, .. }
        | Kind::Analyze { tables }
        | Kind::Read { tables, .. } => each(tables, Touch::Reads),
        _ => Vec::new(),
    }
}

fn each(names: &[Name], touch: Touch) -> Vec<Found<'_>> {
    names
        .iter()
        .map(|name| (name, touch, Which::Named))
        .collect()
}

fn referenced(kind: &ConstraintKind) -> Option<Found<'_>> {
    match kind {
        ConstraintKind::ForeignKey { references } => Some((references, Touch::Reads, Which::Named)),
        _ => None,
    }
}

fn of_alter(alter: &AlterTable) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for change in &alter.changes {
        let these = |columns: &[&String]| {
            let columns = columns.iter().map(|column| (*column).clone()).collect();
            (&alter.table, Touch::Changes, Which::These(columns))
        };
        found.push(match &change.kind {
            ChangeKind::AddColumn(new) => these(&[&new.name]),
            ChangeKind::RenameColumn { from, to } => these(&[from, to]),
            ChangeKind::SetType(new) => these(&[&new.column]),
            ChangeKind::DropColumn { column, .. }
            | ChangeKind::SetNotNull { column }
            | ChangeKind::DropNotNull { column } => these(&[column]),
            ChangeKind::RenameTable { .. } | ChangeKind::SetSchema { .. } => {
                (&alter.table, Touch::Replaces, Which::Named)
            }
            _ => (&alter.table, Touch::Reads, Which::Named),
        });
        if let ChangeKind::AddConstraint(new) = &change.kind {
            found.extend(referenced(&new.kind));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(forward: &str) -> Sql {
        let text = serde_json::json!({"name": "a", "forward": forward, "done_when": "select true"});
        serde_json::from_value(text).expect("the words of a step")
    }

    fn names(columns: Vec<(TableName, Ident)>) -> Vec<String> {
        let names = columns
            .iter()
            .map(|(table, column)| format!("{table}.{column}"));
        names.collect()
    }

    #[test]
    fn tables_are_found_in_statements_of_all_kinds() {
        for (text, expected) in [
            ("ALTER TABLE s.t ADD COLUMN a int", vec!["s.t"]),
            (
                "UPDATE s.t SET a = 1 FROM s.u WHERE t.id = u.id",
                vec!["s.t", "s.u"],
            ),
            ("CREATE INDEX CONCURRENTLY i ON s.t (a)", vec!["s.t"]),
            ("SELECT 1 FROM s.t; DELETE FROM s.u", vec!["s.t", "s.u"]),
            (
                "ALTER TABLE s.t ADD FOREIGN KEY (a) REFERENCES s.u",
                vec!["s.t", "s.u"],
            ),
            ("DO $$ BEGIN UPDATE s.t SET a = 1; END $$", vec!["s.t"]),
            ("CREATE TABLE s.t (a int REFERENCES s.u)", vec!["s.u"]),
            ("SELECT relname FROM pg_class", vec![]),
            (
                "CREATE FUNCTION s.f() RETURNS void LANGUAGE sql AS 'DELETE FROM s.t'",
                vec![],
            ),
        ] {
            let found = tables(&sql(text), None)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_table_without_a_schema_may_be_in_any_of_the_path() {
        let path = SearchPath::read("app, pg_catalog, public", "u", "a test");
        let found = tables(&sql("UPDATE t SET a = 1"), path.as_ref());
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["app.t", "public.t"]);
        assert!(tables(&sql("UPDATE t SET a = 1"), None).is_empty());
    }

    #[test]
    fn what_goes_or_has_another_name_is_told_from_what_changes() {
        for (text, is_replaced) in [
            ("DROP TABLE s.t", true),
            ("ALTER TABLE s.t RENAME TO u", true),
            ("ALTER TABLE s.t SET SCHEMA u", true),
            ("TRUNCATE s.t", true),
            ("ALTER TABLE s.t RENAME COLUMN a TO b", false),
            ("VACUUM s.t", false),
        ] {
            assert_eq!(
                !replaced(&sql(text), None).is_empty(),
                is_replaced,
                "{text}"
            );
        }
        let text = "ALTER TABLE s.t RENAME COLUMN a TO b; ALTER TABLE s.t DROP COLUMN d, ADD COLUMN e int, ALTER COLUMN c TYPE text";
        assert_eq!(
            names(reshaped(&sql(text), None)),
            ["s.t.a", "s.t.d", "s.t.c"]
        );
        let set = columns_set("UPDATE s.t SET a = b, (c, \"D\") = (1, 2) FROM s.u WHERE t.e = u.e");
        assert_eq!(
            set.unwrap().into_iter().collect::<Vec<_>>(),
            ["D", "a", "c"]
        );
        let changed = names(changed(&sql(text), &Facts::default()));
        assert_eq!(changed, ["s.t.a", "s.t.b", "s.t.d", "s.t.e", "s.t.c"]);
    }
}
