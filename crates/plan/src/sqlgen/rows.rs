//! SQL over rows: filling a range of blocks, comparing one, and finding the rows behind a count. `storage` is the
//! table that the blocks are of: the plan's table, or a partition of it, which is read under the table's name.

use super::{
    cost::Thing,
    group::{Group, groups, overtaken_mark},
    quarantine,
    sync::{Names, differs},
    table_pair::rows as table_pair,
};
use crate::{
    compiled::{Assignment, ColumnRef, Conversion, Fill, Match},
    key::KeyColumn,
};
use crossfade_model::ident::{Ident, TableName};
use std::collections::BTreeSet;

/// Both ends are TIDs as text: a TID range scan reads just these blocks, whatever the key is.
pub(super) const RANGE: &str = "ctid >= ($1::text)::tid AND ctid < ($2::text)::tid";

/// `test`, which may fail, of the rows of the range only. The planner puts the tests of a scan in the order of what they
/// cost: where it reads the whole table (a small one), the expression of a row elsewhere may come first.
pub(super) fn within_range(ctid: &str, test: &str) -> String {
    format!(
        "CASE WHEN {ctid} >= (SELECT ($1::text)::tid) AND {ctid} < (SELECT ($2::text)::tid) THEN {test} ELSE false END"
    )
}

/// The value as the target column would hold it.
fn value(assignment: &Assignment) -> String {
    match assignment.conversion {
        Conversion::Copy | Conversion::Widening => assignment.expression.to_string(),
        // The new line keeps a trailing `--` comment of the author's from swallowing what follows.
        Conversion::Expression => format!("({}\n)", assignment.expression),
    }
}

/// The group has not been filled: none of its new columns has a value, and one should. What differs and has one was written
/// past the triggers, or before them: which side is right nobody can tell, so it is left for the comparison to find.
fn unfilled(group: &Group<'_>) -> String {
    let target = |assignment: &Assignment| assignment.target.name.to_string();
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
pub fn fill(fill: &Fill, storage: &TableName) -> String {
    if let Some(link) = &fill.link {
        return table_pair::fill(link, storage, &groups(link.forward(), &[]));
    }
    fill_groups(fill, storage, &groups(&fill.set, &[]))
}

/// Whether any row of the whole table is not filled, as one snapshot shows it.
pub fn any_unfilled(fill: &Fill) -> String {
    let tests: Vec<String> = groups(&fill.set, &[]).iter().map(unfilled).collect();
    format!(
        "SELECT EXISTS (SELECT 1 FROM {} AS {} WHERE {})",
        fill.table,
        fill.table.name.quoted(),
        tests.join(" OR ")
    )
}

/// As `fill`, of one group only.
pub fn fill_group(fill: &Fill, storage: &TableName, group: &Group<'_>) -> String {
    if let Some(link) = &fill.link {
        return table_pair::fill(link, storage, std::slice::from_ref(group));
    }
    fill_groups(fill, storage, std::slice::from_ref(group))
}

fn fill_groups(fill: &Fill, storage: &TableName, groups: &[Group<'_>]) -> String {
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
    let mut test = match tests.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", tests.join(" OR ")),
    };
    let mut assignments = groups.iter().flat_map(|group| &group.forward);
    if assignments.any(|assignment| assignment.conversion.can_fail()) {
        test = within_range("ctid", &test);
    }
    format!(
        "UPDATE ONLY {storage} AS {} SET {} WHERE {RANGE} AND {test}",
        fill.table.name.quoted(),
        set.join(", "),
    )
}

/// One assignment alone, to see whether it is the one that fails.
pub fn fill_one(fill: &Fill, storage: &TableName, assignment: &Assignment) -> String {
    if let Some(link) = &fill.link {
        return table_pair::compute_one(link, storage, assignment);
    }
    format!(
        "UPDATE ONLY {storage} AS {} SET {} = {} WHERE {RANGE}",
        fill.table.name.quoted(),
        assignment.target.name,
        value(assignment)
    )
}

/// The key and the values that an expression reads of the rows in a range, as JSON objects. No column: no key.
pub fn row_image(storage: &TableName, key: &[KeyColumn], reads: &[&ColumnRef]) -> String {
    format!(
        "SELECT {}, {} FROM ONLY {storage} AS crossfade_row WHERE {RANGE}",
        key_object(key),
        values_object(reads.iter().copied()),
    )
}

/// Whether a quarantined row is still as it was when its conversion failed: `$1` its key and `$2` the values that the
/// expression read, as JSON objects. Told without evaluating the expression, which would fail again.
pub fn still_quarantined(
    table: &TableName,
    key: &[KeyColumn],
    assignment: &Assignment,
    backward: bool,
    names: &Names,
) -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM {table} AS crossfade_row WHERE {})",
        unchanged(table, key, assignment, backward, names)
    )
}

