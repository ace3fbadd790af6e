//! What the faces call: one function per command. Opens connections, asks the engine, and gives back plain values.

mod amend;
mod doctor;
mod freezes;
mod interlock;
mod keeper;
mod looker;
mod messages;
mod once;
mod orders;
mod pauses;
mod persevere;
pub mod quarantine;
mod registered;
mod report;
mod sql_files;
mod standing;
mod status;
mod tokens;

pub use crate::engine::{EngineError, Outcome, drive::Until, walk::Help};
pub use crate::store::{
    StoreError,
    amendments::AmendmentRecord,
    answers::{Kept, Once},
    history::HistoryEvent,
    messages::ReceiverRecord,
    orders::{OrderRecord, ServerRecord},
    runs::{RunLine, RunRecord},
    tunings::TuningRecord,
};
pub use amend::{Amended, VoidApproval};
pub use crossfade_decisions::keeper::AtGate;
pub use crossfade_plan::amendment::Change as AmendmentChange;
pub use doctor::{
    Acceptance, AcceptedCheck, BackupProof, Check, CheckFinding, Diagnosis, OperatorChecks,
    PlanDiagnosis, ProvenBy, Verdict,
};
pub use keeper::{Carried, ServeNotice, ServeReporter};
pub use looker::{Counts, Looker};
pub use messages::{Message, NotDelivered, NotTaken, Receiver, SEND_WITHIN};
pub use orders::Placed;
pub use pauses::PausedRun;
pub use registered::{Checked, Started};
pub use report::{Report, span};
pub use sql_files::KnownToSql;
pub use standing::{ListedRun, RunListing, Standing, nobody_serves};
pub use status::{
    Backfill, GateCondition, LeaseStatus, PaceStatus, Paused, PhaseStatus, SampleStatus, Status,
    StepStatus, Waiting, WriteStatus,
};
pub use tokens::{Can, CreatedToken, Holder, Secret, TokenRecord};

use crate::database::{self, resolve::Resolver};
use crate::engine::{
    notice::Reporter, rollback::foresee, session::Driver, toll, verify, vital, walk,
};
use crate::store::{
    self, approvals, history, lease, runs, schema, timeline::Server, tunings, verification::Finding,
};
use crossfade_decisions::lifecycle::{
    audit, gate,
    next::{Next, Wait, next},
    snapshot::{Pause, RollbackTarget, Snapshot},
    toll::{Lost, Toll, misnamed},
    transition::{RunState, State},
};
use crossfade_model::{
    error::{Path, PlanError, Topic, render},
    ident::TableName,
};
use crossfade_plan::{
    claims, compile,
    compiled::Plan,
    document::{Document, PhaseDocument, PhaseName},
    explain::{Explanation, explain},
    facts::{Claim, Facts},
    leftover_triggers, read,
    recipes::Recipe,
    search_path::SearchPath,
    sqlgen::cost::Thing,
    together::place_of,
    tuning::{self, Tuning},
};
use crossfade_postgres::connect::{ConnectError, Session, Target};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};
use tokens::Doing;
use tokio_postgres::{GenericClient, IsolationLevel, Transaction, error::SqlState};
use tokio_util::sync::CancellationToken;

/// The oldest PostgreSQL that has TID range scans and `client_connection_check_interval`.
const SERVER_VERSION_MIN: u32 = 140_000;

#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Engine(EngineError),
    #[error(transparent)]
    Init(#[from] schema::InitError),
    /// Rendered, every error of the plan.
    #[error("{0}")]
    Plan(String),
    #[error("the server is PostgreSQL {found}; Crossfade needs 14 or newer")]
    ServerTooOld { found: String },
    #[error("the server is read-only ({0}): connect to the primary")]
    ReadOnly(&'static str),
    /// Ctrl-C while the database was away.
    #[error(
        "interrupted while the database was unavailable ({0}). Everything that was recorded is kept, and the same command continues from there"
    )]
    Interrupted(String),
    #[error("{0}")]
    Refused(String),
    /// Checks that failed and were not accepted.
    #[error("{}", doctor::refusal(.0))]
    Unfit(Vec<CheckFinding>),
    /// The one for whom the service acts may not do that.
    #[error("{0}")]
    Forbidden(String),
}

/// What sort of error it is, for faces that say so with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such run, phase or row.
    NotFound,
    /// The token is over.
    SignedOut,
    Forbidden,
    /// The plan has errors.
    Plan,
    /// A text that no database can have, such as one with a NUL in it.
    Malformed,
    /// It cannot be done as things stand.
    Refused,
    /// The database cannot be reached, or has no room, at this moment.
    Away,
    /// The database is not as it must be: without Crossfade's tables, with others, or without rights on them.
    NotReady,
    Failed,
}

