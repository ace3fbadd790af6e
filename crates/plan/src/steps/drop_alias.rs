//! `drop_alias`: the view that stood in for a table goes.

use super::{
    Ddl, Described, Undo,
    alias_table::{drop_view, rename_back},
};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops the view that replaced a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropAlias {
    /// The view.
    pub table: TableName,
    /// The table that the view replaces.
    pub base: Ident,
    /// The table gets the view's name back, and this column its new name. Without it, the table keeps its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rename_column: Option<RenamedColumn>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenamedColumn {
    pub from: Ident,
    pub to: Ident,
}

impl DropAlias {
    fn base(&self) -> TableName {
        TableName {
            schema: self.table.schema.clone(),
            name: self.base.clone(),
        }
    }
}

impl Described for DropAlias {
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

impl Ddl for DropAlias {
    /// One transaction: there is no moment without the name, where it goes on.
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self { table, base, .. } = self;
        let part = match &self.rename_column {
            None => DdlUnit::locking(
                Goal::NoView {
                    table: table.clone(),
                },
                vec![drop_view(table)],
            ),
            Some(RenamedColumn { from, to }) => {
                let own = self.base();
                let rename =
                    Statement::new(format!("ALTER TABLE {own} RENAME COLUMN {from} TO {to}"))
                        .lock(&own, Lock::AccessExclusiveLock);
                DdlUnit::locking(
                    Goal::TableItself {
                        table: table.clone(),
                    },
                    vec![drop_view(table), rename, rename_back(table, base)],
                )
            }
        };
        vec![part]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
