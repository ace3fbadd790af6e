//! What going back costs the application, as questions: which of its values go with what an undo takes away, and which of
//! its rows keep a condition from being put back. When they are asked, and for how long, is the engine's business.

use super::{foreign_key::ForeignKey, index_definition::IndexDefinition, literal};
use crossfade_model::ident::{Ident, TableName};
use serde::Serialize;
use std::fmt;

/// What has the values, by the name that `--discard` is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Column(TableName, Ident),
    Table(TableName),
}

/// Values of the application's that go when a step is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub of: Thing,
    /// `rows of public.t with a value in note`
    pub what: String,
    pub rows: Rows,
    /// Triggers compute the values from the other side: once they have been installed, these are no loss.
    pub kept_in_step: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// What follows `SELECT …`: `FROM public.t AS t WHERE …`
    Of(String),
    /// Those that the triggers have noted under this mark.
    Overtaken(String),
}

/// Rows of the application's that a condition does not allow which an undo puts back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    pub table: TableName,
    /// `public.t.a must be NOT NULL`
    pub condition: String,
    /// What follows `SELECT …`; it has the table's columns, under their own names.
    pub rows: String,
}

/// All of it for one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub losses: Vec<Loss>,
    pub obstacles: Vec<Obstacle>,
}

/// SQLSTATE of a guard that has found something. Nobody else's: neither class nor code is PostgreSQL's.
pub const WOULD_LOSE: &str = "CFL01";

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(table, column) => write!(f, "{table}.{column}"),
            Self::Table(table) => table.fmt(f),
        }
    }
}

impl Serialize for Thing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Thing {
    pub fn table(&self) -> &TableName {
        match self {
            Self::Column(table, _) | Self::Table(table) => table,
        }
    }
}

impl Cost {
    pub fn of(loss: Loss) -> Self {
        Self {
            losses: vec![loss],
            obstacles: Vec::new(),
        }
    }

    pub fn in_the_way(obstacle: Obstacle) -> Self {
        Self {
            losses: Vec::new(),
            obstacles: vec![obstacle],
        }
    }
}

impl Loss {
    /// All values of a column that goes for good, by its name in the plan and by the one that it has.
    pub fn of_values(table: &TableName, planned: &Ident, now: &Ident) -> Self {
        let condition = format!("t.{now} IS DISTINCT FROM NULL");
        Self {
            what: format!("rows of {table} with a value in {planned}"),
            ..Self::of_column(table, now, "a value", &condition)
        }
    }

    pub fn of_column(table: &TableName, column: &Ident, what: &str, condition: &str) -> Self {
        Self {
            of: Thing::Column(table.clone(), column.clone()),
            what: format!("rows of {table} with {what} in {column}"),
            rows: Rows::Of(format!("FROM {table} AS t WHERE {condition}")),
            kept_in_step: false,
        }
    }

    pub fn of_table(table: &TableName) -> Self {
        Self {
            of: Thing::Table(table.clone()),
            what: format!("rows of {table}"),
            rows: Rows::Of(format!("FROM {table}")),
            kept_in_step: false,
        }
    }

    fn from(&self, run_id: i64) -> String {
        match &self.rows {
            Rows::Of(rows) => rows.clone(),
            Rows::Overtaken(mark) => format!(
                "FROM crossfade.overtaken AS o WHERE o.run_id = {run_id} AND o.table_name = {}",
                literal::text(mark)
            ),
        }
    }

    /// How many there are, up to one more than `most`.
    pub fn count(&self, run_id: i64, most: i64) -> String {
        format!(
            "SELECT count(*) FROM (SELECT 1 {} LIMIT {}) AS crossfade_row",
            self.from(run_id),
            most + 1
        )
    }

    /// Fails where there is any, or where that cannot be told within `limit_ms`: run with the lock held, after the look.
    pub fn guard(&self, run_id: i64, limit_ms: u64) -> Vec<String> {
        let Self { of, what, .. } = self;
        let found = literal::text(&format!(
            "{what} were written while Crossfade waited for the lock. Going back would lose {of}. `--discard {of}` allows that"
        ));
        let unknown = literal::text(&format!(
            "Crossfade could not find out within {limit_ms} ms whether there are {what}, and does not lock the table for longer. Going back would lose {of}. `--discard {of}` allows that"
        ));
        let body = format!(
            "BEGIN IF EXISTS (SELECT 1 {} /* crossfade_row */) THEN RAISE EXCEPTION USING ERRCODE = '{WOULD_LOSE}', MESSAGE = {found}; END IF; \
             EXCEPTION WHEN query_canceled THEN RAISE EXCEPTION USING ERRCODE = '{WOULD_LOSE}', MESSAGE = {unknown}; END",
            self.from(run_id)
        );
        let mut statements = Vec::new();
        if let Rows::Of(_) = self.rows {
            let table = self.of.table();
            statements.push(format!(
                "LOCK TABLE {table} /* crossfade_lock */ IN ACCESS EXCLUSIVE MODE"
            ));
        }
        statements.extend([
            "SELECT set_config('crossfade.statement_timeout', current_setting('statement_timeout'), true)".to_owned(),
            format!("SET LOCAL statement_timeout = {limit_ms}"),
            format!("DO {}", literal::dollar_quoted(&body)),
            "SELECT set_config('statement_timeout', current_setting('crossfade.statement_timeout'), true)".to_owned(),
        ]);
        statements
    }
}

