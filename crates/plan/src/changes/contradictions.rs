//! What several changes contradict each other in by their words alone: told without a database.

use super::{CHANGES_MAX, Errors, Part, parts};
use crate::{
    recipes::{Aspect, Named, Recipe, Upkeep, What},
    sqlgen::rename::{names_column, without_qualifier},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};

pub(super) const TWO_PLANS: &str =
    "make two plans, and start the second when the first is completed";
const ONE_NAME: &str = "give one of them another name";

/// What is wrong, and what would be right.
type Clash = (String, &'static str);

pub(crate) fn contradictions(changes: &[Recipe]) -> Errors {
    let at = Path::root().key("changes");
    if changes.is_empty() {
        let error = PlanError::at(at, "`changes` names no change");
        return vec![
            error.help("list what is to be done: `- rename_column: {table: …, from: …, to: …}`"),
        ];
    }
    if changes.len() > CHANGES_MAX {
        let message = format!("`changes` has {} changes", changes.len());
        let help = format!("the limit is {CHANGES_MAX}: make several plans");
        return vec![PlanError::at(at, message).on_key().help(help)];
    }
    let parts = parts(changes);
    let mut errors = Errors::new();
    let alone = parts.iter().filter(|_| parts.len() > 1);
    errors.extend(alone.filter_map(only_by_itself));
    let mut found = Vec::new();
    for (number, later) in parts.iter().enumerate() {
        for earlier in &parts[..number] {
            found.extend(between(earlier, later));
        }
    }
    let mut told: Vec<(&Path, Option<&Ident>)> = Vec::new();
    for (at, about, (message, help)) in found {
        // One thing at one place is enough.
        if !told.contains(&(at, about)) {
            told.push((at, about));
            errors.push(PlanError::at(at.clone(), message).help(help));
        }
    }
    errors
}

/// What can be no part of several changes, whatever the others are.
fn only_by_itself(part: &Part<'_>) -> Option<PlanError> {
    let irreversible = match part.recipe {
        Recipe::Sql(_) => {
            let message = "statements of your own cannot be one of several changes";
            return Some(PlanError::at(part.at.clone(), message).on_key().help(
                "the phase that they belong to is unknown: turn the other changes into phases with `crossfade expand`, and add a `sql` step where it belongs; or write two plans",
            ));
        }
        Recipe::AddEnumValue(add) => add.irreversible,
        Recipe::ChangeColumnType(change) => change.irreversible,
        Recipe::DropConstraint(drop) => drop.irreversible,
        _ => false,
    };
    irreversible.then(|| {
        let message = "what cannot be undone would keep the other changes from being undone";
        PlanError::at(part.at.key("irreversible"), message)
            .on_key()
            .help("make it a plan of its own")
    })
}

/// What two changes contradict each other in: where, about which column, and what.
fn between<'a>(
    earlier: &'a Part<'_>,
    later: &'a Part<'_>,
) -> Vec<(&'a Path, Option<&'a Ident>, Clash)> {
    let mut found = Vec::new();
    if let Some((at, clash)) = whole(earlier, later) {
        return vec![(at, None, clash)];
    }
    if let Some((at, clash)) = kept_triggers(earlier, later) {
        found.push((at, None, clash));
    }
    for a in &later.named {
        for b in &earlier.named {
            if let Some(clash) = rivals(a, b) {
                found.push((&a.at, a.what.column(), clash));
            } else if let Some(clash) = depends(a, b, Order::OtherIsEarlier) {
                found.push((&a.at, b.what.column(), clash));
            } else if let Some(clash) = depends(b, a, Order::OtherIsLater) {
                found.push((&b.at, a.what.column(), clash));
            }
        }
    }
    found
}

