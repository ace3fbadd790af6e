//! `extract_table`: columns of a table become a table of their own, whose rows belong to the ones that they were in.

use super::named::{Named, Naming, What};
use super::{
    Change,
    new_column::successor_of,
    not_carried,
    relation::{self, Errors, Fit, phase},
    table_to_table::{filling, lost},
};
use crate::{
    document::{Assignments, Expression, PhaseDocument, PhaseName},
    facts::{Facts, Table},
    steps::{
        Step,
        add_column::AddColumn,
        create_table::{CreateTable, TableGrant},
        drop_column::DropColumn,
        drop_not_null::DropNotNull,
        drop_sync::DropSync,
        retire_column::RetireColumn,
        sync_tables::{ParentIs, SyncTables},
    },
    table_pair::DeleteAlong,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtractTable {
    /// The table that has the columns now.
    pub table: TableName,
    /// The new table.
    pub to: TableName,
    /// Column of `to`: column of `table` that it refers to. They are its primary key, and its foreign key to `table`.
    pub by: BTreeMap<Ident, Ident>,
    /// Column of `to`: column of `table` that it replaces.
    pub columns: BTreeMap<Ident, Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Indexes and constraints that are dropped with the columns, without a successor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Ident>,
}

impl ExtractTable {
    fn refusals(&self, facts: &Facts, table: &Table, at: &Path) -> Errors {
        let mut errors = Errors::new();
        let mut refuse = |key: &str, message: String, help: String| {
            errors.push(PlanError::at(at.key(key), message).help(help));
        };
        if facts.table(&self.to).is_some() {
            let help = "choose another name; move_columns moves columns into a table that is there";
            refuse(
                "to",
                format!("{} is there already", self.to),
                help.to_owned(),
            );
        }
        for name in self.columns.values() {
            let Some(column) = table.column(name) else {
                refuse(
                    "columns",
                    format!("{} has no column {name}", self.table),
                    "name one of its columns".to_owned(),
                );
                continue;
            };
            if column.generated || column.identity.is_some() || column.owned_sequence.is_some() {
                refuse(
                    "columns",
                    format!("{name} is computed or numbered by PostgreSQL"),
                    "leave it where it is".to_owned(),
                );
            } else if column.default.is_some() {
                refuse(
                    "columns",
                    format!(
                        "{name} has a default: a row that the new version inserts would get it, and with it a row of {} that it did not ask for",
                        self.to
                    ),
                    format!(
                        "drop it first: drop_default: {{table: {}, column: {name}}}",
                        self.table
                    ),
                );
            }
        }
        let sources = self.columns.values().chain(self.by.values());
        for column in sources.filter_map(|name| table.column(name)) {
            errors.extend(not_carried::errors(&self.table, table, column, at));
        }
        let going: BTreeSet<Ident> = self.columns.values().cloned().collect();
        errors.extend(lost(&self.table, table, &going, &self.without, at));
        errors
    }

    /// Of the columns that move, all that was set on them; of the key, who may read it.
    fn settings(&self, table: &Table) -> Vec<String> {
        let copy = |new: &Ident, old: &Ident| {
            let column = table.column(old)?;
            Some(successor_of(column, &self.to, new, &column.type_name))
        };
        let keys = self.by.iter().filter_map(|(new, old)| {
            let grants = copy(new, old)?.grants;
            let key = AddColumn::new(&self.to, new, "");
            Some(AddColumn { grants, ..key })
        });
        let columns = self.columns.iter().filter_map(|(new, old)| copy(new, old));
        let settings = keys.chain(columns).flat_map(|column| column.settings());
        settings.map(|statement| statement.sql).collect()
    }

    fn create(&self, facts: &Facts, table: &Table) -> CreateTable {
        let columns = |pairs: &BTreeMap<Ident, Ident>| -> Vec<String> {
            let described = pairs.iter().filter_map(|(new, old)| {
                let column = table.column(old)?;
                let collation = column
                    .collation
                    .as_ref()
                    .map(|name| format!(" COLLATE {name}"));
                Some(format!(
                    "{new} {}{}",
                    column.type_name,
                    collation.unwrap_or_default()
                ))
            });
            described.collect()
        };
        let list = |names: Vec<&Ident>| {
            let names: Vec<String> = names.into_iter().map(Ident::to_string).collect();
            names.join(", ")
        };
        let mut lines = columns(&self.by);
        lines.extend(columns(&self.columns));
        let key = list(self.by.keys().collect());
        lines.push(format!("PRIMARY KEY ({key})"));
        lines.push(format!(
            "FOREIGN KEY ({key}) REFERENCES {} ({}) ON DELETE CASCADE",
            self.table,
            list(self.by.values().collect())
        ));
        let privileges = [
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
            "TRUNCATE",
            "REFERENCES",
            "TRIGGER",
        ];
        let owner = Ident::from_catalog(&table.owner);
        CreateTable {
            table: self.to.clone(),
            columns: lines.join(", "),
            options: None,
            comment: self.comment.clone(),
            copies: Some(self.table.clone()),
            references: vec![self.table.clone()],
            owner: (table.owner != facts.role).then(|| owner.clone()),
            grants: table
                .grants
                .iter()
                .filter(|grant| grant.to.as_ref() != Some(&owner))
                .filter(|grant| privileges.contains(&grant.privilege.as_str()))
                .map(|grant| TableGrant {
                    privilege: grant.privilege.clone(),
                    to: grant.to.clone(),
                    grantable: grant.grantable,
                })
                .collect(),
            settings: self.settings(table),
        }
    }
}

impl Change for ExtractTable {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table, &self.to]
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        facts.table(&self.table).map_or(Vec::new(), |table| {
            not_carried::of_table(&self.table, table, &self.to, None)
        })
    }

    fn contradictions(&self, at: &Path) -> Errors {
        let mut errors = Errors::new();
        let mut wrong = |key: &str, message: String, help: &str| {
            errors.push(PlanError::at(at.key(key), message).help(help));
        };
        if self.table == self.to {
            let message = "`to` is the table itself".to_owned();
            wrong("to", message, "choose another name");
        }
        if self.columns.is_empty() {
            let message = "`columns` names no column".to_owned();
            wrong(
                "columns",
                message,
                "name them: `columns: {photo_url: photo_url}`",
            );
        }
        if self.by.is_empty() {
            let message = "`by` names no column".to_owned();
            wrong(
                "by",
                message,
                "say which row is whose: `by: {shipment_id: id}`",
            );
        }
        let in_key = |column: &&Ident| self.by.contains_key(column);
        for column in self.columns.keys().filter(in_key) {
            let message = format!("{column} is in the key already");
            wrong("columns", message, "leave it out");
        }
        errors
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .and_all(self.columns.values(), What::Removes, &at.key("columns"))
            .in_table(&self.to)
            .and(What::Table, at.key("to"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        let errors = self.refusals(facts, table, at);
        if !errors.is_empty() {
            return Err(errors);
        }
        let (from, to) = (self.table.clone(), self.to.clone());
        // The new version's inserts do not name these columns: they must not fail.
        let required = self.columns.values().filter(|name| {
            let column = table.column(name);
            column.is_some_and(|column| column.not_null)
        });
        let mut expand = vec![Step::from(self.create(facts, table))];
        expand.extend(required.map(|column| {
            Step::from(DropNotNull {
                partitions: Vec::new(),
                table: from.clone(),
                column: column.clone(),
            })
        }));
        let copies = self.columns.iter();
        let forward: Assignments = copies
            .clone()
            .map(|(new, old)| (new.clone(), Expression::column(old)))
            .collect();
        let backward: Assignments = copies
            .map(|(new, old)| (old.clone(), Expression::column(new)))
            .collect();
        let sync = SyncTables {
            from: from.clone(),
            to: to.clone(),
            parent: ParentIs::From,
            by: self.by.clone(),
            forward,
            backward,
            order_by: Vec::new(),
            delete_along: DeleteAlong::No,
        };
        let retire = self.columns.values().map(|column| {
            Step::from(RetireColumn {
                table: from.clone(),
                column: column.clone(),
                replace_with: None,
            })
        });
        let mut contract = vec![Step::from(DropSync { table: to.clone() })];
        contract.extend(self.columns.values().map(|column| {
            Step::from(DropColumn {
                table: from.clone(),
                column: column.clone(),
            })
        }));
        let retire = retire.collect();
        let mut phases = vec![
            phase(PhaseName::Expand, expand),
            phase(PhaseName::DualWrite, vec![Step::SyncTables(sync)]),
        ];
        phases.extend(filling(to, from.clone()));
        phases.extend([
            phase(PhaseName::SwitchReads, Vec::new()),
            phase(PhaseName::Retire, retire),
            phase(PhaseName::Contract, contract),
        ]);
        Ok(phases)
    }
}
