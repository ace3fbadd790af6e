//! `status`: where a run stands and what it waits for.

mod account;
mod list;

use super::{Context, amend};
use crate::cli::{
    args::StatusOf,
    exit::{Exit, UsageError},
    printer::{Paint, Text},
};
use crossfade_coordinator::service::{OrderRecord, PhaseStatus, Status, nobody_serves};
use crossfade_decisions::lifecycle::transition::State;
use crossfade_decisions::progress::{self, time_left};
use crossfade_plan::span::Span;
use serde_json::json;
use std::{io::IsTerminal, time::Duration};

pub async fn run(context: &Context<'_>, status: &StatusOf) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let Some(run) = &status.run else {
        return list::show(context, &service, status.all).await;
    };
    if status.watch && context.printer.is_json() {
        let why =
            "--watch is for people to look at; with --format json ask again when you want to know";
        return Err(UsageError(why.to_owned()).into());
    }
    if status.samples && !context.printer.is_json() {
        let why = "--samples is for programs: it goes with --format json";
        return Err(UsageError(why.to_owned()).into());
    }
    // From before the first look on: a Ctrl-C in the middle of one counts too.
    let stop = status.watch.then(|| context.stop()).transpose()?;
    loop {
        let now = if status.samples {
            service.status_with_samples(run).await?
        } else {
            service.status(run).await?
        };
        if status.watch && std::io::stdout().is_terminal() {
            context
                .printer
                .result(&json!(null), || Text::document("\x1b[2J\x1b[H".to_owned()))?;
        }
        context.printer.result(&now, || in_words(&now))?;
        let Some(stop) = stop.as_ref().filter(|_| now.state == "active") else {
            return Ok(Exit::Done);
        };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return Ok(Exit::Interrupted),
        }
    }
}

/// The newest order: an open one, or how it ended.
fn order_in_words(order: &OrderRecord, status: &Status, text: &mut Text) {
    let what = format!(
        "order {}: {} at {:.0}",
        order.id,
        order.in_words(),
        order.placed_at
    );
    let why = order.outcome.as_deref().map(|why| format!(": {why}"));
    let holder = status.lease.as_ref().map(|lease| &lease.holder);
    let how = match nobody_serves(status.server.as_ref()) {
        _ if !order.is_open() => format!("{}{}", order.state, why.unwrap_or_default()),
        _ if holder.is_some() && holder == order.taken_by.as_ref() => {
            format!(
                "carried out by {}",
                order.taken_by.as_deref().unwrap_or_default()
            )
        }
        Some(nobody) => format!("waits: {nobody}"),
        None if status.paused.is_some() => "waits for the end of the pause".to_owned(),
        None => "waits to be tried again, or for its turn".to_owned(),
    };
    text.line(format_args!("{what}; {how}"));
}

