//! `alter_column_type`: in place, where PostgreSQL neither rewrites nor scans the table for it.

use super::{Ddl, Described, Undo, add_column::Storage};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::types;
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Changes a type in place, if PostgreSQL neither rewrites nor scans the table for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlterColumnType {
    pub table: TableName,
    pub column: Ident,
    /// As the server writes it.
    pub from: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// The column's own, if it differs from that of the type. PostgreSQL would otherwise take that of the new type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The storage and the compression of the column, if they differ from those of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Ident>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

impl AlterColumnType {
    fn part(&self, type_name: &str) -> DdlUnit {
        let Self { table, column, .. } = self;
        let collation = match &self.collation {
            Some(collation) => format!(" COLLATE {collation}"),
            None => String::new(),
        };
        let words = [
            Some(format!("TYPE {type_name}{collation}")),
            self.storage
                .map(|storage| format!("SET STORAGE {}", storage.as_str())),
            self.compression
                .as_ref()
                .map(|method| format!("SET COMPRESSION {method}")),
        ];
        let alter = |what: String| {
            Statement::new(format!("ALTER TABLE {table} ALTER COLUMN {column} {what}"))
                .lock(table, Lock::AccessExclusiveLock)
        };
        DdlUnit::locking(
            Goal::ColumnType {
                table: table.clone(),
                column: column.clone(),
                type_name: type_name.to_owned(),
            },
            words.into_iter().flatten().map(alter).collect(),
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

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
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

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
