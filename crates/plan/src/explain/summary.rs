//! A phase in a few lines: what it does, how long it may take, whom it blocks and for how long at most, how to go back.

use super::{ExplainedPhase, ExplainedStatement, estimate::Estimate};
use crate::{compiled::Plan, document::PhaseName, span::Span};
use serde::Serialize;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub does: Vec<String>,
    /// All of its statements together; `None` where the size of a table is not known.
    pub estimate: Option<Estimate>,
    /// Empty: nobody.
    pub blocks: Vec<String>,
    pub back: String,
}

pub fn summary(phase: &ExplainedPhase, plan: &Plan) -> Summary {
    let statements = || phase.steps.iter().flat_map(|step| &step.statements);
    let estimates: Option<Vec<Estimate>> =
        statements().map(|statement| statement.estimate).collect();
    Summary {
        does: phase
            .steps
            .iter()
            .map(|step| {
                step.step
                    .replacen(':', " ", 1)
                    .replacen('_', " ", step.kind.matches('_').count())
            })
            .collect(),
        estimate: estimates.and_then(|estimates| estimates.into_iter().reduce(Estimate::and)),
        blocks: blocks(statements(), plan.settings.lock_timeout),
        back: back(phase, plan),
    }
}

/// For each table that the application cannot read or write for a while, the worst of it.
fn blocks<'a>(
    statements: impl Iterator<Item = &'a ExplainedStatement>,
    lock_timeout: Span,
) -> Vec<String> {
    let mut worst: Vec<(String, &'static str, f64)> = Vec::new();
    for statement in statements {
        // While it waits for old transactions it holds no lock that blocks.
        if !statement.in_transaction {
            continue;
        }
        let held = match statement.estimate {
            Some(estimate) if statement.scan || statement.rewrite => estimate.seconds[1],
            _ => 0.0,
        };
        for lock in statement
            .locks
            .iter()
            .filter(|lock| lock.partition_of.is_none() && lock.blocks.contains("writes"))
        {
            match worst.iter_mut().find(|(table, ..)| *table == lock.table) {
                Some((_, what, longest)) => {
                    *longest = longest.max(held);
                    if lock.blocks.len() > what.len() {
                        *what = lock.blocks;
                    }
                }
                None => worst.push((lock.table.clone(), lock.blocks, held)),
            }
        }
    }
    let words = |(table, what, held): (String, &str, f64)| {
        let then = if held >= 1.0 {
            format!("up to about {held:.0} s")
        } else {
            "milliseconds".to_owned()
        };
        format!(
            "{what} of {table}: at most {lock_timeout} at a time while it waits for the lock, then {then}"
        )
    };
    worst.into_iter().map(words).collect()
}

fn back(phase: &ExplainedPhase, plan: &Plan) -> String {
    if phase.steps.is_empty() {
        return "nothing to undo".to_owned();
    }
    if phase.steps.iter().any(|step| step.undo.is_none()) {
        return "it cannot be undone".to_owned();
    }
    let before: Option<PhaseName> = plan
        .phases
        .iter()
        .take_while(|other| other.name != phase.phase)
        .last()
        .map(|other| other.name);
    match before {
        Some(before) => format!("crossfade rollback {} --to {before}", plan.name),
        None => format!("crossfade rollback {}", plan.name),
    }
}
