//! SQL over the rows of two tables: the parent's in a range of blocks (or of one key), each with the child's row that
//! belongs to it and with what the expressions of both directions give.

use crate::sqlgen::{
    group::{Group, groups},
    literal, quarantine,
    rows::{RANGE, Repair, Truth, is_only_copy, within_range},
    sync::{Names, differs},
};
use crate::{
    compiled::{Assignment, ColumnRef, Conversion},
    key::KeyColumn,
    table_pair::{Side, TablePair},
};
use crossfade_model::ident::{Ident, TableName};

const PARENT: &str = "crossfade_parent";
const CHILD: &str = "crossfade_child";

/// Where both rows are, and who wrote them: one that is written in the meantime is left alone (`rows::repair`).
const ADDRESSES: &str = "crossfade_parent.crossfade_tid AS crossfade_parent_tid, crossfade_parent.crossfade_xmin AS crossfade_parent_xmin, \
    crossfade_child.crossfade_tid AS crossfade_child_tid, crossfade_child.crossfade_xmin AS crossfade_child_xmin";

/// Which of the parent's rows.
#[derive(Clone, Copy)]
enum Scope {
    /// `$1`, `$2`: TIDs as text, from and up to.
    Range,
    /// `$1`: the key as a JSON object.
    Key,
}

/// How a value that is computed is to be had.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    /// As the expression gives it: an assignment converts it.
    Given,
    /// In the target's own type, to be compared.
    Compared,
}

/// What a statement reads the two tables for.
struct Joined<'a> {
    link: &'a TablePair,
    storage: &'a TableName,
    names: &'a Names,
    scope: Scope,
    /// A condition over `crossfade_p`, the parent's row.
    only: Option<String>,
    /// What is computed for the parent and for the child.
    values: Vec<(Side, Vec<&'a Assignment>, As)>,
}

fn alias(side: Side) -> &'static str {
    match side {
        Side::Parent => PARENT,
        Side::Child => CHILD,
    }
}

fn computed(to: Side) -> &'static str {
    match to {
        Side::Parent => "crossfade_for_parent",
        Side::Child => "crossfade_for_child",
    }
}

/// The value that the other table gives for this column.
fn value(to: Side, assignment: &Assignment) -> String {
    format!("{}.{}", computed(to), assignment.target.name.quoted())
}

fn there(side: Side, column: &Ident) -> String {
    format!("{}.{}", alias(side), column.quoted())
}

impl<'a> Joined<'a> {
    fn new(link: &'a TablePair, storage: &'a TableName, names: &'a Names, scope: Scope) -> Self {
        Self {
            link,
            storage,
            names,
            scope,
            only: None,
            values: Vec::new(),
        }
    }

    fn only(mut self, condition: String) -> Self {
        self.only = Some(condition);
        self
    }

    fn with(mut self, to: Side, assignments: Vec<&'a Assignment>, how: As) -> Self {
        self.values.push((to, assignments, how));
        self
    }

    /// What stands behind FROM.
    fn sql(&self) -> String {
        let mut sql = format!("{}{}", self.parent(), self.child());
        for (to, assignments, how) in &self.values {
            if !assignments.is_empty() {
                sql.push_str(&self.computing(*to, assignments, *how));
            }
        }
        sql
    }

    fn parent(&self) -> String {
        let columns = self.link.columns(Side::Parent).into_iter().map(|column| {
            let now = self.names.of(&column.name).quoted();
            format!("crossfade_p.{now} AS {}", column.name.quoted())
        });
        let columns: Vec<String> = columns.collect();
        let which = match self.scope {
            Scope::Range => RANGE.replace("ctid", "crossfade_p.ctid"),
            Scope::Key => self.by_key(),
        };
        let only = self.only.as_ref().map(|only| format!(" AND ({only})"));
        format!(
            "(SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, {} FROM ONLY {} AS crossfade_p WHERE {which}{}) AS {PARENT}",
            columns.join(", "),
            self.storage,
            only.unwrap_or_default()
        )
    }

    /// As values of the key's own types, so that its index finds the row.
    fn by_key(&self) -> String {
        let tests: Vec<String> = self
            .link
            .key_columns()
            .iter()
            .map(|KeyColumn { name, equal }| {
                format!(
                    "crossfade_p.{name} {equal} (pg_catalog.jsonb_populate_record(NULL::{}, ($1::text)::jsonb)).{name}",
                    self.link.parent
                )
            })
            .collect();
        tests.join(" AND ")
    }

