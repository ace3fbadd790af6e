//! What a column has besides its values. It is carried over to the column that takes its place as it was when the plan was
//! made; what somebody changes on the old one later would go with it.

use super::facts::{Column, Grant};
use crossfade_model::ident::{Ident, TableName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DEFAULT: &str = "default";
const TYPE: &str = "type";
const COLLATION: &str = "collation";

/// By what it is, in words. What a column does not have is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes(BTreeMap<String, String>);

/// A column that goes, as it was when the plan was made, and the one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    pub table: TableName,
    pub column: Ident,
    pub by: Ident,
    /// Its values are converted: the two have types of their own.
    pub converts: bool,
    /// `contract` sets a default, to what follows from the one that was found.
    pub sets_default: bool,
    pub attributes: Attributes,
}

impl Attributes {
    pub fn of(column: &Column) -> Self {
        let statistics = column.statistics.map(|target| target.to_string());
        let mut grants: Vec<String> = column.grants.iter().map(grant).collect();
        grants.sort();
        let all = [
            (TYPE, Some(column.type_name.clone())),
            (COLLATION, column.collation.clone()),
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
    /// not lost, but for a default that `contract` sets to what it was. `column` and `by` are what the two are called now.
    pub fn lost(
        &self,
        (column, now): (&Ident, &Attributes),
        (by, successor): (&Ident, &Attributes),
    ) -> Vec<String> {
        let Attributes(was) = &self.attributes;
        let mut names: Vec<&str> = was.keys().chain(now.0.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        if self.converts {
            names.retain(|name| ![TYPE, COLLATION].contains(name));
        }
        names
            .into_iter()
            .filter(|name| was.get(*name) != now.0.get(*name))
            .filter(|name| self.is_set_back(name) || now.0.get(*name) != successor.0.get(*name))
            .map(|name| {
                let shown = |value: Option<&String>| value.map_or("none".to_owned(), Clone::clone);
                let (was, is) = (shown(was.get(name)), shown(now.0.get(name)));
                let instead = if self.is_set_back(name) {
                    format!("put it back, and change that of {by} after contract")
                } else {
                    format!("change that of {by} too, or put it back")
                };
                format!(
                    "the {name} of {}.{column} (was {was}, is {is}, since the plan was made: {instead})",
                    self.table
                )
            })
            .collect()
    }

    fn is_set_back(&self, name: &str) -> bool {
        name == DEFAULT && self.sets_default
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
        let mut succession = Succession {
            table: "public.vehicles".parse().unwrap(),
            column: "status".parse().unwrap(),
            by: "state".parse().unwrap(),
            converts: false,
            sets_default: true,
            attributes: attributes(&[("default", "'new'"), ("comment", "old words")]),
        };
        let (column, by) = (succession.column.clone(), succession.by.clone());
        let was = succession.attributes.clone();
        let lost = |succession: &Succession, now: &Attributes, successor: &Attributes| {
            succession.lost((&column, now), (&by, successor))
        };
        assert!(lost(&succession, &was, &attributes(&[])).is_empty());

        let now = attributes(&[("default", "'new'"), ("NOT NULL", "set")]);
        let found = lost(&succession, &now, &was);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("the NOT NULL of public.vehicles.status (was none, is set"));
        assert!(found[1].contains("the comment of public.vehicles.status (was old words, is none"));
        assert!(lost(&succession, &now, &now).is_empty());

        let now = attributes(&[
            ("default", "'fresh'"),
            ("comment", "old words"),
            ("type", "text"),
        ]);
        let found = lost(&succession, &now, &now);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("put it back, and change that of state after contract"));
        succession.sets_default = false;
        assert!(lost(&succession, &now, &now).is_empty());
        succession.converts = true;
        let found = lost(&succession, &now, &was);
        assert_eq!(found.len(), 1, "the type is each one's own: {found:?}");
    }
}
