//! `drop_constraint`: a foreign key of another table that refers to the column that is to go.

use super::add_constraint;
use crate::plan::ident::{Ident, TableName};
use crate::statement::part::Part;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropConstraint {
    pub table: TableName,
    pub name: Ident,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<TableName>,
}

impl DropConstraint {
    pub fn part(&self) -> Part {
        add_constraint::drop_constraint(&self.table, &self.name, self.references.as_ref())
    }
}
