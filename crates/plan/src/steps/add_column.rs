//! `add_column`: never with a rewrite of the table; and what was set on the column that it succeeds.

mod on_partitions;

use super::{Ddl, Described, Undo, set_default};
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

/// Adds a column without rewriting the table. A column that triggers fill has no default, because a row that is not filled yet would look filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddColumn {
    pub table: TableName,
    pub column: Ident,
    /// As in SQL, such as `varchar(50)`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// As in SQL: `pg_catalog."de-DE-x-icu"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The statistics target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<i32>,
    /// `plain`, `external`, `extended` or `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Ident>,
    /// `n_distinct=-0.1`
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<ColumnGrant>,
    /// On a partitioned table: the new column of each partition gets the comment, statistics target, options and
    /// privileges of this column on that partition, and its storage and compression if the type is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions_as: Option<Ident>,
    /// As in SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(default, skip_serializing_if = "DefaultFor::is_all_rows")]
    pub default_for: DefaultFor,
    /// Only with a default for all rows, because then nothing has to be proved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
}

/// The rows that the default applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultFor {
    /// Existing rows too. They get it from the catalog, and no row is touched. The default must not be volatile,
    /// because the table would be rewritten.
    #[default]
    AllRows,
    /// Rows that are inserted from now on. The others are filled in batches.
    NewRows,
}

impl DefaultFor {
    fn is_all_rows(&self) -> bool {
        match self {
            Self::AllRows => true,
            Self::NewRows => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    Plain,
    External,
    Extended,
    Main,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnGrant {
    pub privilege: Privilege,
    /// A role. Without it: PUBLIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Ident>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grantable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privilege {
    Select,
    Insert,
    Update,
    References,
}

impl Privilege {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::References => "REFERENCES",
        }
    }
}

impl Storage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::External => "EXTERNAL",
            Self::Extended => "EXTENDED",
            Self::Main => "MAIN",
        }
    }
}

impl AddColumn {
    /// A nullable column with nothing set on it.
    pub fn new(table: &TableName, column: &Ident, type_name: &str) -> Self {
        Self {
            table: table.clone(),
            column: column.clone(),
            type_name: type_name.to_owned(),
            collation: None,
            comment: None,
            statistics: None,
            storage: None,
            compression: None,
            options: Vec::new(),
            grants: Vec::new(),
            partitions_as: None,
            default: None,
            default_for: DefaultFor::AllRows,
            not_null: false,
        }
    }

    fn default_of_all(&self) -> Option<&String> {
        let default = self.default.as_ref();
        default.filter(|_| self.default_for == DefaultFor::AllRows)
    }
}

