//! `create_enum`: a type of named values.

use super::{
    Change,
    relation::{self, Errors},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, create_enum::CreateEnum as CreateEnumStep},
};
use crossfade_model::{
    error::Path,
    ident::{NAME_BYTES_MAX, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateEnum {
    /// With its schema, such as `public.shipment_state`.
    pub name: TableName,
    /// In their sort order.
    pub values: Vec<String>,
}

/// A value that PostgreSQL would cut or refuse.
pub(super) fn check_value(value: &str, place: &Path) -> Result<(), Errors> {
    if value.is_empty() || value.len() > NAME_BYTES_MAX || value.contains('\0') {
        let message = format!("`{value}` cannot be a value of an enum");
        let help = format!("it has from 1 to {NAME_BYTES_MAX} bytes");
        return relation::refuse(place, message, &help);
    }
    Ok(())
}

impl Change for CreateEnum {
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }

    fn phases(&self, _: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        for (number, value) in self.values.iter().enumerate() {
            let place = at.key("values").index(number);
            check_value(value, &place)?;
            if self.values[..number].contains(value) {
                return relation::refuse(
                    &place,
                    format!("`{value}` is there twice"),
                    "leave one of them out",
                );
            }
        }
        let step = CreateEnumStep {
            name: self.name.clone(),
            labels: self.values.clone(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}
