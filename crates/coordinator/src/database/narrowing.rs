//! Tries conversions on rows that are there, in a transaction that can write nothing.

use super::Result;
use crossfade_plan::sqlgen::{narrowing, session};
use crossfade_plan::{
    compiled::{Action, Match, Plan},
    document::Expression,
    explain::estimate::{Loss, Seen},
    facts::Facts,
};
use crossfade_postgres::sqlstate;
use tokio_postgres::Client;

/// Whoever asks what a plan would do does not wait long for it, and no vacuum waits for that.
const TIMEOUT: &str = "SET LOCAL statement_timeout = '3s'";

/// What the plan's conversions would do to the values of its tables.
pub async fn losses(client: &mut Client, plan: &Plan, facts: &Facts) -> Result<Vec<Loss>> {
    let mut losses = Vec::new();
    client.batch_execute(&session::conversions(plan)).await?;
    for (_, step) in plan.steps() {
        let Action::Match(matching) = &step.action else {
            continue;
        };
        let Some(table) = facts.table(&matching.table) else {
            continue;
        };
        if narrowing::may_lose(matching) {
            losses.push(Loss {
                table: matching.table.clone(),
                columns: matching
                    .columns
                    .iter()
                    .map(|one| one.target.name.clone())
                    .collect(),
                seen: match strange(matching, facts) {
                    Some(called) => Err(format!("they call {called}, which is not run for a look")),
                    None => {
                        let sample = narrowing::sampled(table.blocks, table.rows_max());
                        seen(client, plan, matching, sample).await?
                    }
                },
            });
        }
    }
    Ok(losses)
}

/// What anybody may have made may do anything, and nothing else of the plan's is run to explain it.
fn strange(matching: &Match, facts: &Facts) -> Option<String> {
    let run = matching.columns.iter().chain(&matching.backward);
    let expressions: Vec<&Expression> = run.map(|one| &one.expression).collect();
    let analysed = facts.expressions.iter();
    let analysed = analysed.filter(|(key, _)| key.table == matching.table);
    let mut found = analysed.filter_map(|(_, found)| found.as_ref().ok());
    found.find_map(|found| {
        let called = found.strange()?;
        expressions
            .contains(&&found.resolved)
            .then(|| called.signature.clone())
    })
}

async fn seen(
    client: &mut Client,
    plan: &Plan,
    matching: &Match,
    sample: Option<f64>,
) -> Result<std::result::Result<Seen, String>> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    transaction.batch_execute(TIMEOUT).await?;
    transaction
        .batch_execute(&session::as_the_application(plan))
        .await?;
    let counted = transaction
        .batch_execute(&narrowing::count(matching, sample))
        .await;
    let found = match counted {
        Ok(()) => {
            let row = transaction
                .query_one("SELECT current_setting($1)", &[&narrowing::COUNTED])
                .await?;
            let numbers: Vec<u64> = row
                .get::<_, String>(0)
                .split(' ')
                .filter_map(|number| number.parse().ok())
                .collect();
            match numbers.as_slice() {
                [rows, failed, lost] => Ok(Seen {
                    rows: *rows,
                    failed: *failed,
                    lost: *lost,
                    is_all: sample.is_none() && *rows < u64::from(narrowing::ROWS_MAX),
                }),
                _ => Err("the server gave no counts".to_owned()),
            }
        }
        Err(error) if error.as_db_error().is_some() => Err(sqlstate::message(&error)),
        Err(error) => return Err(error),
    };
    transaction.rollback().await?;
    Ok(found)
}
