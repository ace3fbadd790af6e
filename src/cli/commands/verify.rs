//! `verify`: compares every row now; exit 5 where rows differ.

use super::{Context, order};
use crate::cli::{
    args::Verify,
    exit::{self, Exit},
    printer::{Text, one_line},
    reporter,
};
use crossfade_coordinator::service::{Outcome, Service};
use crossfade_decisions::keeper::Wish;
use serde_json::json;

pub async fn run(context: &Context<'_>, verify: &Verify) -> anyhow::Result<Exit> {
    let service = context.service()?;
    if verify.detach {
        let wish = if verify.repair {
            Wish::Repair
        } else {
            Wish::Verify
        };
        let placed = service.order(&verify.run, &wish).await?;
        return order::placed(context, &service, &verify.run, &placed).await;
    }
    let stop = context.stop()?;
    let discards = verify.discard.iter().cloned().collect();
    let findings = match service
        .verify(
            &verify.run,
            verify.repair,
            &discards,
            context.reporter(&verify.run),
            stop,
        )
        .await?
    {
        Ok(findings) => findings,
        Err(outcome) => {
            let why = match &outcome {
                Outcome::Waiting(wait) => reporter::reason(wait),
                Outcome::Interrupted | Outcome::Done => {
                    "interrupted: nothing was recorded".to_owned()
                }
            };
            context.printer.message(one_line(&why));
            if context.printer.is_json() {
                context
                    .printer
                    .result(&json!({"run": verify.run, "stopped": why}), String::new)?;
            }
            return Ok(exit::of_outcome(&outcome));
        }
    };
    let different: i64 = findings.iter().map(|finding| finding.rows_different).sum();
    let steps: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "step": finding.step, "snapshot_at": finding.snapshot_at, "rows_checked": finding.rows_checked,
                "rows_different": finding.rows_different, "rows_repaired": finding.rows_repaired, "rows_accepted": finding.rows_accepted, "examples": finding.examples,
            })
        })
        .collect();
    let value = json!({"run": verify.run, "rows_different": different, "steps": steps});
    context.printer.result(&value, || {
        findings.iter().fold(Text::new(), |mut text, finding| {
            text.line(format_args!(
                "{}: {} rows checked, {} differ, {} repaired, {} accepted as they are",
                finding.step,
                finding.rows_checked,
                finding.rows_different,
                finding.rows_repaired,
                finding.rows_accepted
            ));
            for example in &finding.examples {
                text.line(format_args!("  {example}"));
            }
            text
        })
    })?;
    if verify.repair && different > 0 {
        context
            .printer
            .message(one_line(&left(&service, verify).await?));
    }
    Ok(if different == 0 {
        Exit::Done
    } else {
        Exit::Differences
    })
}

/// What a repair has left, and what to do about it.
async fn left(service: &Service, verify: &Verify) -> anyhow::Result<String> {
    let columns = service.repaired_columns(&verify.run).await?;
    let discards: Vec<String> = columns
        .iter()
        .map(|column| format!("--discard {column}"))
        .collect();
    Ok(format!(
        "these rows were left as they are: a repair would have replaced their only value by NULL, or somebody wrote them meanwhile. Write the right value to the side that is wrong, and the triggers compute the other. Or run `crossfade verify {} --repair {}`, which replaces such values",
        verify.run,
        discards.join(" ")
    ))
}
