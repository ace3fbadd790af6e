//! Metrics in the OpenMetrics format. All of them are read from the database: they survive a restart of the server, and every
//! server of a database tells the same.

use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use crossfade_coordinator::service::{Counts, PhaseStatus, RunSummary, Status};
use crossfade_decisions::lifecycle::transition::State as PhaseState;
use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::{collections::BTreeSet, fmt::Write as _, sync::atomic::AtomicU64};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

type Value = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRun {
    run: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRunInfo {
    run: String,
    state: String,
    fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPhase {
    run: String,
    phase: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPhaseState {
    run: String,
    phase: String,
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBlocks {
    run: String,
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEvents {
    run: String,
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOrders {
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfMessages {
    receiver: String,
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStanding {
    run: String,
    standing: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBuild {
    version: String,
}

#[derive(Default)]
struct Metrics {
    build: Family<OfBuild, Value>,
    runs: Family<OfRunInfo, Value>,
    standing: Family<OfStanding, Value>,
    paused_since: Family<OfRun, Value>,
    phase_state: Family<OfPhaseState, Value>,
    phase_seconds: Family<OfPhase, Value>,
    gate_open: Family<OfPhase, Value>,
    rows: Family<OfRun, Counter>,
    blocks: Family<OfBlocks, Value>,
    rows_per_second: Family<OfRun, Value>,
    stuck: Family<OfRun, Value>,
    growth: Family<OfRun, Value>,
    quarantined: Family<OfRun, Value>,
    different: Family<OfRun, Value>,
    verified_at: Family<OfRun, Value>,
    old_write_at: Family<OfRun, Value>,
    out_of_step: Family<OfRun, Value>,
    orders: Family<OfOrders, Value>,
    messages: Family<OfMessages, Value>,
    server: Value,
    blocked: Family<OfRun, Counter>,
    rollbacks: Family<OfRun, Counter>,
    events: Family<OfEvents, Counter>,
}

/// OpenMetrics for who asks for it, as Prometheus does, and else the text format that came before.
pub async fn page(
    State(site): State<Shared>,
    _caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let runs = site.looker.runs().await?;
    let counts = site.looker.counts().await?;
    let text = text(&runs, &counts).map_err(|error| {
        crate::failure::Failure::Malformed(format!("the metrics cannot be written: {error}"))
    })?;
    let accepted = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let wants_open = accepted.is_some_and(|kinds| kinds.contains("application/openmetrics-text"));
    let (kind, text) = match wants_open {
        true => (OPEN_METRICS, text),
        false => (CLASSIC, classic(&text)),
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// There, a counter is described under the name of its sample, and neither unit nor end is told.
fn classic(text: &str) -> String {
    let counters: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut classic = String::new();
    for line in text
        .lines()
        .filter(|line| *line != "# EOF" && !line.starts_with("# UNIT "))
    {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                let _ = writeln!(classic, "# {what} {name}_total {rest}");
            }
            _ => {
                let _ = writeln!(classic, "{line}");
            }
        }
    }
    classic
}

fn text(runs: &[RunSummary], counts: &Counts) -> Result<String, std::fmt::Error> {
    let metrics = Metrics::default();
    let build = OfBuild {
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    metrics.build.get_or_create(&build).set(1.0);
    for run in runs {
        let line = &run.line;
        let fingerprint = run
            .status
            .as_ref()
            .map(|status| status.plan_fingerprint.clone());
        let info = OfRunInfo {
            run: line.name.clone(),
            state: line.state.clone(),
            fingerprint: fingerprint.unwrap_or_default(),
        };
        metrics.runs.get_or_create(&info).set(1.0);
        if let Some(status) = &run.status {
            metrics.of_run(status);
        }
    }
    metrics.of_counts(counts);
    let mut text = String::new();
    encode(&mut text, &metrics.registry())?;
    Ok(text)
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

impl Metrics {
    fn of_run(&self, status: &Status) {
        let run = || OfRun {
            run: status.run.clone(),
        };
        let set = |family: &Family<OfRun, Value>, value: f64| {
            family.get_or_create(&run()).set(value);
        };
        let standing = OfStanding {
            run: status.run.clone(),
            standing: status.standing().0.as_str().to_owned(),
        };
        self.standing.get_or_create(&standing).set(1.0);
        if let Some(paused) = &status.paused {
            set(&self.paused_since, seconds(paused.since));
        }
        for phase in &status.phases {
            self.of_phase(status, phase);
        }
        if let Some(backfill) = &status.backfill {
            let rows = u64::try_from(backfill.rows_changed).unwrap_or(0);
            self.rows.get_or_create(&run()).inc_by(rows);
            for (kind, blocks) in [
                ("done", backfill.blocks_done),
                ("all", backfill.blocks_total),
            ] {
                let labels = OfBlocks {
                    run: status.run.clone(),
                    kind: kind.to_owned(),
                };
                self.blocks.get_or_create(&labels).set(blocks as f64);
            }
            set(&self.rows_per_second, backfill.rows_per_second);
            if let Some(growth) = backfill.table_growth {
                set(&self.growth, growth);
            }
        }
        set(&self.stuck, truth(status.is_stuck()));
        set(&self.quarantined, status.quarantined as f64);
        if let Some(found) = &status.verification {
            set(&self.different, found.rows_different as f64);
            set(&self.verified_at, seconds(found.finished_at));
        }
        if let Some(at) = status.old_writes.last_seen {
            set(&self.old_write_at, seconds(at));
        }
        set(&self.out_of_step, status.out_of_step.len() as f64);
    }

    fn of_phase(&self, status: &Status, phase: &PhaseStatus) {
        let labels = OfPhase {
            run: status.run.clone(),
            phase: phase.phase.to_string(),
        };
        let state = OfPhaseState {
            run: status.run.clone(),
            phase: phase.phase.to_string(),
            state: phase.state.as_str().to_owned(),
        };
        self.phase_state.get_or_create(&state).set(1.0);
        if let (Some(from), Some(to)) = (phase.started_at, phase.finished_at) {
            let took = to.duration_since(from).as_secs_f64();
            self.phase_seconds.get_or_create(&labels).set(took);
        }
        let is_current = status
            .current_phase()
            .is_some_and(|current| current.phase == phase.phase);
        if is_current && matches!(phase.state, PhaseState::Pending | PhaseState::Reverted) {
            let is_open = phase.gate.iter().all(|condition| condition.holds);
            self.gate_open.get_or_create(&labels).set(truth(is_open));
        }
    }

    fn of_counts(&self, counts: &Counts) {
        for one in &counts.messages {
            let states = [
                ("waiting", one.waiting),
                ("delivered", one.delivered),
                ("given_up", one.given_up),
            ];
            for (state, count) in states {
                let labels = OfMessages {
                    receiver: one.receiver.clone(),
                    state: state.to_owned(),
                };
                self.messages.get_or_create(&labels).set(count as f64);
            }
        }
        for (state, count) in &counts.orders {
            let labels = OfOrders {
                state: state.clone(),
            };
            self.orders.get_or_create(&labels).set(*count as f64);
        }
        self.server.set(truth(counts.is_served));
        for (run, kind, count) in &counts.events {
            let count = u64::try_from(*count).unwrap_or(0);
            let labels = OfEvents {
                run: run.clone(),
                kind: kind.clone(),
            };
            self.events.get_or_create(&labels).inc_by(count);
            let of_run = OfRun { run: run.clone() };
            match kind.as_str() {
                "blocked" => drop(self.blocked.get_or_create(&of_run).inc_by(count)),
                "rollback begun" => drop(self.rollbacks.get_or_create(&of_run).inc_by(count)),
                _ => {}
            }
        }
    }

    fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("crossfade");
        all.register(
            "build_info",
            "1, with the version of the program",
            self.build.clone(),
        );
        all.register(
            "run_info",
            "1 for each run, with its state and its plan's fingerprint",
            self.runs.clone(),
        );
        all.register(
            "run_standing",
            "1 for each active run, with how it stands, as in `crossfade status`",
            self.standing.clone(),
        );
        all.register_with_unit(
            "run_paused_since_timestamp",
            "When the pause in force began",
            Unit::Seconds,
            self.paused_since.clone(),
        );
        all.register(
            "phase_state",
            "1 for each phase of an active run, with its state",
            self.phase_state.clone(),
        );
        all.register_with_unit(
            "phase",
            "How long a phase took, pauses included",
            Unit::Seconds,
            self.phase_seconds.clone(),
        );
        all.register(
            "gate_open",
            "Whether the gate of the phase that comes next is open",
            self.gate_open.clone(),
        );
        all.register(
            "backfill_rows",
            "Rows that the backfill has changed",
            self.rows.clone(),
        );
        all.register(
            "backfill_blocks",
            "Blocks of the table, and those that are done",
            self.blocks.clone(),
        );
        all.register(
            "backfill_rows_per_second",
            "The speed over the last minutes",
            self.rows_per_second.clone(),
        );
        all.register(
            "backfill_stuck",
            "Whether it makes no progress for no known reason",
            self.stuck.clone(),
        );
        all.register(
            "table_growth_ratio",
            "The table's size as a multiple of that before",
            self.growth.clone(),
        );
        all.register(
            "quarantined_rows",
            "Rows whose value the other side cannot take",
            self.quarantined.clone(),
        );
        all.register(
            "rows_different",
            "Rows that differed when all were compared last",
            self.different.clone(),
        );
        all.register_with_unit(
            "last_verified_timestamp",
            "When all rows were compared last",
            Unit::Seconds,
            self.verified_at.clone(),
        );
        all.register_with_unit(
            "old_version_last_write_timestamp",
            "When the old version of the application was last seen writing",
            Unit::Seconds,
            self.old_write_at.clone(),
        );
        all.register(
            "out_of_step",
            "What is wrong with the triggers at this moment",
            self.out_of_step.clone(),
        );
        all.register(
            "messages",
            "Messages of the last 30 days by receiver and state",
            self.messages.clone(),
        );
        all.register("orders", "Orders by their state", self.orders.clone());
        all.register(
            "served",
            "Whether a server that carries out orders is connected to the database",
            self.server.clone(),
        );
        all.register(
            "lock_attempts_blocked",
            "Attempts at a lock that others held",
            self.blocked.clone(),
        );
        all.register("rollbacks", "Rollbacks that began", self.rollbacks.clone());
        all.register(
            "events",
            "Events in the history, by their kind",
            self.events.clone(),
        );
        all
    }
}
