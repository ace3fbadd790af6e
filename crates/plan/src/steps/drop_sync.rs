//! `drop_sync`: takes the dual-write triggers away, in the transaction that drops what was old.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{ddl_unit::DdlUnit, sync, table_pair};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops the triggers, in the transaction that drops the old side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropSync {
    pub table: TableName,
}

impl Described for DropSync {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

impl Ddl for DropSync {
    fn parts(&self, plan: &Plan) -> Vec<DdlUnit> {
        vec![match (plan.sync(&self.table), plan.link(&self.table)) {
            (None, Some(link)) => {
                // By now everything that the plan retires is out of sight.
                table_pair::uninstall(plan, link, &table_pair::names_when(plan, link, |_| true))
            }
            _ => sync::uninstall(plan, &self.table),
        }]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
