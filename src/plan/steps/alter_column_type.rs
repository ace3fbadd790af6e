//! `alter_column_type`: in place, where PostgreSQL neither rewrites nor scans the table for it.

use super::{Ddl, Described, Undo};
use crate::plan::types;
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::part::{Goal, Lock, Part, Statement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlterColumnType {
    pub table: TableName,
    pub column: Ident,
    /// As the server writes it.
    pub from: String,
    #[serde(rename = "type")]
    pub type_name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

impl AlterColumnType {
    fn part(&self, type_name: &str) -> Part {
        let Self { table, column, .. } = self;
        let alter = Statement::new(format!(
            "ALTER TABLE {table} ALTER COLUMN {column} TYPE {type_name}"
        ));
        Part::locking(
            Goal::ColumnType {
                table: table.clone(),
                column: column.clone(),
                type_name: type_name.to_owned(),
            },
            vec![alter.lock(table, Lock::AccessExclusiveLock)],
        )
    }
}

impl Described for AlterColumnType {
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

impl Ddl for AlterColumnType {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn claims(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn parts(&self, _: &Plan) -> Vec<Part> {
        vec![self.part(&self.type_name)]
    }

    /// Back is in place too only where no value can have grown too long meanwhile: text and varchar without a length.
    fn undo(&self, _: &Plan) -> Undo {
        if types::in_place(&self.type_name, &self.from) {
            Undo::Parts(vec![self.part(&self.from)])
        } else {
            Undo::Irreversible
        }
    }

    fn irreversible(&self) -> bool {
        self.irreversible
    }

    fn note(&self) -> Option<String> {
        Some(format!(
            "a prepared statement that returns {} fails once with \"cached plan must not change result type\" in drivers that do not prepare again",
            self.column
        ))
    }
}
