//! Asks the server what an expression is: it alone knows its language. Reads only; nothing is executed.

use super::Result;
use crate::plan::{
    facts::{ExpressionError, ExpressionFacts, ExpressionKey, Table},
    ident::Ident,
};
use crate::postgres::sqlstate;
use tokio_postgres::{Client, error::SqlState};

/// The table as a derived one with the columns that do not exist yet. They are NULLs that the planner cannot fold. So are
/// all columns of a partitioned table: without its partitions it has no rows, and of a scan of none no plan says anything.
fn source(key: &ExpressionKey, table: &Table, without: Option<&Ident>) -> String {
    // Without the column that is called like its table, that name would mean the whole row.
    let alias = if without == Some(&key.table.name) {
        "crossfade_table".to_owned()
    } else {
        key.table.name.quoted()
    };
    let null = |name: &Ident, type_name: &str| {
        format!(
            "CASE WHEN crossfade_source.ctid IS NULL THEN NULL::{type_name} END AS {}",
            name.quoted()
        )
    };
    let own = table.columns.iter().filter(|column| {
        Some(&column.name) != without && !key.added.iter().any(|(name, _)| *name == column.name)
    });
    let mut columns: Vec<String> = own
        .map(|column| match table.is_partitioned() {
            true => null(&column.name, &column.type_name),
            false => format!("crossfade_source.{}", column.name.quoted()),
        })
        .collect();
    let added = key.added.iter().filter(|(name, _)| Some(name) != without);
    columns.extend(added.map(|(name, type_name)| null(name, type_name)));
    let rows = match table.is_partitioned() {
        true => "pg_catalog.pg_class".to_owned(),
        false => key.table.to_string(),
    };
    format!(
        "(SELECT {} FROM ONLY {rows} AS crossfade_source) AS {alias}",
        columns.join(", ")
    )
}

/// What the expression is, or why it cannot be used. The outer error is the connection's.
pub async fn analyse(
    client: &Client,
    key: &ExpressionKey,
    table: &Table,
) -> Result<std::result::Result<ExpressionFacts, ExpressionError>> {
    let expression = key.expression.as_str();
    let refuse = |message: String, help: Option<&str>| {
        Ok(Err(ExpressionError {
            message,
            help: help.map(str::to_owned),
        }))
    };
    if let Some(why) = unbalanced(expression) {
        return refuse(format!("`{expression}` {why}"), None);
    }
    let whole = source(key, table, None);
    let statement = match client
        .prepare(&format!("SELECT ({expression}\n) FROM {whole}"))
        .await
    {
        Ok(statement) => statement,
        Err(error) => return rejected(expression, error),
    };
    let [column] = statement.columns() else {
        return refuse(format!("`{expression}` is not one expression"), None);
    };
    let type_oid = column.type_().oid();
    // A WHERE allows neither aggregates nor window functions nor sets.
    let filter = format!("SELECT 1 FROM {whole} WHERE ({expression}\n) IS NOT NULL");
    if let Err(error) = client.prepare(&filter).await {
        return rejected(expression, error);
    }
    let plan = match planned(client, &format!("SELECT 1 FROM (SELECT ({expression}\n) AS value FROM {whole}) AS crossfade_value WHERE value IS NOT NULL")).await {
        Ok(plan) => plan,
        Err(error) => return rejected(expression, error),
    };
    if mentions(&plan, "Parent Relationship", &["InitPlan", "SubPlan"]) {
        return refuse(
            format!("`{expression}` has a sub-select"),
            Some("an expression may only read its own row"),
        );
    }
    // A volatile expression keeps the planner from merging the inner query into the outer one.
    let volatile = mentions(&plan, "Node Type", &["Subquery Scan"]);
    let reads = reads(client, key, table).await?;
    let type_name: String = client
        .query_one("SELECT format_type($1, NULL)", &[&type_oid])
        .await?
        .get(0);
    let assignable = match &key.target_type {
        Some(target) => {
            is_assignable(client, type_oid, target).await?
                || becomes(client, expression, &whole, target).await?
        }
        None => true,
    };
    Ok(Ok(ExpressionFacts {
        type_name,
        reads,
        assignable,
        volatile,
    }))
}

