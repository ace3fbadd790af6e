//! `own_sequence`: a serial's sequence passes to the new column, or it would be dropped with the old one.

use super::{Ddl, Described, Undo};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
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
    fn parts(&self, _: &Plan) -> Vec<Part> {
        vec![Part::locking(
            Goal::SequenceOwned {
                sequence: self.sequence.clone(),
                table: self.table.clone(),
                column: self.column.clone(),
            },
            vec![Statement::new(format!(
                "ALTER SEQUENCE {} OWNED BY {}.{}",
                self.sequence, self.table, self.column
            ))],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }
}
