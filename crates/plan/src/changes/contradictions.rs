//! What several changes contradict each other in by their words alone: told without a database.

use super::{CHANGES_MAX, Errors, Part, parts};
use crate::{
    recipes::{Aspect, Named, Recipe, Upkeep, What},
    statement::rename::{names_column, without_qualifier},
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
    for part in parts.iter().filter(|_| parts.len() > 1) {
        if let Recipe::Sql(_) = part.recipe {
            let message = "statements of your own cannot be one of several changes";
            errors.push(PlanError::at(part.at.clone(), message).on_key().help(
                "nobody can tell in which phase they belong: turn the other changes into phases with `crossfade expand`, and add a `sql` step where it belongs; or make two plans",
            ));
        }
    }
    for (number, later) in parts.iter().enumerate() {
        for earlier in &parts[..number] {
            between(earlier, later, &mut errors);
        }
    }
    errors
}

fn between(earlier: &Part<'_>, later: &Part<'_>, errors: &mut Errors) {
    let mut add = |at: &Path, (message, help): Clash| {
        // One thing at one place is enough.
        if errors.iter().all(|error: &PlanError| error.path != *at) {
            errors.push(PlanError::at(at.clone(), message).help(help));
        }
    };
    if let Some((at, clash)) = whole(earlier, later) {
        add(at, clash);
        return;
    }
    if let Some((at, clash)) = kept_triggers(earlier, later) {
        add(at, clash);
    }
    for a in &later.named {
        for b in &earlier.named {
            if let Some(clash) = rivals(a, b) {
                add(&a.at, clash);
            } else if let Some(clash) = depends(a, b, Order::OtherIsEarlier) {
                add(&a.at, clash);
            } else if let Some(clash) = depends(b, a, Order::OtherIsLater) {
                add(&b.at, clash);
            }
        }
    }
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
            "the table {} is changed as a whole here, and {} is about it too",
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
    let syncs = |part: &'a Part<'_>, table: &TableName| {
        let mut named = part.named.iter();
        named.find(|one| one.table == table && one.what.is_kept_in_step())
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
        "the triggers of {} would stay, and those of {} have to go: a table has one set of them in a plan",
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
            Some((format!("{} is about {one} too", b.at), TWO_PLANS))
        }
        (What::TakesObject(one), What::MakesIndex(other) | What::MakesConstraint(other))
        | (What::MakesIndex(other) | What::MakesConstraint(other), What::TakesObject(one))
            if same_table && *one == other =>
        {
            Some((format!("{} is about {one} too", b.at), TWO_PLANS))
        }
        (What::OfTable(one), What::OfTable(other)) if same_table && one == other => {
            let message = format!("{} sets the {one} of {} too", b.at, a.table);
            Some((message, "leave one of them out"))
        }
        (What::Type, What::Type) if same_table => Some((
            format!("{} is about the type {} too", b.at, a.table),
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
            format!("{table}.{column} is taken away by {other}"),
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