/// Whether it takes this type by itself where one of that type is wanted, as a quoted literal does: `'new'` for an enum.
async fn becomes(client: &Client, expression: &str, whole: &str, target: &str) -> Result<bool> {
    let together =
        format!("SELECT NULL::{target}, coalesce(NULL::{target}, ({expression}\n)) FROM {whole}");
    match client.prepare(&together).await {
        Ok(statement) => Ok(match statement.columns() {
            [wanted, found] => wanted.type_().oid() == found.type_().oid(),
            _ => false,
        }),
        Err(error) if error.as_db_error().is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The domain of this name, and whether one that it is over, or itself, has a default or a constraint.
const DOMAIN: &str = "\
    WITH RECURSIVE d AS ( \
        SELECT t.oid, t.typbasetype, t.typnotnull, t.typdefault FROM pg_type AS t WHERE t.oid = to_regtype($1) AND t.typtype = 'd' \
        UNION ALL SELECT t.oid, t.typbasetype, t.typnotnull, t.typdefault FROM pg_type AS t JOIN d ON t.oid = d.typbasetype WHERE t.typtype = 'd') \
    SELECT format_type(to_regtype($1), NULL), bool_or(d.typnotnull OR d.typdefault IS NOT NULL \
           OR EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.contypid = d.oid)) \
    FROM d HAVING count(*) > 0";

/// The type as the server writes it, or why there is none such.
pub async fn canonical_type(
    client: &Client,
    type_name: &str,
) -> Result<std::result::Result<String, ExpressionError>> {
    if let Some(why) = unbalanced(type_name) {
        return Ok(Err(ExpressionError {
            message: format!("`{type_name}` {why}"),
            help: None,
        }));
    }
    let statement = match client
        .prepare(&format!("SELECT CAST(NULL AS {type_name}\n)"))
        .await
    {
        Ok(statement) => statement,
        Err(error) => {
            let rejected = rejected(type_name, error)?;
            return Ok(rejected.map(|facts| facts.type_name));
        }
    };
    let [column] = statement.columns() else {
        return Ok(Err(ExpressionError {
            message: format!("`{type_name}` is not one type"),
            help: None,
        }));
    };
    // Of a domain the server describes the type that is below it.
    if let Some(domain) = client.query_opt(DOMAIN, &[&type_name]).await? {
        let name: String = domain.get(0);
        return Ok(if domain.get(1) {
            let message = format!(
                "{name} is a domain with constraints or a default: PostgreSQL rewrites the table to add a column of it"
            );
            let help = "add a column of the type below it, with a CHECK; a column that is there is renamed with `strategy: alias`";
            Err(ExpressionError {
                message,
                help: Some(help.to_owned()),
            })
        } else {
            Ok(name)
        });
    }
    let row = client
        .query_one(
            "SELECT format_type($1, $2)",
            &[&column.type_().oid(), &column.type_modifier()],
        )
        .await?;
    Ok(Ok(row.get(0)))
}

/// What is wrong with a statement as such. Only its grammar is looked at: what it names may be made by a statement before
/// it. More than one statement in it is an error too.
pub async fn misspelled(client: &Client, statement: &str) -> Result<Option<String>> {
    match client.prepare(statement).await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_db_error() {
            Some(database) if *database.code() == SqlState::SYNTAX_ERROR => {
                Ok(Some(sqlstate::message(&error)))
            }
            Some(_) => Ok(None),
            None => Err(error),
        },
    }
}

/// Why a question of one value that is true or false cannot be asked as things are. It is not asked.
pub async fn unanswerable(client: &Client, question: &str) -> Result<Option<String>> {
    let query = format!("SELECT coalesce(({question}\n)::boolean, false)");
    match client.prepare(&query).await {
        Ok(_) => Ok(None),
        Err(error) if error.as_db_error().is_some() => Ok(Some(sqlstate::message(&error))),
        Err(error) => Err(error),
    }
}

fn rejected(
    expression: &str,
    error: tokio_postgres::Error,
) -> Result<std::result::Result<ExpressionFacts, ExpressionError>> {
    let Some(database) = error.as_db_error() else {
        return Err(error);
    };
    let help = if *database.code() == SqlState::UNDEFINED_COLUMN {
        Some("an expression may read the columns of its own table")
    } else if *database.code() == SqlState::UNDEFINED_FUNCTION {
        Some(
            "functions outside pg_catalog are written with their schema, and arguments may need a cast",
        )
    } else if *database.code() == SqlState::UNDEFINED_OBJECT {
        Some("types outside pg_catalog are written with their schema")
    } else {
        database.hint()
    };
    Ok(Err(ExpressionError {
        message: format!("`{expression}`: {}", sqlstate::message(&error)),
        help: help.map(str::to_owned),
    }))
}

async fn planned(client: &Client, query: &str) -> Result<serde_json::Value> {
    let row = client
        .query_one(&format!("EXPLAIN (FORMAT JSON, COSTS OFF) {query}"), &[])
        .await?;
    Ok(row.get(0))
}

fn mentions(plan: &serde_json::Value, key: &str, values: &[&str]) -> bool {
    match plan {
        serde_json::Value::Object(map) => {
            map.get(key)
                .and_then(serde_json::Value::as_str)
                .is_some_and(|value| values.contains(&value))
                || map.values().any(|value| mentions(value, key, values))
        }
        serde_json::Value::Array(list) => list.iter().any(|value| mentions(value, key, values)),
        _ => false,
    }
}

/// The columns that the expression cannot do without. Only those whose names occur in it are tried.
async fn reads(client: &Client, key: &ExpressionKey, table: &Table) -> Result<Vec<Ident>> {
    let text = key.expression.as_str().to_lowercase();
    let all = table
        .columns
        .iter()
        .map(|column| &column.name)
        .chain(key.added.iter().map(|(name, _)| name));
    let mut reads = Vec::new();
    for column in all {
        let name = column.as_str().to_lowercase();
        if !text.contains(&name) && !text.contains(&name.replace('"', "\"\"")) {
            continue;
        }
        let query = format!(
            "SELECT ({}\n) FROM {}",
            key.expression,
            source(key, table, Some(column))
        );
        match client.prepare(&query).await {
            Ok(_) => {}
            Err(error) if error.as_db_error().is_some() => reads.push(column.clone()),
            Err(error) => return Err(error),
        }
    }
    Ok(reads)
}

/// Whether a value of the type may be stored in the target without a cast being written, as in INSERT and UPDATE.
async fn is_assignable(client: &Client, from: u32, target: &str) -> Result<bool> {
    let to = client
        .prepare(&format!("SELECT NULL::{target}"))
        .await?
        .columns()
        .first()
        .map_or(0, |column| column.type_().oid());
    let row = client
        .query_one(
            "WITH base AS (SELECT coalesce(nullif(f.typbasetype, 0), f.oid) AS source, coalesce(nullif(t.typbasetype, 0), t.oid) AS target, \
                    b.typcategory FROM pg_type AS f, pg_type AS t JOIN pg_type AS b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid) \
                    WHERE f.oid = $1 AND t.oid = $2) \
             SELECT source = target OR typcategory = 'S' OR EXISTS (SELECT 1 FROM pg_cast AS c \
                    WHERE c.castsource = source AND c.casttarget = target AND c.castcontext IN ('a', 'i')) FROM base",
            &[&from, &to],
        )
        .await?;
    Ok(row.get(0))
}

/// The expression is put between parentheses: it must not close them, or end the statement.
fn unbalanced(expression: &str) -> Option<&'static str> {
    let mut depth = 0_i32;
    let mut letters = expression.char_indices().peekable();
    while let Some((_, letter)) = letters.next() {
        match letter {
            // Reads to the closing quote; a doubled one closes and opens again.
            '\'' | '"' if !letters.any(|(_, other)| other == letter) => {
                return Some("has a quote that is not closed");
            }
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ';' => return Some("has a `;`: one expression is wanted, not statements"),
            '-' if letters.peek().is_some_and(|(_, next)| *next == '-') => {
                return Some("has a `--` comment: leave it out");
            }
            '/' if letters.peek().is_some_and(|(_, next)| *next == '*') => {
                return Some("has a `/*` comment: leave it out");
            }
            '$' if letters
                .peek()
                .is_some_and(|(_, next)| !next.is_ascii_digit()) =>
            {
                return Some("has a `$` quote: write the text in single quotes");
            }
            _ => {}
        }
        if depth < 0 {
            return Some("closes a parenthesis that it has not opened");
        }
    }
    (depth != 0).then_some("has a parenthesis that is not closed")
}

#[cfg(test)]
mod tests {
    use super::unbalanced;

    #[test]
    fn what_could_leave_its_parentheses_is_refused() {
        for text in [
            "status) FROM x WHERE (true",
            "a; drop table b",
            "a -- b",
            "'open",
            "(a",
            "$$x$$",
            "a /* b",
        ] {
            assert!(unbalanced(text).is_some(), "{text}");
        }
        for text in [
            "coalesce(a, ')')",
            "a || ';'",
            "\"odd)name\"",
            "a - -1",
            "a[1]",
            "'it''s'",
        ] {
            assert!(unbalanced(text).is_none(), "{text}");
        }
    }
}