fn is_no_text(error: &tokio_postgres::Error) -> bool {
    let codes = [
        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
        SqlState::UNTRANSLATABLE_CHARACTER,
    ];
    error.code().is_some_and(|code| codes.contains(code))
}

impl ServiceError {
    pub fn kind(&self) -> ErrorKind {
        use crate::store::StoreError as Store;
        match self {
            Self::Plan(_) => ErrorKind::Plan,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::Refused(_) | Self::Unfit(_) => ErrorKind::Refused,
            Self::Interrupted(_) | Self::ReadOnly(_) => ErrorKind::Away,
            Self::Init(_) | Self::ServerTooOld { .. } => ErrorKind::NotReady,
            Self::Engine(error) => match error {
                EngineError::Store(Store::NoRun { .. }) | EngineError::NoPhase { .. } => {
                    ErrorKind::NotFound
                }
                EngineError::Store(Store::TokenOver) => ErrorKind::SignedOut,
                EngineError::Store(
                    Store::NotInstalled
                    | Store::Older { .. }
                    | Store::Newer { .. }
                    | Store::Privilege(_)
                    | Store::NoRights { .. }
                    | Store::NoRightsToLook { .. }
                    | Store::NoRightsToApprove { .. },
                ) => ErrorKind::NotReady,
                EngineError::Store(
                    Store::Refused(_)
                    | Store::Asked
                    | Store::NameTaken { .. }
                    | Store::Conflict { .. }
                    | Store::LeaseHeld { .. },
                )
                | EngineError::Refused(_)
                | EngineError::Conflict { .. } => ErrorKind::Refused,
                EngineError::Store(Store::Database(error)) | EngineError::Database(error)
                    if is_no_text(error) =>
                {
                    ErrorKind::Malformed
                }
                EngineError::Connect(_)
                | EngineError::Pool(_)
                | EngineError::Store(Store::Silent { .. }) => ErrorKind::Away,
                error if error.is_passing() || error.is_lock_not_had() || error.is_cancelled() => {
                    ErrorKind::Away
                }
                _ => ErrorKind::Failed,
            },
        }
    }
}