/// One of them is about a table as a whole, and the other is about it too.
fn whole<'a>(earlier: &'a Part<'_>, later: &'a Part<'_>) -> Option<(&'a Path, Clash)> {
    let is_table = |named: &&Named<'_>| matches!(named.what, What::Table);
    let about = |part: &'a Part<'_>, table: &TableName| {
        let mut named = part.named.iter();
        named.find(|named| named.table == table && !matches!(named.what, What::Type))
    };
    let mut found = later.named.iter().filter(is_table);
    let by_later = found.find_map(|one| Some((one, about(earlier, one.table)?, one)));
    let mut found = earlier.named.iter().filter(is_table);
    let by_earlier = found.find_map(|one| Some((about(later, one.table)?, one, one)));
    let (here, there, whole) = by_later.or(by_earlier)?;
    let message = if std::ptr::eq(here, whole) {
        format!(
            "the table {} is changed as a whole here, and {} changes it too",
            whole.table, there.at
        )
    } else {
        format!(
            "the table {} is changed as a whole by {}",
            whole.table, there.at
        )
    };
    Some((&here.at, (message, TWO_PLANS)))
}

/// The triggers of a table are one set: they stay, or they go.
fn kept_triggers<'a>(earlier: &'a Part<'_>, later: &'a Part<'_>) -> Option<(&'a Path, Clash)> {
    let keeps = |part: &'a Part<'_>, table: &TableName| {
        let mut named = part.named.iter();
        named.find(|one| one.table == table && matches!(one.what, What::KeepsTriggers))
    };
    // A column that goes takes a condition of the triggers along.
    let needs_them_gone =
        |what: &What<'_>| what.is_kept_in_step() || matches!(what, What::Removes(_));
    let syncs = |part: &'a Part<'_>, table: &TableName| {
        let mut named = part.named.iter();
        named.find(|one| one.table == table && needs_them_gone(&one.what))
    };
    let one_way = |one: &'a Part<'_>, other: &'a Part<'_>| {
        let kept = one
            .named
            .iter()
            .find(|n| matches!(n.what, What::KeepsTriggers))?;
        let synced = syncs(other, kept.table)?;
        keeps(other, kept.table).is_none().then_some((kept, synced))
    };
    let (kept, synced) = one_way(earlier, later).or_else(|| one_way(later, earlier))?;
    let message = format!(
        "the triggers of {} would stay for one change and be dropped for {}: a plan has one set of triggers for each table",
        kept.table, synced.at
    );
    Some((&kept.at, (message, TWO_PLANS)))
}

/// Both do something to the same thing. `a` is told where it stands, `b` comes before it.
fn rivals(a: &Named<'_>, b: &Named<'_>) -> Option<Clash> {
    let same_table = a.table == b.table;
    match (&a.what, &b.what) {
        (What::MakesIndex(one), What::MakesIndex(other))
            if one == other && a.table.schema == b.table.schema =>
        {
            Some((format!("{} makes an index {one} too", b.at), ONE_NAME))
        }
        (
            What::MakesIndex(one) | What::MakesConstraint(one),
            What::MakesIndex(other) | What::MakesConstraint(other),
        ) if same_table && one == other => {
            let message = format!("{} makes {one} of {} too", b.at, a.table);
            Some((message, ONE_NAME))
        }
        (What::TakesObject(one), What::TakesObject(other)) if same_table && one == other => {
            Some((format!("{} changes {one} too", b.at), TWO_PLANS))
        }
        (What::TakesObject(one), What::MakesIndex(other) | What::MakesConstraint(other))
        | (What::MakesIndex(other) | What::MakesConstraint(other), What::TakesObject(one))
            if same_table && *one == other =>
        {
            Some((format!("{} changes {one} too", b.at), TWO_PLANS))
        }
        (What::OfTable(one), What::OfTable(other)) if same_table && one == other => {
            let message = format!("{} sets the {one} of {} too", b.at, a.table);
            Some((message, "leave one of them out"))
        }
        (What::Type, What::Type) if same_table => Some((
            format!("{} changes the type {} too", b.at, a.table),
            TWO_PLANS,
        )),
        _ if same_table => column_rivals(a, b),
        _ => None,
    }
}

