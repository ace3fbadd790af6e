//! `move_identity`: the new column becomes the identity column and goes on where the old one's sequence stands.

use super::{Ddl, Described, Undo};
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

/// Makes the new column the identity column. It continues at the value of the old sequence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveIdentity {
    pub table: TableName,
    /// The new column. The old column is dropped after this step, together with its sequence.
    pub column: Ident,
    pub always: bool,
    /// The old sequence. The new one has its name.
    pub sequence: TableName,
    /// As in SQL: `START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1`.
    pub options: String,
    /// Roles to which default privileges grant something on a new sequence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoke_from: Vec<Ident>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<SequenceGrant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SequenceGrant {
    pub privilege: SequencePrivilege,
    /// A role. Without it: PUBLIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Ident>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grantable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SequencePrivilege {
    Select,
    Update,
    Usage,
}

impl SequencePrivilege {
    fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Update => "UPDATE",
            Self::Usage => "USAGE",
        }
    }
}

impl Described for MoveIdentity {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

impl Ddl for MoveIdentity {
    /// The rename comes first: its lock keeps everybody from taking a number between the look and the copy.
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self {
            table,
            column,
            sequence,
            options,
            ..
        } = self;
        let aside = TableName {
            schema: sequence.schema.clone(),
            name: sequence.name.with_suffix("_crossfade"),
        };
        let when = if self.always { "ALWAYS" } else { "BY DEFAULT" };
        let name = literal::text(&sequence.to_string());
        let mut statements = vec![
            Statement::new(format!("ALTER SEQUENCE {sequence} RENAME TO {}", aside.name)),
            Statement::new(format!(
                "ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED {when} AS IDENTITY (SEQUENCE NAME {sequence} {options})"
            ))
            .lock(table, Lock::AccessExclusiveLock),
            Statement::new(format!(
                "SELECT setval({name}::regclass, last_value, is_called) FROM {aside}"
            )),
        ];
        statements.extend(
            self.revoke_from
                .iter()
                .map(|role| format!("REVOKE ALL ON SEQUENCE {sequence} FROM {role}"))
                .map(Statement::new),
        );
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
                "GRANT {} ON SEQUENCE {sequence} TO {to}{option}",
                grant.privilege.as_str()
            )));
        }
        if let Some(comment) = &self.comment {
            let comment = literal::text(comment);
            statements.push(Statement::new(format!(
                "COMMENT ON SEQUENCE {sequence} IS {comment}"
            )));
        }
        vec![DdlUnit::locking(
            Goal::Identity {
                table: table.clone(),
                column: column.clone(),
            },
            statements,
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
