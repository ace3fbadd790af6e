//! What changing a column's type costs: nothing, its indexes, or a copy of the whole table. Source: measurements on
//! PostgreSQL 14 to 18, and `ATColumnChangeRequiresRewrite`.

/// Ordered from the cheapest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    Catalog,
    /// The values stay as they are, the order does not.
    Indexes,
    Rewrite,
}

/// `from` is `None` where it is not known, which is taken for the worst.
pub fn cost(from: Option<&str>, to: &str) -> Cost {
    let Some(from) = from else {
        return Cost::Rewrite;
    };
    let (from, to) = (Type::read(from), Type::read(to));
    if from == to {
        return Cost::Catalog;
    }
    if from.array || to.array {
        return Cost::Rewrite;
    }
    let same_bytes = match (from.name.as_str(), to.name.as_str()) {
        ("varchar", "text") | ("text", "varchar") => to.modifiers.is_empty(),
        ("varchar", "varchar") | ("varbit", "varbit") => widens(&from.modifiers, &to.modifiers),
        ("numeric", "numeric") => match (from.modifiers.as_slice(), to.modifiers.as_slice()) {
            (_, []) => true,
            ([precision, scale], [wider, same]) => wider >= precision && scale == same,
            _ => false,
        },
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", same)
            if same == from.name =>
        {
            widens(&from.modifiers, &to.modifiers)
        }
        ("cidr", "inet") | ("xml", "text" | "varchar") => to.modifiers.is_empty(),
        // timestamp and timestamptz: only where TimeZone is UTC, which is not known here.
        _ => false,
    };
    if same_bytes {
        Cost::Catalog
    } else {
        Cost::Rewrite
    }
}

/// Types of the server and of extensions that are often used: none of them is a domain with a constraint. Source:
/// `pg_type` of PostgreSQL 15 without those of the server's own use, the extensions of `contrib`, PostGIS and pgvector.
const KNOWN: &str = "bigint bigserial bit boolean box bpchar bytea char character cidr circle citext cube date datemultirange \
    daterange double ean13 geography geometry halfvec hstore inet int int2 int4 int4multirange int4range int8 int8multirange \
    int8range integer interval isbn isbn13 issn issn13 json jsonb jsonpath line lquery lseg ltree ltxtquery macaddr macaddr8 \
    money name numeric nummultirange numrange oid path pg_lsn point polygon raster real regclass regproc regprocedure regrole \
    regtype seg serial serial2 serial4 serial8 smallint smallserial sparsevec text time timestamp timestamptz timetz tsmultirange \
    tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot upc uuid varbit varchar vector xid xid8 xml";

/// Whether it is one of those, whatever its modifiers.
pub fn is_known(type_name: &str) -> bool {
    let name = Type::read(element(type_name)).name;
    let name = name
        .strip_prefix("national ")
        .map_or_else(|| name.clone(), standard);
    let last = name
        .rsplit('.')
        .next()
        .unwrap_or(&name)
        .trim_matches('"')
        .to_owned();
    KNOWN.split_whitespace().any(|known| known == last) || last.starts_with("interval ")
}

/// Without modifiers, and of an array the type of its elements.
pub fn element(type_name: &str) -> &str {
    let bare = type_name
        .split(['(', '['])
        .next()
        .unwrap_or(type_name)
        .trim();
    bare.strip_suffix(" array").unwrap_or(bare)
}

/// From which types this one is had for nothing, in words; `None` where there is no other than itself.
pub fn free_from(to: &str) -> Option<&'static str> {
    let to = Type::read(to);
    match (to.name.as_str(), to.array, to.modifiers.is_empty()) {
        (_, true, _) => None,
        ("text" | "varchar", _, true) => Some("a varchar or a text"),
        ("varchar" | "varbit", ..) => Some("the same with a smaller limit"),
        ("numeric", _, true) => Some("a numeric"),
        ("numeric", ..) => Some("a numeric of the same scale and no more digits"),
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", ..) => {
            Some("the same with no more digits")
        }
        ("inet", ..) => Some("a cidr"),
        _ => None,
    }
}

