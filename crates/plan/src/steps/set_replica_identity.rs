//! `set_replica_identity`: what the log says of a row that is changed or deleted.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, ReplicaIdentity, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::TableName;
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sets the replica identity of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReplicaIdentity {
    pub table: TableName,
    pub identity: ReplicaIdentity,
    pub previous: ReplicaIdentity,
    /// The table is a partition of this one. If it no longer is, the step does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<TableName>,
}

impl SetReplicaIdentity {
    fn part(&self, identity: &ReplicaIdentity) -> DdlUnit {
        let table = &self.table;
        let set = Statement::new(format!("ALTER TABLE {table} REPLICA IDENTITY {identity}"));
        DdlUnit::locking(
            Goal::ReplicaIdentity {
                table: table.clone(),
                identity: identity.clone(),
            },
            vec![set.lock_only(table, Lock::AccessExclusiveLock)],
        )
        .of_partition(table, self.partition_of.as_ref())
    }
}

impl Described for SetReplicaIdentity {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand, PhaseName::Enforce]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

impl Ddl for SetReplicaIdentity {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![self.part(&self.identity)]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![self.part(&self.previous)])
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
