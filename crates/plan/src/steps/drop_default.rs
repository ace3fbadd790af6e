//! `drop_default`: a row that is inserted without the column has NULL there from now on.

use super::set_default;
use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::DdlUnit;
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops the default of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropDefault {
    pub table: TableName,
    pub column: Ident,
    /// As the server writes it. The undo restores it.
    pub previous: String,
}

impl Described for DropDefault {
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

impl Ddl for DropDefault {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        vec![set_default::restore(&self.table, &self.column, None)]
    }

    fn undo(&self, _: &Plan) -> Undo {
        let previous = Some(self.previous.as_str());
        Undo::Parts(vec![set_default::restore(
            &self.table,
            &self.column,
            previous,
        )])
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
