//! `drop_index`: concurrently, always. What is needed to build it again is kept, so that it can be taken back.

use super::create_index::{self, CreateIndex};
use super::{Ddl, Described, Undo};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::part::{Commented, Goal, Lock, Part, Statement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropIndex {
    pub table: TableName,
    pub name: Ident,
    /// How to build it again. Without it, dropping cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<IndexShape>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

/// An index without its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexShape {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// What follows USING in its definition.
    pub using: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The table is marked as clustered on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clustered: bool,
}

impl IndexShape {
    /// Builds it, and puts on it what was on it.
    pub fn parts(&self, plan: &Plan, table: &TableName, name: &Ident) -> Vec<Part> {
        let create = CreateIndex {
            table: table.clone(),
            name: name.clone(),
            unique: self.unique,
            using: self.using.clone(),
            tablespace: self.tablespace.clone(),
            only: false,
        };
        let mut parts = Vec::new();
        parts.extend(create.parts(plan));
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

fn cluster_on(table: &TableName, name: &Ident) -> Part {
    let mark = Statement::new(format!("ALTER TABLE {table} CLUSTER ON {name}"));
    Part::locking(
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
    fn parts(&self, _: &Plan) -> Vec<Part> {
        vec![create_index::drop_index(&self.table, &self.name)]
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
}
