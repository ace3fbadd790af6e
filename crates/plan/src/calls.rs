//! What an expression's value depends on besides its row: told by the functions that it calls.

use super::facts::{Called, ExpressionFacts, Maker, Volatility};

/// Of PostgreSQL's own functions that are STABLE, those that depend on nothing but their arguments and on settings that a
/// plan pins. Whatever is not among them may depend on the time, the session, or other rows.
const KEPT: [&str; 86] = [
    "age",
    "anytextcat",
    "array_in",
    "array_out",
    "array_to_json",
    "array_to_string",
    "cash_in",
    "cash_out",
    "concat",
    "concat_ws",
    "convert",
    "convert_from",
    "convert_to",
    "date",
    "date_in",
    "date_out",
    "date_part",
    "date_trunc",
    "domain_in",
    "enum_first",
    "enum_in",
    "enum_last",
    "enum_out",
    "enum_range",
    "extract",
    "format",
    "in_range",
    "interval_in",
    "interval_out",
    "interval_pl_timestamptz",
    "json_build_array",
    "json_build_object",
    "json_populate_record",
    "json_to_tsvector",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "jsonb_populate_record",
    "jsonb_to_tsvector",
    "length",
    "make_timestamptz",
    "money",
    "multirange_in",
    "multirange_out",
    "numeric",
    "overlaps",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "quote_nullable",
    "range_in",
    "range_out",
    "record_in",
    "record_out",
    "row_to_json",
    "textanycat",
    "time",
    "time_in",
    "timestamp",
    "timestamp_in",
    "timestamp_out",
    "timestamptz",
    "timestamptz_in",
    "timestamptz_mi_interval",
    "timestamptz_out",
    "timestamptz_pl_interval",
    "timetz",
    "timetz_in",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "ts_match_tq",
    "ts_match_tt",
    "websearch_to_tsquery",
    "xml",
    "xml_in",
    "xmlelement",
];

/// Of the same name, and yet of the moment.
const OF_THE_MOMENT: [&str; 3] = [
    "age(timestamp without time zone)",
    "age(timestamp with time zone)",
    "timetz(time without time zone)",
];

/// Of extensions (pg_trgm): they go by a setting that is the extension's own.
const OF_A_SETTING: [&str; 5] = [
    "similarity_op",
    "strict_word_similarity_commutator_op",
    "strict_word_similarity_op",
    "word_similarity_commutator_op",
    "word_similarity_op",
];

/// Comparisons between dates and times of different types: `date_lt_timestamptz`.
fn compares_times(name: &str) -> bool {
    let types = ["date_", "timestamp_", "timestamptz_"];
    let of_two = types.iter().any(|first| name.starts_with(first));
    let ends = ["_date", "_timestamp", "_timestamptz"];
    of_two && ends.iter().any(|last| name.ends_with(last))
}

impl Called {
    /// Its value may be another one at another time, or in another session.
    fn wanders(&self) -> bool {
        match (self.volatility, self.maker) {
            (Volatility::Immutable, _) => false,
            // What has no argument tells of the session or the moment.
            (Volatility::Stable, Maker::Superuser) => {
                self.signature.ends_with("()") || OF_A_SETTING.contains(&self.name.as_str())
            }
            (Volatility::Volatile, _) | (Volatility::Stable, Maker::Anybody) => true,
            (Volatility::Stable, Maker::Server) => {
                let is_kept = KEPT.binary_search(&self.name.as_str()).is_ok();
                !(is_kept || compares_times(&self.name))
                    || OF_THE_MOMENT.contains(&self.signature.as_str())
            }
        }
    }

