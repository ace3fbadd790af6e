//! How a trigger notes a row that the other side cannot take.

use super::literal;
use crate::{compiled::ColumnRef, document::RunName, types};
use crossfade_model::ident::{Ident, TableName};

/// Columns and what they are in SQL, as a JSON object.
pub fn object<'a>(pairs: impl IntoIterator<Item = (&'a Ident, String)>) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(column, value)| format!("{}, {value}", literal::text(column.as_str())))
        .collect();
    format!("pg_catalog.jsonb_build_object({})", pairs.join(", "))
}

/// The same for values that are kept.
pub fn values<'a>(pairs: impl IntoIterator<Item = (&'a ColumnRef, String)>) -> String {
    object(
        pairs
            .into_iter()
            .map(|(column, value)| (&column.name, kept(column, value))),
    )
}

/// The row's value is still the one that is kept in `object`.
pub fn is_kept(column: &ColumnRef, value: String, object: &str) -> String {
    format!(
        "coalesce(pg_catalog.to_jsonb({}), 'null'::jsonb) = (({object}::text)::jsonb OPERATOR(pg_catalog.->) {})",
        kept(column, value),
        literal::text(column.name.as_str())
    )
}

/// `json` takes what `jsonb`, in which values are kept, refuses (`"\u0000"`, `1e999999`): its text is kept.
fn kept(column: &ColumnRef, value: String) -> String {
    if types::is_json(&column.type_name) {
        format!("({value})::text")
    } else {
        value
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// `key` and `values` are SQL for JSON objects.
pub struct Noted<'a> {
    pub run: &'a RunName,
    pub table: &'a TableName,
    pub column: &'a Ident,
    pub key: &'a str,
    pub values: &'a str,
    pub direction: Direction,
}

/// A statement of PL/pgSQL in whose block `crossfade_state` and `crossfade_error` say what went wrong. A row that is
/// written again with the same value, or moved, is not another row in quarantine.
pub fn note(noted: &Noted<'_>) -> String {
    format!(
        "      INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)\n        SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error\n        FROM crossfade.runs AS r, (VALUES ({}, {}, {}, {}, '{}')) AS q (table_name, column_name, row_key, row_values, direction)\n        WHERE r.name = {} AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o\n          WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));\n",
        literal::text(&noted.table.to_string()),
        literal::text(noted.column.as_str()),
        noted.key,
        noted.values,
        noted.direction.as_str(),
        literal::text(noted.run.as_str()),
    )
}