/// Tries the conversion of a quarantined row again, if it is as it was: `$1` and `$2` as above.
pub fn convert_again(
    table: &TableName,
    key: &[KeyColumn],
    assignment: &Assignment,
    backward: bool,
    names: &Names,
) -> String {
    let reads: Vec<String> = assignment
        .reads
        .iter()
        .map(|column| format!(", {} AS {}", names.of(&column.name), column.name))
        .collect();
    format!(
        // A row's address says little without the partition that it is in.
        "UPDATE {table} AS crossfade_row SET {} = again.crossfade_value FROM (SELECT crossfade_tid, crossfade_xmin, crossfade_oid, ({}\n) AS crossfade_value \
         FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, tableoid AS crossfade_oid{} FROM {table} AS crossfade_row WHERE {}) AS {}) AS again \
         WHERE crossfade_row.ctid = again.crossfade_tid AND crossfade_row.xmin = again.crossfade_xmin AND crossfade_row.tableoid = again.crossfade_oid",
        names.of(&assignment.target.name),
        assignment.expression,
        reads.concat(),
        unchanged(table, key, assignment, backward, names),
        table.name.quoted()
    )
}

/// The row of that key still has these values, and, forward, no new one.
fn unchanged(
    table: &TableName,
    key: &[KeyColumn],
    assignment: &Assignment,
    backward: bool,
    names: &Names,
) -> String {
    // Both parameters are named even where a table has no key, so that every such statement takes two.
    let mut tests =
        vec!["($1::text)::jsonb IS NOT NULL AND ($2::text)::jsonb IS NOT NULL".to_owned()];
    // The key as values of its own types, so that its index finds the row: there may be a thousand to look for.
    let now: Vec<String> = key
        .iter()
        .map(|column| {
            let [now, planned] = [names.of(&column.name), &column.name].map(Ident::as_str);
            let [now, planned] = [now, planned].map(super::literal::text);
            format!("{now}, ($1::text)::jsonb OPERATOR(pg_catalog.->) {planned}")
        })
        .collect();
    let record = format!(
        "pg_catalog.jsonb_populate_record(NULL::{table}, pg_catalog.jsonb_build_object({}))",
        now.join(", ")
    );
    tests.extend(key.iter().map(|column| {
        let name = names.of(&column.name);
        format!("{name} {} ({record}).{name}", column.equal)
    }));
    tests.extend(
        assignment
            .reads
            .iter()
            .map(|column| quarantine::is_kept(column, names.of(&column.name).to_string(), "$2")),
    );
    if !backward {
        tests.push(format!("{} IS NULL", names.of(&assignment.target.name)));
    }
    tests.join(" AND ")
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

/// `new = forward(old)` or `old = backward(new)`, NULLs compared as values, as expressions need not be each other's
/// inverse.
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

/// Rows that nobody has accepted and that do not agree.
fn disagrees(matching: &Match) -> String {
    let tests: Vec<String> = groups(&matching.columns, &matching.backward)
        .iter()
        .map(|group| group_disagrees(matching, group))
        .collect();
    match tests.as_slice() {
        [one] => one.clone(),
        _ => format!("({})", tests.join(" OR ")),
    }
}

fn group_disagrees(matching: &Match, group: &Group<'_>) -> String {
    let side = |assignments: &[&Assignment], direction: &str| -> Vec<String> {
        let failing = assignments.iter().filter(|one| one.conversion.can_fail());
        failing
            .map(|one| is_accepted(matching, one, direction))
            .collect()
    };
    let mut accepted = side(&group.forward, "forward");
    accepted.extend(side(&group.backward, "backward"));
    if group.is_one_way() && !matching.key.is_empty() {
        accepted.push(is_overtaken(matching, group));
    }
    let agrees = group_agrees(group);
    if accepted.is_empty() {
        return format!("NOT {agrees}");
    }
    // CASE keeps an expression that fails from being evaluated for a row of which that is known.
    format!(
        "CASE WHEN {} THEN false ELSE NOT {agrees} END",
        accepted.join(" OR ")
    )
}

/// The row, with the values that it has, is in quarantine and was accepted. Where nothing was accepted, as mostly, that
/// is asked once for the whole statement; else the accepted ones are hashed once.
fn is_accepted(matching: &Match, assignment: &Assignment, direction: &str) -> String {
    let from = format!(
        "FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id \
         WHERE crossfade_r.state = 'active' AND crossfade_q.accepted_at IS NOT NULL AND crossfade_q.direction = '{direction}' \
         AND crossfade_q.table_name = {} AND crossfade_q.column_name = {}",
        super::literal::text(&matching.table.to_string()),
        super::literal::text(assignment.target.name.as_str())
    );
    let unfilled = match direction {
        "forward" => format!("{} IS NULL AND ", assignment.target.name),
        _ => String::new(),
    };
    format!(
        "({unfilled}(SELECT EXISTS (SELECT {from})) AND ({}, {}) IN (SELECT crossfade_q.row_key, crossfade_q.row_values {from}))",
        key_object(&matching.key),
        values_object(assignment.reads.iter())
    )
}

/// The new version wrote this group of the row, and its old side cannot be computed from it.
fn is_overtaken(matching: &Match, group: &Group<'_>) -> String {
    let from = format!(
        "FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id \
         WHERE crossfade_r.state = 'active' AND crossfade_o.table_name = {}",
        super::literal::text(&overtaken_mark(&matching.table, group))
    );
    format!(
        "((SELECT EXISTS (SELECT {from})) AND {} IN (SELECT crossfade_o.row_key {from}))",
        key_object(&matching.key)
    )
}

fn key_object(key: &[KeyColumn]) -> String {
    quarantine::object(
        key.iter()
            .map(|column| (&column.name, column.name.to_string())),
    )
}

fn values_object<'a>(columns: impl Iterator<Item = &'a ColumnRef>) -> String {
    quarantine::values(columns.map(|column| (column, column.name.to_string())))
}

