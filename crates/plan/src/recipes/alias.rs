//! What `rename_column` with `strategy: alias` and `rename_table` share: a view that stands in for the table.

use super::{new_column, not_carried, replacement::ordinary_table};
use crate::{
    document::{Gate, PhaseDocument, PhaseName},
    facts::{Column, Facts, Table},
    steps::{
        Step,
        alias_table::{AliasColumn, AliasTable, TableGrant, TablePrivilege},
        drop_alias::{DropAlias, RenamedColumn},
    },
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};

/// `security_invoker` came with it.
const INVOKER_SINCE: u32 = 150_000;

pub(super) struct Alias<'a> {
    pub table_name: &'a TableName,
    /// The table's own name while the view stands in for it.
    pub base: Ident,
    /// The column that is seen under two names.
    pub column: Option<RenamedColumn>,
}

impl Alias<'_> {
    pub fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        let table = ordinary_table(facts, self.table_name, at)?;
        let errors = self.refusals(table, facts, at);
        if !errors.is_empty() {
            return Err(errors);
        }
        let phase = |phase, steps| PhaseDocument {
            phase,
            gate: Gate::default(),
            steps,
        };
        let drop = DropAlias {
            table: self.table_name.clone(),
            base: self.base.clone(),
            rename_column: self.column.clone(),
        };
        Ok(vec![
            phase(
                PhaseName::Expand,
                vec![Step::AliasTable(self.alias(table, facts))],
            ),
            phase(PhaseName::SwitchReads, Vec::new()),
            phase(PhaseName::Contract, vec![Step::DropAlias(drop)]),
        ])
    }

    /// What a table cannot be given up for, by name.
    fn refusals(&self, table: &Table, facts: &Facts, at: &Path) -> Vec<PlanError> {
        let name = self.table_name;
        let mut errors = Vec::new();
        let mut refuse = |message: String, help: &str| {
            errors.push(PlanError::at(at.clone(), message).help(help));
        };
        if !table.publications.is_empty() {
            refuse(
                format!("{name} is published: {}", table.publications.join(", ")),
                "subscribers would see the table under its other name: rename the column with `strategy: copy`",
            );
        }
        if !table.rules.is_empty() {
            refuse(
                format!("{name} has rules: {}", table.rules.join(", ")),
                "rules act differently on a statement through a view: replace them by triggers first",
            );
        }
        if table.row_security && facts.server_version < INVOKER_SINCE {
            refuse(
                format!("{name} has row security"),
                "before PostgreSQL 15 a view shows its owner's rows to everybody: rename the column with `strategy: copy`",
            );
        }
        for (message, help) in not_carried::of_aliased(name, table) {
            refuse(message, &help);
        }
        if !table.row_type_users.is_empty() {
            refuse(
                format!(
                    "the row type of {name} is used by {}",
                    table.row_type_users.join(", ")
                ),
                "a row of the view is of another type: change them first",
            );
        }
        if let Some(column) = &self.column
            && table.column(&column.to).is_some()
        {
            refuse(
                format!("{name} already has a column {}", column.to),
                &facts.taken(name, &column.to),
            );
        }
        errors
    }

    fn alias(&self, table: &Table, facts: &Facts) -> AliasTable {
        let is_doubled =
            |column: &Column| self.column.as_ref().is_some_and(|c| c.from == column.name);
        let shown = |column: &Column, name: &Ident, of: Option<Ident>| AliasColumn {
            name: name.clone(),
            of,
            // Of a column with two names both defaults would be set: a statement that names one would set it twice.
            default: column
                .default
                .clone()
                .filter(|_| !is_doubled(column) && !column.generated),
            comment: column.comment.clone(),
            grants: new_column::grants_in_common(&[column]),
        };
        let mut columns: Vec<AliasColumn> = table
            .columns
            .iter()
            .map(|column| shown(column, &column.name, None))
            .collect();
        if let Some(renamed) = &self.column
            && let Some(column) = table.column(&renamed.from)
        {
            columns.push(shown(column, &renamed.to, Some(renamed.from.clone())));
        }
        let grants = table.grants.iter().filter_map(|grant| {
            let privilege = match grant.privilege.as_str() {
                "SELECT" => TablePrivilege::Select,
                "INSERT" => TablePrivilege::Insert,
                "UPDATE" => TablePrivilege::Update,
                "DELETE" => TablePrivilege::Delete,
                _ => return None,
            };
            let is_owner = grant
                .to
                .as_ref()
                .is_some_and(|to| to.as_str() == table.owner);
            (!is_owner).then(|| TableGrant {
                privilege,
                to: grant.to.clone(),
                grantable: grant.grantable,
            })
        });
        AliasTable {
            table: self.table_name.clone(),
            base: self.base.clone(),
            columns,
            owner: (facts.role != table.owner).then(|| Ident::from_catalog(&table.owner)),
            security_invoker: facts.server_version >= INVOKER_SINCE,
            grants: grants.collect(),
            revoke_from: facts.default_grantees.clone(),
            comment: table.comment.clone(),
        }
    }
}
