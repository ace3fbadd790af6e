//! SQL identifiers: read as PostgreSQL reads them, written so that PostgreSQL reads them back.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// PostgreSQL's `NAMEDATALEN - 1`: longer names are silently cut by the server, so they are refused here.
pub const NAME_BYTES_MAX: usize = 63;

/// One identifier, held without its quotes. `Display` writes it as SQL, quoted where SQL needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ident(String);

/// A table (or another relation) with its schema, which is never left to `search_path`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableName {
    pub schema: Ident,
    pub name: Ident,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentError {
    #[error("a name is empty")]
    Empty,
    #[error("`{0}` has a quote that is not closed")]
    Unclosed(String),
    #[error("`{0}` is not a name; quote it as in SQL, e.g. '\"Vehicle Log\"'")]
    NotAName(String),
    #[error("the name `{0}` has {1} bytes; PostgreSQL keeps {NAME_BYTES_MAX}")]
    TooLong(String, usize),
    #[error("`{0}` has {1} parts; write `schema.table`")]
    Parts(String, usize),
    #[error("`{0}` has a schema: here a name alone is wanted")]
    Qualified(String),
    #[error("a name cannot hold a zero byte")]
    Zero,
}

impl Ident {
    /// An identifier from its bare text (as a catalog gives it), without any folding or unquoting.
    pub fn from_catalog(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The bare text, without quotes, as it stands in the catalog.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Always in double quotes: for places where a keyword would be read as one.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }

    /// `self` followed by `suffix`, the middle cut so that the whole fits in 63 bytes; a cut name ends in a hash of the
    /// whole, so two long names never meet.
    pub fn with_suffix(&self, suffix: &str) -> Ident {
        let whole = format!("{}{suffix}", self.0);
        if whole.len() <= NAME_BYTES_MAX {
            return Ident(whole);
        }
        let mark = format!("_{:08x}{suffix}", short_hash(&whole));
        let mut keep = NAME_BYTES_MAX.saturating_sub(mark.len());
        while !self.0.is_char_boundary(keep) {
            keep -= 1;
        }
        Ident(format!("{}{mark}", &self.0[..keep]))
    }

    fn checked(name: String) -> Result<Self, IdentError> {
        match name.len() {
            0 => Err(IdentError::Empty),
            length if length > NAME_BYTES_MAX => Err(IdentError::TooLong(name, length)),
            _ if name.contains('\0') => Err(IdentError::Zero),
            _ => Ok(Self(name)),
        }
    }
}

/// FNV-1a, 32 bits: short, stable across versions and platforms. Not for secrets.
pub fn short_hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        let plain = letters
            .next()
            .is_some_and(|first| first == '_' || first.is_ascii_lowercase())
            && letters.all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit());
        if plain && KEYWORDS.binary_search(&self.0.as_str()).is_err() {
            f.write_str(&self.0)
        } else {
            f.write_str(&self.quoted())
        }
    }
}

impl FromStr for Ident {
    type Err = IdentError;
    fn from_str(text: &str) -> Result<Self, IdentError> {
        let mut parts = split(text)?;
        match (parts.pop(), parts.len()) {
            (Some(name), 0) => Ok(name),
            (_, _) => Err(IdentError::Qualified(text.to_owned())),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl FromStr for TableName {
    type Err = IdentError;
    fn from_str(text: &str) -> Result<Self, IdentError> {
        let parts = split(text)?;
        match parts.as_slice() {
            [name] => Ok(Self {
                schema: Ident("public".to_owned()),
                name: name.clone(),
            }),
            [schema, name] => Ok(Self {
                schema: schema.clone(),
                name: name.clone(),
            }),
            more => Err(IdentError::Parts(text.to_owned(), more.len())),
        }
    }
}

/// Splits `a."B c".d` at its dots, folding what is not quoted to lower case as the server does (ASCII letters only).
fn split(text: &str) -> Result<Vec<Ident>, IdentError> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = if let Some(quoted) = rest.strip_prefix('"') {
            take_quoted(quoted, text)?
        } else {
            take_bare(rest, text)?
        };
        parts.push(Ident::checked(part)?);
        match after.trim_start().strip_prefix('.') {
            Some(next) => rest = next.trim_start(),
            None if after.trim().is_empty() => return Ok(parts),
            None => return Err(IdentError::NotAName(text.to_owned())),
        }
    }
}

fn take_quoted<'a>(rest: &'a str, whole: &str) -> Result<(String, &'a str), IdentError> {
    let mut name = String::new();
    let mut letters = rest.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != '"' {
            name.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == '"') {
            name.push('"');
            letters.next();
        } else {
            return Ok((name, &rest[at + 1..]));
        }
    }
    Err(IdentError::Unclosed(whole.to_owned()))
}

