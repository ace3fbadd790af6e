//! Keys of indexes: whether the access method takes values of their types, which is known to the server only.

use super::{
    Compiler, Placed, explicit,
    expressions::{Added, added_columns, columns_retired, index_keys, type_of},
};
use crate::{
    document::{Document, PhaseName},
    facts::{Facts, IndexKey},
    sqlgen::index_definition::IndexDefinition,
    sqlgen::rename::names,
    steps::{Step, create_index::CreateIndex},
};
use crossfade_model::error::{Path, PlanError};

/// What the server is asked, once it has been asked about the expressions.
pub fn indexed_keys(document: &Document, facts: &Facts) -> Vec<IndexKey> {
    let phases = explicit(document, facts).unwrap_or_default();
    let added = added_columns(&phases, facts);
    let mut asked = Vec::new();
    for placed in &phases {
        for step in &placed.phase.steps {
            if let Step::CreateIndex(step) = step {
                let found = keys(step, placed.phase.phase, &phases, &added, facts);
                asked.extend(found.into_iter().map(|(_, key)| key));
            }
        }
    }
    asked.sort();
    asked.dedup();
    asked
}

/// Each key as it is written, with its type at that time. Those are missing whose type is not known.
fn keys(
    step: &CreateIndex,
    phase: PhaseName,
    phases: &[Placed],
    added: &Added,
    facts: &Facts,
) -> Vec<(String, IndexKey)> {
    let Some(definition) = IndexDefinition::read(&step.using) else {
        return Vec::new();
    };
    let retired = match phase {
        PhaseName::Retire => columns_retired(&step.table, phases, added, facts),
        _ => None,
    };
    let retired = retired.unwrap_or_default();
    let computed = index_keys(step, phase, phases, added, facts);
    let type_then = |key: &str| match definition.expressions().any(|one| one == key) {
        true => {
            let asked = computed.iter().find(|one| one.expression.as_str() == key)?;
            let found = facts.expressions.get(asked)?.as_ref().ok()?;
            Some(found.type_name.clone())
        }
        false => {
            let name = names(key).into_iter().next()?;
            let renamed = retired.iter().rev().find(|(column, _)| *column == name);
            renamed
                .map(|(_, type_name)| type_name.clone())
                .or_else(|| type_of(&step.table, &name, added, facts))
        }
    };
    let keys = definition.keys.iter().zip(&definition.orders);
    keys.filter_map(|(key, order)| {
        let asked = IndexKey {
            type_name: type_then(key)?,
            method: definition.method.to_owned(),
            order: (*order).to_owned(),
        };
        Some(((*key).to_owned(), asked))
    })
    .collect()
}

impl Compiler<'_> {
    pub(super) fn check_keys_fit(&mut self, path: &Path, step: &CreateIndex, phase: PhaseName) {
        for (written, key) in keys(step, phase, self.phases, &self.added, self.facts) {
            let Some(why) = self.facts.unfit_keys.get(&key) else {
                continue;
            };
            let message = format!(
                "the index {} cannot be built over {written}, which is {}: {why}",
                step.name, key.type_name
            );
            let help = match self.is_added_by_a_change(step) {
                true => {
                    "name another method, or an operator class for this type: `using`, `columns`"
                }
                false => {
                    "drop it first, and add one that fits the new type after the change (recipe add_index)"
                }
            };
            self.problem(PlanError::at(path.clone(), message).help(help));
        }
    }
}