fn column_rivals(a: &Named<'_>, b: &Named<'_>) -> Option<Clash> {
    if !a.what.changes_column() || !b.what.changes_column() {
        return None;
    }
    let column = a
        .what
        .column()
        .filter(|column| b.what.column() == Some(*column))?;
    let (table, other) = (a.table, &b.at);
    match (&a.what, &b.what) {
        // What they set is not the same.
        (What::Sets(_, one), What::Sets(_, other)) if one != other => None,
        (What::Makes(..), What::Makes(..)) => {
            let message = format!("{other} adds a column {column} to {table} too");
            Some((message, ONE_NAME))
        }
        (What::Sets(..), What::Makes(_, Upkeep::Default)) => Some((
            format!("{table}.{column} is added by {other}"),
            "say there what it is to be: add_column knows `not_null`, `default` and `comment`",
        )),
        _ => {
            let message = format!("{table}.{column} is changed by {other} too");
            Some((message, TWO_PLANS))
        }
    }
}

/// Whether the other change stands before or after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    OtherIsEarlier,
    OtherIsLater,
}

/// `a` needs what `b` changes.
fn depends(a: &Named<'_>, b: &Named<'_>, order: Order) -> Option<Clash> {
    if let (What::OfType(text), What::Type) = (&a.what, &b.what) {
        let name = &b.table.name;
        let is_it = [b.table.to_string(), name.to_string()].contains(&text.trim().to_owned());
        let message = format!("the type {} is made or changed by {}", b.table, b.at);
        return is_it.then_some((message, TWO_PLANS));
    }
    if a.table != b.table || !b.what.changes_column() {
        return None;
    }
    let column = b.what.column()?;
    if !needs(a, column) {
        return None;
    }
    let (table, other) = (a.table, &b.at);
    match (&b.what, a.what.is_kept_in_step()) {
        (What::Sets(_, Aspect::Comment), _) | (What::Sets(..), false) => None,
        (What::Sets(..), true) => Some((
            format!("{table}.{column}, which rows are computed from here, is changed by {other}"),
            TWO_PLANS,
        )),
        (What::Makes(_, Upkeep::Default), false) if order == Order::OtherIsEarlier => None,
        (What::Makes(_, Upkeep::Default), false) => Some((
            format!("{table}.{column} is added by {other}, which comes later"),
            "name the change that adds the column first",
        )),
        (What::Makes(..), _) => Some((
            format!("{table}.{column} is added by {other}, and is complete only when that is done"),
            TWO_PLANS,
        )),
        _ => Some((
            format!("{table}.{column} is replaced or dropped by {other}"),
            TWO_PLANS,
        )),
    }
}

