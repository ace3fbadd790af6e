//! Which columns a plan writes and which it reads, and where that meets another run's.

use super::{
    compiled::{Action, Assignment, Fill, Match, Plan},
    document::RunName,
    facts::Facts,
    key::KeyColumn,
    scripts,
    steps::DdlStep,
    table_pair::Side,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use crossfade_sql::lexer::{Class, significant};
use std::{collections::BTreeSet, fmt};

type Columns = BTreeSet<(TableName, Ident)>;

/// Another run that is active, and where it stands: `in backfill`, `paused by …`.
#[derive(Clone, Debug)]
pub struct OtherRun {
    pub plan: Plan,
    pub standing: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Changes,
    Reads,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changes => "changes",
            Self::Reads => "reads",
        })
    }
}

/// The columns that a plan needs and does not change: in expressions, indexes, constraints, defaults, and the keys by
/// which its rows are known.
pub fn reads(plan: &Plan, facts: &Facts) -> Vec<(TableName, Ident)> {
    let mut reads = Columns::new();
    for (_, step) in plan.steps() {
        match &step.action {
            Action::SyncColumns(sync) => {
                read_by(&sync.table, &sync.forward, &sync.key, &mut reads);
                read_by(&sync.table, &sync.backward, &[], &mut reads);
            }
            Action::SyncTables(link) => {
                for side in [Side::Parent, Side::Child] {
                    let columns = link.columns(side).into_iter();
                    let table = link.table(side);
                    reads.extend(columns.map(|column| (table.clone(), column.name.clone())));
                }
            }
            // What they read of the two tables the sync reads too.
            Action::Fill(Fill { link: Some(_), .. })
            | Action::Match(Match { link: Some(_), .. }) => {}
            Action::Fill(fill) => read_by(&fill.table, &fill.set, &fill.key, &mut reads),
            Action::Match(matching) => {
                read_by(
                    &matching.table,
                    &matching.columns,
                    &matching.key,
                    &mut reads,
                );
                read_by(&matching.table, &matching.backward, &[], &mut reads);
            }
            // Of what a query of the author's reads nothing is known.
            Action::Query(_) => {}
            Action::Ddl(DdlStep::Sql(sql)) => reads.extend(scripts::read(sql, facts)),
            Action::Ddl(step) => {
                let step = step.ddl();
                let parts = step.parts(plan);
                let statements = parts.iter().flat_map(|part| &part.statements);
                let words: BTreeSet<String> = statements
                    .flat_map(|statement| words(&statement.sql))
                    .collect();
                for table in step.tables() {
                    let columns = facts
                        .table(table)
                        .into_iter()
                        .flat_map(|facts| &facts.columns);
                    let named = columns.filter(|column| words.contains(column.name.as_str()));
                    reads.extend(named.map(|column| (table.clone(), column.name.clone())));
                }
            }
        }
    }
    let changed: Columns = plan.claims.iter().cloned().collect();
    reads.difference(&changed).cloned().collect()
}

fn read_by(table: &TableName, assignments: &[Assignment], key: &[KeyColumn], reads: &mut Columns) {
    let read = assignments.iter().flat_map(|assignment| &assignment.reads);
    let key = key.iter().map(|column| &column.name);
    let read = read.map(|column| &column.name).chain(key);
    reads.extend(read.map(|column| (table.clone(), column.clone())));
}

/// The identifiers of a statement, unquoted and folded, those in dollar quotes too, as they may be a body; what is in other
/// string constants is not among them.
pub(super) fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    for token in significant(sql) {
        if token.class == Class::DollarString {
            words.extend(self::words(body(token.text(sql))));
        }
        words.extend(token.name(sql));
    }
    words
}

/// What stands between dollar quotes.
fn body(quoted: &str) -> &str {
    let tag = quoted[1..].find('$').map_or(quoted.len(), |end| end + 2);
    let inside = quoted.get(tag..).unwrap_or_default();
    inside.strip_suffix(&quoted[..tag]).unwrap_or(inside)
}

/// Where this plan and a run that is active would be in each other's way: one changes what the other changes or reads.
pub fn conflicts(plan: &Plan, others: &[OtherRun], at: &Path) -> Vec<PlanError> {
    others
        .iter()
        .filter(|other| other.plan.name != plan.name)
        .flat_map(|other| with_one(plan, other, at))
        .collect()
}

