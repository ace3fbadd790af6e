//! What tells a row from another: columns, each with the operator that its unique index takes for "equal".

use crossfade_model::ident::Ident;
use serde::{Deserialize, Serialize};

/// As it stands between two values: `OPERATOR(public.=)`. A bare `=` would be looked for on the search path, where a type of
/// an extension (citext, ltree) may find that of another type, to which it converts by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Operator(String);

impl Operator {
    /// `schema` and `name` as the catalog has them.
    pub fn of(schema: &Ident, name: &str) -> Self {
        Self(format!("OPERATOR({schema}.{name})"))
    }
}

/// Plans of runs that were started before this was looked at.
impl Default for Operator {
    fn default() -> Self {
        Self("OPERATOR(pg_catalog.=)".to_owned())
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct KeyColumn {
    pub name: Ident,
    pub equal: Operator,
}

/// Older plans have the name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Name(Ident),
    Whole { name: Ident, equal: Operator },
}

impl From<Written> for KeyColumn {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => Self {
                name,
                equal: Operator::default(),
            },
            Written::Whole { name, equal } => Self { name, equal },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyColumn, Operator};
    use crossfade_model::ident::Ident;

    #[test]
    fn a_key_of_names_alone_is_read_too() {
        let old: Vec<KeyColumn> = serde_json::from_str(r#"["id"]"#).unwrap();
        assert_eq!(old[0].equal.to_string(), "OPERATOR(pg_catalog.=)");
        let name = Ident::from_catalog("email");
        let new = vec![KeyColumn {
            equal: Operator::of(&Ident::from_catalog("App"), "="),
            name,
        }];
        let text = serde_json::to_string(&new).unwrap();
        assert_eq!(serde_json::from_str::<Vec<KeyColumn>>(&text).unwrap(), new);
        assert_eq!(new[0].equal.to_string(), "OPERATOR(\"App\".=)");
    }
}
