//! What a session is set to where code of the application runs in it, or SQL of the plan's author.

use super::literal;
use crate::compiled::Plan;

/// Ours: what we write ourselves names every schema.
pub const OWN_PATH: &str = "pg_catalog, pg_temp";

/// Settings that anybody may have in a session and that change what a literal, an operator or an IMMUTABLE function means. The server's
/// own defaults.
const MEANING: [(&str, &str); 4] = [
    ("array_nulls", "on"),
    ("quote_all_identifiers", "off"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
];

/// Everything that conversions are computed under, wherever they are.
pub fn settings(plan: &Plan) -> impl Iterator<Item = (&str, &str)> {
    let planned = plan.session.iter();
    let planned = planned.map(|(name, value)| (name.as_str(), value.as_str()));
    planned.chain(MEANING)
}

/// For conversions: what a session that fills or compares is set to, so that it computes as the triggers do.
pub fn conversions(plan: &Plan) -> String {
    let settings: Vec<String> = settings(plan)
        .map(|(name, value)| format!("SET {name} = {};", literal::text(value)))
        .collect();
    settings.join(" ")
}

/// The value of `search_path` under which the application's code finds what it finds in the application's sessions.
pub fn path(plan: &Plan) -> String {
    match &plan.search_path {
        Some(path) => path.setting(),
        None => OWN_PATH.to_owned(),
    }
}

/// To the end of the transaction: constraints, triggers and functions may still be called as it commits.
pub fn as_the_application(plan: &Plan) -> String {
    format!("SET LOCAL search_path = {};", path(plan))
}
