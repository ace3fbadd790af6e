//! `create_enum`: a type of named values.

use super::{Ddl, Described, NewName, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    literal,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Creates an enum type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEnum {
    /// With its schema, such as `public.shipment_state`.
    pub name: TableName,
    pub labels: Vec<String>,
}

impl Described for CreateEnum {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Expand]
    }
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }
    fn subject(&self) -> String {
        self.name.to_string()
    }
}

impl Ddl for CreateEnum {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let labels: Vec<String> = self
            .labels
            .iter()
            .map(|label| literal::text(label))
            .collect();
        let create = format!("CREATE TYPE {} AS ENUM ({})", self.name, labels.join(", "));
        vec![DdlUnit::locking(
            Goal::Enum {
                name: self.name.clone(),
                labels: Some(self.labels.clone()),
            },
            vec![Statement::new(create)],
        )]
    }

    /// Refused by the server while anything uses the type.
    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![DdlUnit::locking(
            Goal::Enum {
                name: self.name.clone(),
                labels: None,
            },
            vec![Statement::new(format!("DROP TYPE {}", self.name))],
        )])
    }

    fn new_names(&self) -> Vec<NewName> {
        vec![NewName::Enum(self.name.clone())]
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}
