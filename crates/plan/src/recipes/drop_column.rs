//! `drop_column`: out of sight first, which one command undoes; dropped in `contract`. Never CASCADE.

use super::named::{Named, Naming, What};
use super::{
    Change, Condition,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{Expression, PhaseDocument, PhaseName},
    facts::{Column, ConstraintKind, Facts, Table},
    steps::{
        Step, drop_column::DropColumn as DropColumnStep, drop_constraint::DropConstraint,
        drop_not_null::DropNotNull, retire_column::RetireColumn, set_default::SetDefault,
    },
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropColumn {
    pub table: TableName,
    pub column: Ident,
    /// The value of a NOT NULL column in rows that the new version inserts meanwhile, so that every row has a value
    /// after a rollback. Without it, the column may be NULL from `expand` on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Expression>,
}

impl DropColumn {
    /// What would go with the column and is about others too.
    fn refusals(&self, table: &Table, column: &Column, at: &Path) -> Errors {
        let name = &self.column;
        let mut errors = Vec::new();
        let mut refuse = |message: String, help: &str| {
            errors.push(PlanError::at(at.key("column"), message).help(help));
        };
        for constraint in &table.constraints {
            if constraint.columns.len() > 1 && constraint.columns.contains(name) {
                refuse(
                    format!(
                        "the constraint {} would be dropped with {name}, but covers other columns too",
                        constraint.name
                    ),
                    "drop it first with drop_constraint",
                );
            } else if constraint.columns.contains(name)
                && constraint.kind == ConstraintKind::PrimaryKey
            {
                refuse(
                    format!("{name} is the primary key of {}", self.table),
                    "drop it first with drop_constraint, and add another",
                );
            }
        }
        for index in &table.indexes {
            if index.constraint.is_none() && index.columns.len() > 1 && index.columns.contains(name)
            {
                refuse(
                    format!(
                        "the index {} would be dropped with {name}, but covers other columns too",
                        index.name
                    ),
                    "drop it first with drop_index, and add one without the column",
                );
            } else if index.replica_identity && index.columns.contains(name) {
                refuse(
                    format!("{name} is in the replica identity index {}", index.name),
                    "choose another first with set_replica_identity",
                );
            }
        }
        for inbound in &table.referenced_by {
            if inbound.columns.contains(name) {
                refuse(
                    format!(
                        "the foreign key {} of {} refers to {name}",
                        inbound.name, inbound.table
                    ),
                    "drop it first with drop_constraint",
                );
            }
        }
        if self.default.is_some() && (column.generated || column.identity.is_some()) {
            refuse(
                format!("{name} is computed or numbered by PostgreSQL"),
                "leave `default` out",
            );
        }
        errors
    }

    /// Those of the table, and what its partitions have of their own.
    fn all_refusals(&self, facts: &Facts, table: &Table, column: &Column, at: &Path) -> Errors {
        let mut errors = self.refusals(table, column, at);
        let mut refuse = |message: String, help: &str| {
            errors.push(PlanError::at(at.key("column"), message).help(help));
        };
        if table.partition_key.contains(&self.column) {
            let message = format!("{} is in the partition key of {}", self.column, self.table);
            refuse(
                message,
                "PostgreSQL cannot drop a column of the partition key. Create a table that is partitioned differently, and move the rows",
            );
        }
        if self.default.is_some()
            && let Err(more) = relation::same_default_on_partitions(facts, table, column, at)
        {
            errors.extend(more);
        }
        for (partition, own) in relation::partitions(facts, table) {
            errors.extend(self.refusals_of_partition(&partition.table, own, (table, column), at));
            let own = self.refusals(&without_attached(own), column, at);
            errors.extend(own.into_iter().map(|error| {
                let message = format!("the partition {}: {}", partition.table, error.message);
                let help = "it belongs to this partition alone: drop it there by hand first (DROP INDEX CONCURRENTLY, ALTER TABLE … DROP CONSTRAINT)";
                PlanError::at(error.path, message).help(help)
            }));
        }
        errors
    }

    /// What is about a partition alone though its parts are the table's.
    fn refusals_of_partition(
        &self,
        name: &TableName,
        partition: &Table,
        (table, column): (&Table, &Column),
        at: &Path,
    ) -> Errors {
        let mut errors = Vec::new();
        let mut refuse = |message: String, help: &str| {
            let message = format!("the partition {name}: {message}");
            errors.push(PlanError::at(at.key("column"), message).help(help));
        };
        let attached = partition.indexes.iter().filter(|index| index.of.is_some());
        for index in attached.filter(|index| index.columns.contains(&self.column)) {
            if index.replica_identity {
                refuse(
                    format!(
                        "{} is in the replica identity index {}",
                        self.column, index.name
                    ),
                    "its updates and deletes could not be published without: ALTER TABLE … REPLICA IDENTITY on the partition first",
                );
            }
        }
        let own = partition.column(&self.column);
        let is_required = own.is_some_and(|own| own.not_null && !fills_itself(own));
        let is_relaxed = column.not_null && !fills_itself(column);
        if self.default.is_none()
            && is_required
            && !is_relaxed
            && !table.partition_key.contains(&self.column)
        {
            refuse(
                format!(
                    "it requires {} by itself and gives it no default",
                    self.column
                ),
                "inserts of the new version would fail there: DROP NOT NULL on the partition first, or give a `default`",
            );
        }
        errors
    }

    /// They would go with the column, and with a lock on the table that they refer to: so they go by name, before it.
    fn foreign_keys(&self, name: &TableName, table: &Table) -> Vec<Step> {
        let keys = table.constraints.iter().filter(|constraint| {
            constraint.kind == ConstraintKind::ForeignKey
                && constraint.columns.contains(&self.column)
                && constraint.of.is_none()
        });
        keys.map(|key| {
            Step::from(DropConstraint {
                table: name.clone(),
                name: key.name.clone(),
                references: key.references().filter(|other| other != name),
                restore: None,
                irreversible: false,
            })
        })
        .collect()
    }

    /// The new version's inserts do not name the column: they must not fail.
    fn relax(&self, table: &Table, column: &Column) -> Vec<Step> {
        match &self.default {
            Some(default) => vec![Step::from(SetDefault {
                table: self.table.clone(),
                column: self.column.clone(),
                default: default.to_string(),
                previous: column.default.clone(),
            })],
            None if column.not_null && !fills_itself(column) => vec![Step::from(DropNotNull {
                table: self.table.clone(),
                column: self.column.clone(),
                partitions: relation::leaves(table).unwrap_or_default(),
            })],
            None => Vec::new(),
        }
    }
}

/// An insert that does not name it has a value nevertheless.
fn fills_itself(column: &Column) -> bool {
    column.default.is_some() || column.generated || column.identity.is_some()
}

/// A partition without what it has of the table that it is a partition of.
fn without_attached(partition: &Table) -> Table {
    let mut own = partition.clone();
    own.indexes.retain(|index| index.of.is_none());
    own.constraints.retain(|constraint| constraint.of.is_none());
    own
}

impl Change for DropColumn {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn conditions(&self) -> Vec<Condition<'_>> {
        let default = self.default.as_ref();
        default
            .map(|default| Condition::default("default", &self.table, &self.column, default))
            .into_iter()
            .collect()
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        relation::with_partitions(facts, &self.table)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Removes(&self.column), at.key("column"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let column = relation::column(&self.table, table, &self.column, at.key("column"))?;
        let errors = self.all_refusals(facts, table, column, at);
        if !errors.is_empty() {
            return Err(errors);
        }
        let retire = Step::from(RetireColumn {
            table: self.table.clone(),
            column: self.column.clone(),
            replace_with: None,
        });
        let drop = Step::from(DropColumnStep {
            table: self.table.clone(),
            column: self.column.clone(),
        });
        let mut contract = self.foreign_keys(&self.table, table);
        for (partition, own) in relation::partitions(facts, table) {
            contract.extend(self.foreign_keys(&partition.table, own));
        }
        contract.push(drop);
        Ok(relation::filled(vec![
            relation::phase(PhaseName::Expand, self.relax(table, column)),
            relation::phase(PhaseName::Retire, vec![retire]),
            relation::phase(PhaseName::Contract, contract),
        ]))
    }
}
