//! SQL over rows: filling a range of blocks, comparing one, and finding the rows behind a count.

use super::{
    group::{Group, groups},
    sync::{Names, differs},
};
use crate::plan::{
    compiled::{Assignment, Conversion, Fill, Match},
    ident::{Ident, TableName},
};

/// Both ends are TIDs as text: a TID range scan reads just these blocks, whatever the key is.
const RANGE: &str = "ctid >= ($1::text)::tid AND ctid < ($2::text)::tid";

/// The value as the target column would hold it.
fn value(assignment: &Assignment) -> String {
    match assignment.conversion {
        Conversion::Copy | Conversion::Widening => assignment.expression.to_string(),
        // The new line keeps a trailing `--` comment of the author's from swallowing what follows.
        Conversion::Expression => format!("({}\n)", assignment.expression),
    }
}

/// The group has not been filled: for a copy what differs; else none of its new columns has a value, and one should.
fn unfilled(group: &Group<'_>) -> String {
    let target = |assignment: &Assignment| assignment.target.name.to_string();
    if let (Some((column, _)), [copy]) = (group.copy(), group.forward.as_slice()) {
        return differs(column, &target(copy), &value(copy));
    }
    let empty: Vec<String> = group
        .forward
        .iter()
        .map(|assignment| format!("{} IS NULL", target(assignment)))
        .collect();
    let given: Vec<String> = group
        .forward
        .iter()
        .map(|assignment| format!("{} IS NOT NULL", value(assignment)))
        .collect();
    match given.as_slice() {
        [one] => format!("({} AND {one})", empty.join(" AND ")),
        _ => format!("({} AND ({}))", empty.join(" AND "), given.join(" OR ")),
    }
}

/// `$1`, `$2`: TIDs as text, from and up to. Touches only rows that are not filled; never recomputes one.
pub fn fill(fill: &Fill) -> String {
    fill_groups(fill, &groups(&fill.set, &[]))
}

/// As `fill`, of one group only.
pub fn fill_group(fill: &Fill, group: &Group<'_>) -> String {
    fill_groups(fill, std::slice::from_ref(group))
}

fn fill_groups(fill: &Fill, groups: &[Group<'_>]) -> String {
    let mut set = Vec::new();
    for group in groups {
        for assignment in &group.forward {
            let (target, value) = (&assignment.target.name, value(assignment));
            set.push(if groups.len() == 1 {
                format!("{target} = {value}")
            } else {
                format!(
                    "{target} = CASE WHEN {} THEN {value} ELSE {target} END",
                    unfilled(group)
                )
            });
        }
    }
    let tests: Vec<String> = groups.iter().map(unfilled).collect();
    format!(
        "UPDATE ONLY {} AS {} SET {} WHERE {RANGE} AND ({})",
        fill.table,
        fill.table.name.quoted(),
        set.join(", "),
        tests.join(" OR ")
    )
}

/// One assignment alone, to see whether it is the one that fails.
pub fn fill_one(table: &TableName, assignment: &Assignment) -> String {
    format!(
        "UPDATE ONLY {table} AS {} SET {} = {} WHERE {RANGE}",
        table.name.quoted(),
        assignment.target.name,
        value(assignment)
    )
}

/// The rows of a range that may be behind a failing conversion, told without evaluating it: TIDs as text.
pub fn candidates(table: &TableName, targets: &[Assignment]) -> String {
    let tests: Vec<String> = targets
        .iter()
        .map(|assignment| format!("{} IS NULL", assignment.target.name))
        .collect();
    format!(
        "SELECT ctid::text FROM ONLY {table} WHERE {RANGE} AND ({})",
        tests.join(" OR ")
    )
}

/// The key and the values that an expression reads of the rows in a range, as JSON objects. No column: no key.
pub fn row_image(table: &TableName, key: &[Ident], reads: &[&Ident]) -> String {
    let object = |columns: &mut dyn Iterator<Item = &Ident>| {
        let pairs: Vec<String> = columns
            .map(|column| format!("{}, {column}", super::literal::text(column.as_str())))
            .collect();
        format!("jsonb_build_object({})", pairs.join(", "))
    };
    format!(
        "SELECT {}, {} FROM ONLY {table} AS crossfade_row WHERE {RANGE}",
        object(&mut key.iter()),
        object(&mut reads.iter().copied()),
    )
}

/// Whether a quarantined row is still as it was when its conversion failed: `$1` its key and `$2` the values that the
/// expression read, as JSON objects. Told without evaluating the expression, which would fail again.
pub fn still_quarantined(
    table: &TableName,
    key: &[Ident],
    assignment: &Assignment,
    backward: bool,
    names: &Names,
) -> String {
    let same = |parameter: &str, column: &Ident| {
        format!(
            "to_jsonb({}) IS NOT DISTINCT FROM NULLIF({parameter}::jsonb -> {}, 'null'::jsonb)",
            names.of(column),
            super::literal::text(column.as_str())
        )
    };
    // The key as values of its own types, so that its index finds the row: there may be a thousand to look for.
    let mut tests: Vec<String> = key
        .iter()
        .map(|column| {
            format!("{column} = (jsonb_populate_record(NULL::{table}, $1::jsonb)).{column}")
        })
        .collect();
    tests.extend(
        assignment
            .reads
            .iter()
            .map(|column| same("$2", &column.name)),
    );
    if !backward {
        tests.push(format!("{} IS NULL", names.of(&assignment.target.name)));
    }
    // Both parameters are named even where a table has no key, so that every such statement takes two.
    format!(
        "SELECT EXISTS (SELECT 1 FROM ONLY {table} AS crossfade_row WHERE $1::jsonb IS NOT NULL AND $2::jsonb IS NOT NULL AND {})",
        tests.join(" AND ")
    )
}

fn same(assignment: &Assignment) -> String {
    let converted = match assignment.conversion {
        Conversion::Copy => assignment.expression.to_string(),
        Conversion::Widening | Conversion::Expression => {
            format!(
                "({}\n)::{}",
                assignment.expression, assignment.target.type_name
            )
        }
    };
    let target = assignment.target.name.to_string();
    format!("NOT ({})", differs(&assignment.target, &target, &converted))
}

/// Per group: `new = forward(old)` or `old = backward(new)`, NULLs compared as values, as expressions need not be each
/// other's inverse.
pub fn agrees(matching: &Match) -> String {
    let tests: Vec<String> = groups(&matching.columns, &matching.backward)
        .iter()
        .map(group_agrees)
        .collect();
    match tests.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", tests.join(" AND ")),
    }
}