impl Described for AddColumn {
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

impl Ddl for AddColumn {
    fn claims(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    /// One transaction: the column is never seen without its comment, statistics and privileges.
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self { table, column, .. } = self;
        let collation = match &self.collation {
            Some(collation) => format!(" COLLATE {collation}"),
            None => String::new(),
        };
        let mut words = collation;
        if let Some(default) = self.default_of_all() {
            words += &format!(" DEFAULT {default}");
        }
        if self.not_null {
            words += " NOT NULL";
        }
        let mut statements = vec![
            Statement::new(format!(
                "ALTER TABLE {table} ADD COLUMN {column} {}{words}",
                self.type_name
            ))
            .lock(table, Lock::AccessExclusiveLock),
        ];
        if let (Some(default), DefaultFor::NewRows) = (&self.default, self.default_for) {
            statements.push(set_default::statement(table, column, Some(default)));
        }
        statements.extend(self.settings());
        vec![DdlUnit::locking(
            Goal::Column {
                table: table.clone(),
                column: column.clone(),
                type_name: self.type_name.clone(),
            },
            statements,
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![DdlUnit::locking(
            Goal::NoColumn {
                table: self.table.clone(),
                column: self.column.clone(),
            },
            vec![
                Statement::new(format!(
                    "ALTER TABLE {} DROP COLUMN {}",
                    self.table, self.column
                ))
                .lock(&self.table, Lock::AccessExclusiveLock),
            ],
        )])
    }

    fn cost(&self, plan: &Plan) -> Cost {
        let Self { table, column, .. } = self;
        let (what, condition) = match self.default_of_all() {
            None => ("a value", format!("t.{column} IS DISTINCT FROM NULL")),
            Some(default) => (
                "another value than the default",
                self.differs_from_default(default),
            ),
        };
        let kept = plan.sync(table).is_some_and(|sync| {
            let mut targets = sync.forward.iter().map(|one| &one.target.name);
            targets.any(|target| target == column)
        }) || plan.link(table).is_some_and(|link| {
            let mut targets = link.forward().iter().map(|one| &one.target.name);
            link.table(link.new) == table && targets.any(|target| target == column)
        });
        let loss = Loss::of_column(table, column, what, &condition);
        Cost::of(Loss {
            kept_in_step: kept,
            ..loss
        })
    }
}

impl AddColumn {
    /// Compared as text, as not every type has an equality. What a default that is no constant gave the rows that were
    /// there is kept in the catalog.
    fn differs_from_default(&self, default: &str) -> String {
        let Self {
            column, type_name, ..
        } = self;
        let name = literal::text(column.as_str());
        format!(
            "t.{column}::text IS DISTINCT FROM (({default}\n)::{type_name})::text AND t.{column}::text IS DISTINCT FROM \
             (SELECT (a.attmissingval::text::text[])[1]::{type_name}::text FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.tableoid AND a.attname = {name})"
        )
    }

    /// Taken away in a transaction with more, whether or not it is there.
    pub fn dropped_if_there(&self) -> Statement {
        let Self { table, column, .. } = self;
        Statement::new(format!(
            "ALTER TABLE {table} DROP COLUMN IF EXISTS {column}"
        ))
        .lock(table, Lock::AccessExclusiveLock)
    }

    /// Its comment, statistics and privileges, and how it is stored.
    pub fn settings(&self) -> Vec<Statement> {
        let Self { table, column, .. } = self;
        // What partitions have of these is given to each by itself.
        let only = self.partitions_as.as_ref().map_or("", |_| "ONLY ");
        let mut statements = Vec::new();
        let mut alter = |what: String, lock| {
            let statement = Statement::new(format!(
                "ALTER TABLE {only}{table} ALTER COLUMN {column} SET {what}"
            ));
            statements.push(if only.is_empty() {
                statement.lock(table, lock)
            } else {
                statement.lock_only(table, lock)
            });
        };
        if let Some(storage) = self.storage {
            alter(
                format!("STORAGE {}", storage.as_str()),
                Lock::AccessExclusiveLock,
            );
        }
        if let Some(compression) = &self.compression {
            alter(
                format!("COMPRESSION {compression}"),
                Lock::AccessExclusiveLock,
            );
        }
        if let Some(statistics) = self.statistics {
            alter(
                format!("STATISTICS {statistics}"),
                Lock::ShareUpdateExclusiveLock,
            );
        }
        if !self.options.is_empty() {
            alter(
                format!("({})", self.options.join(", ")),
                Lock::ShareUpdateExclusiveLock,
            );
        }
        if let Some(comment) = &self.comment {
            statements.push(
                Statement::new(format!(
                    "COMMENT ON COLUMN {table}.{column} IS {}",
                    literal::text(comment)
                ))
                .lock(table, Lock::ShareUpdateExclusiveLock),
            );
        }
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
            statements.push(Statement::new(format!(
                "GRANT {} ({column}) ON TABLE {table} TO {to}{option}",
                grant.privilege.as_str()
            )));
        }
        let like = self.partitions_as.iter();
        statements.extend(like.map(|like| on_partitions::settings(table, column, like)));
        statements
    }
}
