//! Names of tables and indexes as SQL files write them: the schema may be missing, as only the session knows it.

use super::lexer::significant;
use crossfade_model::ident::Ident;
use std::fmt;

/// Where names without a schema are, unless the search path says otherwise.
pub const PUBLIC: &str = "public";
/// Where a session finds its temporary tables, before all others.
pub const TEMPORARY: &str = "pg_temp";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub schema: Option<String>,
    pub name: String,
}

impl Name {
    /// Reads `schema.name`, each part folded to lower case unless it is quoted. A database's name in front is left out.
    pub fn read(text: &str) -> Self {
        let mut parts = parts(text);
        let name = parts.pop().unwrap_or_default();
        Self {
            schema: parts.pop(),
            name,
        }
    }

    /// Whether both may be the same relation: a schema that is not given may be any.
    pub fn may_be(&self, other: &Self) -> bool {
        self.name == other.name
            && match (&self.schema, &other.schema) {
                (Some(one), Some(two)) => one == two,
                (None, _) | (_, None) => true,
            }
    }

    /// Whether both are the same relation: without a schema it is in `public`, as long as nothing else was said.
    pub fn same(&self, other: &Self) -> bool {
        self.name == other.name && self.schema_or_public() == other.schema_or_public()
    }

    fn schema_or_public(&self) -> &str {
        self.schema.as_deref().unwrap_or(PUBLIC)
    }

    /// The same name in this schema.
    pub fn within(&self, schema: &str) -> Self {
        Self {
            schema: Some(schema.to_owned()),
            name: self.name.clone(),
        }
    }

    /// The same name in another schema, or another name in the same one.
    pub fn renamed(&self, name: &str) -> Self {
        Self {
            schema: self.schema.clone(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = self.schema.as_ref().filter(|schema| *schema != TEMPORARY) {
            write!(f, "{}.", Ident::from_catalog(schema.clone()))?;
        }
        write!(f, "{}", Ident::from_catalog(self.name.clone()))
    }
}

/// One part of a name: folded, or without its quotes.
/// The name of a setting: what stands before a dot is part of it, `app.lock_timeout` is not `lock_timeout`.
pub fn setting_name(text: &str) -> String {
    parts(text).join(".")
}

pub fn fold(text: &str) -> String {
    parts(text).pop().unwrap_or_default()
}

fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for token in significant(text) {
        let Some(part) = parts.last_mut() else { break };
        match token.text(text) {
            "." => parts.push(String::new()),
            word => part.push_str(&token.name(text).unwrap_or_else(|| word.to_owned())),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_as_the_server_does_and_written_so_that_it_reads_them() {
        let name = Name::read(r#" "Fleet" . "Vehicle ""Log""" "#);
        assert_eq!(name.schema.as_deref(), Some("Fleet"));
        assert_eq!(name.to_string(), r#""Fleet"."Vehicle ""Log""""#);
        assert_eq!(Name::read("Vehicles").to_string(), "vehicles");
        assert_eq!(fold("\"A.b\""), "A.b");
    }

    #[test]
    fn a_missing_schema_may_be_any() {
        let (bare, one, two) = (Name::read("t"), Name::read("a.t"), Name::read("b.t"));
        assert!(bare.may_be(&one) && two.may_be(&bare) && !one.may_be(&two));
        assert!(!bare.may_be(&Name::read("u")));
        assert!(
            !bare.same(&one) && bare.same(&Name::read("public.t")) && bare.within("a").same(&one)
        );
    }
}