fn group_agrees(group: &Group<'_>) -> String {
    let all = |assignments: &[&Assignment]| {
        let tests: Vec<String> = assignments.iter().map(|one| same(one)).collect();
        format!("({})", tests.join(" AND "))
    };
    if group.copy().is_some() || group.backward.is_empty() {
        all(&group.forward)
    } else {
        format!("({} OR {})", all(&group.forward), all(&group.backward))
    }
}

/// The table in a range of blocks, its columns under the plan's names whatever `retire` has made of them.
fn range_of(matching: &Match, names: &Names) -> String {
    let mut columns: Vec<&Ident> = matching.key.iter().collect();
    for assignment in matching.columns.iter().chain(&matching.backward) {
        columns.push(&assignment.target.name);
        columns.extend(assignment.reads.iter().map(|column| &column.name));
    }
    columns.sort();
    columns.dedup();
    let list: Vec<String> = columns
        .iter()
        .map(|column| format!("{} AS {column}", names.of(column)))
        .collect();
    format!(
        "(SELECT ctid AS crossfade_tid, {} FROM ONLY {} WHERE {RANGE}) AS {}",
        list.join(", "),
        matching.table,
        matching.table.name.quoted()
    )
}

/// `(checked, different)` of a range.
pub fn compare(matching: &Match, names: &Names) -> String {
    format!(
        "SELECT count(*), count(*) FILTER (WHERE NOT {}) FROM {}",
        agrees(matching),
        range_of(matching, names)
    )
}

/// Up to `$3` rows of a range that disagree: the key as a JSON object (or the TID) and the values of both sides.
pub fn different_rows(matching: &Match, names: &Names) -> String {
    let object = |columns: Vec<&Ident>| {
        let pairs: Vec<String> = columns
            .iter()
            .map(|column| format!("{}, {column}", super::literal::text(column.as_str())))
            .collect();
        format!("jsonb_build_object({})", pairs.join(", "))
    };
    let key = if matching.key.is_empty() {
        "jsonb_build_object('ctid', crossfade_tid::text)".to_owned()
    } else {
        object(matching.key.iter().collect())
    };
    let mut sides: Vec<&Ident> = Vec::new();
    for assignment in &matching.columns {
        sides.push(&assignment.target.name);
        sides.extend(assignment.reads.iter().map(|column| &column.name));
    }
    format!(
        "SELECT {key}, {} FROM {} WHERE NOT {} LIMIT $3",
        object(sides),
        range_of(matching, names),
        agrees(matching)
    )
}

/// Which side is right when they differ: the one that reads are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Old,
    New,
}

impl Truth {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Old, Self::New]
            .into_iter()
            .find(|truth| truth.as_str() == text)
    }
}

/// Makes the rows of a range agree again. A row that is written in the meantime has another TID and is left alone.
pub fn repair(matching: &Match, names: &Names, truth: Truth) -> String {
    let (mut set, mut values) = (Vec::new(), Vec::new());
    for group in groups(&matching.columns, &matching.backward) {
        let assignments = match truth {
            Truth::Old => &group.forward,
            Truth::New => &group.backward,
        };
        // A group that agrees is left as its version wrote it.
        let agrees = group_agrees(&group);
        for assignment in assignments {
            let (number, target) = (set.len(), &assignment.target.name);
            set.push(format!("{} = wrong.v{number}", names.of(target)));
            values.push(format!(
                "CASE WHEN {agrees} THEN {target} ELSE ({}\n) END AS v{number}",
                assignment.expression
            ));
        }
    }
    format!(
        "UPDATE ONLY {table} AS repaired SET {} FROM (SELECT crossfade_tid, {} FROM {} WHERE NOT {}) AS wrong WHERE repaired.ctid = wrong.crossfade_tid",
        set.join(", "),
        values.join(", "),
        range_of(matching, names),
        agrees(matching),
        table = matching.table,
    )
}
