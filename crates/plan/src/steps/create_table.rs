//! `create_table`: from the author's own CREATE TABLE. Taken back only while it is empty.

use super::{Ddl, Described, NewName, Undo};
use crate::sqlgen::cost::{Cost, Loss};
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    literal,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Creates a table. It can be undone only while the table is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTable {
    pub table: TableName,
    /// The text inside the parentheses of CREATE TABLE: columns and constraints.
    pub columns: String,
    /// The text after the parentheses: `PARTITION BY RANGE (created_at)`, `WITH (fillfactor = 90)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its rows are only copies of rows of this table, kept in step with it. So a rollback may drop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<TableName>,
    /// The tables that its foreign keys refer to. Their writes are blocked for a short time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<TableName>,
    /// The owner. By default the role that creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Ident>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<TableGrant>,
    /// Statements about its columns, such as `COMMENT ON COLUMN …`.
    // Runs that were started before it was more than comments have the old word.
    #[serde(default, alias = "comments", skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableGrant {
    /// `SELECT`, `INSERT` …
    pub privilege: String,
    /// A role. Without it: PUBLIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Ident>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grantable: bool,
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

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self { table, columns, .. } = self;
        let options = match &self.options {
            Some(options) => format!(" {options}"),
            None => String::new(),
        };
        let create = Statement::new(format!("CREATE TABLE {table} ({columns}\n){options}"));
        let create = self.references.iter().fold(create, |create, other| {
            create.lock(other, Lock::ShareRowExclusiveLock)
        });
        let mut statements = vec![create];
        if let Some(comment) = &self.comment {
            let comment = literal::text(comment);
            statements.push(Statement::new(format!(
                "COMMENT ON TABLE {table} IS {comment}"
            )));
        }
        statements.extend(self.settings.iter().map(Statement::new));
        for grant in &self.grants {
            let to = grant
                .to
                .as_ref()
                .map_or("PUBLIC".to_owned(), Ident::to_string);
            let option = if grant.grantable {
                " WITH GRANT OPTION"
            } else {
                ""
            };
            let privilege = &grant.privilege;
            let sql = format!("GRANT {privilege} ON {table} TO {to}{option}");
            statements.push(Statement::new(sql));
        }
        // Last: what comes before is the maker's to do.
        statements.extend(
            self.owner
                .iter()
                .map(|owner| Statement::new(format!("ALTER TABLE {table} OWNER TO {owner}"))),
        );
        vec![DdlUnit::locking(
            Goal::Table {
                table: table.clone(),
            },
            statements,
        )]
    }

    /// Whether it has rows is looked at with the lock held, by whoever runs this.
    fn undo(&self, _: &Plan) -> Undo {
        let table = &self.table;
        let drop = Statement::new(format!("DROP TABLE {table}"));
        Undo::Parts(vec![DdlUnit::locking(
            Goal::NoTable {
                table: table.clone(),
            },
            vec![self.dropping(drop)],
        )])
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::Table(self.table.clone())]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::of(Loss {
            kept_in_step: self.copies.is_some(),
            ..Loss::of_table(&self.table)
        })
    }
}

impl CreateTable {
    /// Its foreign keys go with it, and with a lock on the tables that they refer to.
    fn dropping(&self, statement: Statement) -> Statement {
        self.references.iter().fold(
            statement.lock(&self.table, Lock::AccessExclusiveLock),
            |statement, other| statement.lock(other, Lock::AccessExclusiveLock),
        )
    }
}
