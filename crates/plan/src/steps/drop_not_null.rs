//! `drop_not_null`: going back proves again that no row is without a value, and fails where one is.

use super::set_not_null::SetNotNull;
use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::{Cost, Obstacle};
use crate::sqlgen::ddl_unit::DdlUnit;
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops NOT NULL. The undo proves it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropNotNull {
    pub table: TableName,
    pub column: Ident,
    /// On a partitioned table: its partitions that have rows. The undo reads them one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<TableName>,
}

impl DropNotNull {
    fn reverse(&self) -> SetNotNull {
        SetNotNull {
            table: self.table.clone(),
            column: self.column.clone(),
            partitions: self.partitions.clone(),
        }
    }
}

impl Described for DropNotNull {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

impl Ddl for DropNotNull {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn claims(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![self.reverse().drop()]
    }

    fn undo(&self, plan: &Plan) -> Undo {
        Undo::Parts(self.reverse().parts(plan))
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::in_the_way(Obstacle::null(&self.table, &self.column))
    }
}
