//! `drop_column`: never CASCADE. What still depends on the column makes it fail, and nothing has changed.

use crate::plan::{
    compiled::Plan,
    ident::{Ident, TableName},
};
use crate::statement::part::{Goal, Lock, Part, Statement};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropColumn {
    pub table: TableName,
    /// By the name it has in the plan; where the plan retires it first, the retired column is dropped.
    pub column: Ident,
}

impl DropColumn {
    pub fn part(&self, plan: &Plan) -> Part {
        let column = plan
            .retired(&self.table)
            .into_iter()
            .find(|retire| retire.column == self.column)
            .map_or_else(|| self.column.clone(), |retire| retire.aside());
        Part::locking(
            Goal::NoColumn {
                table: self.table.clone(),
                column: column.clone(),
            },
            vec![
                Statement::new(format!("ALTER TABLE {} DROP COLUMN {column}", self.table))
                    .lock(&self.table, Lock::AccessExclusiveLock),
            ],
        )
    }
}
