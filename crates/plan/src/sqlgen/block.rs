//! The PL/pgSQL block that an author's expression is evaluated in.

use crate::compiled::Assignment;
use crossfade_model::ident::{Ident, TableName};
use std::fmt::Write;

/// The block's head: it is named as the table and has the columns that the expression reads as variables, so that `status`
/// and `vehicles.status` both mean the row's value. `source`: what a column's value is, as SQL.
pub fn head(
    table: &TableName,
    assignment: &Assignment,
    source: impl Fn(&Ident) -> String,
) -> String {
    let mut text = format!("    <<{}>>\n    DECLARE\n", table.name.quoted());
    for column in &assignment.reads {
        let _ = writeln!(
            text,
            "      {} {} := {};",
            column.name.quoted(),
            column.type_name,
            source(&column.name)
        );
    }
    text
}
