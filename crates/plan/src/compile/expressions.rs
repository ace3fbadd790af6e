//! What is to be asked of the server about a plan: its expressions, over the columns that are and will be, and its types.

use super::{Placed, explicit, links};
use crate::changes;
use crate::sqlgen::foreign_key::ForeignKey;
use crate::{
    document::{Assignments, Document, Expression, PhaseName},
    facts::{EqualityKey, ExpressionKey, Facts},
    recipes::Recipe,
    scripts,
    steps::{
        Step,
        add_constraint::AddConstraint,
        create_index::{CreateIndex, Indexed},
    },
};
use crossfade_model::ident::{Ident, TableName};
use std::{borrow::Cow, collections::BTreeMap};

/// The expressions that facts are needed of, and where each stands.
pub fn expressions(document: &Document, facts: &Facts) -> Vec<ExpressionKey> {
    let Ok(phases) = explicit(document, facts) else {
        return Vec::new();
    };
    let added = added_columns(&phases, facts);
    let mut keys = Vec::new();
    // Of a target that is not there nothing is asked: that is the error.
    let mut collect = |over: &TableName, of: &TableName, assignments: &Assignments| {
        for (target, expression) in assignments {
            let target_type = type_of(of, target, &added, facts);
            keys.extend(target_type.map(|type_name| key(over, &type_name, expression, &added)));
        }
    };
    for step in phases.iter().flat_map(|placed| &placed.phase.steps) {
        match step {
            Step::SyncColumns(step) => {
                collect(&step.table, &step.table, &step.forward);
                collect(&step.table, &step.table, &step.backward);
            }
            Step::SyncTables(step) => {
                collect(&step.from, &step.to, &step.forward);
                collect(&step.to, &step.from, &step.backward);
            }
            Step::Fill(step) => collect(&step.table, &step.table, &step.set),
            Step::Match(step) => {
                collect(&step.table, &step.table, &step.columns);
                collect(&step.table, &step.table, &step.backward);
            }
            _ => {}
        }
    }
    for step in phases.iter().flat_map(|placed| &placed.phase.steps) {
        if let Step::SyncTables(step) = step {
            keys.extend(links::order_keys(step));
        }
    }
    for Placed { phase, .. } in &phases {
        for step in &phase.steps {
            match step {
                Step::AddConstraint(step) => {
                    keys.extend(check_key(step, phase.phase, &phases, &added, facts));
                }
                Step::CreateIndex(step) => {
                    keys.extend(index_keys(step, phase.phase, &phases, &added, facts));
                }
                _ => {}
            }
        }
    }
    keys.extend(conditions(document, facts));
    keys.sort();
    keys.dedup();
    keys
}

/// What recipes ask of a row or of a default, each as the changes before it leave the table.
fn conditions(document: &Document, facts: &Facts) -> Vec<ExpressionKey> {
    let mut keys = Vec::new();
    for (recipe, facts) in with_facts(document, facts) {
        let conditions = recipe.conditions().into_iter();
        keys.extend(conditions.map(|condition| condition.key(&facts)));
    }
    keys
}

/// Each recipe with the facts that it is compiled with.
pub(super) fn with_facts<'a>(
    document: &'a Document,
    facts: &'a Facts,
) -> Vec<(&'a Recipe, Cow<'a, Facts>)> {
    match &document.changes {
        Some(recipes) => recipes.iter().zip(changes::given(recipes, facts)).collect(),
        None => {
            let one = document.change.iter();
            one.map(|recipe| (recipe, Cow::Borrowed(facts))).collect()
        }
    }
}