impl From<EngineError> for ServiceError {
    fn from(error: EngineError) -> Self {
        if error.is_read_only() {
            Self::ReadOnly("a transaction may not write")
        } else {
            Self::Engine(error)
        }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<ConnectError> for ServiceError {
    fn from(error: ConnectError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<tokio_postgres::Error> for ServiceError {
    fn from(error: tokio_postgres::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// A plan that fits the database.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub document: Document,
    pub plan: Plan,
    pub warnings: Vec<PlanError>,
    pub facts: Facts,
}

#[derive(Clone)]
pub struct Service {
    target: Target,
    /// The same without settings of ours: what a session of the server's has.
    plain: Target,
    acts_for: Option<Secret>,
    /// What the operator's configuration says of checks.
    operator: Arc<OperatorChecks>,
    /// Who holds the token, as a proxy says.
    proxy_user: Option<String>,
    /// What is written is written for this request.
    once: Option<Once>,
}

/// One of the runs of a database.
#[derive(Clone, Debug)]
pub struct RunSummary {
    pub line: RunLine,
    /// Of an active run.
    pub status: Option<Status>,
}

/// What a rollback asks about before it begins.
#[derive(Clone, Debug)]
pub struct RollbackPreview {
    /// Those that it reverses, newest first.
    pub phases: Vec<PhaseName>,
    /// The pause that it ends.
    pub pause: Option<Pause>,
    pub toll: Toll,
    /// It goes on with one that has begun.
    pub under_way: bool,
    /// All that it can take away.
    things: BTreeSet<Thing>,
    /// Why it would be refused, whatever may be lost.
    refused: Option<String>,
}

impl RollbackPreview {
    /// Why it would be refused. `command`: how a person says what may be lost.
    pub fn refusal(&self, discards: &BTreeSet<String>, command: &str) -> Option<String> {
        let refused = || self.refused.clone();
        let misnamed = || misnamed(discards, &self.things);
        let costs = || self.toll.for_sure().refusal(discards, command);
        refused().or_else(misnamed).or_else(costs)
    }

    /// The same, whatever is given up.
    pub fn in_the_way(&self, command: &str) -> Option<String> {
        let lost = self.toll.lost().map(|lost| lost.of.to_string());
        self.refusal(&lost.collect(), command)
    }
}

/// What `advance --dry-run` shows, as a document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WhatComesNext {
    pub run: String,
    /// Null: nothing is left to do.
    pub phase: Option<PhaseName>,
    /// What keeps the run from going on but a closed gate.
    pub waiting: Option<String>,
    pub gate: Vec<ConditionNow>,
    /// What is still to run of the phase.
    pub statements: Vec<String>,
    pub drops_for_good: Vec<String>,
}

/// A condition of the gate that is next.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConditionNow {
    pub kind: String,
    pub holds: bool,
    pub detail: String,
    /// When it will hold, where time alone decides.
    pub until: Option<Timestamp>,
}

/// What `advance --dry-run` shows.
#[derive(Clone, Debug)]
pub struct Preview {
    pub next: Next,
    pub phase: Option<PhaseName>,
    pub conditions: Vec<gate::ConditionStatus>,
    snapshot: Snapshot,
}

impl Preview {
    /// What keeps the run from going on but a closed gate, which is among the conditions.
    pub fn held(&self) -> Option<String> {
        match &self.next {
            Next::Wait(wait @ (Wait::Paused(_) | Wait::Frozen(_) | Wait::RollingBack(..))) => {
                Some(wait.to_string())
            }
            _ => None,
        }
    }

    /// What `advance --dry-run --format json` prints.
    pub fn told(&self, run: &str, drops: Vec<String>) -> WhatComesNext {
        let condition = |condition: &gate::ConditionStatus| ConditionNow {
            kind: condition.kind.to_owned(),
            holds: condition.holds,
            detail: condition.detail.clone(),
            until: condition.until,
        };
        WhatComesNext {
            run: run.to_owned(),
            phase: self.phase,
            waiting: self.held(),
            gate: self.conditions.iter().map(condition).collect(),
            statements: self.statements(),
            drops_for_good: drops,
        }
    }

    /// What is still to run of the phase.
    pub fn statements(&self) -> Vec<String> {
        let steps = self.snapshot.current_phase().into_iter();
        steps
            .flat_map(|phase| &phase.steps)
            .filter(|step| self.snapshot.step_state(&step.id) != State::Completed)
            .flat_map(|step| {
                crossfade_plan::explain::statements_of(&step.action, &self.snapshot.plan)
            })
            .collect()
    }
}

impl Service {
    pub fn new(target: Target) -> Self {
        Self {
            target: target.with_session(&database::SESSION),
            plain: target,
            acts_for: None,
            operator: Arc::default(),
            proxy_user: None,
            once: None,
        }
    }

    /// Which database this is, without the password.
    pub fn describe(&self) -> String {
        self.target.describe()
    }

    async fn session(&self, purpose: &str) -> Result<Session, ServiceError> {
        Ok(self.target.connect(&format!("crossfade {purpose}")).await?)
    }

    /// A session on a database that has Crossfade's tables.
    async fn installed(&self, purpose: &str) -> Result<Session, ServiceError> {
        let session = self.session(purpose).await?;
        let looks = ["approve", "history", "preview", "status", "token"].contains(&purpose);
        let purpose = if looks {
            schema::Purpose::Look
        } else {
            schema::Purpose::Drive
        };
        schema::require(&session, purpose).await?;
        Ok(session)
    }

    /// The versions of Crossfade's tables before and after.
    pub async fn init(&self) -> Result<(Option<i32>, i32), ServiceError> {
        self.not_by_token()?;
        let mut session = self.session("init").await?;
        check_server(&session, Access::Write).await?;
        // The application's event triggers see what is made, and find what they find in other sessions of this role.
        let plain = self.plain.connect("crossfade init").await?;
        let path = database::search_path::of_session(&plain).await?;
        plain.close().await;
        session
            .batch_execute(&format!("SET search_path = {path}"))
            .await?;
        Ok(schema::install(&mut session).await?)
    }

    /// Compiles a plan against the database. Errors come rendered with their places in `file`.
    pub async fn compile(&self, file: &str, text: &str) -> Result<Compiled, ServiceError> {
        let session = self.session("check").await?;
        self.require(&*session, Doing::Start).await?;
        check_server(&session, Access::Read).await?;
        let errors = match self.compile_with(&session, text).await? {
            Ok(compiled) => return Ok(compiled),
            Err(errors) => errors,
        };
        // What its own run has changed does not fit it any more.
        if let Ok(document) = read::read_form(text)
            // One who may not look at Crossfade's tables is told what is wrong with the plan.
            && let Ok(Some(run)) = registered::find(&*session, &document).await
            && run.is_of(&document)
        {
            return Err(ServiceError::Refused(run.cannot_be_compiled()));
        }
        Err(ServiceError::Plan(render(file, text, &errors)))
    }

    /// The explicit phases of a plan.
    pub async fn expand(&self, file: &str, text: &str) -> Result<Document, ServiceError> {
        let compiled = self.compile(file, text).await?;
        let phases = compile::explicit(&compiled.document, &compiled.facts)
            .map_err(|errors| ServiceError::Plan(render(file, text, &errors)))?;
        let phases: Vec<PhaseDocument> = phases.into_iter().map(|placed| placed.phase).collect();
        Ok(Document {
            change: None,
            changes: None,
            phases: Some(phases),
            ..compiled.document
        })
    }

    pub async fn explain(&self, file: &str, text: &str) -> Result<Explanation, ServiceError> {
        let compiled = self.compile(file, text).await?;
        let mut session = self.session("explain").await?;
        let tables = compiled.facts.tables.keys();
        let mut surroundings = database::statistics::surroundings(&*session, tables).await?;
        surroundings.losses =
            database::narrowing::losses(&mut session, &compiled.plan, &compiled.facts).await?;
        Ok(explain(&compiled.plan, &compiled.facts, &surroundings))
    }

    async fn driver(
        &self,
        run: &str,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
        known: Option<Server>,
    ) -> Result<Driver, ServiceError> {
        // A driver acts as the server: what a token's holder wants done is ordered.
        self.not_by_token()?;
        let driver = Driver::begin(&self.target, run, reporter, stop, known).await?;
        if let Err(error) = check_server(&driver.work, Access::Write).await {
            driver.end().await;
            return Err(error);
        }
        Ok(driver)
    }

    pub async fn advance(
        &self,
        run: &str,
        until: Until,
        at_gate: AtGate,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
    ) -> Result<Outcome, ServiceError> {
        let (snapshot, order) = self.snapshot(run).await?;
        orders::refuse_to_undo(&snapshot, order)?;
        // Settled now: where the database goes away right after the phase, another driver must not take the next one for it.
        let until = match (until, snapshot.current_phase()) {
            (Until::OnePhase, Some(phase)) => Until::Phase(phase.name),
            (until, _) => until,
        };
        if let Until::Phase(phase) = until
            && snapshot.plan.phase(phase).is_none()
        {
            return Err(EngineError::no_phase(&snapshot.plan, phase).into());
        }
        self.driving(run, reporter, stop, async |driver| {
            driver.advance(until, at_gate).await
        })
        .await
    }

    pub async fn roll_back(
        &self,
        run: &str,
        target: RollbackTarget,
        discards: &BTreeSet<String>,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
    ) -> Result<Outcome, ServiceError> {
        self.driving(run, reporter, stop, async |driver| {
            driver.roll_back(target, discards).await
        })
        .await
    }

    /// What was found by comparing every row now; `Err(outcome)`: stopped on the way.
    pub async fn verify(
        &self,
        run: &str,
        repair: bool,
        discards: &BTreeSet<String>,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
    ) -> Result<Result<Vec<Finding>, Outcome>, ServiceError> {
        self.driving(run, reporter, stop, async |driver| {
            driver.verify(repair, discards).await
        })
        .await
    }

    /// The columns that a repair would write at this moment.
    pub async fn repaired_columns(&self, run: &str) -> Result<Vec<String>, ServiceError> {
        let session = self.session("verify").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let snapshot = runs::snapshot(&*session, run_id).await?;
        let columns = verify::written(&snapshot, verify::truth(&snapshot));
        Ok(columns.iter().map(ToString::to_string).collect())
    }

    /// Works on the segments of a run that another process drives, until there are none.
    pub async fn help(
        &self,
        run: &str,
        reporter: Arc<dyn Reporter>,
        stop: CancellationToken,
    ) -> Result<Help, ServiceError> {
        self.not_by_token()?;
        Ok(walk::help(&self.target, run, reporter, stop).await?)
    }

    /// The run, and its newest order.
    async fn snapshot(&self, run: &str) -> Result<(Snapshot, Option<OrderRecord>), ServiceError> {
        let read = vital::answered(async {
            let session = self.target.connect("crossfade advance").await?;
            schema::require(&session, schema::Purpose::Drive).await?;
            let run_id = runs::id_of(&*session, run).await?;
            let snapshot = runs::snapshot(&*session, run_id).await?;
            let order = store::orders::newest(&*session, run_id).await?;
            Ok::<_, EngineError>((snapshot, order))
        });
        Ok(read.await?)
    }

    /// What `advance` would do next. Takes no lease.
    pub async fn preview(&self, run: &str) -> Result<Preview, ServiceError> {
        let mut session = self.installed("preview").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let snapshot = runs::snapshot(&*session, run_id).await?;
        let conditions = status::conditions_now(&mut session, &snapshot).await?;
        Ok(Preview {
            next: next(&snapshot, &conditions),
            phase: snapshot.current_phase().map(|phase| phase.name),
            conditions,
            snapshot,
        })
    }

    /// The phase that is under way or comes next, without a look at its gate.
    pub async fn current_phase(&self, run: &str) -> Result<Option<PhaseName>, ServiceError> {
        let session = self.installed("preview").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let snapshot = runs::snapshot(&*session, run_id).await?;
        Ok(snapshot.current_phase().map(|phase| phase.name))
    }

    /// What a rollback would do, and what it would cost. Takes no lease.
    pub async fn preview_rollback(
        &self,
        run: &str,
        target: RollbackTarget,
    ) -> Result<RollbackPreview, ServiceError> {
        let mut session = self.installed("preview").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let snapshot = runs::snapshot(&*session, run_id).await?;
        let stop = CancellationToken::new();
        let foreseen = foresee(&mut session, &snapshot, target, &stop).await?;
        let undoes = !foreseen.phases.is_empty() || target == RollbackTarget::Start;
        Ok(RollbackPreview {
            pause: snapshot.paused().filter(|_| undoes).cloned(),
            under_way: snapshot.rolling_back.is_some(),
            things: toll::things(&snapshot.plan),
            phases: foreseen.phases,
            toll: foreseen.toll,
            refused: foreseen.refused,
        })
    }

    /// What `contract` would drop that has no successor, and the rows whose old value somebody has given up.
    pub async fn drops_for_good(&self, run: &str) -> Result<Vec<String>, ServiceError> {
        let mut session = self.installed("preview").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let snapshot = runs::snapshot(&*session, run_id).await?;
        let lost = toll::for_good(&mut session, &snapshot).await?;
        let lost = Toll {
            lost,
            in_the_way: Vec::new(),
        };
        let mut dropped: Vec<String> = lost.lost().map(Lost::sentence).collect();
        if snapshot.accepted > 0 {
            dropped.push(format!(
                "{} old values that no new column has, because they were accepted in quarantine",
                snapshot.accepted
            ));
        }
        Ok(dropped)
    }

    /// The same, where `contract` comes next.
    pub async fn drops_of(
        &self,
        run: &str,
        preview: &Preview,
    ) -> Result<Vec<String>, ServiceError> {
        match preview.phase {
            Some(PhaseName::Contract) => self.drops_for_good(run).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Where a run stands. Takes no lease and waits for nobody.
    pub async fn status(&self, run: &str) -> Result<Status, ServiceError> {
        let mut session = self.installed("status").await?;
        status::read(&mut session, run, status::Detail::Account).await
    }

    /// The same with the moments of a backfill's last minutes.
    pub async fn status_with_samples(&self, run: &str) -> Result<Status, ServiceError> {
        let mut session = self.installed("status").await?;
        status::read(&mut session, run, status::Detail::Samples).await
    }

    /// Every run, newest first, and where each that is active stands.
    pub async fn list(&self) -> Result<Vec<RunSummary>, ServiceError> {
        let mut session = self.installed("status").await?;
        let mut summaries = Vec::new();
        for line in runs::list(&*session).await? {
            let status = if line.state == RunState::Active.as_str() {
                Some(status::read(&mut session, &line.name, status::Detail::Account).await?)
            } else {
                None
            };
            summaries.push(RunSummary { line, status });
        }
        Ok(summaries)
    }

    /// Records an approval by the session's role. `Ok(false)`: it had approved already. The second value: it counts.
    pub async fn approve(
        &self,
        run: &str,
        phase: PhaseName,
        comment: Option<&str>,
    ) -> Result<(bool, bool), ServiceError> {
        let mut session = self.installed("approve").await?;
        let transaction = session.transaction().await?;
        let snapshot = self.active(&transaction, run).await?;
        let run_id = snapshot.run_id;
        if snapshot.plan.phase(phase).is_none() {
            return Err(EngineError::no_phase(&snapshot.plan, phase).into());
        }
        match snapshot.phase_state(phase) {
            State::Pending | State::Reverted => {}
            State::Completed => {
                return Err(ServiceError::Refused(format!(
                    "{phase} of {run} has been done: there is nothing to approve any more"
                )));
            }
            state @ (State::Running | State::Failed | State::Reverting) => {
                return Err(ServiceError::Refused(format!(
                    "{phase} of {run} has already begun ({state}), so there is nothing to approve"
                )));
            }
        }
        if let Some(target) = snapshot.rolling_back {
            return Err(ServiceError::Refused(format!(
                "a rollback of {run} to {target} is in progress. Approve after it has ended"
            )));
        }
        self.act(&transaction, Doing::Approve).await?;
        approvals::require_approver(&transaction).await?;
        let counts = Self::counts(&transaction, &snapshot).await?;
        let recorded = approvals::approve(&transaction, run_id, phase, comment).await?;
        transaction.commit().await?;
        Ok((recorded, counts))
    }

    /// Changes limits of the run, or gives them back to the plan (`None`), within a second. All that are in force now.
    pub async fn tune(
        &self,
        run: &str,
        changes: &[(String, Option<String>)],
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<Vec<TuningRecord>, ServiceError> {
        let mut session = self.installed("tune").await?;
        let transaction = session.transaction().await?;
        let snapshot = self.held_active(&transaction, run).await?;
        self.act(&transaction, Doing::Operate).await?;
        tunings::set(&transaction, snapshot.run_id, changes, reason, until).await?;
        let in_force = tunings::in_force(&transaction, snapshot.run_id).await?;
        let all: Vec<Tuning> = in_force.iter().map(TuningRecord::tuning).collect();
        let limits =
            tuning::tuned(&snapshot.plan.settings.pacing, &all).map_err(ServiceError::Refused)?;
        let is_changed = |tuning: &Tuning| changes.iter().any(|(key, _)| *key == tuning.key);
        let changed: Vec<Tuning> = all.into_iter().filter(is_changed).collect();
        tuning::check_ranges(&limits, &changed).map_err(ServiceError::Refused)?;
        transaction.commit().await?;
        Ok(in_force)
    }

    /// Whether somebody drives the run at this moment, and who.
    pub async fn holder(&self, run: &str) -> Result<Option<String>, ServiceError> {
        let session = self.installed("status").await?;
        let run_id = runs::id_of(&*session, run).await?;
        let record = lease::read(&*session, run_id).await?;
        Ok(record
            .filter(lease::LeaseRecord::is_held)
            .map(|record| record.holder))
    }

    /// The run, which stays active until the transaction ends: it must not end between this look and what is written.
    async fn held_active(
        &self,
        transaction: &Transaction<'_>,
        run: &str,
    ) -> Result<Snapshot, ServiceError> {
        let run_id = runs::id_of(transaction, run).await?;
        store::pauses::hold(transaction, run_id).await?;
        self.active(transaction, run).await
    }

    async fn active(
        &self,
        client: &impl GenericClient,
        run: &str,
    ) -> Result<Snapshot, ServiceError> {
        let run_id = runs::id_of(client, run).await?;
        let snapshot = runs::snapshot(client, run_id).await?;
        if snapshot.state != RunState::Active {
            return Err(ServiceError::Refused(format!(
                "the run {run} is {}",
                snapshot.state.as_str()
            )));
        }
        Ok(snapshot)
    }

    /// The latest events of all runs, each behind its run's name, the oldest of them first.
    pub async fn history_of_all(
        &self,
        limit: u32,
    ) -> Result<Vec<(String, HistoryEvent)>, ServiceError> {
        let session = self.installed("history").await?;
        Ok(history::of_all(&*session, limit).await?)
    }

    /// The plan of the newest run of that name, and who started it when.
    pub async fn registered(&self, run: &str) -> Result<RunRecord, ServiceError> {
        let session = self.installed("status").await?;
        // Who misspells a name is told which was meant.
        runs::id_of(&*session, run).await?;
        let found = runs::find(&*session, run).await?;
        found.ok_or_else(|| ServiceError::Refused(format!("the run {run} is gone")))
    }

    /// What was recorded of the run that came so many before the newest of that name: 0 is the newest. `verify`: whether it
    /// can be believed, too.
    pub async fn history(
        &self,
        run: &str,
        earlier: usize,
        verify: bool,
    ) -> Result<History, ServiceError> {
        let mut session = self.installed("history").await?;
        let ids = runs::ids_of(&*session, run).await?;
        let Some(run_id) = ids.get(earlier) else {
            return Err(ServiceError::Refused(format!(
                "{} runs have been called {run}, so `--earlier` is {} at most",
                ids.len(),
                ids.len() - 1
            )));
        };
        // One snapshot: a run that goes on meanwhile must not look as if its events did not fit.
        let transaction = session
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let events = history::load(&transaction, *run_id).await?;
        let check = if verify {
            let claims = history::claims(&transaction, *run_id).await?;
            Some(HistoryCheck::of(*run_id, &events, claims))
        } else {
            None
        };
        Ok(History {
            events,
            check,
            earlier: ids.len() - 1 - earlier,
        })
    }
}

/// What was recorded of a run.
#[derive(Clone, Debug)]
pub struct History {
    pub events: Vec<HistoryEvent>,
    pub check: Option<HistoryCheck>,
    /// So many runs before it had the same name.
    pub earlier: usize,
}

/// Whether the events can be believed, as far as the database can tell.
#[derive(Clone, Debug)]
pub struct HistoryCheck {
    /// The first event that does not fit the chain.
    pub first_broken: Option<i64>,
    /// What else does not agree: the end of the chain, or what the run's tables say.
    pub findings: Vec<String>,
    pub head: audit::Head,
}

impl HistoryCheck {
    fn of(run_id: i64, events: &[HistoryEvent], claims: audit::Claims) -> Self {
        let recorded = events.iter().map(HistoryEvent::recorded);
        let last = events.last().map(|event| event.hash.as_str());
        Self {
            first_broken: history::first_broken(run_id, events),
            findings: audit::findings(&claims, recorded, last),
            head: claims.head,
        }
    }

    pub fn is_intact(&self) -> bool {
        self.first_broken.is_none() && self.findings.is_empty()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

async fn check_server(session: &Session, access: Access) -> Result<(), ServiceError> {
    let row = session
        .query_one(
            "SELECT current_setting('server_version_num')::integer, current_setting('server_version'), \
                    pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'",
            &[],
        )
        .await?;
    if row.get::<_, i32>(0).unsigned_abs() < SERVER_VERSION_MIN {
        return Err(ServiceError::ServerTooOld { found: row.get(1) });
    }
    match (access, row.get(2), row.get(3)) {
        (Access::Write, true, _) => Err(ServiceError::ReadOnly("it is a standby")),
        (Access::Write, false, true) => Err(ServiceError::ReadOnly(
            "default_transaction_read_only is on",
        )),
        _ => Ok(()),
    }
}

/// Sessions in which the triggers of the plan would not fire.
async fn sessions_of(
    client: &impl GenericClient,
    compiled: &Compiled,
) -> Result<Vec<PlanError>, ServiceError> {
    let synced = compiled.plan.synced_tables();
    if synced.is_empty() {
        return Ok(Vec::new());
    }
    let found = database::sessions::past_triggers(client, &synced).await?;
    let at = place_of(&compiled.document);
    let error = |what: String| {
        let message = format!(
            "dual writes would not work, because triggers do not fire in some sessions: {what}"
        );
        PlanError::at(at.clone(), message).about(Topic::Sessions).help(
            "remove these settings, and let open sessions reconnect: what they write reaches one side only",
        )
    };
    Ok(found.into_iter().map(error).collect())
}

/// Where the plan and an active run would be in each other's way, or triggers that a completed one has left.
async fn conflicts_of(
    client: &impl GenericClient,
    compiled: &Compiled,
) -> Result<Vec<PlanError>, ServiceError> {
    let at = place_of(&compiled.document);
    let mut conflicts = claims::conflicts(&compiled.plan, &runs::active(client).await?, &at);
    let standing = database::catalog::standing(client).await?;
    if !standing.is_empty() {
        let kept = leftover_triggers::kept(&runs::completed_with_sync(client).await?, &standing);
        conflicts.extend(leftover_triggers::refusals(&compiled.plan, &kept, &at));
    }
    Ok(conflicts)
}

impl Service {
    /// Decodes, asks the server for what compiling needs to know, and compiles. The outer error is the connection's.
    async fn compile_with(
        &self,
        session: &Session,
        text: &str,
    ) -> Result<Result<Compiled, Vec<PlanError>>, ServiceError> {
        let document = match read::read_form(text) {
            Ok(document) => document,
            Err(errors) => return Ok(Err(errors)),
        };
        let mut facts = self.gather(session, &document).await?;
        if let Err(errors) = self.find_path(session, &document, &mut facts).await? {
            return Ok(Err(errors));
        }
        look_at_expressions(session, &document, &mut facts).await?;
        let (plan, warnings) = match compile::compile(&document, &facts) {
            Ok(compiled) => compiled,
            Err(errors) => return Ok(Err(errors)),
        };
        let misspelled = misspelled(session, &document, &facts, &plan).await?;
        if !misspelled.is_empty() {
            return Ok(Err(misspelled));
        }
        Ok(Ok(Compiled {
            document,
            plan,
            warnings,
            facts,
        }))
    }

    /// Who we are, and the plan's tables.
    async fn gather(&self, session: &Session, document: &Document) -> Result<Facts, ServiceError> {
        let mut facts = database::catalog::identity(session).await?;
        facts.claims = claims_of_others(session, document).await;
        look_at_tables(session, document, &mut facts).await?;
        Ok(facts)
    }

    /// Where the application's sessions look for names: those of the tables' owner, unless the plan says.
    async fn find_path(
        &self,
        session: &Session,
        document: &Document,
        facts: &mut Facts,
    ) -> Result<Result<(), Vec<PlanError>>, ServiceError> {
        let tables: Vec<TableName> = document.tables(facts);
        let known = tables.iter().find(|name| facts.table(name).is_some());
        let owner = known.and_then(|name| facts.table(name));
        let owner = owner.map_or(facts.role.clone(), |table| table.owner.clone());
        let wanted = &document.settings.search_path;
        let path = match wanted {
            Some(text) => SearchPath::read(text, &owner, "settings.search_path"),
            None => {
                let plain = self.plain.connect("crossfade check").await?;
                let default =
                    database::search_path::server_default(&plain, facts.superuser).await?;
                plain.close().await;
                let settings = database::search_path::Settings::read(&**session, default).await?;
                let path = settings.of_role(&**session, &owner).await?;
                if let Some(table) = known {
                    facts.other_paths = settings.others(&**session, table, &path).await?;
                }
                Some(path)
            }
        };
        if path.is_none() {
            let at = Path::root().key("settings").key("search_path");
            let error = PlanError::at(at, "this is no list of schemas");
            return Ok(Err(vec![error.help(
                "write it as SET search_path does: `search_path: app, public`",
            )]));
        }
        facts.search_path = path;
        // What the author's own statements name without a schema is known only now.
        look_at_tables(session, document, facts).await?;
        Ok(Ok(()))
    }
}

/// Pieces of the author's SQL stand in these statements: the server says of each whether it is one, and runs none.
async fn misspelled(
    session: &Session,
    document: &Document,
    facts: &Facts,
    plan: &Plan,
) -> Result<Vec<PlanError>, ServiceError> {
    let mut errors: Vec<PlanError> = Vec::new();
    for (path, statement) in compile::statements(document, facts, plan) {
        if let Some(message) = database::expression::misspelled(session, &statement).await? {
            let statement = statement.replace('\n', " ");
            let error = PlanError::at(path, message).help(format!("it is part of `{statement}`"));
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
    }
    for (at, recipe) in document.recipes() {
        let Recipe::Sql(sql) = recipe else {
            continue;
        };
        let resolver = Resolver::begin(session, facts.search_path.as_ref()).await?;
        let found = database::expression::unanswerable(&resolver, &sql.done_when).await?;
        resolver.end().await?;
        let Some(message) = found else {
            continue;
        };
        let at = at.key("sql").key("done_when");
        errors.push(
            PlanError::at(at, format!("`done_when` cannot be answered: {message}"))
                .help("it is asked before `forward` is run, too: ask the catalog, e.g. SELECT to_regclass('public.t') IS NOT NULL"),
        );
    }
    Ok(errors)
}

/// The columns of other runs, for advice; none where this role may not look at Crossfade's tables.
async fn claims_of_others(session: &Session, document: &Document) -> Vec<Claim> {
    let installed = schema::installed_version(&**session).await;
    if !matches!(installed, Ok(Some(_))) {
        return Vec::new();
    }
    let active = runs::active(&**session).await.unwrap_or_default();
    let others = active
        .into_iter()
        .filter(|run| run.plan.name != document.name);
    others
        .flat_map(|run| {
            let (name, standing) = (run.plan.name.to_string(), run.standing);
            run.plan
                .claims
                .into_iter()
                .map(move |(table, column)| Claim {
                    table,
                    column,
                    run: name.clone(),
                    standing: standing.clone(),
                })
        })
        .collect()
}

/// What is known of a table may name others (those that refer to it, partitions).
async fn look_at_tables(
    session: &Session,
    document: &Document,
    facts: &mut Facts,
) -> Result<(), ServiceError> {
    loop {
        let tables = compile::tables(document, facts).into_iter();
        let unknown: Vec<TableName> = tables
            .filter(|table| !facts.tables.contains_key(table))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        for table in unknown {
            let found = database::catalog::table(&**session, &table).await?;
            facts.tables.insert(table, found);
        }
    }
}

/// A recipe's expressions and types are known only with its tables.
async fn look_at_expressions(
    session: &Session,
    document: &Document,
    facts: &mut Facts,
) -> Result<(), ServiceError> {
    for name in compile::new_names(document, facts) {
        let holders = database::catalog::holders(&**session, &name).await?;
        facts.holders.insert(name, holders);
    }
    let resolver = Resolver::begin(session, facts.search_path.as_ref()).await?;
    for type_name in compile::types(document, facts) {
        let canonical = database::expression::canonical_type(&resolver, &type_name).await?;
        facts.types.insert(type_name, canonical);
    }
    // Expressions are over columns of these types: one error is enough.
    if facts.types.values().all(Result::is_ok) {
        for key in compile::equalities(document, facts) {
            let found = database::expression::equality(&resolver, &key).await?;
            facts.equalities.insert(key, found);
        }
        for types in compile::reference_types(document, facts) {
            if let Some(can_refer) = resolver.can_refer(&types).await? {
                facts.references.insert(types, can_refer);
            }
        }
        for key in compile::expressions(document, facts) {
            if let Some(table) = facts.table(&key.table) {
                let analysed = database::expression::analyse(&resolver, &key, table).await?;
                facts.expressions.insert(key, analysed);
            }
        }
        for key in compile::indexed_keys(document, facts) {
            if let Some(why) = resolver.unfit_key(&key).await? {
                facts.unfit_keys.insert(key, why);
            }
        }
    }
    resolver.end().await?;
    Ok(())
}
