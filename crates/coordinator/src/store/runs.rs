//! Runs, their phases and steps: registered by `start`, changed through `lifecycle::transition` only.

use super::{StoreError, history, lease::Lease, os_user, standing};
use crossfade_decisions::lifecycle::{
    snapshot::{
        Approval, Pause, PhaseRecord, RollbackTarget, Snapshot, StepRecord, VerificationRecord,
        Writes,
    },
    transition::{Event, RunState, State, transition},
};
use crossfade_model::error::PlanError;
use crossfade_plan::{
    amendment::Amendment,
    claims::OtherRun,
    compiled::{Plan, StepId},
    decode::nearest,
    document::PhaseName,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio_postgres::{GenericClient, Row, Transaction, error::SqlState};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    pub id: i64,
    pub name: String,
    pub state: String,
    pub phase: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// So many were recorded.
    pub events: i64,
    /// Somebody has its lease, or had it a moment ago.
    pub is_driven: bool,
}

pub(super) fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// Every run, newest first.
pub async fn list(client: &impl GenericClient) -> Result<Vec<RunLine>, StoreError> {
    let rows = client
        .query(
            "SELECT r.name, r.state, (SELECT p.phase FROM crossfade.phases AS p WHERE p.run_id = r.id \
                AND r.state = 'active' AND p.state <> 'completed' ORDER BY p.position LIMIT 1), r.started_at, r.finished_at, \
                r.id, r.event_count, EXISTS (SELECT FROM crossfade.leases AS l WHERE l.run_id = r.id AND l.holder IS NOT NULL \
                    AND l.heartbeat > clock_timestamp() - $1::bigint * interval '1 ms') \
             FROM crossfade.runs AS r ORDER BY r.id DESC LIMIT 1000",
            &[&super::lease::STALE_AFTER_MS],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| RunLine {
            name: row.get(0),
            state: row.get(1),
            phase: row.get(2),
            started_at: row.get(3),
            finished_at: row.get(4),
            id: row.get(5),
            events: row.get(6),
            is_driven: row.get(7),
        })
        .collect())
}

/// Where the run `r` stands, as a predicate of a sentence.
const STANDING: &str = "CASE WHEN r.paused_at IS NOT NULL THEN 'paused by ' || r.paused_by || ' (' || r.pause_reason || ')' \
     WHEN r.rolling_back_to IS NOT NULL THEN 'in a rollback to ' || r.rolling_back_to \
     ELSE coalesce((SELECT CASE p.state WHEN 'pending' THEN 'before ' WHEN 'reverted' THEN 'before ' ELSE 'in ' END || p.phase \
         FROM crossfade.phases AS p WHERE p.run_id = r.id AND p.state <> 'completed' ORDER BY p.position LIMIT 1), 'at its end') END";

/// The plans of the active runs, and where each stands.
pub async fn active(client: &impl GenericClient) -> Result<Vec<OtherRun>, StoreError> {
    let rows = client
        .query(
            &format!("SELECT r.plan, {STANDING} FROM crossfade.runs AS r WHERE r.state = 'active' ORDER BY r.id"),
            &[],
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(OtherRun {
                plan: serde_json::from_value(row.get(0)).map_err(corrupt)?,
                standing: row.get(1),
            })
        })
        .collect()
}

/// The plans of the completed runs that have installed triggers: those that still stand are theirs.
pub async fn completed_with_sync(client: &impl GenericClient) -> Result<Vec<Plan>, StoreError> {
    let rows = client
        .query(
            "SELECT r.plan FROM crossfade.runs AS r WHERE r.state = 'completed' AND EXISTS (SELECT FROM crossfade.steps AS s \
                 WHERE s.run_id = r.id AND s.kind IN ('sync_columns', 'sync_tables')) ORDER BY r.id",
            &[],
        )
        .await?;
    rows.into_iter()
        .map(|row| serde_json::from_value(row.get(0)).map_err(corrupt))
        .collect()
}

