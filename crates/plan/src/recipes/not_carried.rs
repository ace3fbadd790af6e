//! What is set on a column or a table and cannot be given to another one: by name.

use super::relation::Errors;
use crate::facts::{Column, Grant, Table};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

/// Why, and what to do.
pub(super) type Refusal = (String, String);

/// Of a column that another one takes the place of.
pub(super) fn of_column(name: &TableName, table: &Table, column: &Column) -> Vec<Refusal> {
    let what = format!("{name}.{}", column.name);
    let mut refusals: Vec<Refusal> = column.labels.iter().map(|who| label(&what, who)).collect();
    refusals.extend(givers(&column.grants, &table.owner).map(|by| given_by(&what, by, table)));
    if let Some(identity) = &column.identity {
        let by = givers(&identity.grants, &table.owner);
        refusals.extend(by.map(|by| given_by(&identity.sequence, by, table)));
    }
    refusals
}

/// The same as errors at a place in the plan.
pub(super) fn errors(name: &TableName, table: &Table, column: &Column, at: &Path) -> Errors {
    let refusals = of_column(name, table, column).into_iter();
    refusals
        .map(|(message, help)| PlanError::at(at.clone(), message).help(help))
        .collect()
}

/// Of a table that a view stands in for.
pub(super) fn of_aliased(name: &TableName, table: &Table) -> Vec<Refusal> {
    let columns = table.columns.iter().map(|column| {
        let what = format!("{name}.{}", column.name);
        (what, &column.labels)
    });
    let all = std::iter::once((name.to_string(), &table.labels)).chain(columns);
    all.flat_map(|(what, labels)| {
        let refusal = |who: &String| {
            let message = format!("{what} has a security label of {who}, and a view would have none");
            let help = "the label would have no effect while the view stands in: rename the column with `strategy: copy`, or remove the label first";
            (message, help.to_owned())
        };
        labels.iter().map(refusal).collect::<Vec<_>>()
    })
    .collect()
}

/// What holds of a table's columns because they are its own, and does not of another table's. That may be right: it is
/// said, not refused. A table that is made for them (`to` is `None`) has the same rights.
pub(super) fn of_table(
    name: &TableName,
    table: &Table,
    to_name: &TableName,
    to: Option<&Table>,
) -> Vec<(String, &'static str)> {
    let mut advice = Vec::new();
    if table.row_security {
        advice.push((
            format!("{name} has row security, which does not hold of {to_name}"),
            "whoever may read that table would see the values of all rows: create policies on it before `backfill`",
        ));
    }
    let is_published = |publication: &&String| {
        let known = to.map(|to| &to.publications);
        known.is_none_or(|known| !known.contains(publication))
    };
    let missing: Vec<&str> = table
        .publications
        .iter()
        .filter(is_published)
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        advice.push((
            format!("{name} is in the publication {}", missing.join(", ")),
            "unless it publishes all tables, add the other table, so that subscribers still receive the columns",
        ));
    }
    let Some(to) = to else { return advice };
    let may = |grant: &&Grant| {
        let read_or_written = ["SELECT", "INSERT", "UPDATE"].contains(&grant.privilege.as_str());
        let is_owner = [&table.owner, &to.owner]
            .into_iter()
            .any(|owner| grant.to.as_ref().is_some_and(|to| to.as_str() == owner));
        let has = |other: &Grant| {
            other.privilege == grant.privilege && [&None, &grant.to].contains(&&other.to)
        };
        read_or_written && !is_owner && !to.grants.iter().any(has)
    };
    let losers: BTreeSet<String> = table.grants.iter().filter(may).map(grantee).collect();
    if !losers.is_empty() {
        let losers: Vec<String> = losers.into_iter().collect();
        advice.push((
            format!("rights on {name} that do not hold of {to_name}: those of {}", losers.join(", ")),
            "a right on the whole table does not extend to columns that move to another table: grant what is needed before `switch_reads`",
        ));
    }
    advice
}

/// Rights on some of the columns that a new one is computed from, and not on all: nobody has them on the new one.
pub(super) fn of_sources(new: &Ident, sources: &[&Column]) -> Option<(String, &'static str)> {
    let everywhere = |grant: &Grant| {
        let same = |other: &Grant| other.privilege == grant.privilege && other.to == grant.to;
        sources.iter().all(|column| column.grants.iter().any(same))
    };
    let grants = sources.iter().flat_map(|column| &column.grants);
    let lost: BTreeSet<String> = grants
        .filter(|grant| !everywhere(grant))
        .map(grantee)
        .collect();
    let lost: Vec<String> = lost.into_iter().collect();
    (!lost.is_empty()).then(|| {
        (
            format!(
                "rights on some of the columns that {new} is computed from are not copied: those of {}",
                lost.join(", ")
            ),
            "grant those that are wanted after `expand`",
        )
    })
}

fn grantee(grant: &Grant) -> String {
    grant
        .to
        .as_ref()
        .map_or("PUBLIC".to_owned(), Ident::to_string)
}

fn label(what: &str, who: &str) -> Refusal {
    let who = Ident::from_catalog(who);
    (
        format!("{what} has a security label of {who}"),
        format!(
            "only its provider knows what a label means: remove it first (SECURITY LABEL FOR {who} ON … IS NULL), and set it on the replacement after `expand`"
        ),
    )
}

/// Who has given rights and is not the owner.
fn givers<'a>(grants: &'a [Grant], owner: &str) -> impl Iterator<Item = &'a Ident> {
    let others: BTreeSet<&Ident> = grants
        .iter()
        .map(|grant| &grant.by)
        .filter(|by| by.as_str() != owner)
        .collect();
    others.into_iter()
}

fn given_by(what: &str, by: &Ident, table: &Table) -> Refusal {
    let owner = Ident::from_catalog(&table.owner);
    (
        format!("rights on {what} were given by {by}, who is not the owner"),
        format!(
            "on the replacement {owner} grants all rights: let {owner} GRANT the same right, and {by} REVOKE it"
        ),
    )
}
