//! `create_table`: from what stands in the parentheses of CREATE TABLE. Taken back only while the table is empty.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors},
};
use crate::sqlgen::script;
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, create_table::CreateTable as CreateTableStep},
};
use crossfade_model::{error::Path, ident::TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTable {
    pub table: TableName,
    /// `id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL`
    pub columns: String,
    /// The text after the parentheses: `PARTITION BY RANGE (created_at)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Change for CreateTable {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        if facts.table(&self.table).is_some() {
            let message = format!("{} is there already", self.table);
            return relation::refuse(&at.key("table"), message, "choose another name");
        }
        for (key, text) in [
            ("columns", Some(&self.columns)),
            ("options", self.options.as_ref()),
        ] {
            if let Some(why) = text.and_then(|text| script::unbalanced(text)) {
                let help = "write what stands in CREATE TABLE, and no other statement";
                return relation::refuse(&at.key(key), format!("`{key}` {why}"), help);
            }
        }
        let step = CreateTableStep {
            table: self.table.clone(),
            columns: self.columns.clone(),
            options: self.options.clone(),
            comment: self.comment.clone(),
            copies: None,
            references: Vec::new(),
            owner: None,
            grants: Vec::new(),
            settings: Vec::new(),
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}
