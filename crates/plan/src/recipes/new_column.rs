//! A new column as a recipe gives it, and what it inherits of the column that it succeeds.

use super::replacement::Pair;
use crate::{
    facts::{Column, Grant},
    steps::add_column::{AddColumn, ColumnGrant, Privilege, Storage},
    types,
};
use crossfade_model::ident::{Ident, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewColumn {
    /// As in SQL, such as `numeric(12,2)`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Enforced in `retire`, when the old version no longer writes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl NewColumn {
    pub(super) fn of_type(type_name: &str) -> Self {
        Self {
            type_name: type_name.to_owned(),
            not_null: false,
            collation: None,
            comment: None,
        }
    }

    pub(super) fn add(
        &self,
        table: &TableName,
        name: &Ident,
        grants: Vec<ColumnGrant>,
    ) -> AddColumn {
        AddColumn {
            collation: self.collation.clone(),
            comment: self.comment.clone(),
            grants,
            ..AddColumn::new(table, name, &self.type_name)
        }
    }
}

/// The column that takes the place of one other, with what was set on that.
pub(super) fn successor(table: &TableName, pair: &Pair<'_>) -> AddColumn {
    let said = &pair.column;
    let inherited = successor_of(pair.old, table, &pair.new, &said.type_name);
    AddColumn {
        collation: said.collation.clone().or(inherited.collation),
        comment: said.comment.clone().or(inherited.comment),
        ..inherited
    }
}

pub(super) fn successor_of(
    old: &Column,
    table: &TableName,
    new: &Ident,
    type_name: &str,
) -> AddColumn {
    let same_type = type_name == old.type_name;
    let stored_alike = same_type || types::is_long(type_name) && types::is_long(&old.type_name);
    AddColumn {
        collation: old
            .collation
            .clone()
            .filter(|_| same_type || takes_collation(type_name)),
        comment: old.comment.clone(),
        statistics: old.statistics,
        storage: old.storage.as_deref().filter(|_| stored_alike).and_then(
            |storage| match storage {
                "plain" => Some(Storage::Plain),
                "external" => Some(Storage::External),
                "extended" => Some(Storage::Extended),
                "main" => Some(Storage::Main),
                _ => None,
            },
        ),
        compression: old
            .compression
            .as_deref()
            .filter(|_| stored_alike)
            .map(Ident::from_catalog),
        options: old.options.clone(),
        grants: old.grants.iter().filter_map(grant).collect(),
        ..AddColumn::new(table, new, type_name)
    }
}

fn grant(grant: &Grant) -> Option<ColumnGrant> {
    let privilege = match grant.privilege.as_str() {
        "SELECT" => Privilege::Select,
        "INSERT" => Privilege::Insert,
        "UPDATE" => Privilege::Update,
        "REFERENCES" => Privilege::References,
        _ => return None,
    };
    Some(ColumnGrant {
        privilege,
        to: grant.to.clone(),
        grantable: grant.grantable,
    })
}

/// What everybody may who may it with every column that the new one is computed from.
pub(super) fn grants_in_common(columns: &[&Column]) -> Vec<ColumnGrant> {
    let Some((first, others)) = columns.split_first() else {
        return Vec::new();
    };
    let everywhere = |grant: &&Grant| others.iter().all(|column| column.grants.contains(grant));
    first
        .grants
        .iter()
        .filter(everywhere)
        .filter_map(grant)
        .collect()
}

/// Only text types have a collation to take.
fn takes_collation(type_name: &str) -> bool {
    let name = type_name.to_ascii_lowercase();
    ["text", "char", "citext", "name"]
        .iter()
        .any(|text| name.contains(text))
}
