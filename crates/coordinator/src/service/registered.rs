//! `check` and `start` of a plan, and what they say of one whose run is there already.

use super::{
    Acceptance, Access, CheckFinding, Compiled, Service, ServiceError, Verdict, check_server,
    conflicts_of, doctor, sessions_of, tokens::Doing,
};
use crate::store::{
    StoreError,
    runs::{self, RunRecord},
    schema,
};
use crossfade_decisions::lifecycle::transition::RunState;
use crossfade_model::error::{Path, PlanError, render};
use crossfade_plan::{
    compile,
    document::Document,
    facts::Facts,
    read::{decoded, read_form},
};
use serde_json::json;
use tokio_postgres::GenericClient;

/// What `check` says of a plan without errors.
#[derive(Clone, Debug)]
pub enum Checked {
    Fits(Box<Compiled>),
    /// It need not fit any more: a run of it is active or completed.
    Registered(RunRecord),
}

/// What `start` has done.
#[derive(Clone, Debug)]
pub struct Started {
    pub run: String,
    pub warnings: Vec<PlanError>,
    /// What the checks have found that is no pass, the accepted among it.
    pub findings: Vec<CheckFinding>,
    /// The run was there already, with the same plan, and nothing was done.
    pub before: Option<RunRecord>,
}

/// The newest run with the plan's name, unless it was rolled back: then the name is free.
pub(super) async fn find(
    client: &impl GenericClient,
    document: &Document,
) -> Result<Option<RunRecord>, ServiceError> {
    if schema::installed_version(client).await?.is_none() {
        return Ok(None);
    }
    let found = runs::find(client, document.name.as_str()).await?;
    Ok(found.filter(|run| run.state != RunState::RolledBack))
}

impl RunRecord {
    /// Whether its plan is this one, whatever its comments, its description and the order of its keys, or its explicit form.
    pub(super) fn is_of(&self, document: &Document) -> bool {
        let own = decoded(&self.document).map(|own| own.plainly().meaning());
        let is_explicit = document.phases.is_some();
        own == Some(document.clone().plainly().meaning())
            || is_explicit
                && self.form.is_some()
                && compile::form(document, &Facts::default()) == self.form
    }

    /// Whether its plan is what the document compiles into, which can be asked only as long as the run has changed nothing.
    async fn does_the_same(
        &self,
        client: &impl GenericClient,
        compiled: &Compiled,
    ) -> Result<bool, ServiceError> {
        let corrupt = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
        let own = runs::plan_of(client, self.id).await?;
        let own = own.fingerprint().map_err(corrupt)?;
        Ok(own == compiled.plan.fingerprint().map_err(corrupt)?)
    }

    /// What has become of it, as a sentence without an end.
    pub fn sentence(&self) -> String {
        let (run, started_by) = (&self.name, &self.started_by);
        match self.finished_at {
            Some(finished_at) => format!(
                "applied as the run {run}, which {started_by} started at {:.0} and which was completed at {finished_at:.0}",
                self.started_at
            ),
            None => format!(
                "started as the run {run} by {started_by} at {:.0}, which is {}",
                self.started_at, self.standing
            ),
        }
    }

    /// Why `expand` and `explain` cannot answer.
    pub(super) fn cannot_be_compiled(&self) -> String {
        let run = &self.name;
        let next = if self.state == RunState::Active {
            format!("`crossfade advance {run} --dry-run` shows the statements that come next")
        } else {
            format!("`crossfade history {run}` shows what was done")
        };
        format!(
            "this plan was {}: the tables are no longer as the plan expects them, so its steps cannot be computed again. {next}",
            self.sentence()
        )
    }

    /// The name is taken by another plan.
    fn is_of_another_plan(&self) -> PlanError {
        let run = &self.name;
        let (message, help) = if self.state == RunState::Active {
            (
                format!(
                    "the active run {run} has another plan than this file, and the plan of a run never changes"
                ),
                format!(
                    "give the changed plan another name, or roll the run back first; `crossfade status {run}` shows it"
                ),
            )
        } else {
            (
                format!("the name is taken: another plan was {}", self.sentence()),
                format!(
                    "choose another name for another plan; `crossfade status {run}` shows the run"
                ),
            )
        };
        PlanError::at(Path::root().key("name"), message).help(help)
    }
}