impl Obstacle {
    pub fn null(table: &TableName, column: &Ident) -> Self {
        Self {
            table: table.clone(),
            condition: format!("{table}.{column} must be NOT NULL"),
            rows: format!("FROM {table} AS t WHERE {column} IS NULL"),
        }
    }

    pub fn check(table: &TableName, name: &Ident, condition: &str) -> Self {
        Self {
            table: table.clone(),
            condition: format!("the CHECK {name} must hold for {table}"),
            rows: format!(
                "FROM {table} AS {} WHERE ({condition}\n) IS FALSE",
                table.name
            ),
        }
    }

    /// `using`: what follows USING in the definition of its index.
    pub fn unique(table: &TableName, name: &Ident, using: &str) -> Option<Self> {
        let IndexDefinition {
            keys,
            condition,
            nulls_are_equal,
            ..
        } = IndexDefinition::read(using)?;
        let mut conditions: Vec<String> =
            condition.iter().map(|text| format!("({text})")).collect();
        if !nulls_are_equal {
            conditions.extend(keys.iter().map(|key| format!("{key} IS NOT NULL")));
        }
        let filter = match conditions.as_slice() {
            [] => String::new(),
            all => format!(" WHERE {}", all.join(" AND ")),
        };
        // PARTITION BY compares as the index does by default, whatever is on the search path.
        Some(Self {
            table: table.clone(),
            condition: format!("{name} must be unique"),
            rows: format!(
                "FROM (SELECT *, count(*) OVER (PARTITION BY {}) AS crossfade_alike FROM {table} AS {}{filter}) AS t WHERE crossfade_alike > 1",
                keys.join(", "),
                table.name
            ),
        })
    }

    pub fn foreign_key(table: &TableName, name: &Ident, definition: &str) -> Option<Self> {
        let key = ForeignKey::read(definition)?;
        let referred = key.table()?;
        let own = key.columns();
        let list = |columns: &[Ident], alias: &str| -> String {
            let columns = columns.iter().enumerate();
            let columns =
                columns.map(|(at, column)| format!("{alias}.{column} AS crossfade_key_{at}"));
            columns.collect::<Vec<_>>().join(", ")
        };
        let all: Vec<String> = (0..own.len())
            .map(|at| format!("crossfade_key_{at}"))
            .collect();
        let refers: Vec<String> = own
            .iter()
            .map(|column| format!("own.{column} IS NOT NULL"))
            .collect();
        // As above: the key's own way to compare, not that of an operator that is called `=` on some search path.
        Some(Self {
            table: table.clone(),
            condition: format!("{name} must hold: each row of {table} refers to one of {referred}"),
            rows: format!(
                "FROM (SELECT (both_sides.crossfade_row).* FROM (SELECT united.*, bool_and(crossfade_refers) OVER (PARTITION BY {keys}) AS crossfade_alone \
                 FROM (SELECT own AS crossfade_row, {own_keys}, true AS crossfade_refers FROM {table} AS own WHERE {refers} \
                 UNION ALL SELECT NULL::{table}, {referred_keys}, false FROM {referred} AS other) AS united) AS both_sides WHERE crossfade_alone) AS t",
                keys = all.join(", "),
                own_keys = list(&own, "own"),
                refers = refers.join(" AND "),
                referred_keys = list(&key.referred(), "other"),
            ),
        })
    }

    /// The keys of the first rows, as JSON, where the table has a key; else one NULL for each.
    pub fn keys(&self, key: &[Ident], most: usize) -> String {
        let pairs: Vec<String> = key
            .iter()
            .map(|column| format!("{}, t.{column}", literal::text(column.as_str())))
            .collect();
        let shown = if pairs.is_empty() {
            "NULL::text".to_owned()
        } else {
            format!("jsonb_build_object({})::text", pairs.join(", "))
        };
        let rows = &self.rows;
        // One name for whatever the rows are from.
        format!(
            "SELECT {shown} FROM (SELECT * {rows} LIMIT {}) AS t /* crossfade_row */",
            most + 1
        )
    }
}
