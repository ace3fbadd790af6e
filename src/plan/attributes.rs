//! What a column has besides its values. It is carried over to the column that takes its place as it was when the plan was
//! made; what somebody changes on the old one later would go with it.

use super::{
    facts::{Column, Grant},
    ident::{Ident, TableName},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DEFAULT: &str = "default";

/// By what it is, in words. What a column does not have is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes(BTreeMap<String, String>);

/// A column that goes, as it was when the plan was made, and the one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    pub table: TableName,
    pub column: Ident,
    pub by: Ident,
    pub attributes: Attributes,
}

impl Attributes {
    pub fn of(column: &Column) -> Self {
        let statistics = column.statistics.map(|target| target.to_string());
        let mut grants: Vec<String> = column.grants.iter().map(grant).collect();
        grants.sort();
        let all = [
            ("type", Some(column.type_name.clone())),
            ("collation", column.collation.clone()),
            (DEFAULT, column.default.clone()),
            ("NOT NULL", column.not_null.then(|| "set".to_owned())),
            ("comment", column.comment.clone()),
            ("statistics target", statistics),
            ("storage", column.storage.clone()),
            ("compression", column.compression.clone()),
            ("options", listed(&column.options)),
            ("privileges", listed(&grants)),
        ];
        let there = all.into_iter();
        Self(
            there
                .filter_map(|(what, value)| Some((what.to_owned(), value?)))
                .collect(),
        )
    }
}

impl Succession {
    /// What is other than it was on the old column, and would be lost with it: each in words. What the new one has alike is
    /// not lost, but for the default, which `contract` sets to what it was.
    pub fn lost(&self, now: &Attributes, successor: &Attributes) -> Vec<String> {
        let Attributes(was) = &self.attributes;
        let mut names: Vec<&String> = was.keys().chain(now.0.keys()).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .filter(|name| was.get(*name) != now.0.get(*name))
            .filter(|name| *name == DEFAULT || now.0.get(*name) != successor.0.get(*name))
            .map(|name| self.in_words(name, was.get(name), now.0.get(name)))
            .collect()
    }

    fn in_words(&self, name: &str, was: Option<&String>, now: Option<&String>) -> String {
        let Self {
            table, column, by, ..
        } = self;
        let shown = |value: Option<&String>| value.map_or("none".to_owned(), Clone::clone);
        let instead = if name == DEFAULT {
            format!("put it back, and change that of {by} after contract")
        } else {
            format!("change that of {by} too, or put it back")
        };
        format!(
            "the {name} of {table}.{column} (was {}, is {}, since the plan was made: {instead})",
            shown(was),
            shown(now)
        )
    }
}

fn listed(all: &[String]) -> Option<String> {
    (!all.is_empty()).then(|| all.join(", "))
}

fn grant(grant: &Grant) -> String {
    let to = grant
        .to
        .as_ref()
        .map_or("PUBLIC".to_owned(), Ident::to_string);
    let option = if grant.grantable {
        " with grant option"
    } else {
        ""
    };
    format!("{} to {to}{option}", grant.privilege)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(all: &[(&str, &str)]) -> Attributes {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Attributes(all.iter().map(own).collect())
    }

    #[test]
    fn what_is_changed_on_the_old_column_is_lost_unless_the_new_one_has_it_too() {
        let succession = Succession {
            table: "public.vehicles".parse().unwrap(),
            column: "status".parse().unwrap(),
            by: "state".parse().unwrap(),
            attributes: attributes(&[("default", "'new'"), ("comment", "old words")]),
        };
        let was = succession.attributes.clone();
        assert!(succession.lost(&was, &attributes(&[])).is_empty());

        let now = attributes(&[("default", "'new'"), ("NOT NULL", "set")]);
        let lost = succession.lost(&now, &attributes(&[("comment", "old words")]));
        assert_eq!(lost.len(), 2, "{lost:?}");
        assert!(lost[0].contains("the NOT NULL of public.vehicles.status (was none, is set"));
        assert!(lost[1].contains("the comment of public.vehicles.status (was old words, is none"));
        assert!(succession.lost(&now, &now).is_empty());

        let now = attributes(&[("default", "'fresh'"), ("comment", "old words")]);
        let lost = succession.lost(&now, &now);
        assert!(
            lost[0].contains("put it back, and change that of state after contract"),
            "{lost:?}"
        );
    }
}
