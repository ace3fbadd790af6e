//! `create_enum`: a type of named values.

use super::named::{Named, Naming, What};
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
    error::{Path, PlanError},
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

    fn contradictions(&self, at: &Path) -> Errors {
        let mut errors = Errors::new();
        for (number, value) in self.values.iter().enumerate() {
            let place = at.key("values").index(number);
            if self.values[..number].contains(value) {
                let message = format!("`{value}` is there twice");
                errors.push(PlanError::at(place, message).help("leave one of them out"));
            } else {
                errors.extend(check_value(value, &place).err().into_iter().flatten());
            }
        }
        errors
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.name)
            .and(What::Type, at.key("name"))
            .named()
    }

    fn phases(&self, _: &Facts, _: &Path) -> Result<Vec<PhaseDocument>, Errors> {
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
