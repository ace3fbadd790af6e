//! `doctor`, and what `start` looks at besides the plan: readings of the database, and what the checks make of them.

mod acceptance;
mod operator;
mod work;

pub use acceptance::{Acceptance, AcceptedCheck};
pub(super) use acceptance::{accepted, can_be_accepted, refusal};
pub use crossfade_decisions::doctor::{Check, CheckFinding, Verdict};
pub use operator::{BackupProof, OperatorChecks, ProvenBy};

use super::{Access, Checked, Compiled, Service, ServiceError, check_server};
use crate::{
    database::{
        self,
        doctor::{self, BRIEFLY, bounded},
    },
    store::{StoreError, schema},
};
use crossfade_decisions::doctor::{ServerReadings, TableReadings, Work, of_server, of_tables};
use crossfade_model::{
    error::{PlanError, Topic},
    ident::TableName,
};
use crossfade_plan::{document::Document, facts::Facts, read::decoded};
use crossfade_postgres::connect::Session;
use serde::Serialize;
use std::sync::Arc;
use work::{both, work_of};

/// What all checks have found.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The database, without the password.
    pub database: String,
    /// No check has failed.
    pub ok: bool,
    pub checks: Vec<CheckFinding>,
    pub plans: Vec<PlanDiagnosis>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlanDiagnosis {
    pub file: String,
    pub ok: bool,
    pub checks: Vec<CheckFinding>,
}

fn none_failed(checks: &[CheckFinding]) -> bool {
    !checks.iter().any(CheckFinding::has_failed)
}

impl Service {
    /// The same service, with what its operator's configuration says of checks.
    #[must_use]
    pub fn with_checks(self, operator: OperatorChecks) -> Self {
        Self {
            operator: Arc::new(operator),
            ..self
        }
    }

    /// Looks at the database and at what these plans need, each given by its file's name and its text. Changes nothing.
    pub async fn doctor(&self, plans: &[(String, String)]) -> Result<Diagnosis, ServiceError> {
        self.not_by_token()?;
        let mut diagnosis = Diagnosis {
            database: self.describe(),
            ok: false,
            checks: Vec::new(),
            plans: Vec::new(),
        };
        let mut session = match self.session("doctor").await {
            Ok(session) => session,
            Err(error) => {
                let found = whole(&error);
                diagnosis
                    .checks
                    .push(CheckFinding::failed(Check::Connection, found));
                return Ok(diagnosis);
            }
        };
        diagnosis.checks.push(connection(&session).await?);
        diagnosis.checks.push(installation(&session).await?);
        if plans.is_empty() {
            diagnosis.checks.extend(triggers(&session).await?);
        }
        let mut works = Vec::new();
        for (file, text) in plans {
            let (checks, work) = self.examine_plan(&mut session, text).await?;
            works.extend(work);
            diagnosis.plans.push(PlanDiagnosis {
                file: file.clone(),
                ok: none_failed(&checks),
                checks,
            });
        }
        let work = works.into_iter().reduce(both);
        let readings = self.read_server(&mut session).await;
        diagnosis.checks.extend(of_server(&readings, work.as_ref()));
        let plans_ok = diagnosis.plans.iter().all(|plan| plan.ok);
        diagnosis.ok = plans_ok && none_failed(&diagnosis.checks);
        Ok(diagnosis)
    }

    /// What is checked besides before a run of the plan begins. That it fits the database was found out before.
    pub(super) async fn examine(
        &self,
        session: &mut Session,
        compiled: &Compiled,
    ) -> Vec<CheckFinding> {
        let work = work_of(session, compiled).await;
        let readings = self.read_server(session).await;
        let mut findings = of_server(&readings, Some(&work));
        let tables = read_tables(session, &compiled.document).await;
        findings.extend(of_tables(&tables));
        findings
    }

    async fn examine_plan(
        &self,
        session: &mut Session,
        text: &str,
    ) -> Result<(Vec<CheckFinding>, Option<Work>), ServiceError> {
        let checked = match self.check(text).await {
            Ok(checked) => checked,
            // The server itself, or Crossfade's tables, are of another check.
            Err(error) => {
                let found = format!("not known: {}", whole(&error));
                return Ok((vec![CheckFinding::unknown(Check::Plan, found)], None));
            }
        };
        let (mut checks, work) = match checked {
            Ok(Checked::Fits(compiled)) => {
                let work = work_of(session, &compiled).await;
                (of_problems(&compiled.warnings), Some(work))
            }
            Ok(Checked::Registered(run)) => {
                let found = format!("already {}", run.sentence());
                return Ok((vec![CheckFinding::passed(Check::Plan, found)], None));
            }
            Err(errors) => {
                let unknown = Work {
                    is_partly_unknown: true,
                    ..Work::default()
                };
                (of_problems(&errors), Some(unknown))
            }
        };
        if let Some(document) = decoded(text) {
            checks.extend(of_tables(&read_tables(session, &document).await));
        }
        Ok((checks, work))
    }

    async fn read_server(&self, session: &mut Session) -> ServerReadings {
        let client = &mut **session;
        ServerReadings {
            settings: bounded(client, BRIEFLY, async |on| doctor::settings(on).await).await,
            disk: self.operator.disk().await,
            slots: bounded(client, BRIEFLY, async |on| doctor::slots(on).await).await,
            standbys: bounded(client, BRIEFLY, async |on| doctor::standbys(on).await).await,
            archiver: bounded(client, BRIEFLY, async |on| doctor::archiver(on).await).await,
            transactions: bounded(client, BRIEFLY, async |on| doctor::transactions(on).await).await,
            wraparound: bounded(client, BRIEFLY, async |on| doctor::wraparound(on).await).await,
            event_triggers: bounded(client, BRIEFLY, async |on| doctor::event_triggers(on).await)
                .await,
            installed: bounded(client, BRIEFLY, async |on| doctor::installed(on).await).await,
            autovacuum: bounded(client, BRIEFLY, async |on| doctor::autovacuum(on).await).await,
            backup: self.operator.backup(client).await,
        }
    }
}

