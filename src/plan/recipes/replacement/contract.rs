//! The last phase: triggers, defaults and old columns go in one transaction, and what is left takes their names.

use super::Replacement;
use crate::plan::{
    facts::Column,
    ident::Ident,
    steps::{
        Step, drop_column::DropColumn, drop_constraint::DropConstraint, drop_sync::DropSync,
        own_sequence::OwnSequence, set_default::SetDefault,
    },
};
use crate::statement::rename::{substitute_column, without_qualifier};

impl Replacement<'_> {
    pub(super) fn contract(&self, renames: Vec<Step>) -> Vec<Step> {
        let table = self.table_name;
        let mut steps = vec![Step::DropSync(DropSync {
            table: table.clone(),
        })];
        for inbound in self.inbound() {
            steps.push(Step::DropConstraint(DropConstraint {
                table: inbound.table.clone(),
                name: inbound.name.clone(),
                references: Some(table.clone()),
                restore: None,
                irreversible: false,
            }));
        }
        for pair in &self.pairs {
            let column = if pair.keeps_name {
                &pair.old.name
            } else {
                &pair.new
            };
            if let Some(sequence) = &pair.old.owned_sequence {
                steps.push(Step::OwnSequence(OwnSequence {
                    table: table.clone(),
                    column: column.clone(),
                    sequence: sequence.clone(),
                }));
            }
            if let Some(default) = self.default(&pair.new) {
                steps.push(self.set_default(column, default));
            }
        }
        for (name, _) in &self.others {
            if let Some(default) = self.default(name) {
                steps.push(self.set_default(name, default));
            }
        }
        steps.extend(self.going().map(|column| {
            Step::DropColumn(DropColumn {
                table: table.clone(),
                column: column.name.clone(),
            })
        }));
        steps.extend(renames);
        steps
    }

    fn set_default(&self, column: &Ident, default: String) -> Step {
        Step::SetDefault(SetDefault {
            table: self.table_name.clone(),
            column: column.clone(),
            default,
            previous: None,
        })
    }

    /// The default that follows from those of the old columns, converted as values would be; `None` where they have
    /// none, or where a column is read that stays: a default cannot read it. A sequence's next value is taken as it is.
    fn default(&self, new: &Ident) -> Option<String> {
        let forward = self.forward.get(new)?;
        let sources = self.sources(new);
        let goes = |source: &Column| self.going().any(|column| column.name == source.name);
        if !sources.iter().any(|source| source.default.is_some())
            || !sources.iter().all(|source| goes(source))
        {
            return None;
        }
        if let ([source], Some(column)) = (sources.as_slice(), forward.as_column())
            && source.name == column
        {
            return source.default.clone();
        }
        let text = without_qualifier(forward.as_str(), &self.table_name.name);
        Some(sources.iter().fold(text, |text, source| {
            let default = source.default.as_deref().unwrap_or("NULL");
            let value = format!("(({default})::{})", source.type_name);
            substitute_column(&text, &source.name, &value)
        }))
    }
}
