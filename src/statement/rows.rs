//! SQL over rows: filling a range of blocks, comparing one, and finding the rows behind a count.

use super::sync::{Names, differs};
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

/// The row lacks the value: for a copy what differs, for an expression a NULL that should not be one.
pub fn unfilled(assignment: &Assignment) -> String {
    let target = assignment.target.name.to_string();
    match assignment.conversion {
        Conversion::Copy => differs(&assignment.target, &target, &value(assignment)),
        Conversion::Widening | Conversion::Expression => {
            format!("({target} IS NULL AND {} IS NOT NULL)", value(assignment))
        }
    }
}

fn any_unfilled(assignments: &[Assignment]) -> String {
    let tests: Vec<String> = assignments.iter().map(unfilled).collect();
    tests.join(" OR ")
}

/// `$1`, `$2`: TIDs as text, from and up to. Touches only rows that are not filled; never recomputes one.
pub fn fill(fill: &Fill) -> String {
    let set: Vec<String> = fill
        .set
        .iter()
        .map(|assignment| {
            let target = &assignment.target.name;
            if fill.set.len() == 1 {
                format!("{target} = {}", value(assignment))
            } else {
                format!(
                    "{target} = CASE WHEN {} THEN {} ELSE {target} END",
                    unfilled(assignment),
                    value(assignment)
                )
            }
        })
        .collect();
    format!(
        "UPDATE ONLY {} AS {} SET {} WHERE {RANGE} AND ({})",
        fill.table,
        fill.table.name.quoted(),
        set.join(", "),
        any_unfilled(&fill.set)
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
        "SELECT {}, {} FROM ONLY {table} WHERE {RANGE}",
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
        "SELECT EXISTS (SELECT 1 FROM ONLY {table} WHERE $1::jsonb IS NOT NULL AND $2::jsonb IS NOT NULL AND {})",
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

/// `new = forward(old)` or `old = backward(new)`, NULLs compared as values: expressions need not be each other's inverse.
pub fn agrees(matching: &Match) -> String {
    let all = |assignments: &[Assignment]| {
        let tests: Vec<String> = assignments.iter().map(same).collect();
        format!("({})", tests.join(" AND "))
    };
    let copies = matching
        .columns
        .iter()
        .all(|assignment| assignment.conversion == Conversion::Copy);
    if copies || matching.backward.is_empty() {
        all(&matching.columns)
    } else {
        format!(
            "({} OR {})",
            all(&matching.columns),
            all(&matching.backward)
        )
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
    let assignments = match truth {
        Truth::Old => &matching.columns,
        Truth::New => &matching.backward,
    };
    let (mut set, mut values) = (Vec::new(), Vec::new());
    for (number, assignment) in assignments.iter().enumerate() {
        set.push(format!(
            "{} = wrong.v{number}",
            names.of(&assignment.target.name)
        ));
        values.push(format!("({}\n) AS v{number}", assignment.expression));
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