fn in_words(status: &Status) -> Text {
    let mut text = Text::new();
    let paint = match status.state.as_str() {
        "completed" => Paint::Green,
        "rolled_back" => Paint::Yellow,
        _ => Paint::Plain,
    };
    let run = format_args!("{}: ", status.run);
    text.line_with(run, (paint, &status.state), "");
    for phase in &status.phases {
        phase_in_words(phase, &mut text);
    }
    if let Some(backfill) = &status.backfill {
        text.line(format_args!(
            "backfill of {}: {} %, {} rows changed, {} in quarantine",
            backfill.table,
            progress::percent(backfill.blocks_done, backfill.blocks_total),
            backfill.rows_changed,
            backfill.rows_quarantined
        ));
        if backfill.pace.workers > 0 {
            let reasons = if backfill.pace.reasons.is_empty() {
                "not held back".to_owned()
            } else {
                backfill.pace.reasons.join("; ")
            };
            text.line(format_args!(
                "  {:.0} rows/s, {}; workers {}, batches of about {} rows; {reasons}",
                backfill.rows_per_second,
                time_left(backfill.eta_seconds),
                backfill.pace.workers,
                backfill.pace.batch_rows
            ));
        } else if !backfill.pace.reasons.is_empty() {
            text.line(format_args!("  {}", backfill.pace.reasons.join("; ")));
        }
        if let Some(growth) = backfill.table_growth {
            text.line(format_args!(
                "  the table has {growth:.2} times its size before, vacuumed {} times",
                backfill.vacuums
            ));
        }
        if let Some(account) = &backfill.account {
            text.push_str(&account::in_words(account));
        }
    }
    for tuning in status
        .backfill
        .iter()
        .flat_map(|backfill| &backfill.pace.tuned)
    {
        let until = tuning
            .until
            .map_or(String::new(), |until| format!(" until {until:.0}"));
        text.line(format_args!(
            "  tuned: {}={} by {}{until}: {}",
            tuning.key, tuning.value, tuning.by, tuning.reason
        ));
    }
    for amendment in &status.amendments {
        let changes = amendment.changes.as_array().into_iter().flatten();
        let changes: Vec<String> = changes.map(amend::recorded_in_words).collect();
        text.line(format_args!(
            "amended by {} at {:.0}: {}: {}",
            amendment.by,
            amendment.at,
            changes.join("; "),
            amendment.reason
        ));
    }
    for accepted in &status.accepted_checks {
        text.line(format_args!(
            "started in spite of the check {}: {} ({})",
            accepted.check, accepted.reason, accepted.found
        ));
    }
    if let Some(order) = &status.order {
        order_in_words(order, status, &mut text);
    }
    if let Some(verification) = &status.verification {
        text.line(format_args!(
            "verified: {} rows, {} differ, at {:.0}",
            verification.rows_checked, verification.rows_different, verification.finished_at
        ));
    }
    if status.quarantined + status.accepted > 0 {
        text.line(format_args!(
            "quarantine: {} rows, {} more accepted as they are",
            status.quarantined, status.accepted
        ));
    }
    if let Some(touched) = &status.sync_touched {
        text.line(format_args!(
            "triggers changed by hand since {:.0}, and rows not compared after that: {}",
            touched.at,
            touched.what.join("; ")
        ));
    }
    for wrong in &status.out_of_step {
        text.line(format_args!("out of step: {wrong}"));
    }
    for (which, writes) in [("old", &status.old_writes), ("new", &status.new_writes)] {
        if let Some(last_seen) = writes.last_seen {
            text.line(format_args!(
                "writes of the {which} version: {}, the last seen at {last_seen:.0}",
                writes.total
            ));
        }
    }
    if status.untold_writes > 0 {
        text.line(format_args!(
            "inserts that may have meant NULL in a new column: {}. Their statements do not show it, so the rows have the old column's default (docs/reference/settings.md)",
            status.untold_writes
        ));
    }
    if let Some(lease) = &status.lease {
        text.line(format_args!(
            "driven by {}, heartbeat {} ms ago",
            lease.holder, lease.heartbeat_age_ms
        ));
    }
    for waiting in &status.waiting {
        let until = waiting
            .until
            .map_or(String::new(), |until| format!(" (until {until:.0})"));
        text.line(format_args!(
            "waiting for {}: {}{until}",
            waiting.kind, waiting.detail
        ));
    }
    if status.lease.is_none() && status.waiting.is_empty() && status.state == "active" {
        text.line(format_args!(
            "nobody drives it: `crossfade advance {}` continues",
            status.run
        ));
    }
    text
}

fn phase_in_words(phase: &PhaseStatus, text: &mut Text) {
    let mark = match phase.state {
        State::Pending | State::Reverted => ' ',
        State::Running | State::Reverting => '>',
        State::Failed => '!',
        State::Completed => 'x',
    };
    let took = match (phase.started_at, phase.finished_at) {
        (Some(started), Some(finished)) => {
            let took = finished.duration_since(started).unsigned_abs();
            format!("  {:.0}, took {}", finished, Span::rough(took))
        }
        _ => String::new(),
    };
    let paint = match phase.state {
        State::Pending => Paint::Plain,
        State::Running | State::Reverting | State::Reverted => Paint::Yellow,
        State::Failed => Paint::Red,
        State::Completed => Paint::Green,
    };
    let before = format_args!("  [{mark}] {:<13} ", phase.name.as_str());
    let state = format!("{:<9}", phase.state.as_str());
    text.line_with(before, (paint, &state), took);
    for step in &phase.steps {
        if let Some(error) = &step.error {
            text.line(format_args!(
                "        {} {}: {error}",
                step.step, step.state
            ));
        }
    }
}