/// No limit, or one that is not smaller.
fn widens(from: &[i32], to: &[i32]) -> bool {
    match (from, to) {
        (_, []) => true,
        ([from], [to]) => to >= from,
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Type {
    name: String,
    modifiers: Vec<i32>,
    array: bool,
}

impl Type {
    /// As SQL or `format_type` writes it.
    fn read(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let modifiers = text
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(inside, _)| {
                inside
                    .split(',')
                    // The minus may stand apart.
                    .filter_map(|n| n.split_whitespace().collect::<String>().parse().ok())
                    .collect()
            })
            .unwrap_or_default();
        let array = text.contains('[') || text.split_whitespace().any(|word| word == "array");
        let words: Vec<&str> = text
            .split(|letter: char| {
                !(letter.is_alphanumeric() || letter == '_' || letter == '"' || letter == '.')
            })
            .filter(|word| !word.is_empty() && word.parse::<i32>().is_err())
            .map(|word| word.strip_prefix("pg_catalog.").unwrap_or(word))
            .collect();
        let mut read = Self {
            name: standard(&words.join(" ")),
            modifiers,
            array,
        };
        read.complete();
        read
    }

    /// `numeric(10)` is `numeric(10, 0)`; times have six digits unless said otherwise.
    fn complete(&mut self) {
        let is_time = ["timestamp", "timestamptz", "time", "timetz"].contains(&self.name.as_str());
        if self.name == "numeric" && self.modifiers.len() == 1 {
            self.modifiers.push(0);
        }
        if is_time && self.modifiers == [6] {
            self.modifiers.clear();
        }
        if self.name == "bpchar" && self.modifiers.is_empty() {
            self.modifiers.push(1);
        }
    }
}

fn standard(name: &str) -> String {
    match name {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "decimal" | "dec" => "numeric",
        "character varying" | "char varying" | "nchar varying" => "varchar",
        "character" | "char" | "nchar" => "bpchar",
        "bit varying" => "varbit",
        "bool" => "boolean",
        "float8" | "double precision" | "float" => "double",
        "float4" => "real",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_no_domain() {
        for known in [
            "text",
            "varchar(5)[]",
            "timestamp(3) with time zone",
            "double precision",
            "public.citext",
            "geometry(point, 4326)",
            "pg_catalog.int4",
            "national character varying(5)",
            "interval day to second",
            "numeric(5, 2)",
            "bigint[]",
            "int array",
            "bit varying(5)",
            "\"char\"",
            "vector(3)",
        ] {
            assert!(is_known(known), "{known}");
        }
        assert!(!is_known("\"Role\"") && !is_known("app.positive") && !is_known("positive[]"));
    }

    #[test]
    fn what_was_measured() {
        for (from, to, expected) in [
            ("integer", "bigint", Cost::Rewrite),
            ("smallint", "int", Cost::Rewrite),
            ("varchar(50)", "character varying ( 100 )", Cost::Catalog),
            ("character varying(50)", "text", Cost::Catalog),
            ("varchar(50)", "varchar(20)", Cost::Rewrite),
            ("text", "varchar(50)", Cost::Rewrite),
            ("text", "varchar", Cost::Catalog),
            ("numeric(10,2)", "decimal ( 14 , 2 )", Cost::Catalog),
            ("numeric(10,2)", "numeric(14,4)", Cost::Rewrite),
            ("numeric(5,-2)", "numeric(5,0)", Cost::Rewrite),
            ("numeric(5, - 2)", "numeric(5,0)", Cost::Rewrite),
            ("numeric(5,-2)", "numeric(6, - 2)", Cost::Catalog),
            ("numeric(10,2)", "numeric", Cost::Catalog),
            ("timestamp", "timestamptz", Cost::Rewrite),
            ("json", "jsonb", Cost::Rewrite),
            ("int", "int4", Cost::Catalog),
            ("timestamp(3)", "timestamp(6)", Cost::Catalog),
            ("timestamp(3) with time zone", "timestamptz", Cost::Catalog),
            ("timestamp", "timestamp(3)", Cost::Rewrite),
            ("en", "text", Cost::Rewrite),
            ("varchar(5)[]", "varchar(9)[]", Cost::Rewrite),
        ] {
            assert_eq!(cost(Some(from), to), expected, "{from} to {to}");
        }
        assert_eq!(cost(None, "text"), Cost::Rewrite);
    }
}
