//! Queries of a plan that expect an answer: its query steps, and conditions of gates.

use crate::database::doctor;
use crossfade_plan::sqlgen::session;
use crossfade_plan::{
    compiled::Plan,
    document::{Expect, Query},
};
use crossfade_postgres::sqlstate::{self, ErrorClass};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, GenericClient};

/// Asks a query in a read-only transaction. `Err` says what it gave instead of what was expected.
pub async fn ask(
    client: &mut Client,
    plan: &Plan,
    query: &Query,
    timeout_ms: u64,
) -> Result<Result<(), String>, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let path = session::as_the_application(plan);
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {timeout_ms}; {path}"
        ))
        .await?;
    let began = Instant::now();
    let answer = answer(&transaction, query).await;
    transaction.rollback().await?;
    match answer {
        // By somebody, and not by the limit: asked again.
        Err(error)
            if sqlstate::classify(&error) == ErrorClass::Cancelled
                && began.elapsed() < Duration::from_millis(timeout_ms) =>
        {
            Err(error)
        }
        Err(error) if error.as_db_error().is_some() => Ok(Err(sqlstate::message(&error))),
        other => other,
    }
}

/// As `ask`: what the plan's author wrote only reads.
pub async fn backup_age(
    client: &mut Client,
    plan: &Plan,
    sql: &str,
    timeout: Duration,
) -> Result<Option<f64>, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    let path = session::as_the_application(plan);
    let timeout_ms = timeout.as_millis().max(1);
    transaction
        .batch_execute(&format!(
            "SET LOCAL statement_timeout = {timeout_ms}; {path}"
        ))
        .await?;
    let age = doctor::asked(&transaction, sql).await?;
    transaction.rollback().await?;
    Ok(age)
}

async fn answer(
    client: &impl GenericClient,
    query: &Query,
) -> Result<Result<(), String>, tokio_postgres::Error> {
    let value = |rows: &[Option<String>]| match rows {
        [Some(value)] => value.clone(),
        [None] => "NULL".to_owned(),
        [] => "no row".to_owned(),
        more => format!("{} rows or more", more.len()),
    };
    let rows = first_rows(client, &query.sql).await?;
    let found: Vec<Option<String>> = rows.iter().map(|row| row.first_column.clone()).collect();
    let expected = match &query.expect {
        Expect::NoRows => {
            return Ok(match rows.first() {
                None => Ok(()),
                Some(first) => Err(format!(
                    "gave rows where none were expected, the first: {}",
                    first.all
                )),
            });
        }
        Expect::Value(expected) => expected.clone(),
        Expect::EqualTo(sql) => {
            let rows = first_rows(client, sql).await?.into_iter();
            value(&rows.map(|row| row.first_column).collect::<Vec<_>>())
        }
    };
    let found = value(&found);
    Ok(if found == expected {
        Ok(())
    } else {
        Err(format!("gave {found}, expected {expected}"))
    })
}

struct Answer {
    /// As a JSON object.
    all: String,
    /// As the server writes it.
    first_column: Option<String>,
}

/// The first two rows: enough to tell none, one and several apart.
async fn first_rows(
    client: &impl GenericClient,
    sql: &str,
) -> Result<Vec<Answer>, tokio_postgres::Error> {
    // Not jsonb, which has an order of its own.
    let wrapped = format!(
        "SELECT pg_catalog.to_json(answer.*)::text, (SELECT e.value FROM pg_catalog.json_each_text(pg_catalog.to_json(answer.*)) AS e LIMIT 1) FROM ({}\n) AS answer LIMIT 2",
        sql.trim_end().trim_end_matches(';')
    );
    let rows = client.query(&wrapped, &[]).await?;
    let answer = |row: &tokio_postgres::Row| Answer {
        all: row.get(0),
        first_column: row.get(1),
    };
    Ok(rows.iter().map(answer).collect())
}