fn take_bare<'a>(rest: &'a str, whole: &str) -> Result<(String, &'a str), IdentError> {
    let end = rest
        .find(|c: char| !(c == '_' || c == '$' || c.is_ascii_alphanumeric() || !c.is_ascii()))
        .unwrap_or(rest.len());
    let name = &rest[..end];
    if name.is_empty() && rest.is_empty() {
        return Err(IdentError::Empty);
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '$') {
        return Err(IdentError::NotAName(whole.to_owned()));
    }
    Ok((name.to_ascii_lowercase(), &rest[end..]))
}

macro_rules! text_conversions {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = IdentError;
            fn try_from(text: String) -> Result<Self, IdentError> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    };
}
text_conversions!(Ident);
text_conversions!(TableName);

/// Every keyword of PostgreSQL 14 to 18 that is not "unreserved", sorted: as bare names they could be read otherwise.
/// Source: the PostgreSQL documentation, appendix "SQL Key Words".
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

impl JsonSchema for Ident {
    fn schema_name() -> Cow<'static, str> {
        "Identifier".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A name as in SQL, quoted if SQL requires it: `status`, `'\"Odd Name\"'`.",
            "type": "string", "minLength": 1
        })
    }
}

impl JsonSchema for TableName {
    fn schema_name() -> Cow<'static, str> {
        "TableName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A table with its schema, `public` by default: `public.vehicles`, `'\"Fleet\".\"Vehicle Log\"'`.",
            "type": "string", "minLength": 1
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::ident::*;

    #[test]
    fn names_are_folded_and_quoted_as_the_server_does() {
        let table: TableName = r#""Fleet"."Vehicle ""Log""" "#.parse().unwrap();
        assert_eq!(table.schema.as_str(), "Fleet");
        assert_eq!(table.name.as_str(), r#"Vehicle "Log""#);
        assert_eq!(table.to_string(), r#""Fleet"."Vehicle ""Log""""#);
        assert_eq!(
            "Vehicles".parse::<TableName>().unwrap().to_string(),
            "public.vehicles"
        );
        assert_eq!("Straße".parse::<Ident>().unwrap().to_string(), "\"straße\"");
        assert_eq!("order".parse::<Ident>().unwrap().to_string(), "\"order\"");
        assert_eq!("status".parse::<Ident>().unwrap().to_string(), "status");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "a b",
            "1a",
            "\"open",
            "a.b.c.",
            "a;drop",
            &"x".repeat(64),
        ] {
            assert!(text.parse::<Ident>().is_err(), "{text}");
        }
        assert!("a.b.c".parse::<TableName>().is_err());
        assert!("x".repeat(63).parse::<Ident>().is_ok());
    }

    #[test]
    fn the_keywords_are_sorted_for_the_search() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn a_long_name_with_a_suffix_still_fits_and_stays_apart() {
        let (one, two) = (Ident("é".repeat(31)), Ident(format!("{}x", "é".repeat(31))));
        let (one, two) = (one.with_suffix("_crossfade"), two.with_suffix("_crossfade"));
        assert!(one.as_str().len() <= 63 && two.as_str().len() <= 63 && one != two);
    }
}