    /// LIMIT: looked up by its index, row for row, whatever the planner thinks of the size of the range.
    fn child(&self) -> String {
        let link = self.link;
        let columns: Vec<String> = link
            .columns(Side::Child)
            .iter()
            .map(|column| {
                let now = self.names.of_child(&column.name).quoted();
                format!("crossfade_c.{now} AS {}", column.name.quoted())
            })
            .collect();
        let key: Vec<String> = link
            .by
            .iter()
            .map(|pair| {
                format!(
                    "{} {} crossfade_c.{}",
                    there(Side::Parent, &pair.parent.name),
                    pair.equal,
                    self.names.of_child(&pair.child.name).quoted()
                )
            })
            .collect();
        let order: Vec<String> = link
            .order_by
            .iter()
            .map(|order| format!("({}\n) {}", order.expression, order.direction))
            .collect();
        let order = if order.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", order.join(", "))
        };
        let name = link.child.name.quoted();
        format!(
            " LEFT JOIN LATERAL (SELECT {name}.* FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, {} FROM {} AS crossfade_c WHERE {}) AS {name}{order} LIMIT 1) AS {CHILD} ON true",
            columns.join(", "),
            self.names.child(&link.child),
            key.join(" AND ")
        )
    }

    /// An expression sees the columns of its own table only, under the table's name.
    fn computing(&self, to: Side, assignments: &[&Assignment], how: As) -> String {
        let from = to.other();
        let mut reads: Vec<&ColumnRef> = Vec::new();
        for column in assignments.iter().flat_map(|one| &one.reads) {
            if !reads.iter().any(|known| known.name == column.name) {
                reads.push(column);
            }
        }
        let sources: Vec<String> = reads
            .iter()
            .map(|column| format!("{} AS {}", there(from, &column.name), column.name.quoted()))
            .collect();
        let values: Vec<String> = assignments
            .iter()
            .map(|one| {
                let converted = match (how, one.conversion) {
                    (As::Given, _) | (As::Compared, Conversion::Copy) => {
                        format!("({}\n)", one.expression)
                    }
                    (As::Compared, Conversion::Widening | Conversion::Expression) => {
                        format!("({}\n)::{}", one.expression, one.target.type_name)
                    }
                };
                format!("{converted} AS {}", one.target.name.quoted())
            })
            .collect();
        let sources = if sources.is_empty() {
            "1 AS crossfade_nothing".to_owned()
        } else {
            sources.join(", ")
        };
        format!(
            " CROSS JOIN LATERAL (SELECT {} FROM (SELECT {sources}) AS {}) AS {}",
            values.join(", "),
            self.link.table(from).name.quoted(),
            computed(to)
        )
    }
}

fn all(assignments: &[Assignment]) -> Vec<&Assignment> {
    assignments.iter().collect()
}

fn link_groups(link: &TablePair) -> Vec<Group<'_>> {
    groups(&link.to_parent, &link.to_child)
}

/// The parent's columns of a group have no value: the row is not filled. Told by the row alone.
fn empty(group: &[&Assignment], row: &str) -> String {
    let tests: Vec<String> = group
        .iter()
        .map(|one| format!("{row}.{} IS NULL", one.target.name.quoted()))
        .collect();
    format!("({})", tests.join(" AND "))
}

fn any_present(to: Side, assignments: &[&Assignment]) -> String {
    let tests: Vec<String> = assignments
        .iter()
        .map(|one| format!("{} IS NOT NULL", value(to, one)))
        .collect();
    format!("({})", tests.join(" OR "))
}

fn or(tests: &[String]) -> String {
    match tests {
        [] => "false".to_owned(),
        [one] => one.clone(),
        _ => format!("({})", tests.join(" OR ")),
    }
}

/// Which rows of the parent have yet to be filled, or to be looked up in the child.
fn unfilled(link: &TablePair) -> String {
    match link.new {
        Side::Parent => {
            let groups = link_groups(link);
            let tests = groups.iter().filter(|group| !group.forward.is_empty());
            let tests: Vec<String> = tests
                .map(|one| empty(&one.forward, "crossfade_p"))
                .collect();
            or(&tests)
        }
        Side::Child => {
            let key: Vec<String> = link
                .by
                .iter()
                .map(|pair| {
                    format!(
                        "crossfade_p.{} {} crossfade_c.{}",
                        pair.parent.name.quoted(),
                        pair.equal,
                        pair.child.name.quoted()
                    )
                })
                .collect();
            format!(
                "NOT EXISTS (SELECT FROM {} AS crossfade_c WHERE {})",
                link.child,
                key.join(" AND ")
            )
        }
    }
}

