//! Two tables in step: which is the parent, what belongs to what, and whether a row that counts can be told.

use super::{Compiler, groups, unique};
use crate::{
    compiled::{Assignment, ColumnRef, Conversion, Fill, Match},
    document::{Assignments, Expression},
    facts::{ConstraintKind, EqualityKey, ExpressionKey, Table, TableKind},
    key::Operator,
    steps::{Step, fill::FillStep, rows_match::MatchStep, sync_tables::SyncTables},
    table_pair::{KeyPair, OrderedBy, Side, TablePair},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

/// `captured_at DESC NULLS LAST` → the expression and the direction.
pub(super) fn ordering(text: &Expression) -> (Expression, String) {
    let mut rest = text.as_str().trim();
    let mut words: Vec<&str> = Vec::new();
    for word in ["NULLS FIRST", "NULLS LAST", "ASC", "DESC"] {
        let Some(at) = rest.len().checked_sub(word.len()) else {
            continue;
        };
        let is_word = rest.is_char_boundary(at) && rest[at..].eq_ignore_ascii_case(word);
        if is_word && rest[..at].ends_with(char::is_whitespace) {
            words.insert(0, word);
            rest = rest[..at].trim_end();
        }
    }
    match Expression::try_from(rest.to_owned()) {
        Ok(expression) => (expression, words.join(" ")),
        // Nothing but a direction: the server will say what is wrong with it.
        Err(_) => (text.clone(), String::new()),
    }
}

fn equality_key(
    table: &TableName,
    column: &Ident,
    column_type: &str,
    other_type: &str,
) -> EqualityKey {
    EqualityKey {
        table: table.clone(),
        column: column.clone(),
        column_type: column_type.to_owned(),
        other_type: other_type.to_owned(),
    }
}

/// What the server is asked about the columns that rows are matched by.
pub(super) fn equality_keys(
    step: &SyncTables,
    type_of: impl Fn(&TableName, &Ident) -> Option<String>,
) -> Vec<EqualityKey> {
    let (parent, child) = step.parent_and_child();
    let mut keys = Vec::new();
    for (to, from) in &step.by {
        let (in_parent, in_child) = match step.new_side() {
            Side::Parent => (to, from),
            Side::Child => (from, to),
        };
        let Some(parent_type) = type_of(parent, in_parent) else {
            continue;
        };
        let child_type = type_of(child, in_child);
        let others = child_type.into_iter().chain([parent_type.clone()]);
        keys.extend(others.map(|other| equality_key(parent, in_parent, &parent_type, &other)));
    }
    keys
}

/// What the server is asked about the order.
pub(super) fn order_keys(step: &SyncTables) -> impl Iterator<Item = ExpressionKey> {
    let (_, child) = step.parent_and_child();
    step.order_by.iter().map(|order| ExpressionKey {
        table: child.clone(),
        expression: ordering(order).0,
        added: Vec::new(),
        target_type: None,
    })
}

impl Compiler<'_> {
    pub(super) fn link(&mut self, path: &Path, step: &SyncTables) -> Option<TablePair> {
        let (parent, child) = step.parent_and_child();
        if parent == child {
            self.problem(PlanError::at(
                path.key("from"),
                format!("{parent} is named as both tables"),
            ));
            return None;
        }
        self.check_kinds(path, step)?;
        let new = step.new_side();
        let by = self.key_pairs(path, step)?;
        let forward = self.across(path, "forward", step, &step.forward, new);
        let backward = self.across(path, "backward", step, &step.backward, new.other());
        let order_by = self.order(path, step, child);
        let (forward, backward, order_by) = (forward?, backward?, order_by?);
        if forward.is_empty() {
            self.problem(PlanError::at(
                path.key("forward"),
                "`forward` names no column",
            ));
            return None;
        }
        let (mut to_parent, mut to_child) = match new {
            Side::Parent => (forward, backward),
            Side::Child => (backward, forward),
        };
        number(&mut to_parent, &mut to_child);
        let mut link = TablePair {
            parent: parent.clone(),
            child: child.clone(),
            new,
            by,
            to_parent,
            to_child,
            order_by,
            delete_along: step.delete_along,
            may_have_orphans: true,
        };
        self.check_parent(path, &link);
        self.check_child(path, &mut link);
        for side in [Side::Parent, Side::Child] {
            for assignment in link.to(side) {
                self.claim(link.table(side), &assignment.target.name);
            }
        }
        Some(link)
    }

    /// A row of a partition may move to another one, which looks like a deletion and an insert; a view has no triggers.
    fn check_kinds(&mut self, path: &Path, step: &SyncTables) -> Option<()> {
        let mut all = Some(());
        for (word, name) in [("from", &step.from), ("to", &step.to)] {
            let fits = match self.table(name) {
                None => true,
                Some(table) => table.kind == TableKind::Table && !table.has_children,
            };
            if !fits {
                self.problem(
                    PlanError::at(path.key(word), format!("{name} is not an ordinary table"))
                        .help("columns can be moved between ordinary tables only, not between partitioned tables or tables with children"),
                );
                all = None;
            }
        }
        all
    }

    fn key_pairs(&mut self, path: &Path, step: &SyncTables) -> Option<Vec<KeyPair>> {
        if step.by.is_empty() {
            self.problem(
                PlanError::at(path.key("by"), "`by` names no column")
                    .help("say which rows belong together: `by: {id: shipment_id}`"),
            );
            return None;
        }
        let mut pairs = Vec::new();
        for (to, from) in &step.by {
            let (in_parent, in_child) = match step.new_side() {
                Side::Parent => (to, from),
                Side::Child => (from, to),
            };
            let (parent, child) = step.parent_and_child();
            let place = path.key("by");
            let parent_column = self.column(parent, in_parent, &place)?;
            let child_column = if self.is_created(child) {
                ColumnRef {
                    name: in_child.clone(),
                    ..parent_column.clone()
                }
            } else {
                self.column(child, in_child, &place)?
            };
            let equal = self.equality(path, step, &parent_column, &child_column.type_name)?;
            let own = self.equality(path, step, &parent_column, &parent_column.type_name)?;
            pairs.push(KeyPair {
                parent: parent_column,
                child: child_column,
                equal,
                own,
            });
        }
        Some(pairs)
    }

    /// What the application means by `=` between the two, which must be what keeps the parent's rows apart: else a row of the
    /// child could belong to several, and no index would find them.
    fn equality(
        &mut self,
        path: &Path,
        step: &SyncTables,
        column: &ColumnRef,
        other_type: &str,
    ) -> Option<Operator> {
        let (parent, _) = step.parent_and_child();
        let key: BTreeSet<&Ident> = match step.new_side() {
            Side::Parent => step.by.keys().collect(),
            Side::Child => step.by.values().collect(),
        };
        let is_key_unique = self
            .table(parent)
            .is_some_and(|table| unique::is_unique(table, &key));
        let (name, type_name) = (&column.name, &column.type_name);
        let key = equality_key(parent, name, type_name, other_type);
        match self.facts.equalities.get(&key) {
            // Not asked about, as something else is wrong; or nothing unique is there, which is said elsewhere.
            None => Some(Operator::default()),
            Some(Ok(found)) if found.is_unique || !is_key_unique => Some(found.operator.clone()),
            Some(Ok(found)) => {
                let message = format!(
                    "`=` between {parent}.{name} ({type_name}) and {other_type} is {}, and no unique index on {name} uses it",
                    found.signature
                );
                self.problem(PlanError::at(path.key("by"), message).help(
                    "give both columns one type first (change_column_type); names are looked for where `settings.search_path` says",
                ));
                None
            }
            Some(Err(_)) if !is_key_unique => Some(Operator::default()),
            Some(Err(error)) => {
                let problem = PlanError::at(path.key("by"), error.message.clone());
                self.problem(problem.help("give both columns one type first (change_column_type)"));
                None
            }
        }
    }

    /// Columns of one table from the other's. Of a table that the plan makes the columns are those that are copied.
    fn across(
        &mut self,
        path: &Path,
        word: &str,
        step: &SyncTables,
        assignments: &Assignments,
        to: Side,
    ) -> Option<Vec<Assignment>> {
        let (parent, child) = step.parent_and_child();
        let (target_table, source_table) = match to {
            Side::Parent => (parent, child),
            Side::Child => (child, parent),
        };
        let compiled: Vec<Option<Assignment>> = assignments
            .iter()
            .map(|(target, expression)| {
                let place = if self.document.is_explicit() {
                    path.key(word).key(&target.to_string())
                } else {
                    self.recipe_place(path, target_table, target, expression)
                };
                if self.is_created(child) {
                    self.copied(&place, parent, to, target, expression)
                } else {
                    let target = self.column(target_table, target, &place)?;
                    self.computed(&place, source_table, target, expression)
                }
            })
            .collect();
        compiled.into_iter().collect()
    }

    fn copied(
        &mut self,
        place: &Path,
        parent: &TableName,
        to: Side,
        target: &Ident,
        expression: &Expression,
    ) -> Option<Assignment> {
        let Some(source) = expression.as_column() else {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!("`{expression}` is not a column: a table that is made by the plan gets copies"),
                )
                .help("copy the column now, and change it in the new table by a plan of its own"),
            );
            return None;
        };
        let in_parent = match to {
            Side::Parent => target,
            Side::Child => &source,
        };
        let column = self.column(parent, in_parent, place)?;
        let named = |name: &Ident| ColumnRef {
            name: name.clone(),
            ..column.clone()
        };
        Some(Assignment {
            target: named(target),
            expression: expression.clone(),
            reads: vec![named(&source)],
            conversion: Conversion::Copy,
            group: 0,
        })
    }

    fn order(
        &mut self,
        path: &Path,
        step: &SyncTables,
        child: &TableName,
    ) -> Option<Vec<OrderedBy>> {
        let mut all = Vec::new();
        for (key, text) in order_keys(step).zip(&step.order_by) {
            let place = path.key("order_by");
            let (expression, direction) = ordering(text);
            let found = match self.facts.expressions.get(&key) {
                Some(Ok(facts)) => {
                    if let Some(called) = facts.wanders() {
                        self.problem(super::assignments::wanders(&place, &expression, called));
                        return None;
                    }
                    facts.clone()
                }
                Some(Err(error)) => {
                    let problem = PlanError::at(place, error.message.clone());
                    let help = error.help.clone();
                    self.problem(problem.help(help.unwrap_or_else(|| {
                        "write a column of the table, optionally followed by DESC or NULLS LAST"
                            .to_owned()
                    })));
                    return None;
                }
                None => return None,
            };
            let reads: Option<Vec<ColumnRef>> = found
                .reads
                .iter()
                .map(|column| self.column(child, column, &path.key("order_by")))
                .collect();
            all.push(OrderedBy {
                expression: found.resolved,
                direction,
                reads: reads?,
            });
        }
        Some(all)
    }

    /// Each row of the child belongs to one row of the parent at most, and that is found by an index.
    fn check_parent(&mut self, path: &Path, link: &TablePair) {
        let Some(table) = self.table(&link.parent) else {
            return;
        };
        let key = link.key();
        let columns: BTreeSet<&Ident> = key.iter().collect();
        let list: Vec<String> = key.iter().map(Ident::to_string).collect();
        let list = list.join(", ");
        if !unique::is_unique(table, &columns) {
            let why = unique::falls_short(table, &columns);
            self.problem(
                PlanError::at(
                    path.key("by"),
                    format!("{list} is not unique in {}{why}", link.parent),
                )
                .help("rows have to belong to one: add_unique or add_primary_key first"),
            );
        }
        for column in columns {
            let nullable = table.column(column).is_some_and(|column| !column.not_null);
            if nullable {
                self.problem(
                    PlanError::at(
                        path.key("by"),
                        format!(
                            "{column} of {} may be NULL, and nothing belongs to NULL",
                            link.parent
                        ),
                    )
                    .help("set_not_null first"),
                );
            }
        }
    }

    fn check_child(&mut self, path: &Path, link: &mut TablePair) {
        let Some(table) = self.table(&link.child) else {
            // Made by the plan: with a key, and a foreign key to the parent.
            link.may_have_orphans = false;
            return;
        };
        let key: Vec<Ident> = link.by.iter().map(|pair| pair.child.name.clone()).collect();
        let columns: BTreeSet<&Ident> = key.iter().collect();
        let list: Vec<String> = key.iter().map(Ident::to_string).collect();
        let list = list.join(", ");
        let is_indexed = table.indexes.iter().any(|index| {
            let leading: BTreeSet<&Ident> = index.columns.iter().take(columns.len()).collect();
            index.valid
                && index.plain_columns >= columns.len()
                && leading == columns
                && !index.using.contains(" WHERE ")
        });
        if !is_indexed {
            self.problem(
                PlanError::at(
                    path.key("by"),
                    format!(
                        "{} has no index on {list}: each write of {} would read all of it",
                        link.child, link.parent
                    ),
                )
                .help("add_index first"),
            );
        }
        let is_single = unique::is_unique(table, &columns);
        self.check_unambiguous(path, link, table, is_single, &list);
        self.check_insertable(path, link, table);
        let refers = table.constraints.iter().any(|constraint| {
            constraint.kind == ConstraintKind::ForeignKey
                && constraint.validated
                && constraint.references().as_ref() == Some(&link.parent)
                && constraint.columns.iter().collect::<BTreeSet<_>>() == columns
        });
        let is_required = key
            .iter()
            .all(|column| table.column(column).is_some_and(|column| column.not_null));
        link.may_have_orphans = !(refers && is_required);
    }

    /// Which of several rows counts must be told by the plan, the same each time, and not be changed by what is written back.
    fn check_unambiguous(
        &mut self,
        path: &Path,
        link: &mut TablePair,
        table: &Table,
        is_single: bool,
        list: &str,
    ) {
        if is_single {
            link.order_by.clear();
            return;
        }
        if link.order_by.is_empty() {
            self.problem(
                PlanError::at(
                    path.key("by"),
                    format!(
                        "several rows of {} may have the same {list}{}, and the plan does not say which of them to use",
                        link.child,
                        unique::falls_short(table, &link.by.iter().map(|pair| &pair.child.name).collect())
                    ),
                )
                .help("say it: `order_by: [captured_at DESC]`; or make them unique first (add_unique)"),
            );
            return;
        }
        let ordered: BTreeSet<&Ident> = link
            .order_by
            .iter()
            .filter(|order| order.expression.as_column().is_some())
            .flat_map(|order| &order.reads)
            .map(|column| &column.name)
            .collect();
        let read: BTreeSet<&Ident> = link
            .to_parent
            .iter()
            .flat_map(|one| &one.reads)
            .map(|column| &column.name)
            .collect();
        let written: Vec<&Ident> = link.to_child.iter().map(|one| &one.target.name).collect();
        let mut problems = Vec::new();
        if let Some(column) = written.iter().find(|column| {
            let reads = link.order_by.iter().flat_map(|order| &order.reads);
            reads.into_iter().any(|read| read.name == ***column)
        }) {
            problems.push(PlanError::at(
                path.key("order_by"),
                format!("{column} decides which row of {} is used, and the triggers write it back: another row would be used then", link.child),
            ).help("leave it out of `backward`, or make the rows unique first (add_unique)"));
        }
        let is_total = ordered.is_superset(&read)
            || table.indexes.iter().any(|index| {
                index.unique
                    && index.valid
                    && !index.using.contains(" WHERE ")
                    && index.plain_columns == index.columns.len()
                    && index.columns.iter().all(|column| ordered.contains(column))
            });
        if !is_total {
            let key: Vec<ColumnRef> = table
                .key
                .iter()
                .filter(|column| !ordered.contains(column))
                .filter_map(|column| {
                    let column = table.column(column)?;
                    Some(ColumnRef {
                        name: column.name.clone(),
                        type_name: column.type_name.clone(),
                        exact: column.exact,
                    })
                })
                .collect();
            if key.is_empty() {
                problems.push(PlanError::at(
                    path.key("order_by"),
                    format!("rows of {} may be equal in this order, and {0} has no key to tell them apart", link.child),
                ).help("add a column to `order_by` that tells them apart, or a primary key to the table first"));
            }
            // Of rows that are equal in the author's order the one with the lowest key.
            link.order_by
                .extend(key.into_iter().map(|column| OrderedBy {
                    expression: Expression::column(&column.name),
                    direction: String::new(),
                    reads: vec![column],
                }));
        }
        self.problems.extend(problems);
    }

    /// What the new version writes for the first time becomes a row of the child: it must be one that the table takes.
    fn check_insertable(&mut self, path: &Path, link: &TablePair, table: &Table) {
        if link.to_child.is_empty() {
            return;
        }
        let given: BTreeSet<&Ident> = link
            .by
            .iter()
            .map(|pair| &pair.child.name)
            .chain(link.to_child.iter().map(|one| &one.target.name))
            .collect();
        let missing: Vec<String> = table
            .columns
            .iter()
            .filter(|column| {
                let fills_itself = column.default.is_some() || column.identity.is_some();
                column.not_null && !fills_itself && !given.contains(&column.name)
            })
            .map(|column| column.name.to_string())
            .collect();
        if !missing.is_empty() {
            self.problem(
                PlanError::at(
                    path.key("backward"),
                    format!(
                        "{} of {} is NOT NULL without a default: what the new version writes could not be stored as a row of it",
                        missing.join(", "),
                        link.child
                    ),
                )
                .help("say in `backward` what it is, or give it a default first (set_default)"),
            );
        }
    }

    /// The plan's link between these tables: what a fill and a match go by.
    fn link_between(&mut self, path: &Path, to: &TableName, from: &TableName) -> Option<TablePair> {
        let phases = self.phases;
        let found = phases
            .iter()
            .flat_map(|placed| &placed.phase.steps)
            .find_map(|step| match step {
                Step::SyncTables(sync) if sync.to == *to && sync.from == *from => Some(sync),
                _ => None,
            });
        let Some(sync) = found else {
            self.problem(
                PlanError::at(
                    path.key("from"),
                    format!("nothing keeps {from} and {to} in step"),
                )
                .help("add sync_tables in dual_write: what is written meanwhile would be missed"),
            );
            return None;
        };
        // What is wrong with it is said where it stands.
        let known = self.problems.len();
        let link = self.link(path, sync);
        self.problems.truncate(known);
        link
    }

    pub(super) fn fill_across(
        &mut self,
        path: &Path,
        step: &FillStep,
        from: &TableName,
    ) -> Option<Fill> {
        if !step.set.is_empty() {
            self.problem(PlanError::at(
                path.key("set"),
                "`set` and `from` exclude each other: between two tables, sync_tables says what is set",
            ));
            return None;
        }
        let link = self.link_between(path, &step.table, from)?;
        Some(Fill {
            table: link.parent.clone(),
            set: link.forward().to_vec(),
            key: link.key_columns(),
            link: Some(link),
        })
    }

    pub(super) fn match_across(
        &mut self,
        path: &Path,
        step: &MatchStep,
        from: &TableName,
    ) -> Option<Match> {
        if !step.columns.is_empty() || !step.backward.is_empty() {
            self.problem(PlanError::at(
                path.key("columns"),
                "`columns` and `from` exclude each other: between two tables, sync_tables says what must agree",
            ));
            return None;
        }
        let link = self.link_between(path, &step.table, from)?;
        Some(Match {
            table: link.parent.clone(),
            columns: link.forward().to_vec(),
            backward: link.backward().to_vec(),
            key: link.key_columns(),
            link: Some(link),
        })
    }
}