/// `a` is about this column besides what it changes itself.
fn needs(a: &Named<'_>, column: &Ident) -> bool {
    match &a.what {
        What::Uses(used) | What::Keeps(used) => *used == column,
        What::Computes(text) | What::UsesIn(text) => {
            names_column(&without_qualifier(text, &a.table.name), column)
        }
        What::Table
        | What::Referred
        | What::OfTable(_)
        | What::Makes(..)
        | What::Removes(_)
        | What::Sets(..)
        | What::MakesIndex(_)
        | What::MakesConstraint(_)
        | What::TakesObject(_)
        | What::KeepsTriggers
        | What::Type
        | What::OfType(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::read::read_document;

    /// The places and messages of what is refused without a database.
    fn refused(changes: &[&str]) -> Vec<(String, String)> {
        let list: String = changes.iter().map(|one| format!("  - {one}\n")).collect();
        let text = format!("version: 1\nname: a\nchanges:\n{list}");
        let errors = read_document(&text).err().unwrap_or_default().into_iter();
        errors
            .map(|error| (error.path.to_string(), error.message))
            .collect()
    }

    const RENAME: &str = "rename_column: {table: public.t, from: a, to: b}";

    #[test]
    fn what_two_changes_do_to_one_column_is_refused_where_it_stands() {
        let cases = [
            (
                "drop_column: {table: public.t, column: a}",
                "changes[1].drop_column.column",
                "public.t.a is changed by changes[0].rename_column.from too",
            ),
            (
                "set_not_null: {table: public.t, column: a}",
                "changes[1].set_not_null.column",
                "public.t.a is changed by changes[0].rename_column.from too",
            ),
            (
                "add_column: {table: public.t, column: b, type: int}",
                "changes[1].add_column.column",
                "changes[0].rename_column.to adds a column b to public.t too",
            ),
            (
                "rename_column: {table: public.t, from: c, to: b}",
                "changes[1].rename_column.to",
                "changes[0].rename_column.to adds a column b to public.t too",
            ),
            (
                "add_column: {table: public.t, column: a, type: int}",
                "changes[1].add_column.column",
                "public.t.a is changed by changes[0].rename_column.from too",
            ),
            (
                "add_index: {table: public.t, columns: 'c, a'}",
                "changes[1].add_index.columns",
                "public.t.a is replaced or dropped by changes[0].rename_column.from",
            ),
            (
                "add_index: {table: public.t, columns: c, where: t.a IS NULL}",
                "changes[1].add_index.where",
                "public.t.a is replaced or dropped by changes[0].rename_column.from",
            ),
            (
                "add_check: {table: public.t, name: n, check: b > 0}",
                "changes[1].add_check.check",
                "public.t.b is added by changes[0].rename_column.to, and is complete only when that is done",
            ),
            (
                "add_column: {table: public.t, column: c, type: text, forward: lower(a)}",
                "changes[1].add_column.forward",
                "public.t.a is replaced or dropped by changes[0].rename_column.from",
            ),
            (
                "add_foreign_key: {table: public.u, columns: x, references: public.t, to: a}",
                "changes[1].add_foreign_key.to",
                "public.t.a is replaced or dropped by changes[0].rename_column.from",
            ),
            (
                "rename_table: {table: public.t, to: u}",
                "changes[1].rename_table.table",
                "the table public.t is changed as a whole here, and changes[0].rename_column.from changes it too",
            ),
            (
                "add_column: {table: public.t, column: c, type: text, forward: lower(d), keep_sync: true}",
                "changes[1].add_column.keep_sync",
                "the triggers of public.t would stay for one change and be dropped for changes[0].rename_column.from: a plan has one set of triggers for each table",
            ),
            (
                "sql: {name: s, forward: SELECT 1, done_when: select true, irreversible: true}",
                "changes[1].sql",
                "statements of your own cannot be one of several changes",
            ),
            (
                "add_enum_value: {name: public.k, value: v, irreversible: true}",
                "changes[1].add_enum_value.irreversible",
                "what cannot be undone would keep the other changes from being undone",
            ),
        ];
        for (other, place, message) in cases {
            let found = refused(&[RENAME, other]);
            assert_eq!(found, [(place.to_owned(), message.to_owned())], "{other}");
        }
    }

    #[test]
    fn the_one_that_needs_the_column_is_named_whichever_comes_first() {
        let index = "add_index: {table: public.t, columns: a}";
        let found = refused(&[index, RENAME]);
        let message = "public.t.a is replaced or dropped by changes[1].rename_column.from";
        assert_eq!(
            found,
            [(
                "changes[0].add_index.columns".to_owned(),
                message.to_owned()
            )]
        );
        let added = "add_column: {table: public.t, column: c, type: int}";
        let over = "add_index: {table: public.t, columns: c}";
        assert_eq!(refused(&[added, over]), []);
        let found = refused(&[over, added]);
        let message = "public.t.c is added by changes[1].add_column.column, which comes later";
        assert_eq!(
            found,
            [(
                "changes[0].add_index.columns".to_owned(),
                message.to_owned()
            )]
        );
    }

    #[test]
    fn names_that_meet_are_refused() {
        let cases = [
            (
                "add_index: {table: public.t, columns: c, name: i}",
                "add_unique: {table: public.u, columns: d, name: i}",
                "changes[1].add_unique.name",
                "changes[0].add_index.name makes an index i too",
            ),
            (
                "add_index: {table: public.t, columns: c}",
                "add_index: {table: public.t, columns: c}",
                "changes[1].add_index.columns",
                "changes[0].add_index.columns makes an index t_c_idx too",
            ),
            (
                "drop_index: {table: public.t, name: i}",
                "rebuild_index: {table: public.t, name: i}",
                "changes[1].rebuild_index.name",
                "changes[0].drop_index.name changes i too",
            ),
            (
                "set_comment: {table: public.t, comment: x}",
                "set_comment: {table: public.t}",
                "changes[1].set_comment.table",
                "changes[0].set_comment.table sets the comment of public.t too",
            ),
            (
                "create_enum: {name: public.k, values: [a]}",
                "add_column: {table: public.t, column: c, type: public.k}",
                "changes[1].add_column.type",
                "the type public.k is made or changed by changes[0].create_enum.name",
            ),
        ];
        for (one, other, place, message) in cases {
            let found = refused(&[one, other]);
            assert_eq!(found, [(place.to_owned(), message.to_owned())], "{other}");
        }
    }

    #[test]
    fn every_error_of_all_changes_is_told_at_once() {
        let found = refused(&[
            RENAME,
            "rename_column: {table: public.t, from: c, to: c}",
            "drop_column: {table: public.t, column: a}",
            "add_column: {table: public.t, column: d, type: int, not_null: true}",
        ]);
        let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(
            places,
            [
                "changes[1].rename_column.to",
                "changes[3].add_column.not_null",
                "changes[2].drop_column.column"
            ],
            "{found:?}"
        );
    }

    #[test]
    fn what_does_not_meet_is_taken() {
        for other in [
            "rename_column: {table: public.t, from: c, to: d}",
            "rename_column: {table: public.u, from: a, to: b}",
            "set_not_null: {table: public.t, column: c}",
            "add_check: {table: public.t, name: n, check: c > 0}",
            "add_column: {table: public.t, column: c, type: text, forward: lower(d)}",
            "drop_column: {table: public.t, column: c}",
        ] {
            assert_eq!(refused(&[RENAME, other]), [], "{other}");
        }
        // What they set of the column is not the same.
        let sets = [
            "set_default: {table: public.t, column: c, default: '1'}",
            "set_not_null: {table: public.t, column: c}",
            "add_unique: {table: public.t, columns: c}",
        ];
        assert_eq!(refused(&sets), []);
        let sql = "sql: {name: s, forward: SELECT 1, done_when: select true, irreversible: true}";
        assert_eq!(refused(&[sql]), [], "a list of one is a change");
    }

    #[test]
    fn the_forms_of_a_plan_exclude_each_other() {
        let refused = |forms: &str| {
            let errors = read_document(&format!("version: 1\nname: a\n{forms}\n")).err();
            let errors = errors.unwrap_or_default().into_iter();
            errors
                .map(|error| (error.path.to_string(), error.message))
                .collect::<Vec<_>>()
        };
        let one = format!("change:\n  {RENAME}\n");
        let list = format!("changes:\n  - {RENAME}\n");
        let told = |place: &str, message: &str| vec![(place.to_owned(), message.to_owned())];
        assert_eq!(
            refused(&format!("{one}{list}")),
            told(
                "changes",
                "a plan has either `change` or `changes`, not both"
            )
        );
        assert_eq!(
            refused(&format!("{list}phases: []")),
            told(
                "phases",
                "a plan has either `changes` or `phases`, not both"
            )
        );
        // Several where one is wanted, in either way to write it.
        for several in [
            format!("change:\n  - {RENAME}\n"),
            format!("change:\n  {RENAME}\n  drop_column: {{table: public.t, column: c}}\n"),
        ] {
            let errors = read_document(&format!("version: 1\nname: a\n{several}"));
            let errors = errors.err().unwrap_or_default();
            let help = errors[0].help.as_deref().unwrap_or_default();
            assert!(help.contains("`changes:`"), "{errors:?}");
        }
        assert_eq!(
            refused("changes: []"),
            told("changes", "`changes` names no change")
        );
    }
}