impl Service {
    /// As `compile`, with the errors as values.
    pub async fn check(&self, text: &str) -> Result<Result<Checked, Vec<PlanError>>, ServiceError> {
        let session = self.session("check").await?;
        self.require(&*session, Doing::Start).await?;
        check_server(&session, Access::Read).await?;
        let document = match read_form(text) {
            Ok(document) => document,
            Err(errors) => return Ok(Err(errors)),
        };
        let installed = schema::look(&session).await?;
        match find(&*session, &document).await? {
            Some(run) if run.is_of(&document) => return Ok(Ok(Checked::Registered(run))),
            Some(run) => {
                let is_same = match self.compile_with(&session, text).await? {
                    Ok(compiled) => run.does_the_same(&*session, &compiled).await?,
                    Err(_) => false,
                };
                return Ok(match is_same {
                    true => Ok(Checked::Registered(run)),
                    false => Err(vec![run.is_of_another_plan()]),
                });
            }
            None => {}
        }
        let compiled = match self.compile_with(&session, text).await? {
            Ok(compiled) => compiled,
            Err(errors) => return Ok(Err(errors)),
        };
        let mut conflicts = sessions_of(&*session, &compiled).await?;
        if installed.is_some() {
            conflicts.extend(conflicts_of(&*session, &compiled).await?);
        }
        if conflicts.is_empty() {
            return Ok(Ok(Checked::Fits(Box::new(compiled))));
        }
        conflicts.extend(compiled.warnings);
        Ok(Err(conflicts))
    }

    /// Registers a run, unless a check fails that is not accepted. Nothing is run.
    pub async fn start(
        &self,
        file: &str,
        text: &str,
        accepted: &[Acceptance],
    ) -> Result<Started, ServiceError> {
        doctor::can_be_accepted(accepted)?;
        let mut session = self.installed("start").await?;
        self.require(&*session, Doing::Start).await?;
        check_server(&session, Access::Write).await?;
        let refused = |errors: &[PlanError]| ServiceError::Plan(render(file, text, errors));
        let document = read_form(text).map_err(|errors| refused(&errors))?;
        let name = document.name.to_string();
        let known = |run: RunRecord| Started {
            run: name.clone(),
            warnings: Vec::new(),
            findings: Vec::new(),
            before: Some(run),
        };
        let before = find(&*session, &document).await?;
        if let Some(run) = before.as_ref().filter(|run| run.is_of(&document)) {
            return Ok(known(run.clone()));
        }
        let compiled = self.compile_with(&session, text).await?;
        if let Some(run) = before {
            return match &compiled {
                Ok(compiled) if run.does_the_same(&*session, compiled).await? => Ok(known(run)),
                _ => Err(refused(&[run.is_of_another_plan()])),
            };
        }
        let compiled = compiled.map_err(|errors| refused(&errors))?;
        let fingerprint = compiled
            .plan
            .fingerprint()
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut findings = self.examine(&mut session, &compiled).await;
        findings.retain(|finding| finding.verdict != Verdict::Passed);
        let accepted = doctor::accepted(&findings, accepted).map_err(ServiceError::Unfit)?;
        let transaction = session.transaction().await?;
        runs::lock_claims(&transaction).await?;
        // Another session may have started the same plan meanwhile.
        if let Some(run) = find(&transaction, &document).await? {
            return match run.does_the_same(&transaction, &compiled).await? {
                true => Ok(known(run)),
                false => Err(refused(&[run.is_of_another_plan()])),
            };
        }
        let mut conflicts = sessions_of(&transaction, &compiled).await?;
        conflicts.extend(conflicts_of(&transaction, &compiled).await?);
        if !conflicts.is_empty() {
            return Err(refused(&conflicts));
        }
        self.act(&transaction, Doing::Start).await?;
        let form = compile::form(&compiled.document, &compiled.facts);
        let names = (fingerprint.as_str(), form.as_deref());
        runs::insert(&transaction, &compiled.plan, names, text, &json!(accepted)).await?;
        transaction.commit().await?;
        Ok(Started {
            run: name,
            warnings: compiled.warnings,
            findings,
            before: None,
        })
    }
}
