//! `add_enum_value`: for ever, as PostgreSQL has no way to take a value of an enum away.

use super::named::{Named, Naming, What};
use super::{
    Change,
    create_enum::check_value,
    relation::{self, Errors},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, add_enum_value::AddEnumValue as AddEnumValueStep},
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::TableName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddEnumValue {
    /// With its schema, such as `public.shipment_state`.
    pub name: TableName,
    pub value: String,
    /// By default at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Must be `true`, because the value cannot be removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

impl Change for AddEnumValue {
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }

    fn contradictions(&self, at: &Path) -> Errors {
        if self.before.is_some() && self.after.is_some() {
            let message = "`before` and `after` exclude each other";
            return vec![PlanError::at(at.key("after"), message).help("leave one of them out")];
        }
        let checked = check_value(&self.value, &at.key("value"));
        checked.err().unwrap_or_default()
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.name)
            .and(What::Type, at.key("name"))
            .named()
    }

    fn phases(&self, _: &Facts, _: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let step = AddEnumValueStep {
            name: self.name.clone(),
            value: self.value.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            irreversible: self.irreversible,
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}
