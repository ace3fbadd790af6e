//! Foreign keys: whether the types of their columns compare in the way that PostgreSQL requires, which is known to the server only.

use super::{
    Compiler, Placed, explicit,
    expressions::{Added, added_columns, columns_retired, type_of},
};
use crate::sqlgen::foreign_key::ForeignKey;
use crate::{
    document::{Document, PhaseName},
    facts::{Facts, ReferenceTypes},
    steps::{Step, add_constraint::AddConstraint},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};

/// A column, the one that it refers to, and their types.
struct Pair {
    own: Ident,
    referred_table: TableName,
    referred: Ident,
    types: ReferenceTypes,
}

/// What the server is asked: a type, and the one that it refers to.
pub fn reference_types(document: &Document, facts: &Facts) -> Vec<ReferenceTypes> {
    let phases = explicit(document, facts).unwrap_or_default();
    let added = added_columns(&phases, facts);
    let mut types = Vec::new();
    for placed in &phases {
        for step in &placed.phase.steps {
            if let Step::AddConstraint(step) = step {
                let pairs = pairs(step, placed.phase.phase, &phases, &added, facts);
                types.extend(pairs.into_iter().map(|pair| pair.types));
            }
        }
    }
    types.sort();
    types.dedup();
    types
}

/// None where a type is not known, or where it is no foreign key.
fn pairs(
    step: &AddConstraint,
    phase: PhaseName,
    phases: &[Placed],
    added: &Added,
    facts: &Facts,
) -> Vec<Pair> {
    let Some(key) = ForeignKey::read(step.definition.trim()) else {
        return Vec::new();
    };
    // After `retire` a column may have another's name, and another type behind it.
    let type_then = |table: &TableName, column: &Ident| {
        let retired = match phase {
            PhaseName::Retire => columns_retired(table, phases, added, facts)?,
            _ => Vec::new(),
        };
        let renamed = retired.into_iter().rev().find(|(name, _)| name == column);
        renamed
            .map(|(_, type_name)| type_name)
            .or_else(|| type_of(table, column, added, facts))
    };
    let referred_table = step.references.as_ref().unwrap_or(&step.table);
    key.pairs()
        .filter_map(|(own, referred)| {
            let types = ReferenceTypes {
                own: type_then(&step.table, &own)?,
                referred: type_then(referred_table, &referred)?,
            };
            Some(Pair {
                own,
                referred_table: referred_table.clone(),
                referred,
                types,
            })
        })
        .collect()
}

impl Compiler<'_> {
    pub(super) fn check_reference(&mut self, path: &Path, step: &AddConstraint, phase: PhaseName) {
        for pair in pairs(step, phase, self.phases, &self.added, self.facts) {
            if self.facts.references.get(&pair.types) != Some(&false) {
                continue;
            }
            let (table, own) = (&step.table, &pair.own);
            let ReferenceTypes {
                own: own_type,
                referred: referred_type,
            } = &pair.types;
            let message = format!(
                "{table}.{own} ({own_type}) cannot refer to {}.{} ({referred_type})",
                pair.referred_table, pair.referred
            );
            self.problem(PlanError::at(path.clone(), message).help(
                "no index of the other table finds a value of this type: give both columns one type first (change_column_type)",
            ));
        }
    }
}
