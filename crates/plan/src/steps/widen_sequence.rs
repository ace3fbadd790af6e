//! `widen_sequence`: a sequence goes as far as the wider column that takes its numbers.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Raises the limit of a sequence to that of the wider column. In `contract`: before that, a sequence with CYCLE could produce values that the old column cannot store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WidenSequence {
    /// The table that uses the sequence.
    pub table: TableName,
    /// The column of that table.
    pub column: Ident,
    pub sequence: TableName,
    /// `smallint`, `integer` or `bigint`.
    #[serde(rename = "as")]
    pub number_type: String,
    /// The limit of the sequence: the highest value, or the lowest one of a descending sequence.
    pub limit: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
}

impl Described for WidenSequence {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.sequence.to_string()
    }
}

impl Ddl for WidenSequence {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self {
            sequence,
            number_type,
            limit,
            ..
        } = self;
        let end = if self.descending {
            "MINVALUE"
        } else {
            "MAXVALUE"
        };
        let alter = format!("ALTER SEQUENCE {sequence} AS {number_type} {end} {limit}");
        vec![DdlUnit::locking(
            Goal::SequenceReaches {
                sequence: sequence.clone(),
                limit: *limit,
                descending: self.descending,
            },
            vec![Statement::new(alter)],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }

    fn note(&self) -> Option<String> {
        Some(format!(
            "nextval({}) waits until the transaction ends, whichever table it is for, and a transaction that has called it is waited for (SHARE ROW EXCLUSIVE on the sequence)",
            self.sequence
        ))
    }
}