/// What is to be known of `=` between the columns of two tables.
pub fn equalities(document: &Document, facts: &Facts) -> Vec<EqualityKey> {
    let phases = explicit(document, facts).unwrap_or_default();
    let added = added_columns(&phases, facts);
    let steps = phases.iter().flat_map(|placed| &placed.phase.steps);
    let mut keys: Vec<EqualityKey> = steps
        .filter_map(|step| match step {
            Step::SyncTables(step) => Some(step),
            _ => None,
        })
        .flat_map(|step| {
            links::equality_keys(step, |table, column| type_of(table, column, &added, facts))
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The condition of a CHECK, over the columns as they are when it is added: after `retire` a column may have another's
/// name, and another type behind it.
pub(super) fn check_key(
    step: &AddConstraint,
    phase: PhaseName,
    phases: &[Placed],
    added: &Added,
    facts: &Facts,
) -> Option<ExpressionKey> {
    // Before `retire` it may be a plain copy's of the same type, which fits as its predecessor did.
    let is_asked = || {
        phase == PhaseName::Retire
            || !is_replaced(&step.table, phases)
            || is_converted(&step.table, phases, added, facts)
    };
    let condition = match step.condition() {
        Some(condition) if is_asked() => condition,
        None if phase == PhaseName::Retire => joined(step, phases, added, facts)?,
        _ => return None,
    };
    let columns = match phase {
        PhaseName::Retire => columns_retired(&step.table, phases, added, facts)?,
        _ if is_replaced(&step.table, phases) => {
            added.get(&step.table).cloned().unwrap_or_default()
        }
        _ => columns_retired(&step.table, phases, added, facts)?,
    };
    Some(ExpressionKey {
        table: step.table.clone(),
        expression: condition,
        added: columns,
        target_type: Some("boolean".to_owned()),
    })
}

/// Of a foreign key: that its columns can be compared with those that they refer to.
fn joined(
    step: &AddConstraint,
    phases: &[Placed],
    added: &Added,
    facts: &Facts,
) -> Option<Expression> {
    let key = ForeignKey::read(&step.definition)?;
    // One to its own table says no other.
    let referred = step.references.as_ref().unwrap_or(&step.table);
    let retired = columns_retired(referred, phases, added, facts)?;
    let mut tests = Vec::new();
    for (own, theirs) in key.pairs() {
        let now = retired.iter().rev().find(|(name, _)| *name == theirs);
        let type_name = match now {
            Some((_, type_name)) => type_name.clone(),
            None => type_of(referred, &theirs, added, facts)?,
        };
        tests.push(format!("{own} = NULL::{type_name}"));
    }
    Expression::try_from(tests.join(" AND ")).ok()
}

/// The expressions of an index on a table whose columns are replaced, over the columns as they are when it is built.
pub(super) fn index_keys(
    step: &CreateIndex,
    phase: PhaseName,
    phases: &[Placed],
    added: &Added,
    facts: &Facts,
) -> Vec<ExpressionKey> {
    if !is_replaced(&step.table, phases) {
        return Vec::new();
    }
    let columns = match phase {
        PhaseName::Retire => columns_retired(&step.table, phases, added, facts),
        _ => Some(added.get(&step.table).cloned().unwrap_or_default()),
    };
    let columns = columns.unwrap_or_default();
    let key = |indexed| {
        let (expression, target_type) = match indexed {
            Indexed::Key(expression) => (expression, None),
            Indexed::Condition(expression) => (expression, Some("boolean".to_owned())),
        };
        ExpressionKey {
            table: step.table.clone(),
            expression,
            added: columns.clone(),
            target_type,
        }
    };
    step.expressions().into_iter().map(key).collect()
}

fn is_replaced(table: &TableName, phases: &[Placed]) -> bool {
    let mut steps = phases.iter().flat_map(|placed| &placed.phase.steps);
    steps.any(|other| matches!(other, Step::SyncColumns(sync) if sync.table == *table))
}

/// A new column is of another type than the one that it is computed from, or of none.
fn is_converted(table: &TableName, phases: &[Placed], added: &Added, facts: &Facts) -> bool {
    let mut steps = phases.iter().flat_map(|placed| &placed.phase.steps);
    steps.any(|step| match step {
        Step::SyncColumns(sync) if sync.table == *table => {
            sync.forward.iter().any(|(new, expression)| {
                let old = expression.as_column();
                let old = old.and_then(|old| type_of(table, &old, added, facts));
                old.is_none() || old != type_of(table, new, added, facts)
            })
        }
        _ => false,
    })
}

/// The columns that are added, and those that have another's name after `retire`. `None`: a type is not known.
pub(super) fn columns_retired(
    table: &TableName,
    phases: &[Placed],
    added: &Added,
    facts: &Facts,
) -> Option<Vec<(Ident, String)>> {
    let mut columns = added.get(table).cloned().unwrap_or_default();
    for other in phases.iter().flat_map(|placed| &placed.phase.steps) {
        if let Step::RetireColumn(retire) = other
            && retire.table == *table
            && let Some(by) = &retire.replace_with
        {
            let type_name = type_of(table, by, added, facts)?;
            columns.push((retire.column.clone(), type_name));
        }
    }
    Some(columns)
}

pub(super) type Added = BTreeMap<TableName, Vec<(Ident, String)>>;

/// The columns that the plan adds and that are not there yet.
pub(super) fn added_columns(phases: &[Placed], facts: &Facts) -> Added {
    let mut added = Added::new();
    for step in phases.iter().flat_map(|placed| &placed.phase.steps) {
        if let Step::AddColumn(step) = step {
            let exists = facts
                .table(&step.table)
                .is_some_and(|table| table.column(&step.column).is_some());
            if !exists {
                added
                    .entry(step.table.clone())
                    .or_default()
                    .push((step.column.clone(), canonical(&step.type_name, facts)));
            }
        }
    }
    added
}

/// The type as the server writes it; as it stands in the plan where the server does not know it.
pub(super) fn canonical(type_name: &str, facts: &Facts) -> String {
    match facts.types.get(type_name) {
        Some(Ok(canonical)) => canonical.clone(),
        Some(Err(_)) | None => type_name.to_owned(),
    }
}

/// The tables that facts are needed of, those among them that a recipe finds with the facts that there are: partitions,
/// what a foreign key refers to.
pub fn tables(document: &Document, facts: &Facts) -> Vec<TableName> {
    let phases = explicit(document, facts).unwrap_or_default();
    let steps = phases.iter().flat_map(|placed| &placed.phase.steps);
    let scripts = steps.filter_map(|step| match step {
        Step::Sql(sql) => Some(scripts::tables(sql, facts.search_path.as_ref())),
        _ => None,
    });
    let mut tables = changed_tables(document, facts);
    tables.extend(scripts.flatten());
    tables.sort();
    tables.dedup();
    tables
}

/// Those of them that the plan's steps are about: they must be there, and be the role's own. What the author's own
/// statements are about is theirs to know.
pub(super) fn changed_tables(document: &Document, facts: &Facts) -> Vec<TableName> {
    let phases = explicit(document, facts).unwrap_or_default();
    let steps = phases.iter().flat_map(|placed| &placed.phase.steps);
    let mut tables = document.tables(facts);
    tables.extend(steps.flat_map(Step::tables).cloned());
    tables.sort();
    tables.dedup();
    tables
}

/// The types that the server is to be asked about.
pub fn types(document: &Document, facts: &Facts) -> Vec<String> {
    let phases = explicit(document, facts).unwrap_or_default();
    let mut types: Vec<String> = phases
        .iter()
        .flat_map(|placed| &placed.phase.steps)
        .filter_map(|step| match step {
            Step::AddColumn(step) => Some(step.type_name.clone()),
            Step::AlterColumnType(step) => Some(step.type_name.clone()),
            Step::AddEnumValue(step) => Some(step.name.to_string()),
            _ => None,
        })
        .collect();
    types.dedup();
    types
}

pub(super) fn type_of(
    table: &TableName,
    column: &Ident,
    added: &Added,
    facts: &Facts,
) -> Option<String> {
    let existing = facts.table(table).and_then(|table| table.column(column));
    existing.map(|column| column.type_name.clone()).or_else(|| {
        let added = added.get(table)?;
        added
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, type_name)| type_name.clone())
    })
}

/// An expression over `table` for a column of this type.
pub(super) fn key(
    table: &TableName,
    target_type: &str,
    expression: &Expression,
    added: &Added,
) -> ExpressionKey {
    ExpressionKey {
        table: table.clone(),
        expression: expression.clone(),
        added: added.get(table).cloned().unwrap_or_default(),
        target_type: Some(target_type.to_owned()),
    }
}