/// Locks the rows of a range that are to be filled. The child is read in a statement of its own after that: a write of
/// it that has just been committed is seen then, and one that is under way waits for us with the parent's row.
pub fn lock(link: &TablePair, storage: &TableName) -> String {
    format!(
        "SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY {storage} AS crossfade_p WHERE {} AND ({}) FOR NO KEY UPDATE OF crossfade_p) AS crossfade_locked",
        RANGE.replace("ctid", "crossfade_p.ctid"),
        unfilled(link)
    )
}

/// `$1`, `$2`: TIDs as text. Fills what has no value yet, and never anything else.
pub fn fill(link: &TablePair, storage: &TableName, only: &[Group<'_>]) -> String {
    let names = Names::as_planned();
    let joined = Joined::new(link, storage, &names, Scope::Range).only(unfilled(link));
    match link.new {
        Side::Parent => fill_parent(link, storage, only, joined),
        Side::Child => {
            let joined = joined.with(Side::Child, all(&link.to_child), As::Given);
            let columns = link.by.iter().map(|pair| &pair.child.name);
            let columns = columns.chain(link.to_child.iter().map(|one| &one.target.name));
            let columns: Vec<String> = columns.map(Ident::quoted).collect();
            let values = link
                .by
                .iter()
                .map(|pair| there(Side::Parent, &pair.parent.name));
            let values = values.chain(link.to_child.iter().map(|one| value(Side::Child, one)));
            format!(
                "INSERT INTO {} ({}) SELECT {} FROM {} WHERE {} ON CONFLICT DO NOTHING",
                link.child,
                columns.join(", "),
                values.collect::<Vec<_>>().join(", "),
                joined.sql(),
                within_range(
                    &format!("{PARENT}.crossfade_tid"),
                    &any_present(Side::Child, &all(&link.to_child))
                )
            )
        }
    }
}

fn fill_parent<'a>(
    link: &'a TablePair,
    storage: &TableName,
    only: &[Group<'a>],
    joined: Joined<'a>,
) -> String {
    let (mut set, mut tests, mut computed) = (Vec::new(), Vec::new(), Vec::new());
    let groups = link_groups(link);
    for group in groups.iter().filter(|group| !group.forward.is_empty()) {
        let is_wanted = only.iter().any(|wanted| wanted.forward == group.forward);
        if !is_wanted {
            continue;
        }
        let test = format!(
            "({} AND {})",
            empty(&group.forward, PARENT),
            any_present(Side::Parent, &group.forward)
        );
        for one in &group.forward {
            let column = one.target.name.quoted();
            set.push(format!(
                "{column} = CASE WHEN {test} THEN {} ELSE crossfade_filled.{column} END",
                value(Side::Parent, one)
            ));
            computed.push(*one);
        }
        tests.push(test);
    }
    format!(
        "UPDATE ONLY {storage} AS crossfade_filled SET {} FROM {} WHERE crossfade_filled.ctid = {PARENT}.crossfade_tid AND {}",
        set.join(", "),
        joined.with(Side::Parent, computed, As::Given).sql(),
        or(&tests)
    )
}

/// One expression alone over a range, in the target's type, to see whether it is the one that fails.
pub fn compute_one(link: &TablePair, storage: &TableName, assignment: &Assignment) -> String {
    let names = Names::as_planned();
    let joined = Joined::new(link, storage, &names, Scope::Range).only(unfilled(link));
    let to = link.new;
    format!(
        "SELECT pg_catalog.count({}) FROM {}",
        value(to, assignment),
        joined.with(to, vec![assignment], As::Compared).sql()
    )
}

/// The key, and the values that an expression for this table reads, of the rows in a range, as JSON objects.
pub fn row_image(link: &TablePair, storage: &TableName, to: Side, reads: &[&ColumnRef]) -> String {
    let names = Names::as_planned();
    let joined = Joined::new(link, storage, &names, Scope::Range);
    let values = reads.iter().map(|column| (*column, to.other()));
    format!(
        "SELECT {}, {} FROM {}",
        key_object(link),
        values_object(values),
        joined.sql()
    )
}

fn key_object(link: &TablePair) -> String {
    let key = link.key();
    quarantine::object(
        key.iter()
            .map(|column| (column, there(Side::Parent, column))),
    )
}

fn values_object<'a>(columns: impl Iterator<Item = (&'a ColumnRef, Side)>) -> String {
    quarantine::values(columns.map(|(column, side)| (column, there(side, &column.name))))
}

