//! Whether a statement or a function's body names a column: resolved as the server would, as far as the text tells.
//! What cannot be parsed or resolved and has the column's name in it may name it; that is not "no".

mod resolve;
mod scope;
mod table;
mod tree;

use crossfade_model::ident::{Ident, TableName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};
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

/// A table that goes, or gets another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: TableName,
    pub columns: Vec<Ident>,
}

/// What is asked about: a column, or a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Column(Column),
    Table(Table),
}

impl Subject {
    pub fn table(&self) -> &TableName {
        match self {
            Self::Column(column) => &column.table,
            Self::Table(table) => &table.name,
        }
    }

    /// A text that has none of these words is not about it.
    pub fn words(&self) -> Vec<&str> {
        let table = self.table().name.as_str();
        match self {
            Self::Column(column) => vec![column.column.as_str(), table],
            Self::Table(_) => vec![table],
        }
    }

    /// Statements, as an application sends them or `pg_stat_statements` keeps them. `None`: it is not named.
    pub fn in_statement(&self, sql: &str) -> Option<Naming> {
        match self {
            Self::Column(column) => of_statement(sql, column),
            Self::Table(table) => of_table_statement(sql, table),
        }
    }

    pub fn in_routine(&self, routine: &Routine) -> Option<Naming> {
        match self {
            Self::Column(column) => of_routine(routine, column),
            Self::Table(table) => of_table_routine(routine, table),
        }
    }

    /// Whether the arguments that a trigger gives its function name the column: the server does not know what they mean.
    pub fn in_trigger(&self, definition: &str) -> Option<Naming> {
        let (_, arguments) = definition.rsplit_once(" EXECUTE FUNCTION ")?;
        let (_, arguments) = arguments.split_once('(')?;
        match self {
            Self::Column(column) => {
                mentions(arguments, column.column.as_str()).then_some(Naming::NotResolved)
            }
            // The trigger goes with its table.
            Self::Table(_) => None,
        }
    }
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
    /// What triggers of the table call its rows in this function: `REFERENCING NEW TABLE AS …`.
    pub transition_tables: Vec<Ident>,
}

fn of_statement(sql: &str, column: &Column) -> Option<Naming> {
    if !mentions(sql, column.column.as_str()) && !mentions(sql, column.table.name.as_str()) {
        return None;
    }
    match Tree::parse(sql) {
        Some(tree) => resolve::naming(&tree, column, resolve::Rows::OfNoTrigger, &[]),
        None => Some(Naming::NotParsed),
    }
}

/// A function's body. Of one that is written in C only the name is known that it has there.
fn of_routine(routine: &Routine, column: &Column) -> Option<Naming> {
    let names = [column.column.as_str(), column.table.name.as_str()];
    let may_be_compiled = || {
        let symbol = routine.definition.to_lowercase();
        routine.fires_on_table
            || names
                .iter()
                .any(|name| symbol.contains(&name.to_lowercase()))
    };
    let is_named = names.iter().any(|name| mentions(&routine.definition, name));
    match routine.language.as_str() {
        "c" | "internal" => may_be_compiled().then_some(Naming::NotParsed),
        _ if !is_named && !routine.fires_on_table => None,
        "sql" | "plpgsql" => {
            let rows = if routine.fires_on_table {
                resolve::Rows::OfTable
            } else {
                resolve::Rows::OfNoTrigger
            };
            match Tree::parse(&routine.definition) {
                Some(tree) => resolve::naming(&tree, column, rows, &routine.transition_tables),
                None => Some(Naming::NotParsed),
            }
        }
        _ => Some(Naming::NotParsed),
    }
}

fn of_table_statement(sql: &str, table: &Table) -> Option<Naming> {
    if !mentions(sql, table.name.name.as_str()) {
        return None;
    }
    match Tree::parse(sql) {
        Some(tree) => table::naming(&tree, table),
        None => Some(Naming::NotParsed),
    }
}

fn of_table_routine(routine: &Routine, table: &Table) -> Option<Naming> {
    let name = table.name.name.as_str();
    match routine.language.as_str() {
        "c" | "internal" => {
            let symbol = routine.definition.to_lowercase();
            symbol
                .contains(&name.to_lowercase())
                .then_some(Naming::NotParsed)
        }
        "sql" | "plpgsql" => of_table_statement(&routine.definition, table),
        _ => mentions(&routine.definition, name).then_some(Naming::NotParsed),
    }
}

/// Whether the routine runs statements that are not in its text.
pub fn is_dynamic(routine: &Routine) -> bool {
    match routine.language.as_str() {
        "sql" => false,
        "plpgsql" => Tree::parse(&routine.definition)
            .is_none_or(|tree| tree.roots.iter().skip(1).any(resolve::puts_together)),
        _ => true,
    }
}

/// Whether the routine asks which table it fires on: what it does with NEW and OLD may be about another one.
pub fn asks_for_table(routine: &Routine) -> bool {
    let words = [
        "tg_table_name",
        "tg_relname",
        "tg_relid",
        "tg_table_schema",
        "tg_argv",
    ];
    words.iter().any(|word| mentions(&routine.definition, word))
}

/// The columns that a statement's UPDATE and MERGE set, of whichever tables. `None`: it was not parsed.
pub fn columns_set(sql: &str) -> Option<BTreeSet<String>> {
    let tree = Tree::parse(sql).filter(|tree| !tree.broken)?;
    let nodes = tree.roots.iter().flat_map(tree::Node::descendants);
    let targets = nodes.filter(|node| node.kind() == tree::Kind::COLUMN_TARGET);
    Some(
        targets
            .filter_map(|node| tree::path(&node).into_iter().next())
            .collect(),
    )
}

/// Statements of our own name columns on our behalf: told by names that nobody else uses.
pub fn is_ours(sql: &str) -> bool {
    const MARKS: [&str; 7] = [
        "crossfade_lock",
        "crossfade_tid",
        "crossfade_row",
        "crossfade_source",
        "crossfade_value",
        "zz_crossfade_",
        "SET LOCAL crossfade.",
    ];
    let range = sql.contains("::text)::tid AND ctid < (");
    let retires = sql.starts_with("ALTER TABLE ") && sql.contains("_crossfade_retired");
    range || retires || MARKS.iter().any(|mark| sql.contains(mark))
}

/// The name occurs as a word or in quotes, in whatever case. A text without it cannot name it.
pub fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let name = name.as_str();
    let in_quotes = name.contains('"') && text.contains(&name.replace('"', "\"\""));
    // Escaped quoted identifiers (U&"st\0061tus") spell a name in ways that are not looked through.
    in_quotes || text.contains("u&\"") || words_of(&text, name)
}

fn words_of(text: &str, name: &str) -> bool {
    // Not `$`, although names may have it: a body's last word touches the quote that ends it.
    let part_of_word = |c: char| c == '_' || c.is_alphanumeric();
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests;