/// The tables that the document names itself. Their partitions are looked at with them.
async fn read_tables(session: &mut Session, document: &Document) -> TableReadings {
    let client = &mut **session;
    let tables: Vec<TableName> = document.tables(&Facts::default());
    let tables = tables.as_slice();
    TableReadings {
        wraparound: bounded(client, BRIEFLY, async |on| {
            doctor::horizons(on, tables).await
        })
        .await,
        indexes: bounded(client, BRIEFLY, async |on| {
            doctor::indexes(on, tables).await
        })
        .await,
        constraints: bounded(client, BRIEFLY, async |on| {
            doctor::constraints(on, tables).await
        })
        .await,
        special: bounded(client, BRIEFLY, async |on| {
            doctor::special(on, tables).await
        })
        .await,
        autovacuum: bounded(client, BRIEFLY, async |on| {
            doctor::autovacuum_of(on, tables).await
        })
        .await,
    }
}

/// What compiling a plan has found, by whom it concerns.
fn of_problems(problems: &[PlanError]) -> Vec<CheckFinding> {
    let topics = [
        (Topic::Plan, Check::Plan, "it fits the database"),
        (
            Topic::Rights,
            Check::Rights,
            "the role may do all that it does",
        ),
        (
            Topic::Sessions,
            Check::Triggers,
            "triggers fire in every session that writes its tables, as far as settings say",
        ),
    ];
    let has_errors = problems.iter().any(PlanError::is_error);
    let mut findings = Vec::new();
    for (topic, check, passes) in topics {
        let own: Vec<CheckFinding> = problems
            .iter()
            .filter(|problem| problem.topic == topic)
            .map(|problem| of_problem(check, problem))
            .collect();
        if own.is_empty() {
            // Of a plan with errors not everything was looked at.
            findings.push(match has_errors {
                false => CheckFinding::passed(check, passes),
                true => CheckFinding::unknown(check, "not known as long as the plan has errors"),
            });
        }
        findings.extend(own);
    }
    findings
}

fn of_problem(check: Check, problem: &PlanError) -> CheckFinding {
    let found = format!("{}: {}", problem.path, problem.message);
    let finding = match problem.is_error() {
        true => CheckFinding::failed(check, found),
        false => CheckFinding::warning(check, found),
    };
    match &problem.help {
        Some(help) => finding.remedy(help.to_string()),
        None => finding,
    }
}

/// The error with its causes.
fn whole(error: &ServiceError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let part = error.to_string();
        if !part.is_empty() && part != "db error" && !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}

async fn connection(session: &Session) -> Result<CheckFinding, ServiceError> {
    let check = Check::Connection;
    Ok(match check_server(session, Access::Write).await {
        Ok(()) => {
            let row = session
                .query_one("SELECT pg_catalog.current_setting('server_version')", &[])
                .await?;
            let version: String = row.get(0);
            CheckFinding::passed(
                check,
                format!(
                    "PostgreSQL {version}, a primary; direct, or by a pooler that gives each client a session of its own and its settings"
                ),
            )
        }
        Err(error @ ServiceError::ServerTooOld { .. }) => {
            CheckFinding::failed(check, error.to_string()).remedy("upgrade the server")
        }
        Err(error @ ServiceError::ReadOnly(_)) => CheckFinding::failed(check, error.to_string())
            .remedy("name the primary in the connection string; or let this role write: ALTER ROLE … RESET default_transaction_read_only;"),
        Err(error) => return Err(error),
    })
}

/// Crossfade's own tables.
async fn installation(session: &Session) -> Result<CheckFinding, ServiceError> {
    let check = Check::Installation;
    let error = match schema::require(session, schema::Purpose::Drive).await {
        Ok(()) => {
            return Ok(CheckFinding::passed(
                check,
                "Crossfade's tables are of the version that this program knows",
            ));
        }
        Err(error) => error,
    };
    if !matches!(error, StoreError::NotInstalled) {
        let finding = CheckFinding::failed(check, error.to_string());
        return Ok(match error {
            StoreError::Older { .. } => finding.remedy("crossfade init"),
            _ => finding,
        });
    }
    let (may_create, database, role) = doctor::may_create_schema(&**session).await?;
    Ok(match may_create {
        true => CheckFinding::warning(check, "Crossfade's tables are not in this database yet")
            .remedy("crossfade init"),
        false => CheckFinding::failed(
            check,
            format!("Crossfade's tables are not in this database, and {role} may not create their schema"),
        )
        .remedy(format!("GRANT CREATE ON DATABASE {database} TO {role}; then crossfade init")),
    })
}

/// Without a plan: where no trigger fires by default, whoever writes which table.
async fn triggers(session: &Session) -> Result<Vec<CheckFinding>, ServiceError> {
    let check = Check::Triggers;
    let found = database::sessions::past_triggers(&**session, &[]).await?;
    if found.is_empty() {
        let passes = "no default of the server or the database keeps triggers from firing";
        return Ok(vec![CheckFinding::passed(check, passes)]);
    }
    let found = found.into_iter().map(|what| {
        CheckFinding::warning(check, what)
            .remedy("end that, and have open sessions connect again: plans that keep two sides in step are refused")
    });
    Ok(found.collect())
}
