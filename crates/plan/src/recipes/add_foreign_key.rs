//! `add_foreign_key`: asked first, added NOT VALID under a short lock of both tables, and validated while both are used. Of
//! a partitioned table each partition's by itself, and then the table's, which takes them for its own and reads nothing.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::{
    columns::Columns,
    document::{Expect, PhaseDocument, PhaseName, Query},
    facts::{Facts, Table},
    steps::{Step, add_constraint::AddConstraint},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddForeignKey {
    pub table: TableName,
    pub columns: Columns,
    pub references: TableName,
    /// The referenced columns. By default the primary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Columns>,
    /// By default made from the names of the table and the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_delete: Option<Reaction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_update: Option<Reaction>,
}

/// What happens to referring rows if a row is deleted or its key is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

impl Reaction {
    fn as_str(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

impl AddForeignKey {
    /// The columns that are referred to: a unique index must be there over just these.
    fn referred(&self, other: &Table, at: &Path) -> Result<Vec<Ident>, Errors> {
        let primary = other.indexes.iter().find(|index| index.primary);
        let columns = match (&self.to, primary) {
            (Some(to), _) => to.names().to_vec(),
            (None, Some(_)) => other.key.clone(),
            (None, None) => {
                let message = format!("{} has no primary key", self.references);
                let help = "say which columns are referred to with `to`; they need a UNIQUE";
                return relation::refuse(&at.key("references"), message, help);
            }
        };
        for column in &columns {
            relation::column(&self.references, other, column, at.key("to"))?;
        }
        let wanted: BTreeSet<&Ident> = columns.iter().collect();
        let is_unique = other.constraints.iter().any(|constraint| {
            let kind = constraint.kind;
            matches!(
                kind,
                crate::facts::ConstraintKind::PrimaryKey | crate::facts::ConstraintKind::Unique
            ) && constraint.columns.iter().collect::<BTreeSet<_>>() == wanted
        }) || other.indexes.iter().any(|index| {
            index.unique
                && !index.using.contains(" WHERE ")
                && index.columns.iter().collect::<BTreeSet<_>>() == wanted
        });
        if !is_unique {
            let list: Vec<&str> = columns.iter().map(Ident::as_str).collect();
            let message = format!(
                "{} has nothing unique over {}",
                self.references,
                list.join(", ")
            );
            let help = "make it unique first with add_unique or add_primary_key";
            return relation::refuse(&at.key("references"), message, help);
        }
        if columns.len() != self.columns.names().len() {
            let message = format!(
                "{} columns refer to {}",
                self.columns.names().len(),
                columns.len()
            );
            return relation::refuse(&at.key("columns"), message, "name as many on both sides");
        }
        Ok(columns)
    }

    /// A row that refers to nothing.
    fn orphans(&self, table: &Table, name: &Ident, referred: &[Ident]) -> Query {
        let own = self.columns.names();
        let keys = table.key.iter().filter(|key| !own.contains(key));
        let shown: Vec<String> = keys
            .chain(own)
            .map(|column| format!("own.{column}"))
            .collect();
        let present: Vec<String> = own
            .iter()
            .map(|column| format!("own.{column} IS NOT NULL"))
            .collect();
        let same: Vec<String> = own
            .iter()
            .zip(referred)
            .map(|(own, other)| format!("other.{other} = own.{own}"))
            .collect();
        Query {
            name: format!("every row of {name} refers to one that is there"),
            sql: format!(
                "SELECT {} FROM {} AS own WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS other WHERE {}) LIMIT 1",
                shown.join(", "),
                self.table,
                present.join(" AND "),
                self.references,
                same.join(" AND ")
            ),
            expect: Expect::NoRows,
        }
    }
}

impl AddForeignKey {
    fn key_name(&self) -> Ident {
        let name = self.name.clone();
        name.unwrap_or_else(|| relation::name_after(&self.table, self.columns.names(), "_fkey"))
    }

    /// Of a partitioned table each partition's first, by itself.
    fn steps(&self, table: &Table, name: &Ident, definition: &str) -> Vec<Step> {
        let leaves = relation::leaves(table);
        let add = |on: &TableName, partitions: Option<Vec<TableName>>| {
            Step::from(AddConstraint {
                table: on.clone(),
                name: name.clone(),
                definition: definition.to_owned(),
                index: None,
                references: Some(self.references.clone()).filter(|other| other != on),
                validate: true,
                partitions,
                partition_of: Some(self.table.clone()).filter(|of| of != on),
            })
        };
        let mut steps: Vec<Step> = leaves
            .iter()
            .flatten()
            .map(|leaf| add(leaf, None))
            .collect();
        steps.push(add(&self.table, leaves));
        steps
    }
}

impl Change for AddForeignKey {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table, &self.references]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        let mut tables = relation::with_partitions(facts, &self.table);
        tables.push(self.references.clone());
        tables
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        let Some(table) = facts.table(&self.table) else {
            return Vec::new();
        };
        let first = self.columns.names().first();
        let served = table
            .indexes
            .iter()
            .any(|index| first.is_some_and(|column| index.using.contains(&format!("({column}"))));
        if served {
            return Vec::new();
        }
        vec![(
            format!(
                "{} has no index that begins with {}",
                self.table, self.columns
            ),
            "without an index, each delete from the other table reads this whole table: add_index first",
        )]
    }

    fn contradictions(&self, at: &Path) -> Errors {
        let (columns, to) = (self.columns.names().len(), self.to.as_ref());
        let to = to.map_or(columns, |to| to.names().len());
        if columns == to {
            return Errors::new();
        }
        let message = format!("{columns} columns refer to {to}");
        vec![PlanError::at(at.key("columns"), message).help("name as many on both sides")]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let word = if self.name.is_some() {
            "name"
        } else {
            "columns"
        };
        let naming = Naming::of(&self.table)
            .and_all(self.columns.names(), What::Uses, &at.key("columns"))
            .and(What::MakesConstraint(self.key_name()), at.key(word))
            .in_table(&self.references)
            .and(What::Referred, at.key("references"));
        match &self.to {
            Some(to) => naming.and_all(to.names(), What::Uses, &at.key("to")),
            None => naming,
        }
        .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        let Some(other) = facts.table(&self.references) else {
            let message = format!("there is no table {}", self.references);
            let help = "write `schema.table`, quoted as in SQL where needed";
            return relation::refuse(&at.key("references"), message, help);
        };
        for column in self.columns.names() {
            relation::column(&self.table, table, column, at.key("columns"))?;
        }
        let referred = self.referred(other, at)?;
        let name = self.key_name();
        relation::name_is_free_everywhere(facts, (&self.table, table), &name, at)?;
        let columns = self.columns.names();
        relation::no_own_foreign_key(facts, table, (columns, &self.references), at)?;
        let to: Vec<String> = referred.iter().map(Ident::to_string).collect();
        let mut definition = format!(
            "FOREIGN KEY ({}) REFERENCES {}({})",
            self.columns,
            self.references,
            to.join(", ")
        );
        for (event, reaction) in [("UPDATE", self.on_update), ("DELETE", self.on_delete)] {
            if let Some(reaction) = reaction {
                definition += &format!(" ON {event} {}", reaction.as_str());
            }
        }
        let verify = vec![Step::Query(self.orphans(table, &name, &referred))];
        Ok(vec![
            relation::phase(PhaseName::Verify, verify),
            relation::phase(PhaseName::Enforce, self.steps(table, &name, &definition)),
        ])
    }
}