/// How many rows of the whole table have a value on the new side that the old one has not, and the keys of up to `$1` of them.
pub fn one_sided(matching: &Match, names: &Names) -> String {
    let tests: Vec<String> = groups(&matching.columns, &matching.backward)
        .iter()
        .map(|group| {
            let present: Vec<String> = group
                .forward
                .iter()
                .map(|one| format!("{} IS NOT NULL", one.target.name))
                .collect();
            // CASE keeps an expression that may fail from the rows that have no value.
            format!(
                "CASE WHEN {} THEN {} ELSE false END",
                present.join(" OR "),
                group_disagrees(matching, group)
            )
        })
        .collect();
    let rows = format!(
        "FROM (SELECT ctid AS crossfade_tid, {} FROM {}) AS {} WHERE {}",
        columns_of(matching, names),
        matching.table,
        matching.table.name.quoted(),
        tests.join(" OR ")
    );
    let key = match matching.key.is_empty() {
        true => "pg_catalog.jsonb_build_object('ctid', crossfade_tid::text)".to_owned(),
        false => key_object(&matching.key),
    };
    format!(
        "SELECT (SELECT pg_catalog.count(*) {rows}), (SELECT coalesce(pg_catalog.string_agg(shown.row_key, ', '), '') FROM (SELECT ({key})::text AS row_key {rows} LIMIT $1) AS shown)"
    )
}

/// The columns that a comparison reads, under the plan's names whatever `retire` has made of them.
fn columns_of(matching: &Match, names: &Names) -> String {
    let mut columns: Vec<&Ident> = matching.key.iter().map(|column| &column.name).collect();
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
    list.join(", ")
}

/// The table in a range of blocks.
fn range_of(matching: &Match, storage: &TableName, names: &Names) -> String {
    format!(
        "(SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, {} FROM ONLY {storage} WHERE {RANGE}) AS {}",
        columns_of(matching, names),
        matching.table.name.quoted()
    )
}

/// The same where what follows is a test that may fail: OFFSET keeps it from rows elsewhere, see `within_range`.
fn fenced_range_of(matching: &Match, storage: &TableName, names: &Names) -> String {
    format!(
        "(SELECT * FROM {} OFFSET 0) AS {}",
        range_of(matching, storage, names),
        matching.table.name.quoted()
    )
}

/// `(checked, different)` of a range.
pub fn compare(matching: &Match, storage: &TableName, names: &Names) -> String {
    if let Some(link) = &matching.link {
        return table_pair::compare(link, storage, names);
    }
    format!(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {}) FROM {}",
        disagrees(matching),
        range_of(matching, storage, names)
    )
}