/// Held until the transaction ends: two runs that start at the same moment see each other.
pub async fn lock_claims(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction
        .batch_execute("LOCK TABLE crossfade.claims IN SHARE ROW EXCLUSIVE MODE")
        .await?;
    Ok(())
}

/// What `start` registered, and where it stands.
#[derive(Clone, Debug)]
pub struct RunRecord {
    pub id: i64,
    pub name: String,
    pub state: RunState,
    /// The plan as its author wrote it.
    pub document: String,
    /// Of its explicit form (`compile::form`). Not of runs that were started before this was noted.
    pub form: Option<String>,
    /// `in backfill`, `before contract`, `paused by …`.
    pub standing: String,
    pub started_by: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// The newest run of that name; `None` where there is none.
pub async fn find(
    client: &impl GenericClient,
    name: &str,
) -> Result<Option<RunRecord>, StoreError> {
    let query = format!(
        "SELECT r.state, r.document, {STANDING}, r.started_by, r.started_at, r.finished_at, r.id, \
             (SELECT e.detail::jsonb ->> 'form_sha256' FROM crossfade.events AS e WHERE e.run_id = r.id AND e.number = 1) \
         FROM crossfade.runs AS r WHERE r.name = $1 ORDER BY r.id DESC LIMIT 1"
    );
    let row = client.query_opt(&query, &[&name]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(RunRecord {
        name: name.to_owned(),
        state: row.get::<_, String>(0).parse().map_err(corrupt)?,
        document: row.get(1),
        standing: row.get(2),
        started_by: row.get(3),
        started_at: row.get(4),
        finished_at: row.get(5),
        id: row.get(6),
        form: row.get(7),
    }))
}

/// The compiled plan of a run.
pub async fn plan_of(client: &impl GenericClient, run_id: i64) -> Result<Plan, StoreError> {
    let row = client
        .query_one("SELECT plan FROM crossfade.runs WHERE id = $1", &[&run_id])
        .await?;
    serde_json::from_value(row.get(0)).map_err(corrupt)
}

/// What a run is called.
pub async fn name(client: &impl GenericClient, run_id: i64) -> Result<String, StoreError> {
    let row = client
        .query_one("SELECT name FROM crossfade.runs WHERE id = $1", &[&run_id])
        .await?;
    Ok(row.get(0))
}

pub async fn id_of(client: &impl GenericClient, name: &str) -> Result<i64, StoreError> {
    let row = client
        .query_opt(
            "SELECT id FROM crossfade.runs WHERE name = $1 ORDER BY id DESC LIMIT 1",
            &[&name],
        )
        .await?;
    match row {
        Some(row) => Ok(row.get(0)),
        None => Err(no_run(client, name).await?),
    }
}

async fn no_run(client: &impl GenericClient, name: &str) -> Result<StoreError, StoreError> {
    let runs = list(client).await?;
    let names = runs.iter().map(|run| run.name.as_str());
    Ok(StoreError::NoRun {
        name: name.to_owned(),
        nearest: nearest(name, names).map(str::to_owned),
    })
}

/// The ids of all runs that have had this name, the newest first.
pub async fn ids_of(client: &impl GenericClient, name: &str) -> Result<Vec<i64>, StoreError> {
    let rows = client
        .query(
            "SELECT id FROM crossfade.runs WHERE name = $1 ORDER BY id DESC",
            &[&name],
        )
        .await?;
    if rows.is_empty() {
        return Err(no_run(client, name).await?);
    }
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Registers a run and claims its columns.
pub async fn insert(
    transaction: &Transaction<'_>,
    plan: &Plan,
    (fingerprint, form): (&str, Option<&str>),
    document: &str,
    accepted: &Value,
) -> Result<i64, StoreError> {
    let name = plan.name.as_str();
    let stored = serde_json::to_value(plan).map_err(corrupt)?;
    let inserted = transaction
        .query_one(
            "INSERT INTO crossfade.runs (name, document, plan, fingerprint, started_by_os) VALUES ($1, $2, $3, $4, crossfade.actor_through($5)) \
             RETURNING id, encode(sha256(convert_to(document || E'\\n' || plan::text, 'UTF8')), 'hex')",
            &[&name, &document, &stored, &fingerprint, &os_user()],
        )
        .await;
    let (run_id, plan_hash): (i64, String) = match inserted {
        Ok(row) => (row.get(0), row.get(1)),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            return Err(StoreError::NameTaken {
                name: name.to_owned(),
                state: "started just now".to_owned(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    claim(transaction, run_id, plan).await?;
    transaction
        .execute(
            "INSERT INTO crossfade.leases (run_id) VALUES ($1)",
            &[&run_id],
        )
        .await?;
    for (position, phase) in (0_i32..).zip(&plan.phases) {
        transaction
            .execute(
                "INSERT INTO crossfade.phases (run_id, phase, position) VALUES ($1, $2, $3)",
                &[&run_id, &phase.name.as_str(), &position],
            )
            .await?;
        for (position, step) in (0_i32..).zip(&phase.steps) {
            transaction
                .execute(
                    "INSERT INTO crossfade.steps (run_id, step, phase, position, kind) VALUES ($1, $2, $3, $4, $5)",
                    &[&run_id, &step.id.0, &phase.name.as_str(), &position, &step.action.kind()],
                )
                .await?;
        }
    }
    let mut detail = json!({"fingerprint": fingerprint, "plan_sha256": plan_hash, "form_sha256": form, "crossfade": env!("CARGO_PKG_VERSION")});
    if accepted.as_array().is_some_and(|list| !list.is_empty()) {
        detail["accepted"] = accepted.clone();
    }
    history::record(transaction, run_id, "started", &detail).await?;
    Ok(run_id)
}

async fn claim(transaction: &Transaction<'_>, run_id: i64, plan: &Plan) -> Result<(), StoreError> {
    for (table, column) in &plan.claims {
        let (table, column) = (table.to_string(), column.as_str());
        let claimed = transaction
            .execute(
                "INSERT INTO crossfade.claims (table_name, column_name, run_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                &[&table, &column, &run_id],
            )
            .await?;
        if claimed == 0 {
            let row = transaction
                .query_one(
                    "SELECT r.name FROM crossfade.claims AS c JOIN crossfade.runs AS r ON r.id = c.run_id \
                     WHERE c.table_name = $1 AND c.column_name = $2",
                    &[&table, &column],
                )
                .await?;
            return Err(StoreError::Conflict {
                table,
                column: column.to_owned(),
                run: row.get(0),
            });
        }
    }
    Ok(())
}

/// One statement, so that what it gives is of one moment, and a look at a run is one way to the server and back.
/// Each part names the run itself: the server plans that in half the time of parts that depend on one another.
const SNAPSHOT: &str = "
    SELECT r.plan, r.fingerprint, r.state, r.started_by, clock_timestamp() AS now,
        frozen.by AS frozen_by, frozen.reason AS freeze_reason, frozen.placed_at AS frozen_at, frozen.until AS frozen_until,
        r.paused_by, r.pause_reason, r.paused_at, r.paused_until, r.rolling_back_to, r.rollback_frees, r.sync_stood, r.sync_touched,
        p.phases, p.phase_states, p.phases_started, p.phases_finished,
        s.steps, s.step_states, s.attempts, s.errors, s.found, a.approved, a.roles,
        (SELECT coalesce(jsonb_agg(m.amendment ORDER BY m.id), '[]') FROM crossfade.amendments AS m WHERE m.run_id = $1) AS amendments,
        (SELECT count(*) FROM crossfade.quarantine AS q WHERE q.run_id = $1 AND q.accepted_at IS NULL) AS quarantined,
        (SELECT count(*) FROM crossfade.quarantine AS q WHERE q.run_id = $1 AND q.accepted_at IS NOT NULL) AS accepted,
        v.rows_checked, v.rows_different, v.rows_accepted, v.verified_at,
        old.total AS old_total, old.first_seen_at AS old_since, new.total AS new_total, new.first_seen_at AS new_since, untold.total AS untold
    FROM crossfade.runs AS r
    CROSS JOIN (SELECT coalesce(array_agg(phase), '{}') AS phases, coalesce(array_agg(state), '{}') AS phase_states,
            coalesce(array_agg(started_at), '{}') AS phases_started, coalesce(array_agg(finished_at), '{}') AS phases_finished
        FROM crossfade.phases WHERE run_id = $1) AS p
    CROSS JOIN (SELECT coalesce(array_agg(step), '{}') AS steps, coalesce(array_agg(state), '{}') AS step_states,
            coalesce(array_agg(attempts), '{}') AS attempts, coalesce(array_agg(error), '{}') AS errors,
            coalesce(array_agg(array_to_string(found, ',')), '{}') AS found
        FROM crossfade.steps WHERE run_id = $1) AS s
    CROSS JOIN (SELECT coalesce(array_agg(phase), '{}') AS approved, coalesce(array_agg(role), '{}') AS roles
        FROM crossfade.approvals WHERE run_id = $1) AS a
    CROSS JOIN (SELECT coalesce(sum(rows_checked), 0)::bigint AS rows_checked, coalesce(sum(rows_different), 0)::bigint AS rows_different,
            coalesce(sum(rows_accepted), 0)::bigint AS rows_accepted, min(finished_at) AS verified_at
        FROM (SELECT DISTINCT ON (step) rows_checked, rows_different, rows_accepted, finished_at
            FROM crossfade.verifications WHERE run_id = $1 ORDER BY step, id DESC) AS newest) AS v
    LEFT JOIN crossfade.write_sightings AS old ON old.run_id = $1 AND old.side = 'old'
    LEFT JOIN crossfade.write_sightings AS new ON new.run_id = $1 AND new.side = 'new'
    LEFT JOIN crossfade.write_sightings AS untold ON untold.run_id = $1 AND untold.side = 'untold'
    LEFT JOIN LATERAL (SELECT f.by, f.reason, f.placed_at, f.until FROM crossfade.freezes AS f
        WHERE f.ended_at IS NULL AND (f.until IS NULL OR f.until > clock_timestamp())
        ORDER BY f.until DESC NULLS FIRST, f.id LIMIT 1) AS frozen ON true
    WHERE r.id = $1";

/// The run as it is recorded now. Reads only; takes no lock that anybody waits for.
pub async fn snapshot(client: &impl GenericClient, run_id: i64) -> Result<Snapshot, StoreError> {
    let row = client.query_one(SNAPSHOT, &[&run_id]).await?;
    let pause = |[by, reason, since, until]: [&str; 4]| {
        Some(Pause {
            by: row.get::<_, Option<_>>(by)?,
            reason: row.get::<_, Option<_>>(reason)?,
            since: row.get::<_, Option<_>>(since)?,
            until: row.get(until),
        })
    };
    let rolling_back = match row.get::<_, Option<String>>("rolling_back_to").as_deref() {
        None => None,
        Some("start") => Some(RollbackTarget::Start),
        Some(phase) => Some(RollbackTarget::Phase(phase.parse().map_err(corrupt)?)),
    };
    let mut plan: Plan = serde_json::from_value(row.get("plan")).map_err(corrupt)?;
    let amendments: Vec<Amendment> =
        serde_json::from_value(row.get("amendments")).map_err(corrupt)?;
    for amendment in amendments {
        let unfit = |errors: Vec<PlanError>| {
            let errors: Vec<String> = errors.into_iter().map(|error| error.message).collect();
            corrupt(format!(
                "an amendment does not fit its plan: {}",
                errors.join("; ")
            ))
        };
        amendment.apply(&mut plan).map_err(unfit)?;
    }
    Ok(Snapshot {
        run_id,
        fingerprint: row.get("fingerprint"),
        state: row.get::<_, String>("state").parse().map_err(corrupt)?,
        started_by: row.get("started_by"),
        now: row.get("now"),
        pause: pause(["paused_by", "pause_reason", "paused_at", "paused_until"]),
        freeze: pause(["frozen_by", "freeze_reason", "frozen_at", "frozen_until"]),
        rolling_back,
        frees: row.get("rollback_frees"),
        phases: phases(&row)?,
        steps: steps(&row)?,
        approvals: approvals(&row)?,
        quarantined: row.get("quarantined"),
        accepted: row.get("accepted"),
        verification: verification(&row),
        old_writes: writes(row.get("old_total"), row.get("old_since")),
        new_writes: writes(row.get("new_total"), row.get("new_since")),
        untold_writes: row.get::<_, Option<i64>>("untold").unwrap_or_default(),
        stood: standing::decoded(row.get("sync_stood"))?.unwrap_or_default(),
        touched: standing::decoded(row.get("sync_touched"))?,
        plan,
    })
}

fn phases(row: &Row) -> Result<BTreeMap<PhaseName, PhaseRecord>, StoreError> {
    let names: Vec<String> = row.get("phases");
    let states: Vec<String> = row.get("phase_states");
    let started: Vec<Option<Timestamp>> = row.get("phases_started");
    let finished: Vec<Option<Timestamp>> = row.get("phases_finished");
    let records = names.into_iter().zip(states).zip(started).zip(finished);
    records
        .map(|(((name, state), started_at), finished_at)| {
            let record = PhaseRecord {
                state: state.parse().map_err(corrupt)?,
                started_at,
                finished_at,
            };
            Ok((name.parse().map_err(corrupt)?, record))
        })
        .collect()
}

fn steps(row: &Row) -> Result<BTreeMap<StepId, StepRecord>, StoreError> {
    let names: Vec<String> = row.get("steps");
    let states: Vec<String> = row.get("step_states");
    let attempts: Vec<i32> = row.get("attempts");
    let errors: Vec<Option<String>> = row.get("errors");
    let found: Vec<Option<String>> = row.get("found");
    let records = names.into_iter().zip(states).zip(attempts);
    records
        .zip(errors)
        .zip(found)
        .map(|((((name, state), attempts), error), found)| {
            let parts = found.map(|parts| parts.split(',').flat_map(str::parse).collect());
            let record = StepRecord {
                state: state.parse().map_err(corrupt)?,
                attempts,
                error,
                found: parts,
            };
            Ok((StepId(name), record))
        })
        .collect()
}

fn approvals(row: &Row) -> Result<Vec<Approval>, StoreError> {
    let phases: Vec<String> = row.get("approved");
    let roles: Vec<String> = row.get("roles");
    let approvals = phases.into_iter().zip(roles);
    approvals
        .map(|(phase, role)| {
            Ok(Approval {
                phase: phase.parse().map_err(corrupt)?,
                role,
            })
        })
        .collect()
}

/// The newest verification of every `match` step together: counts added up, the oldest one's time.
fn verification(row: &Row) -> Option<VerificationRecord> {
    let finished_at: Option<Timestamp> = row.get("verified_at");
    finished_at.map(|finished_at| VerificationRecord {
        rows_checked: row.get("rows_checked"),
        rows_different: row.get("rows_different"),
        rows_accepted: row.get("rows_accepted"),
        finished_at,
    })
}

fn writes(total: Option<i64>, quiet_since: Option<Timestamp>) -> Writes {
    Writes {
        total: total.unwrap_or_default(),
        quiet_since,
    }
}

/// One event on a step, in the caller's transaction, which has passed the fence.
pub async fn step_event(
    transaction: &Transaction<'_>,
    lease: Lease,
    step: &StepId,
    event: Event,
    error: Option<&str>,
) -> Result<(), StoreError> {
    let row = transaction
        .query_one(
            "SELECT state FROM crossfade.steps WHERE run_id = $1 AND step = $2 FOR NO KEY UPDATE",
            &[&lease.run_id, &step.0],
        )
        .await?;
    let state: State = row.get::<_, String>(0).parse().map_err(corrupt)?;
    let next =
        transition(state, event).map_err(|error| corrupt(format!("step {step}: {error}")))?;
    let attempt = i32::from(event == Event::Start);
    // What is there when it is run again is looked at then.
    transaction
        .execute(
            "UPDATE crossfade.steps SET state = $3, error = $4, attempts = attempts + $5, \
                    found = CASE WHEN $3 <> 'reverted' THEN found END, \
                    stood_before = CASE WHEN $3 <> 'reverted' THEN stood_before END, \
                    stood_after = CASE WHEN $3 <> 'reverted' THEN stood_after END WHERE run_id = $1 AND step = $2",
            &[&lease.run_id, &step.0, &next.as_str(), &error, &attempt],
        )
        .await?;
    let mut detail = json!({"step": step.0});
    if let Some(error) = error {
        detail["error"] = json!(error);
    }
    history::record(transaction, lease.run_id, &format!("step {next}"), &detail).await
}

/// Notes which of a step's parts were there before it is first run, in the transaction that says that it begins.
pub async fn set_found(
    transaction: &Transaction<'_>,
    lease: Lease,
    step: &StepId,
    found: &[i32],
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE crossfade.steps SET found = $3 WHERE run_id = $1 AND step = $2",
            &[&lease.run_id, &step.0, &found],
        )
        .await?;
    Ok(())
}

/// One event on a phase, in the caller's transaction, which has passed the fence.
pub async fn phase_event(
    transaction: &Transaction<'_>,
    lease: Lease,
    phase: PhaseName,
    event: Event,
) -> Result<(), StoreError> {
    let row = transaction
        .query_one(
            "SELECT state FROM crossfade.phases WHERE run_id = $1 AND phase = $2 FOR NO KEY UPDATE",
            &[&lease.run_id, &phase.as_str()],
        )
        .await?;
    let state: State = row.get::<_, String>(0).parse().map_err(corrupt)?;
    let next =
        transition(state, event).map_err(|error| corrupt(format!("phase {phase}: {error}")))?;
    transaction
        .execute(
            "UPDATE crossfade.phases SET state = $3, \
                    started_at = CASE WHEN $4 THEN clock_timestamp() ELSE coalesce(started_at, clock_timestamp()) END, \
                    finished_at = CASE WHEN $3 = 'completed' THEN clock_timestamp() END \
             WHERE run_id = $1 AND phase = $2",
            &[
                &lease.run_id,
                &phase.as_str(),
                &next.as_str(),
                &(event == Event::Start && state != State::Running),
            ],
        )
        .await?;
    history::record(
        transaction,
        lease.run_id,
        &format!("phase {next}"),
        &json!({"phase": phase.as_str()}),
    )
    .await
}

/// Ends a run: its claims are free again.
pub async fn finish(
    transaction: &Transaction<'_>,
    lease: Lease,
    state: RunState,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE crossfade.runs SET state = $2, finished_at = now(), rolling_back_to = NULL, \
                    paused_by = NULL, pause_reason = NULL, paused_at = NULL, paused_until = NULL, paused_with_all = false WHERE id = $1",
            &[&lease.run_id, &state.as_str()],
        )
        .await?;
    transaction
        .execute(
            "DELETE FROM crossfade.claims WHERE run_id = $1",
            &[&lease.run_id],
        )
        .await?;
    history::record(transaction, lease.run_id, state.as_str(), &json!({})).await
}

/// Takes a run up again that had ended without a `contract`: it can still be taken back. Its columns are claimed anew.
pub async fn reopen(
    transaction: &Transaction<'_>,
    lease: Lease,
    plan: &Plan,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE crossfade.runs SET state = 'active', finished_at = NULL WHERE id = $1",
            &[&lease.run_id],
        )
        .await?;
    claim(transaction, lease.run_id, plan).await?;
    history::record(transaction, lease.run_id, "reopened", &json!({})).await
}