/// The two rows are as they were when the value for this column could not be computed: `$2`, what was read then.
fn unchanged(link: &TablePair, to: Side, assignment: &Assignment) -> String {
    let mut tests =
        vec!["($1::text)::jsonb IS NOT NULL AND ($2::text)::jsonb IS NOT NULL".to_owned()];
    tests.extend(
        assignment
            .reads
            .iter()
            .map(|column| quarantine::is_kept(column, there(to.other(), &column.name), "$2")),
    );
    if to == link.new {
        tests.push(format!("{} IS NULL", there(to, &assignment.target.name)));
    }
    tests.join(" AND ")
}

/// `$1`, `$2`: the key and the values that were read, as JSON objects.
pub fn still_quarantined(
    link: &TablePair,
    names: &Names,
    to: Side,
    assignment: &Assignment,
) -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM {} WHERE {})",
        Joined::new(link, &link.parent, names, Scope::Key).sql(),
        unchanged(link, to, assignment)
    )
}

/// Tries the conversion of a quarantined row again, if it is as it was. As many rows as were written.
pub fn convert_again(link: &TablePair, names: &Names, to: Side, assignment: &Assignment) -> String {
    let joined = Joined::new(link, &link.parent, names, Scope::Key);
    let joined = joined.with(to, vec![assignment], As::Given);
    let source = format!(
        "SELECT {ADDRESSES}, {}, {} AS {} FROM {} WHERE {}",
        keys(link),
        value(to, assignment),
        value_name(to, assignment),
        joined.sql(),
        unchanged(link, to, assignment)
    );
    write_side(link, names, to, &[assignment], &source)
}

fn keys(link: &TablePair) -> String {
    let keys = link.by.iter().enumerate();
    let keys = keys.map(|(number, pair)| {
        let column = there(Side::Parent, &pair.parent.name);
        format!("{column} AS crossfade_k{number}")
    });
    keys.collect::<Vec<_>>().join(", ")
}

fn value_name(to: Side, assignment: &Assignment) -> String {
    let side = match to {
        Side::Parent => "parent",
        Side::Child => "child",
    };
    Ident::from_catalog(assignment.target.name.as_str())
        .with_suffix(&format!("_for_{side}"))
        .quoted()
}

/// Writes the values that `source` has, with the addresses of both rows, to one of the tables; a row for each write.
fn write_side(
    link: &TablePair,
    names: &Names,
    to: Side,
    assignments: &[&Assignment],
    source: &str,
) -> String {
    let now = |column: &Ident| match to {
        Side::Parent => names.of(column).quoted(),
        Side::Child => names.of_child(column).quoted(),
    };
    let set: Vec<String> = assignments
        .iter()
        .map(|one| {
            let column = now(&one.target.name);
            format!("{column} = crossfade_wrong.{}", value_name(to, one))
        })
        .collect();
    let (table, side) = match to {
        Side::Parent => (&link.parent, "parent"),
        Side::Child => (names.child(&link.child), "child"),
    };
    let mended = format!(
        "UPDATE {table} AS crossfade_mended SET {} FROM crossfade_wrong WHERE crossfade_mended.ctid = crossfade_wrong.crossfade_{side}_tid \
         AND crossfade_mended.xmin = crossfade_wrong.crossfade_{side}_xmin RETURNING 1",
        set.join(", ")
    );
    if to == Side::Parent {
        return format!(
            "WITH crossfade_wrong AS MATERIALIZED ({source}), crossfade_written AS ({mended}) SELECT 1 FROM crossfade_written"
        );
    }
    let mut columns: Vec<String> = link.by.iter().map(|pair| now(&pair.child.name)).collect();
    let mut values: Vec<String> = (0..link.by.len())
        .map(|number| format!("crossfade_k{number}"))
        .collect();
    for one in assignments {
        columns.push(now(&one.target.name));
        values.push(value_name(to, one));
    }
    format!(
        "WITH crossfade_wrong AS MATERIALIZED ({source}), crossfade_written AS ({mended}), \
         crossfade_added AS (INSERT INTO {table} ({}) SELECT {} FROM crossfade_wrong WHERE crossfade_child_tid IS NULL RETURNING 1) \
         SELECT 1 FROM crossfade_written UNION ALL SELECT 1 FROM crossfade_added",
        columns.join(", "),
        values.join(", ")
    )
}

