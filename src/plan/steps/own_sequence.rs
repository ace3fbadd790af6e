//! `own_sequence`: a serial's sequence passes to the new column, or it would be dropped with the old one.

use crate::plan::ident::{Ident, TableName};
use crate::statement::part::{Goal, Part, Statement};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnSequence {
    pub table: TableName,
    pub column: Ident,
    /// As SQL writes it: `public.vehicles_number_seq`.
    pub sequence: String,
}

impl OwnSequence {
    pub fn part(&self) -> Part {
        Part::locking(
            Goal::SequenceOwned {
                sequence: self.sequence.clone(),
                table: self.table.clone(),
                column: self.column.clone(),
            },
            vec![Statement::new(format!(
                "ALTER SEQUENCE {} OWNED BY {}.{}",
                self.sequence, self.table, self.column
            ))],
        )
    }
}
