//! `create_table`: from the author's own CREATE TABLE. Taken back only while it is empty.

use super::{Ddl, Described, Undo};
use crate::plan::{compiled::Plan, document::PhaseName, ident::TableName};
use crate::statement::{
    literal,
    part::{Goal, Lock, Part, Statement},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTable {
    pub table: TableName,
    /// What stands in the parentheses of CREATE TABLE: columns and constraints.
    pub columns: String,
    /// What follows them: `PARTITION BY RANGE (created_at)`, `WITH (fillfactor = 90)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Described for CreateTable {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

impl Ddl for CreateTable {
    fn creates(&self) -> Option<&TableName> {
        Some(&self.table)
    }

    fn parts(&self, _: &Plan) -> Vec<Part> {
        let Self { table, columns, .. } = self;
        let options = match &self.options {
            Some(options) => format!(" {options}"),
            None => String::new(),
        };
        let mut statements = vec![Statement::new(format!(
            "CREATE TABLE {table} ({columns}\n){options}"
        ))];
        if let Some(comment) = &self.comment {
            let comment = literal::text(comment);
            statements.push(Statement::new(format!(
                "COMMENT ON TABLE {table} IS {comment}"
            )));
        }
        vec![Part::locking(
            Goal::Table {
                table: table.clone(),
            },
            statements,
        )]
    }

    /// With the lock held, so that no row comes in between the look and the drop.
    fn undo(&self, _: &Plan) -> Undo {
        let table = &self.table;
        let message = literal::text(&format!(
            "{table} has rows, and going back would lose them: copy them elsewhere and delete them first"
        ));
        let guard = format!(
            "DO {}",
            literal::dollar_quoted(&format!(
                "BEGIN IF EXISTS (SELECT FROM {table}) THEN RAISE EXCEPTION USING MESSAGE = {message}; END IF; END"
            ))
        );
        let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        let statements = [lock, guard, format!("DROP TABLE {table}")];
        Undo::Parts(vec![Part::locking(
            Goal::NoTable {
                table: table.clone(),
            },
            statements
                .into_iter()
                .map(|sql| Statement::new(sql).lock(table, Lock::AccessExclusiveLock))
                .collect(),
        )])
    }
}