fn with_one(plan: &Plan, other: &OtherRun, at: &Path) -> Option<PlanError> {
    let met = met(plan, &other.plan);
    if met.is_empty() {
        return None;
    }
    let run: &RunName = &other.plan.name;
    let message = format!(
        "the active run {run} is in the way of {}: both are about {}",
        plan.name,
        met.join(", ")
    );
    Some(PlanError::at(at.clone(), message).on_key().help(format!(
        "{run} is {}: finish it or roll it back first; `crossfade status {run}` shows it",
        other.standing
    )))
}

/// Where two plans would be in each other's way, in words.
pub(super) fn met(plan: &Plan, other: &Plan) -> Vec<String> {
    let (ours, theirs) = (Uses::of(plan), Uses::of(other));
    let mut met: Vec<String> = Vec::new();
    for column in ours.all() {
        let (Some(our_use), Some(their_use)) = (ours.what(column), theirs.what(column)) else {
            continue;
        };
        if our_use == Use::Changes || their_use == Use::Changes {
            let (table, column) = column;
            met.push(format!(
                "{table}.{column} ({} {their_use} it, {} {our_use} it)",
                other.name, plan.name
            ));
        }
    }
    if met.is_empty() {
        let shared = ours.whole.iter().find(|table| theirs.touches(table));
        let shared = shared.or_else(|| theirs.whole.iter().find(|table| ours.touches(table)));
        met.extend(shared.map(|table| format!("{table}, which one of them replaces as a whole")));
    }
    if met.is_empty() {
        let puts = |rows: &Uses<'_>, triggers: &Uses<'_>, name: &RunName| {
            let table = rows.filled.intersection(&triggers.synced).next();
            table.map(|table| {
                format!("{table}, where {name} puts rows that fire no triggers of the other's")
            })
        };
        met.extend(puts(&ours, &theirs, &plan.name));
        met.extend(puts(&theirs, &ours, &other.name));
    }
    met
}

/// What a plan does with which columns.
struct Uses<'a> {
    changes: BTreeSet<&'a (TableName, Ident)>,
    reads: BTreeSet<&'a (TableName, Ident)>,
    /// Tables in whose place it puts something else.
    whole: BTreeSet<TableName>,
    /// Tables that its backfill inserts rows into.
    filled: BTreeSet<&'a TableName>,
    /// Tables on which it has triggers.
    synced: BTreeSet<&'a TableName>,
}

impl<'a> Uses<'a> {
    fn of(plan: &'a Plan) -> Self {
        let mut whole = BTreeSet::new();
        let (mut filled, mut synced) = (BTreeSet::new(), BTreeSet::new());
        for (_, step) in plan.steps() {
            match &step.action {
                Action::Ddl(DdlStep::Sql(sql)) => {
                    whole.extend(scripts::replaced(sql, plan.search_path.as_ref()));
                }
                Action::Ddl(step) if step.ddl().replaces_table() => {
                    whole.extend(step.ddl().tables().first().map(|table| (*table).clone()));
                }
                Action::SyncColumns(sync) => {
                    synced.insert(&sync.table);
                }
                Action::SyncTables(link) => synced.extend([&link.parent, &link.child]),
                Action::Fill(Fill {
                    link: Some(link), ..
                }) if link.new == Side::Child => {
                    filled.insert(&link.child);
                }
                Action::Ddl(_) | Action::Fill(_) | Action::Match(_) | Action::Query(_) => {}
            }
        }
        Self {
            changes: plan.claims.iter().collect(),
            reads: plan.reads.iter().collect(),
            whole,
            filled,
            synced,
        }
    }

    fn all(&self) -> impl Iterator<Item = &'a (TableName, Ident)> {
        self.changes.union(&self.reads).copied()
    }

    fn what(&self, column: &(TableName, Ident)) -> Option<Use> {
        if self.changes.contains(column) {
            Some(Use::Changes)
        } else {
            self.reads.contains(column).then_some(Use::Reads)
        }
    }

    fn touches(&self, table: &TableName) -> bool {
        self.whole.contains(table) || self.all().any(|(other, _)| other == table)
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn identifiers_are_told_from_constants() {
        assert_eq!(
            words(
                r#"CREATE INDEX i ON public.t USING btree (lower(status), "Odd ""name") WHERE note <> 'it''s id'"#
            ),
            [
                "create",
                "index",
                "i",
                "on",
                "public",
                "t",
                "using",
                "btree",
                "lower",
                "status",
                "Odd \"name",
                "where",
                "note"
            ]
        );
    }
}
