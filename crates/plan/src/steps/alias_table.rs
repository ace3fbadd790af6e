//! `alias_table`: the table takes another name, and an updatable view stands in for it under its own. Instant at any size.

use super::{Ddl, Described, NewName, Undo, add_column::ColumnGrant};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    literal,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Renames the table, and creates an updatable view under its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasTable {
    /// The table. From this step on, the view has this name.
    pub table: TableName,
    /// The new name of the table itself.
    pub base: Ident,
    /// The view's columns, in their order.
    pub columns: Vec<AliasColumn>,
    /// The owner of the view, if it is not the role that creates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Ident>,
    /// The rights and the row security of the calling role apply. PostgreSQL 15 or later.
    pub security_invoker: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<TableGrant>,
    /// Roles to which default privileges may have granted more than the table does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_from: Vec<Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasColumn {
    pub name: Ident,
    /// The column of the table, if it has another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Ident>,
    /// So that `SET column = DEFAULT` means the default of the table, and not NULL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<ColumnGrant>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableGrant {
    pub privilege: TablePrivilege,
    /// A role. Without it: PUBLIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Ident>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grantable: bool,
}

/// A privilege on a table or a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TablePrivilege {
    Select,
    Insert,
    Update,
    Delete,
}

impl TablePrivilege {
    fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl Described for AliasTable {
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

impl Ddl for AliasTable {
    fn needs(&self) -> Vec<&Ident> {
        self.columns
            .iter()
            .map(|column| column.of.as_ref().unwrap_or(&column.name))
            .collect()
    }

    /// All of them: whatever another run did to this table, it would find a view in its place.
    fn claims(&self) -> Vec<&Ident> {
        self.columns.iter().map(|column| &column.name).collect()
    }

    fn replaces_table(&self) -> bool {
        true
    }

    /// One transaction: there is no moment without the name.
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self { table, base, .. } = self;
        let mut statements = vec![
            Statement::new(format!("ALTER TABLE {table} RENAME TO {base}"))
                .lock(table, Lock::AccessExclusiveLock),
            Statement::new(self.create_view()),
        ];
        statements.extend(self.settings().into_iter().map(Statement::new));
        vec![DdlUnit::locking(
            Goal::Aliased {
                table: table.clone(),
                base: base.clone(),
            },
            statements,
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        let Self { table, base, .. } = self;
        Undo::Parts(vec![DdlUnit::locking(
            Goal::TableItself {
                table: table.clone(),
            },
            vec![drop_view(table), rename_back(table, base)],
        )])
    }

    fn note(&self) -> Option<String> {
        Some(
            "what works on tables only does not while the view stands in: COPY table FROM and TO, TRUNCATE, MERGE (before PostgreSQL 17), \
             a new foreign key or index, ALTER TABLE, ON CONFLICT ON CONSTRAINT, ctid, xmin and tableoid, GROUP BY of the primary key alone, \
             TABLESAMPLE, pg_get_serial_sequence; a statement that sets a column under both its names fails, and `SET column = DEFAULT` of \
             that column gives NULL; views and functions that were there go on reading the table itself; triggers see its other name in TG_TABLE_NAME"
                .to_owned(),
        )
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::Renamed(TableName {
            schema: self.table.schema.clone(),
            name: self.base.clone(),
        })]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

/// The view goes, in the transaction that gives its name away.
pub(super) fn drop_view(table: &TableName) -> Statement {
    Statement::new(format!("DROP VIEW {table}")).lock(table, Lock::AccessExclusiveLock)
}

/// The table takes its name back.
pub(super) fn rename_back(table: &TableName, base: &Ident) -> Statement {
    let named = TableName {
        schema: table.schema.clone(),
        name: base.clone(),
    };
    Statement::new(format!("ALTER TABLE {named} RENAME TO {}", table.name))
        .lock(&named, Lock::AccessExclusiveLock)
}

impl AliasTable {
    fn create_view(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| match &column.of {
                Some(of) => format!("{of} AS {}", column.name),
                None => column.name.to_string(),
            })
            .collect();
        let options = if self.security_invoker {
            " WITH (security_invoker = true)"
        } else {
            ""
        };
        format!(
            "CREATE VIEW {}{options} AS SELECT {} FROM {}.{}",
            self.table,
            columns.join(", "),
            self.table.schema,
            self.base
        )
    }

    /// What the table has, for the view.
    fn settings(&self) -> Vec<String> {
        let table = &self.table;
        let grant = |what: String, to: &Option<Ident>, grantable: bool| {
            let to = to.as_ref().map_or("PUBLIC".to_owned(), Ident::to_string);
            let option = if grantable { " WITH GRANT OPTION" } else { "" };
            format!("GRANT {what} ON TABLE {table} TO {to}{option}")
        };
        let mut settings: Vec<String> = Vec::new();
        settings.extend(
            self.revoke_from
                .iter()
                .map(|role| format!("REVOKE ALL ON TABLE {table} FROM {role}")),
        );
        if let Some(owner) = &self.owner {
            settings.push(format!("ALTER VIEW {table} OWNER TO {owner}"));
        }
        settings.extend(self.grants.iter().map(|given| {
            grant(
                given.privilege.as_str().to_owned(),
                &given.to,
                given.grantable,
            )
        }));
        for column in &self.columns {
            let name = &column.name;
            if let Some(default) = &column.default {
                settings.push(format!(
                    "ALTER VIEW {table} ALTER COLUMN {name} SET DEFAULT {default}"
                ));
            }
            if let Some(comment) = &column.comment {
                let comment = literal::text(comment);
                settings.push(format!("COMMENT ON COLUMN {table}.{name} IS {comment}"));
            }
            settings.extend(column.grants.iter().map(|given| {
                let what = format!("{} ({name})", given.privilege.as_str());
                grant(what, &given.to, given.grantable)
            }));
        }
        if let Some(comment) = &self.comment {
            let comment = literal::text(comment);
            settings.push(format!("COMMENT ON VIEW {table} IS {comment}"));
        }
        settings
    }
}
