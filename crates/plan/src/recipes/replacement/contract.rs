//! The last phase: triggers, defaults and old columns go in one transaction, and what is left takes their names.

use super::{
    super::sequences::{Numbers, Reach},
    Keys, Replacement,
};
use crate::sqlgen::rename::{substitute_column, without_qualifier};
use crate::{
    facts::{Column, ConstraintKind, Grant},
    steps::{
        Step,
        drop_column::DropColumn,
        drop_constraint::DropConstraint,
        drop_sync::DropSync,
        move_identity::{MoveIdentity, SequenceGrant, SequencePrivilege},
        own_sequence::OwnSequence,
        set_default::SetDefault,
        take_place::TakePlace,
    },
};
use crossfade_model::ident::{Ident, TableName};

impl Replacement<'_> {
    pub(super) fn contract(&self, renames: Vec<Step>) -> Vec<Step> {
        let table = self.table_name;
        let mut steps = vec![Step::DropSync(DropSync {
            table: table.clone(),
        })];
        steps.extend(self.drop_foreign_keys());
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
                    number_type: None,
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
        steps.extend(self.widen_sequences());
        steps.extend(self.going().map(|column| {
            Step::DropColumn(DropColumn {
                table: table.clone(),
                column: column.name.clone(),
            })
        }));
        steps.extend(renames);
        steps
    }

    pub fn drop_sync(&self) -> Step {
        Step::DropSync(DropSync {
            table: self.table_name.clone(),
        })
    }

    /// The old foreign keys, from and to the old columns: a primary key that is referred to cannot be swapped. Left alone they
    /// would go with their columns, and with a lock on the other table: so they go by name, before.
    pub fn drop_foreign_keys(&self) -> Vec<Step> {
        let drop = |on: &TableName, name: &Ident, references: Option<TableName>| {
            Step::DropConstraint(DropConstraint {
                table: on.clone(),
                name: name.clone(),
                references: references.filter(|other| other != on),
                restore: None,
                irreversible: false,
            })
        };
        let own = self
            .constraints()
            .filter(|constraint| constraint.kind == ConstraintKind::ForeignKey)
            .map(|own| drop(self.table_name, &own.name, own.references()));
        let inbound = self.inbound().map(|inbound| {
            let references = Some(self.table_name.clone());
            drop(&inbound.table, &inbound.name, references)
        });
        own.chain(inbound).collect()
    }

    /// Numbers and defaults pass to the new columns, which take the old ones' place at once.
    pub fn take_places(&self) -> Vec<Step> {
        let table = self.table_name;
        let mut steps = Vec::new();
        for pair in &self.pairs {
            let (column, old) = (&pair.new, pair.old);
            if let Some(sequence) = &old.owned_sequence {
                steps.push(Step::OwnSequence(OwnSequence {
                    table: table.clone(),
                    column: column.clone(),
                    sequence: sequence.clone(),
                    number_type: None,
                }));
            }
            if let Some(default) = &old.default {
                steps.push(self.set_default(column, default.clone()));
            }
            if let Some(identity) = &old.identity
                && let Ok(sequence) = identity.sequence.parse()
            {
                steps.push(Step::MoveIdentity(MoveIdentity {
                    table: table.clone(),
                    column: column.clone(),
                    always: identity.always,
                    sequence,
                    options: identity.options.clone(),
                    revoke_from: identity.default_grantees.clone(),
                    grants: identity
                        .grants
                        .iter()
                        .filter_map(|grant| sequence_grant(grant, &self.table.owner))
                        .collect(),
                    comment: identity.comment.clone(),
                }));
            }
            steps.push(Step::TakePlace(TakePlace {
                table: table.clone(),
                column: old.name.clone(),
                by: column.clone(),
            }));
        }
        steps
    }

    /// The numbers that new columns take from then on: from sequences of the old ones, by default or as their own.
    pub(super) fn numbers(&self) -> Vec<Numbers<'_>> {
        let table = self.table_name;
        let family: &[(TableName, Vec<Ident>)] = match &self.keys {
            Keys::Refused => &[],
            Keys::Swapped(family) => family.members(),
        };
        let pairs = self.pairs.iter().map(|pair| Numbers {
            table,
            old: pair.old,
            column: if pair.keeps_name {
                &pair.old.name
            } else {
                &pair.new
            },
            type_name: &pair.column.type_name,
            family,
        });
        let others = self.others.iter().flat_map(|(name, column)| {
            let sources = match self.default(name) {
                Some(_) => self.sources(name),
                None => Vec::new(),
            };
            sources.into_iter().map(move |old| Numbers {
                table,
                old,
                column: name,
                type_name: &column.type_name,
                family,
            })
        });
        pairs.chain(others).collect()
    }

    /// Each once: columns may share one.
    pub fn widen_sequences(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for numbers in self.numbers() {
            for (_, reach) in numbers.sequences() {
                if let Reach::Widened(step) = reach {
                    let step = Step::WidenSequence(step);
                    if steps.iter().all(|other| other.id() != step.id()) {
                        steps.push(step);
                    }
                }
            }
        }
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

/// The owner has them by himself.
fn sequence_grant(grant: &Grant, owner: &str) -> Option<SequenceGrant> {
    let privilege = match grant.privilege.as_str() {
        "SELECT" => SequencePrivilege::Select,
        "UPDATE" => SequencePrivilege::Update,
        "USAGE" => SequencePrivilege::Usage,
        _ => return None,
    };
    let is_owner = grant.to.as_ref().is_some_and(|to| to.as_str() == owner);
    (!is_owner).then(|| SequenceGrant {
        privilege,
        to: grant.to.clone(),
        grantable: grant.grantable,
    })
}