/// Up to `$3` rows of a range that disagree: the key as a JSON object (or the TID) and the values of both sides.
pub fn different_rows(matching: &Match, storage: &TableName, names: &Names) -> String {
    if let Some(link) = &matching.link {
        return table_pair::different_rows(link, storage, names);
    }
    let key = if matching.key.is_empty() {
        "pg_catalog.jsonb_build_object('ctid', crossfade_tid::text)".to_owned()
    } else {
        key_object(&matching.key)
    };
    let mut sides: Vec<&ColumnRef> = Vec::new();
    for assignment in &matching.columns {
        sides.push(&assignment.target);
        sides.extend(&assignment.reads);
    }
    format!(
        "SELECT {key}, {} FROM {} WHERE {} LIMIT $3",
        values_object(sides.into_iter()),
        fenced_range_of(matching, storage, names),
        disagrees(matching)
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

/// What a repair takes for right, and what may go with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    pub truth: Truth,
    /// Columns whose values may be replaced by nothing, as `Thing`s are written, by the names that they have now.
    pub discards: BTreeSet<String>,
}

impl Repair {
    pub fn of(truth: Truth) -> Self {
        Self {
            truth,
            discards: BTreeSet::new(),
        }
    }

    pub(super) fn discards(&self, table: &TableName, column: &Ident) -> bool {
        let thing = Thing::Column(table.clone(), column.clone());
        self.discards.contains(&thing.to_string())
    }
}

/// The row has a value in one of these targets, `(it, what it would be, whether that may go)`, that a repair would replace by
/// nothing: by NULL, or by what follows from NULLs alone. The other side has nothing then, and which of them is right nobody can
/// tell: it may be the only copy.
pub(super) fn is_only_copy(targets: &[(String, String, bool)], sources: &[String]) -> String {
    let kept = || targets.iter().filter(|(_, _, may_go)| !may_go);
    let mut tests: Vec<String> = kept()
        .map(|(now, value, _)| format!("{now} IS NOT NULL AND ({value}\n) IS NULL"))
        .collect();
    let present: Vec<String> = kept()
        .map(|(now, ..)| format!("{now} IS NOT NULL"))
        .collect();
    if !sources.is_empty() && !present.is_empty() {
        let nothing: Vec<String> = sources.iter().map(|one| format!("{one} IS NULL")).collect();
        tests.push(format!(
            "{} AND ({})",
            nothing.join(" AND "),
            present.join(" OR ")
        ));
    }
    match tests.is_empty() {
        true => "false".to_owned(),
        false => format!("({})", tests.join(" OR ")),
    }
}

/// Makes the rows of a range agree again, but for those that have the only copy of a value. A row that is written in the meantime
/// is left alone: it has another TID and another `xmin`. Either tells it; a server that does not look at the one again looks at the
/// other.
pub fn repair(matching: &Match, storage: &TableName, names: &Names, repair: &Repair) -> String {
    if let Some(link) = &matching.link {
        return table_pair::repair(link, storage, names, repair);
    }
    let (mut set, mut values, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for group in groups(&matching.columns, &matching.backward) {
        let assignments = match repair.truth {
            Truth::Old => &group.forward,
            Truth::New => &group.backward,
        };
        let targets: Vec<(String, String, bool)> = assignments
            .iter()
            .map(|one| {
                let target = &one.target.name;
                let may_go = repair.discards(&matching.table, names.of(target));
                (target.to_string(), one.expression.to_string(), may_go)
            })
            .collect();
        let reads = assignments.iter().flat_map(|one| &one.reads);
        let mut sources: Vec<String> = reads.map(|column| column.name.to_string()).collect();
        sources.sort();
        sources.dedup();
        // A group that agrees is left as its version wrote it, and one that was accepted as somebody accepted it.
        let wrong = format!(
            "CASE WHEN {} THEN NOT {} ELSE false END",
            group_disagrees(matching, &group),
            is_only_copy(&targets, &sources)
        );
        for assignment in assignments {
            let (number, target) = (set.len(), &assignment.target.name);
            set.push(format!("{} = wrong.v{number}", names.of(target)));
            values.push(format!(
                "CASE WHEN {wrong} THEN ({}\n) ELSE {target} END AS v{number}",
                assignment.expression
            ));
        }
        tests.push(wrong);
    }
    format!(
        "UPDATE ONLY {storage} AS repaired SET {} FROM (SELECT crossfade_tid, crossfade_xmin, {} FROM {} WHERE {}) AS wrong \
         WHERE repaired.ctid = wrong.crossfade_tid AND repaired.xmin = wrong.crossfade_xmin",
        set.join(", "),
        values.join(", "),
        fenced_range_of(matching, storage, names),
        tests.join(" OR "),
    )
}
