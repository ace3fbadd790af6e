//! Whether a statement or a function's body names a column: resolved as the server would, as far as the text tells.
//! What cannot be parsed or resolved and has the column's name in it may name it; that is not "no".

mod resolve;
mod scope;
mod tree;

use crate::plan::ident::{Ident, TableName};
use serde::{Deserialize, Serialize};
use std::fmt;
use tree::Tree;

/// What is asked: the column, and what has to be known to tell it from others of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub table: TableName,
    pub column: Ident,
    /// All columns that the table has, this one too.
    pub of_table: Vec<Ident>,
    /// Other relations that have a column of this name.
    pub also_in: Vec<TableName>,
}

/// How the text names the column, or why that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// May: the text is too long or too deep, or is not the SQL that is known here.
    NotParsed,
    /// May: by a variable, or in a statement of another kind.
    NotResolved,
    /// May: in text that is made into a statement.
    DynamicSql,
    /// As a whole row: `row_to_json(v)`, a variable of the table's row type.
    Row,
    /// By position: an INSERT or COPY without a list of columns.
    Positions,
    /// `SELECT *`, `RETURNING *`, TABLE.
    Star,
    ByName,
}

impl Naming {
    /// It names the column for certain.
    pub fn is_sure(self) -> bool {
        match self {
            Self::NotParsed | Self::NotResolved | Self::DynamicSql => false,
            Self::Row | Self::Positions | Self::Star | Self::ByName => true,
        }
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotParsed => "may name it: not understood",
            Self::NotResolved => "may name it: not resolved",
            Self::DynamicSql => "may name it: dynamic SQL",
            Self::Row => "as a row",
            Self::Positions => "without a list of columns",
            Self::Star => "by *",
            Self::ByName => "by name",
        })
    }
}

/// A function or procedure, as `pg_get_functiondef` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    /// `function public.f(text)`
    pub object: String,
    pub language: String,
    pub definition: String,
    /// A trigger of the table calls it, so that NEW and OLD are the table's rows.
    pub fires_on_table: bool,
}

/// Statements, as an application sends them or `pg_stat_statements` keeps them. `None`: the column is not named.
pub fn of_statement(sql: &str, column: &Column) -> Option<Naming> {
    if !mentions(sql, column.column.as_str()) && !mentions(sql, column.table.name.as_str()) {
        return None;
    }
    match Tree::parse(sql) {
        Some(tree) => resolve::naming(&tree, column, resolve::Rows::OfNoTrigger),
        None => mentions(sql, column.column.as_str()).then_some(Naming::NotParsed),
    }
}

/// A function's body. Functions written in C have none that could be read, and never name a column by themselves.
pub fn of_routine(routine: &Routine, column: &Column) -> Option<Naming> {
    let named = mentions(&routine.definition, column.column.as_str());
    if !named && !mentions(&routine.definition, column.table.name.as_str()) {
        return None;
    }
    match routine.language.as_str() {
        "c" | "internal" => None,
        "sql" | "plpgsql" => {
            let rows = if routine.fires_on_table {
                resolve::Rows::OfTable
            } else {
                resolve::Rows::OfNoTrigger
            };
            match Tree::parse(&routine.definition) {
                Some(tree) => resolve::naming(&tree, column, rows),
                None => named.then_some(Naming::NotParsed),
            }
        }
        _ => named.then_some(Naming::NotParsed),
    }
}

/// Statements of our own name columns on our behalf: told by names that nobody else uses.
pub fn is_ours(sql: &str) -> bool {
    const MARKS: [&str; 6] = [
        "crossfade_tid",
        "crossfade_row",
        "crossfade_source",
        "crossfade_value",
        "zz_crossfade_",
        "SET LOCAL crossfade.",
    ];
    let range = sql.contains("::text)::tid AND ctid < (");
    range || MARKS.iter().any(|mark| sql.contains(mark))
}

/// The name occurs as a word or in quotes, in whatever case. A text without it cannot name it.
fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let name = name.as_str();
    let in_quotes = name.contains('"') && text.contains(&name.replace('"', "\"\""));
    // Escaped quoted identifiers (U&"st\0061tus") spell a name in ways that are not looked through.
    in_quotes || text.contains("u&\"") || words_of(&text, name)
}

fn words_of(text: &str, name: &str) -> bool {
    let part_of_word = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests;
