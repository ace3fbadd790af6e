//! `drop_index`: concurrently, but for a partitioned one, which PostgreSQL cannot drop so: it goes under a short lock. What
//! is needed to build it again is kept, so that it can be taken back.

use super::attach_index::{self, AttachIndex};
use super::create_index::{self, CreateIndex};
use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::{Cost, Obstacle};
use crate::sqlgen::ddl_unit::{Commented, DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops an index concurrently, or, on a partitioned table, under a short lock. The step stores how to build it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropIndex {
    pub table: TableName,
    pub name: Ident,
    /// How to build it again. Without it, the drop cannot be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<IndexShape>,
    /// The table is partitioned: the indexes of all partitions are dropped with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partitioned: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

/// The definition of an index, without its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexShape {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// The text after USING in its definition.
    pub using: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The table is marked as clustered on the index.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clustered: bool,
    /// For a partitioned table: the indexes of its partitions, each parent before its children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<PartitionIndex>>,
    /// The partitions that had no part of the index. It was INVALID before, and the undo restores that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<TableName>,
}

/// The part of an index on one partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionIndex {
    pub table: TableName,
    pub name: Ident,
    /// The table that it is a partition of, and the index there.
    pub of: TableName,
    pub to: Ident,
    pub index: IndexShape,
}

impl PartitionIndex {
    pub fn attach(&self, constraint: bool) -> AttachIndex {
        AttachIndex {
            table: self.table.clone(),
            name: self.name.clone(),
            of: self.of.clone(),
            to: self.to.clone(),
            constraint,
        }
    }
}

impl IndexShape {
    /// Builds it, and puts on it what was on it.
    pub fn parts(&self, plan: &Plan, table: &TableName, name: &Ident) -> Vec<DdlUnit> {
        let mut parts = self.alone(plan, table, name);
        if self.partitions.is_some() {
            parts.extend(
                self.of_partitions(table, |own| own.index.alone(plan, &own.table, &own.name)),
            );
            parts.extend(self.attached(plan, (table, name), false));
        }
        parts
    }

    /// What each partition gets, a parent before its own, as long as it is one.
    pub fn of_partitions(
        &self,
        table: &TableName,
        mut parts: impl FnMut(&PartitionIndex) -> Vec<DdlUnit>,
    ) -> Vec<DdlUnit> {
        let partitions = self.partitions.iter().flatten();
        partitions
            .flat_map(|own| {
                let parts = parts(own).into_iter();
                parts.map(|part| part.of_partition(&own.table, Some(table)))
            })
            .collect()
    }

    /// Each partition's part with what it is a part of, the lowest first; then nothing may be missing.
    pub fn attached(
        &self,
        plan: &Plan,
        (table, name): (&TableName, &Ident),
        constraint: bool,
    ) -> Vec<DdlUnit> {
        let partitions = self.partitions.as_deref().unwrap_or_default();
        let mut parts = Vec::new();
        for own in partitions.iter().rev() {
            let attach = own.attach(constraint).parts(plan).into_iter();
            parts.extend(attach.map(|part| part.of_partition(&own.table, Some(table))));
        }
        let known = partitions.iter().map(|own| &own.table);
        parts.push(DdlUnit::asking(Goal::IndexWhole {
            table: table.clone(),
            name: name.clone(),
            known: known.chain(&self.without).cloned().collect(),
        }));
        parts
    }

    /// Without what its partitions have.
    pub fn alone(&self, plan: &Plan, table: &TableName, name: &Ident) -> Vec<DdlUnit> {
        let create = CreateIndex {
            table: table.clone(),
            name: name.clone(),
            unique: self.unique,
            using: self.using.clone(),
            tablespace: self.tablespace.clone(),
            only: self.partitions.is_some(),
            partition_of: None,
        };
        let mut parts = create.parts(plan);
        parts.extend(self.marks(table, name));
        parts
    }

    /// What was on it.
    pub fn marks(&self, table: &TableName, name: &Ident) -> Vec<DdlUnit> {
        let mut parts = Vec::new();
        if let Some(comment) = &self.comment {
            let on = Commented::Index(table.clone(), name.clone());
            parts.push(on.part(Some(comment.clone())));
        }
        if self.clustered {
            parts.push(cluster_on(table, name));
        }
        parts
    }
}

fn cluster_on(table: &TableName, name: &Ident) -> DdlUnit {
    let mark = Statement::new(format!("ALTER TABLE {table} CLUSTER ON {name}"));
    DdlUnit::locking(
        Goal::Clustered {
            table: table.clone(),
            index: Some(name.clone()),
        },
        vec![mark.lock(table, Lock::ShareUpdateExclusiveLock)],
    )
}

impl Described for DropIndex {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.name.to_string()
    }
}

impl Ddl for DropIndex {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![if self.partitioned {
            attach_index::drop_partitioned(&self.table, &self.name)
        } else {
            create_index::drop_index(&self.table, &self.name)
        }]
    }

    fn undo(&self, plan: &Plan) -> Undo {
        match &self.restore {
            Some(shape) => Undo::Parts(shape.parts(plan, &self.table, &self.name)),
            None => Undo::Irreversible,
        }
    }

    fn irreversible(&self) -> bool {
        self.irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        let shape = self.restore.as_ref().filter(|shape| shape.unique);
        let obstacle =
            shape.and_then(|shape| Obstacle::unique(&self.table, &self.name, &shape.using));
        obstacle.map(Cost::in_the_way).unwrap_or_default()
    }
}
