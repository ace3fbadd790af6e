//! Which type takes every value of another: the few cases where a conversion cannot fail and loses nothing.

/// `from` and `to` as `format_type` writes them (`character varying(50)`), or with the usual short names.
pub fn widens(from: &str, to: &str) -> bool {
    let (from, to) = (Type::read(from), Type::read(to));
    if from == to {
        return true;
    }
    let rank = |name: &str| {
        ["smallint", "integer", "bigint"]
            .iter()
            .position(|t| *t == name)
    };
    match (from.name.as_str(), to.name.as_str()) {
        ("character varying", "text") => true,
        ("character varying" | "text", "character varying") if to.arguments.is_empty() => true,
        ("character varying", "character varying") => {
            matches!((from.arguments.as_slice(), to.arguments.as_slice()), ([a], [b]) if a <= b)
        }
        ("smallint" | "integer" | "bigint", "numeric") => to.arguments.is_empty(),
        ("numeric", "numeric") => match (from.arguments.as_slice(), to.arguments.as_slice()) {
            (_, []) => true,
            ([p, s], [q, t]) => s <= t && p - s <= q - t,
            _ => false,
        },
        (from, to) => matches!((rank(from), rank(to)), (Some(a), Some(b)) if a < b),
    }
}

/// Whether PostgreSQL changes a column from one to the other without rewriting the table, reading it, or building its
/// indexes anew. Measured on 14 to 18: a longer varchar or none, and numeric with more digits before the point.
pub fn in_place(from: &str, to: &str) -> bool {
    let (from, to) = (Type::read(from), Type::read(to));
    if from == to {
        return false;
    }
    match (from.name.as_str(), to.name.as_str()) {
        ("character varying" | "text", "text") => true,
        ("text", "character varying") => to.arguments.is_empty(),
        ("character varying", "character varying") => {
            match (from.arguments.as_slice(), to.arguments.as_slice()) {
                (_, []) => true,
                ([old], [new]) => new >= old,
                _ => false,
            }
        }
        ("numeric", "numeric") => match (from.arguments.as_slice(), to.arguments.as_slice()) {
            (_, []) => true,
            ([old, scale], [new, same]) => new >= old && scale == same,
            _ => false,
        },
        _ => false,
    }
}

/// How two values of one of PostgreSQL's own types are compared so that no operator of anybody's can come between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// There is an `=` of just this type, which comes first on every search path.
    OwnOperator,
    AsText,
}

/// Of a type, as `format_type` writes it, whose equality is that of its bytes.
pub fn equality(type_name: &str) -> Option<Equality> {
    const OWN: [&str; 13] = [
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "text",
        "name",
        "uuid",
        "date",
        "time without time zone",
        "timestamp without time zone",
        "timestamp with time zone",
        "bytea",
        "oid",
    ];
    match Type::read(type_name).name.as_str() {
        "character varying" => Some(Equality::AsText),
        name => OWN.contains(&name).then_some(Equality::OwnOperator),
    }
}

/// Whether its values may be compressed and kept apart from the row, as far as that is known of a name: then `SET STORAGE`
/// and `SET COMPRESSION` mean the same to all such types.
pub fn is_long(name: &str) -> bool {
    const LONG: [&str; 11] = [
        "text",
        "character varying",
        "character",
        "bytea",
        "json",
        "jsonb",
        "xml",
        "numeric",
        "tsvector",
        "bit",
        "bit varying",
    ];
    let name = Type::read(name).name;
    LONG.contains(&name.as_str()) || name.ends_with("[]")
}

/// A type with its modifiers, e.g. numeric and [12, 2].
#[derive(Debug, PartialEq, Eq)]
struct Type {
    name: String,
    arguments: Vec<i64>,
}

impl Type {
    fn read(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) if rest.ends_with(')') => (
                name.trim().to_owned(),
                rest.trim_end_matches(')')
                    .split(',')
                    .filter_map(|number| number.trim().parse().ok())
                    .collect(),
            ),
            _ => (text.clone(), Vec::new()),
        };
        let mut arguments: Vec<i64> = arguments;
        let name = match name.as_str() {
            "varchar" => "character varying",
            "int" | "int4" => "integer",
            "int8" => "bigint",
            "int2" => "smallint",
            "decimal" => "numeric",
            other => other,
        }
        .to_owned();
        if name == "numeric" && arguments.len() == 1 {
            arguments.push(0);
        }
        Self { name, arguments }
    }
}

/// `json`, or an array of it. Not `jsonb`, which is another type.
pub fn is_json(type_name: &str) -> bool {
    matches!(Type::read(type_name).name.as_str(), "json" | "json[]")
}

/// For a type that no column of the table has yet: "distinct" surely means "other bytes".
pub fn is_exact(type_name: &str) -> bool {
    let exact = [
        "smallint",
        "integer",
        "bigint",
        "boolean",
        "uuid",
        "date",
        "text",
        "character varying",
        "bytea",
        "timestamp without time zone",
        "timestamp with time zone",
        "timestamp",
        "timestamptz",
    ];
    exact.contains(&Type::read(type_name).name.as_str())
}

/// Whether two spellings mean the same type, as far as the usual short names go.
pub fn same(a: &str, b: &str) -> bool {
    Type::read(a) == Type::read(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_loses_nothing_widens() {
        for (from, to) in [
            ("integer", "bigint"),
            ("character varying(20)", "varchar(50)"),
            ("character varying(20)", "text"),
            ("numeric(10,2)", "numeric(14,4)"),
            ("integer", "numeric"),
            ("varchar(50)", "character varying(50)"),
        ] {
            assert!(widens(from, to), "{from} -> {to}");
        }
        for (from, to) in [
            ("bigint", "integer"),
            ("character varying(50)", "varchar(20)"),
            ("text", "varchar(20)"),
            ("numeric(10,2)", "numeric(10,4)"),
            ("integer", "numeric(5,2)"),
            ("text", "integer"),
            ("character(5)", "text"),
        ] {
            assert!(!widens(from, to), "{from} -> {to}");
        }
    }
}
