//! `add_enum_value`: PostgreSQL has no way to take a value of an enum away.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    literal,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adds a value to an enum type. PostgreSQL cannot remove it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddEnumValue {
    /// With its schema, such as `public.shipment_state`.
    pub name: TableName,
    pub value: String,
    /// The value before which it is inserted. By default it is added at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

impl Described for AddEnumValue {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand]
    }
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.name, self.value)
    }
}

impl Ddl for AddEnumValue {
    /// Committed by itself: a new value cannot be used in the transaction that adds it.
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let place = match (&self.before, &self.after) {
            (Some(other), _) => format!(" BEFORE {}", literal::text(other)),
            (None, Some(other)) => format!(" AFTER {}", literal::text(other)),
            (None, None) => String::new(),
        };
        let value = literal::text(&self.value);
        vec![DdlUnit::locking(
            Goal::EnumValue {
                name: self.name.clone(),
                label: self.value.clone(),
            },
            vec![Statement::new(format!(
                "ALTER TYPE {} ADD VALUE IF NOT EXISTS {value}{place}",
                self.name
            ))],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    fn irreversible(&self) -> bool {
        self.irreversible
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