/// All of it in one direction, or all in the other; where there is no row of the child, only what that gives counts.
fn group_disagrees(link: &TablePair, group: &Group<'_>) -> String {
    let same = |to: Side, assignments: &[&Assignment]| {
        let tests: Vec<String> = assignments
            .iter()
            .map(|one| {
                let column = there(to, &one.target.name);
                format!("NOT ({})", differs(&one.target, &column, &value(to, one)))
            })
            .collect();
        tests.join(" AND ")
    };
    let mut ways = Vec::new();
    if !group.forward.is_empty() {
        ways.push(format!("({})", same(Side::Parent, &group.forward)));
    }
    // What is a copy both ways agrees in both directions or in none.
    if !group.backward.is_empty() && group.copy().is_none() {
        let there = if group.forward.is_empty() {
            String::new()
        } else {
            format!("{CHILD}.crossfade_tid IS NOT NULL AND ")
        };
        ways.push(format!("({there}{})", same(Side::Child, &group.backward)));
    }
    let disagrees = format!("NOT ({})", ways.join(" OR "));
    let mut accepted: Vec<String> = [
        (Side::Parent, &group.forward),
        (Side::Child, &group.backward),
    ]
    .into_iter()
    .flat_map(|(to, side)| side.iter().map(move |one| (to, *one)))
    .filter(|(_, one)| one.conversion.can_fail())
    .map(|(to, one)| is_accepted(link, to, one))
    .collect();
    if link.new == Side::Parent && link.to_child.is_empty() {
        accepted.push(is_overtaken(link));
    }
    if accepted.is_empty() {
        return disagrees;
    }
    // CASE keeps an expression that fails from being evaluated for a row of which that is known.
    format!(
        "CASE WHEN {} THEN false ELSE {disagrees} END",
        accepted.join(" OR ")
    )
}

/// The row, with the values that it has, is in quarantine and was accepted.
fn is_accepted(link: &TablePair, to: Side, assignment: &Assignment) -> String {
    let direction = if to == link.new {
        "forward"
    } else {
        "backward"
    };
    let from = format!(
        "FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id \
         WHERE crossfade_r.state = 'active' AND crossfade_q.accepted_at IS NOT NULL AND crossfade_q.direction = '{direction}' \
         AND crossfade_q.table_name = {} AND crossfade_q.column_name = {}",
        literal::text(&link.parent.to_string()),
        literal::text(assignment.target.name.as_str())
    );
    let unfilled = if to == link.new {
        format!("{} IS NULL AND ", there(to, &assignment.target.name))
    } else {
        String::new()
    };
    let reads = assignment.reads.iter();
    format!(
        "({unfilled}(SELECT EXISTS (SELECT {from})) AND ({}, {}) IN (SELECT crossfade_q.row_key, crossfade_q.row_values {from}))",
        key_object(link),
        values_object(reads.map(|column| (column, to.other())))
    )
}

/// The new version wrote the row, and its old side cannot be computed from it.
fn is_overtaken(link: &TablePair) -> String {
    let from = format!(
        "FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id \
         WHERE crossfade_r.state = 'active' AND crossfade_o.table_name = {}",
        literal::text(&link.parent.to_string())
    );
    format!(
        "((SELECT EXISTS (SELECT {from})) AND {} IN (SELECT crossfade_o.row_key {from}))",
        key_object(link)
    )
}

fn compared<'a>(link: &'a TablePair, storage: &'a TableName, names: &'a Names) -> Joined<'a> {
    Joined::new(link, storage, names, Scope::Range)
        .with(Side::Parent, all(&link.to_parent), As::Compared)
        .with(Side::Child, all(&link.to_child), As::Compared)
}

fn disagrees(link: &TablePair) -> String {
    let tests: Vec<String> = link_groups(link)
        .iter()
        .map(|group| group_disagrees(link, group))
        .collect();
    or(&tests)
}

