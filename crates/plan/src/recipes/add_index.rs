//! `add_index`: concurrently, always; on a partitioned table concurrently on each partition, and attached.

use super::named::{Named, Naming, What};
use super::{
    Change, Condition,
    relation::{self, Errors, Fit},
};
use crate::{
    columns::Columns,
    document::{Expression, PhaseDocument, PhaseName},
    facts::{Facts, Partition, Table},
    steps::{Step, attach_index::AttachIndex, create_index::CreateIndex},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddIndex {
    pub table: TableName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// Instead of `columns`, as in SQL: `lower(email) text_pattern_ops, id DESC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expressions: Option<String>,
    /// By default made from the names of the table and the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Ident>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// `btree` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<Columns>,
    /// Index only rows that satisfy this condition.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Expression>,
    /// Storage parameters: `fillfactor = 90`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Ident>,
}

impl AddIndex {
    /// What it is called, if that is said or follows from its columns.
    pub(crate) fn name(&self) -> Option<Ident> {
        let columns = self.columns.as_ref();
        let made =
            || columns.map(|columns| relation::name_after(&self.table, columns.names(), "_idx"));
        self.name.clone().or_else(made)
    }

    fn index_name(&self, at: &Path) -> Result<Ident, Errors> {
        match self.name() {
            Some(name) => Ok(name),
            None => relation::refuse(
                at,
                "an index over expressions has no `name`",
                "say what it is to be called: `name: …`",
            ),
        }
    }

    /// What follows USING.
    fn using(&self, table: &Table, at: &Path) -> Result<String, Errors> {
        let keys = match (&self.columns, &self.expressions) {
            (Some(columns), _) => columns.to_string(),
            (None, expressions) => expressions.clone().unwrap_or_default(),
        };
        for (key, columns) in [("columns", &self.columns), ("include", &self.include)] {
            for column in columns.iter().flat_map(|columns| columns.names()) {
                relation::column(&self.table, table, column, at.key(key))?;
            }
        }
        let method = match &self.method {
            Some(method) => method.to_string(),
            None => "btree".to_owned(),
        };
        let mut using = format!("{method} ({keys})");
        if let Some(include) = &self.include {
            using += &format!(" INCLUDE ({include})");
        }
        if let Some(with) = &self.with {
            using += &format!(" WITH ({with})");
        }
        if let Some(condition) = &self.condition {
            using += &format!(" WHERE ({condition})");
        }
        Ok(using)
    }

    fn create(&self, table: &TableName, name: Ident, using: &str, only: bool) -> CreateIndex {
        CreateIndex {
            table: table.clone(),
            name,
            unique: self.unique,
            using: using.to_owned(),
            tablespace: self.tablespace.clone(),
            only,
            partition_of: Some(self.table.clone()).filter(|of| of != table),
        }
    }

    /// The partitioned table's own index, those of the leaves, and then each attached to what it is a partition of.
    fn on_partitions(&self, name: &Ident, using: &str, partitions: &[Partition]) -> Vec<Step> {
        let names = Names {
            table: &self.table,
            name,
            ending: "_idx",
        };
        let mut steps = vec![Step::from(self.create(
            &self.table,
            name.clone(),
            using,
            true,
        ))];
        steps.extend(partitions.iter().map(|partition| {
            let name = names.of(&partition.table);
            Step::from(self.create(&partition.table, name, using, !partition.leaf))
        }));
        steps.extend(names.attached(partitions, false));
        steps.push(relation::index_is_whole(&self.table, name));
        steps
    }
}

/// What the parts of a partitioned index are called.
pub(super) struct Names<'a> {
    /// The table that is partitioned, and the name there.
    pub table: &'a TableName,
    pub name: &'a Ident,
    pub ending: &'a str,
}

impl Names<'_> {
    /// A partition's name is its own, whatever the partitioned table's is.
    pub fn of(&self, table: &TableName) -> Ident {
        if table == self.table {
            return self.name.clone();
        }
        let whole = format!("{}.{} {}", table.schema, table.name, self.name);
        let mark = format!(
            "_{:08x}{}",
            crossfade_model::ident::short_hash(&whole),
            self.ending
        );
        table.name.with_suffix(&mark)
    }

    /// The lowest first: an index is whole once all of its own are attached.
    pub fn attached(&self, partitions: &[Partition], constraint: bool) -> Vec<Step> {
        let attach = |partition: &Partition| {
            Step::from(AttachIndex {
                table: partition.table.clone(),
                name: self.of(&partition.table),
                of: partition.of.clone(),
                to: self.of(&partition.of),
                constraint,
            })
        };
        partitions.iter().rev().map(attach).collect()
    }
}

impl Change for AddIndex {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn conditions(&self) -> Vec<Condition<'_>> {
        Condition::boolean("where", &self.table, self.condition.as_ref())
    }

    fn contradictions(&self, at: &Path) -> Errors {
        let found = match (&self.columns, &self.expressions) {
            (Some(_), Some(_)) => {
                let message = "`columns` and `expressions` exclude each other";
                relation::refuse(&at.key("expressions"), message, "leave one of them out")
            }
            (None, None) => {
                let help = "say which with `columns: [item_name, batch]`, or with `expressions`";
                relation::refuse(at, "the index has no columns", help)
            }
            (None, Some(_)) => self.index_name(at).map(|_| ()),
            (Some(_), None) => Ok(()),
        };
        found.err().unwrap_or_default()
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let mut naming = Naming::of(&self.table);
        for (columns, word) in [(&self.columns, "columns"), (&self.include, "include")] {
            let names = columns.iter().flat_map(|columns| columns.names());
            naming = naming.and_all(names, What::Uses, &at.key(word));
        }
        if let Some(expressions) = &self.expressions {
            naming = naming.and(What::UsesIn(expressions), at.key("expressions"));
        }
        if let Some(condition) = &self.condition {
            naming = naming.and(What::UsesIn(condition.as_str()), at.key("where"));
        }
        if let Some(name) = self.name() {
            let word = if self.name.is_some() {
                "name"
            } else {
                "columns"
            };
            naming = naming.and(What::MakesIndex(name), at.key(word));
        }
        naming.named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let using = self.using(table, at)?;
        let name = self.index_name(at)?;
        relation::name_is_free(&self.table, table, &name, at)?;
        relation::no_foreign_partition(table, at)?;
        if self.unique && table.is_partitioned() {
            let columns = self.columns.iter().flat_map(|columns| columns.names());
            let columns: Vec<Ident> = columns.cloned().collect();
            relation::unique_over(&self.table, table, &columns, &at.key("columns"))?;
        }
        let steps = if table.is_partitioned() {
            self.on_partitions(&name, &using, &table.partitions)
        } else {
            vec![Step::from(self.create(&self.table, name, &using, false))]
        };
        // A unique index makes writes fail from the moment that it is there.
        let phase = if self.unique {
            PhaseName::Enforce
        } else {
            PhaseName::Expand
        };
        Ok(vec![relation::phase(phase, steps)])
    }
}