/// Numbers the groups: columns of either table that an expression connects. Names of the two are told apart.
fn number(to_parent: &mut [Assignment], to_child: &mut [Assignment]) {
    let told_apart = |assignments: &[Assignment], target: &str, source: &str| {
        let named = |mark: &str, column: &ColumnRef| ColumnRef {
            name: Ident::from_catalog(format!("{mark}.{}", column.name.as_str())),
            ..column.clone()
        };
        let renamed = assignments.iter().map(|one| Assignment {
            target: named(target, &one.target),
            reads: one
                .reads
                .iter()
                .map(|column| named(source, column))
                .collect(),
            ..one.clone()
        });
        renamed.collect::<Vec<_>>()
    };
    let mut parent = told_apart(to_parent, "parent", "child");
    let mut child = told_apart(to_child, "child", "parent");
    groups::number(&mut parent, &mut child);
    for (to, numbered) in [(to_parent, parent), (to_child, child)] {
        for (one, numbered) in to.iter_mut().zip(numbered) {
            one.group = numbered.group;
            one.conversion = numbered.conversion;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_told_from_its_expression() {
        let read = |text: &str| {
            let (expression, direction) = ordering(&Expression::try_from(text.to_owned()).unwrap());
            (expression.to_string(), direction)
        };
        let expected =
            |expression: &str, direction: &str| (expression.to_owned(), direction.to_owned());
        assert_eq!(read("a"), expected("a", ""));
        assert_eq!(read("a desc"), expected("a", "DESC"));
        assert_eq!(read("a DESC nulls last"), expected("a", "DESC NULLS LAST"));
        assert_eq!(
            read("lower(b) NULLS FIRST"),
            expected("lower(b)", "NULLS FIRST")
        );
        assert_eq!(read("desc"), expected("desc", ""));
        assert_eq!(read("\"a desc\""), expected("\"a desc\"", ""));
    }
}
