//! `own_sequence`: a serial's sequence passes to the new column, or it would be dropped with the old one.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes the new column the owner of a serial column's sequence. Otherwise it would be dropped with the old column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnSequence {
    pub table: TableName,
    pub column: Ident,
    /// As in SQL: `public.vehicles_number_seq`.
    pub sequence: String,
    /// The new type of the sequence, if the new column is wider.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub number_type: Option<String>,
}

impl Described for OwnSequence {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.sequence.clone()
    }
}

impl Ddl for OwnSequence {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let sequence = &self.sequence;
        let mut statements = vec![Statement::new(format!(
            "ALTER SEQUENCE {sequence} OWNED BY {}.{}",
            self.table, self.column
        ))];
        if let Some(number_type) = &self.number_type {
            statements.push(Statement::new(format!(
                "ALTER SEQUENCE {sequence} AS {number_type}"
            )));
        }
        vec![DdlUnit::locking(
            Goal::SequenceOwned {
                sequence: self.sequence.clone(),
                table: self.table.clone(),
                column: self.column.clone(),
            },
            statements,
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
