//! What plans would do, as the checks need to know it.

use super::{BRIEFLY, Compiled, bounded};
use crate::database;
use crossfade_decisions::doctor::Work;
use crossfade_plan::{
    compiled::Action,
    explain::{
        ExplainedStatement, Explanation,
        estimate::{Estimate, Surroundings},
        explain,
    },
    pacing::{Amount as _, Limit},
    span::Span,
};
use crossfade_postgres::connect::Session;

/// What the plan would do, and how much of it there is where the sizes of its tables are known.
pub async fn work_of(session: &mut Session, compiled: &Compiled) -> Work {
    let tables = compiled.facts.tables.keys();
    let surroundings = bounded(session, BRIEFLY, async |on| {
        database::statistics::surroundings(on, tables).await
    })
    .await;
    let explanation =
        |surroundings: &Surroundings| explain(&compiled.plan, &compiled.facts, surroundings);
    let estimate = surroundings.as_ref().ok();
    let estimate = estimate.and_then(|known| estimate_of(&explanation(known)));
    let shown = explanation(surroundings.as_ref().unwrap_or(&Surroundings::default()));
    let statements = statements(&shown).map(|statement| statement.sql.clone());
    let pacing = &compiled.plan.settings.pacing;
    let slot = pacing.slot_wal_bytes.as_ref();
    let seconds = |limit: Option<&Limit<Span>>| limit.map(|limit| limit.slow.amount());
    Work {
        is_partly_unknown: false,
        statements: statements.collect(),
        fills: compiled
            .plan
            .steps()
            .any(|(_, step)| matches!(step.action, Action::Fill(_))),
        growth_bytes: estimate.map(|estimate| estimate.growth_bytes),
        wal_bytes: estimate.map(|estimate| estimate.wal_bytes),
        slot_bytes_max: slot.map(|limit| limit.stop.count()),
        transaction_seconds_max: seconds(pacing.oldest_transaction.as_ref()),
        lag_seconds_max: seconds(pacing.replica_lag.as_ref()),
    }
}

fn statements(explanation: &Explanation) -> impl Iterator<Item = &ExplainedStatement> {
    let steps = explanation.phases.iter().flat_map(|phase| &phase.steps);
    steps.flat_map(|step| &step.statements)
}

/// Of everything; `None` where that of one statement is not known.
fn estimate_of(explanation: &Explanation) -> Option<Estimate> {
    let nothing = Estimate {
        rows: 0,
        wal_bytes: [0, 0],
        growth_bytes: [0, 0],
        seconds: [0.0, 0.0],
    };
    statements(explanation).try_fold(nothing, |sum, statement| Some(sum.and(statement.estimate?)))
}

pub fn both(one: Work, other: Work) -> Work {
    let least = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let sum = |one: Option<[u64; 2]>, other: Option<[u64; 2]>| {
        let (one, other) = (one?, other?);
        Some([
            one[0].saturating_add(other[0]),
            one[1].saturating_add(other[1]),
        ])
    };
    Work {
        is_partly_unknown: one.is_partly_unknown || other.is_partly_unknown,
        statements: [one.statements, other.statements].concat(),
        fills: one.fills || other.fills,
        growth_bytes: sum(one.growth_bytes, other.growth_bytes),
        wal_bytes: sum(one.wal_bytes, other.wal_bytes),
        slot_bytes_max: one
            .slot_bytes_max
            .into_iter()
            .chain(other.slot_bytes_max)
            .min(),
        transaction_seconds_max: least(one.transaction_seconds_max, other.transaction_seconds_max),
        lag_seconds_max: least(one.lag_seconds_max, other.lag_seconds_max),
    }
}