    /// Settings, besides those that every plan pins, that its value depends on.
    pub fn settings(&self) -> &'static [&'static str] {
        if self.maker != Maker::Server {
            return &[];
        }
        // Which zone `IST` is: declared IMMUTABLE, and yet a setting's.
        if self.signature.starts_with("timezone(text,") {
            return &["timezone_abbreviations"];
        }
        if self.volatility != Volatility::Stable {
            return &[];
        }
        match self.name.as_str() {
            "timestamptz_in" | "timetz_in" | "make_timestamptz" => &["timezone_abbreviations"],
            "cash_in" | "cash_out" | "money" | "numeric" => &["lc_monetary"],
            "to_char" | "to_number" => &["lc_monetary", "lc_numeric", "lc_time"],
            "to_date" | "to_timestamp" => &["lc_time", "timezone_abbreviations"],
            "xml" | "xml_in" => &["xmloption"],
            "xmlelement" => &["lc_monetary", "xmlbinary", "xmloption"],
            name if name.contains("_ts") || name.starts_with("ts_") => {
                &["default_text_search_config"]
            }
            _ => &[],
        }
    }
}

impl ExpressionFacts {
    /// It gives another value each time.
    pub fn is_volatile(&self) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|called| called.volatility == Volatility::Volatile)
    }

    /// What in it may have another value at another time, or in another session.
    pub fn wanders(&self) -> Option<&Called> {
        self.calls.iter().find(|called| called.wanders())
    }

    /// Settings that it depends on and that not every plan pins.
    pub fn settings(&self) -> impl Iterator<Item = &'static str> {
        self.calls.iter().flat_map(Called::settings).copied()
    }

    /// A function in it that anybody may have made, and that does what it likes when it is called.
    pub fn strange(&self) -> Option<&Called> {
        let mut calls = self.calls.iter();
        calls.find(|called| called.maker == Maker::Anybody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(signature: &str, volatility: Volatility, maker: Maker) -> Called {
        let name = signature.split('(').next().unwrap_or_default().to_owned();
        let signature = signature.to_owned();
        Called {
            name,
            signature,
            volatility,
            maker,
        }
    }

    #[test]
    fn the_list_is_in_its_order() {
        assert!(KEPT.is_sorted());
    }

    #[test]
    fn what_depends_on_the_moment_or_the_session_is_told_from_what_depends_on_pinned_settings() {
        use Maker::{Anybody, Server, Superuser};
        use Volatility::{Immutable, Stable};
        for (signature, volatility, maker, wanders) in [
            ("now()", Stable, Server, true),
            ("current_setting(text)", Stable, Server, true),
            ("CURRENT_USER", Stable, Server, true),
            ("age(timestamp with time zone)", Stable, Server, true),
            ("timetz(time without time zone)", Stable, Server, true),
            ("regclass(text)", Stable, Server, true),
            (
                "age(timestamp with time zone,timestamp with time zone)",
                Stable,
                Server,
                false,
            ),
            ("timestamptz(date)", Stable, Server, false),
            (
                "date_lt_timestamptz(date,timestamp with time zone)",
                Stable,
                Server,
                false,
            ),
            ("to_char(numeric,text)", Stable, Server, false),
            ("unaccent(text)", Stable, Superuser, false),
            ("similarity_op(text,text)", Stable, Superuser, true),
            ("ssl_client_serial()", Stable, Superuser, true),
            ("app.today()", Stable, Anybody, true),
            ("app.f(text)", Immutable, Anybody, false),
            ("timestamptz_in(cstring,oid,integer)", Stable, Server, false),
            ("regclassin(cstring)", Stable, Server, true),
        ] {
            let called = called(signature, volatility, maker);
            assert_eq!(called.wanders(), wanders, "{signature}");
        }
        let money = called("numeric(money)", Stable, Server);
        assert_eq!(money.settings(), ["lc_monetary"]);
        let matches = called("ts_match_tt(text,text)", Stable, Server);
        assert_eq!(matches.settings(), ["default_text_search_config"]);
        let zone = called(
            "timezone(text,timestamp without time zone)",
            Immutable,
            Server,
        );
        assert_eq!(zone.settings(), ["timezone_abbreviations"]);
    }
}