/// `(checked, different)` of a range.
pub fn compare(link: &TablePair, storage: &TableName, names: &Names) -> String {
    format!(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {}) FROM {}",
        disagrees(link),
        compared(link, storage, names).sql()
    )
}

/// Up to `$3` rows of a range that disagree: the key and the values of both tables, as JSON objects.
pub fn different_rows(link: &TablePair, storage: &TableName, names: &Names) -> String {
    let side = |side: Side| {
        let columns = link.synced(side).into_iter();
        let object = values_object(columns.map(move |column| (column, side)));
        let table = literal::text(&link.table(side).to_string());
        format!("{table}, {object}")
    };
    format!(
        "SELECT {}, pg_catalog.jsonb_build_object({}, {}) FROM {} WHERE {} LIMIT $3",
        key_object(link),
        side(Side::Parent),
        side(Side::Child),
        compared(link, storage, names).sql(),
        disagrees(link)
    )
}

/// The table that a repair writes.
pub fn mended(link: &TablePair, truth: Truth) -> Side {
    match truth {
        Truth::Old => link.new,
        Truth::New => link.new.other(),
    }
}

/// Makes the rows of a range agree with this side, but for those that have the only copy of a value; a row for each write.
pub fn repair(link: &TablePair, storage: &TableName, names: &Names, repair: &Repair) -> String {
    let to = mended(link, repair.truth);
    let groups = link_groups(link);
    let mut written: Vec<&Assignment> = Vec::new();
    let (mut values, mut tests) = (Vec::new(), Vec::new());
    for group in &groups {
        let side = match to {
            Side::Parent => &group.forward,
            Side::Child => &group.backward,
        };
        let targets: Vec<(String, String, bool)> = side
            .iter()
            .map(|one| {
                let target = &one.target.name;
                let may_go = match to {
                    Side::Parent => repair.discards(&link.parent, names.of(target)),
                    Side::Child => {
                        repair.discards(names.child(&link.child), names.of_child(target))
                    }
                };
                (there(to, target), value(to, one), may_go)
            })
            .collect();
        let reads = side.iter().flat_map(|one| &one.reads);
        let mut sources: Vec<String> = reads
            .map(|column| there(to.other(), &column.name))
            .collect();
        sources.sort();
        sources.dedup();
        // A group that agrees is left as its version wrote it.
        let wrong = format!(
            "CASE WHEN {} THEN NOT {} ELSE false END",
            group_disagrees(link, group),
            is_only_copy(&targets, &sources)
        );
        for one in side {
            values.push(format!(
                "CASE WHEN {wrong} THEN {} ELSE {} END AS {}",
                value(to, one),
                there(to, &one.target.name),
                value_name(to, one)
            ));
            written.push(one);
        }
        tests.push(wrong);
    }
    let source = format!(
        "SELECT {ADDRESSES}, {}, {} FROM {} WHERE {}",
        keys(link),
        values.join(", "),
        compared(link, storage, names).sql(),
        or(&tests)
    );
    write_side(link, names, to, &written, &source)
}

/// How many rows of the child belong to no row of the parent, and the keys of the first `$1`, as a JSON array.
pub fn orphans(link: &TablePair, names: &Names) -> String {
    let key: Vec<String> = link
        .by
        .iter()
        .map(|pair| {
            let child = names.of_child(&pair.child.name).quoted();
            format!(
                "crossfade_p.{} {} crossfade_c.{child}",
                pair.parent.name.quoted(),
                pair.equal
            )
        })
        .collect();
    let pairs: Vec<String> = link
        .by
        .iter()
        .map(|pair| {
            let name = literal::text(pair.child.name.as_str());
            format!(
                "{name}, crossfade_c.{}",
                names.of_child(&pair.child.name).quoted()
            )
        })
        .collect();
    format!(
        "WITH crossfade_orphan AS MATERIALIZED (SELECT pg_catalog.jsonb_build_object({}) AS crossfade_key FROM {} AS crossfade_c \
         WHERE NOT EXISTS (SELECT FROM {} AS crossfade_p WHERE {})) \
         SELECT (SELECT pg_catalog.count(*) FROM crossfade_orphan), \
         (SELECT coalesce(pg_catalog.jsonb_agg(crossfade_key), '[]') FROM (SELECT crossfade_key FROM crossfade_orphan LIMIT $1) AS crossfade_first)",
        pairs.join(", "),
        names.child(&link.child),
        link.parent,
        key.join(" AND ")
    )
}
