//! The demo: a PostgreSQL of our own, an old and a new version of an application that write all the time, and a rename
//! taken through every phase, with proof at the end that nothing stopped and nothing was lost.

pub mod hosted;
pub mod traffic;

use crossfade_coordinator::notice::Reporter;
use crossfade_coordinator::service::{AtGate, Outcome, Service, ServiceError, Until};
use crossfade_plan::document::PhaseName;
use crossfade_postgres::{
    connect::{ConnectError, Session, Target, resolve},
    launch::{LaunchError, LaunchOptions, Server},
};
use serde::Serialize;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use traffic::{Options, Report, Shape, Traffic, Version};

/// The plan that the demo runs: the rename of `plans/`, with gates that are worth looking at and short enough to wait for.
pub const PLAN: &str = include_str!("demo/plan.yaml");
const RUN: &str = "rename-vehicle-status";
const APPROVER: &str = "release_manager";
const DATABASE: &str = "fleet";

#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    pub rows: u64,
    /// Leave the server running.
    pub keep: bool,
}

/// What the demo proves.
#[derive(Clone, Debug, Serialize)]
pub struct DemoReport {
    pub server_version: String,
    pub rows: u64,
    pub phases: Vec<DemoPhase>,
    pub application: Application,
    pub ledger: LedgerReport,
    pub verification: Verification,
    /// The table's size after, as a multiple of its size before.
    pub table_growth: f64,
    pub backfill_seconds: f64,
    /// The server that was left running, with `--keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DemoPhase {
    pub name: PhaseName,
    /// Waiting at the phase's gate not included.
    pub seconds: f64,
    pub operations_meanwhile: u64,
    pub errors_meanwhile: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Application {
    pub operations: u64,
    pub errors: u64,
    /// The first of them.
    pub first_errors: Vec<String>,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct LedgerReport {
    pub rows: usize,
    pub differences: usize,
    pub first_differences: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    pub rows_checked: i64,
    pub rows_different: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    pub url: String,
    pub folder: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Traffic(#[from] traffic::Error),
    #[error("the demo's own database did not answer: {}", crossfade_postgres::sqlstate::message(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("the demo was interrupted; its server is gone")]
    Interrupted,
    #[error("the page: {0}")]
    Page(#[from] std::io::Error),
    #[error("{phase} did not get through its gate")]
    AtGate { phase: PhaseName },
    #[error("a task of the demo ended early: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl DemoReport {
    /// Nothing failed and nothing differs.
    pub fn is_proven(&self) -> bool {
        self.application.errors == 0
            && self.ledger.differences == 0
            && self.verification.rows_different == 0
    }
}

/// Runs the demo. `tell` is given what happens, a line at a time.
pub async fn run(
    options: DemoOptions,
    reporter: Arc<dyn Reporter>,
    tell: &(dyn Fn(String) + Sync),
    stop: CancellationToken,
) -> Result<DemoReport, DemoError> {
    let server =
        tokio::task::spawn_blocking(|| Server::launch(&LaunchOptions::default())).await??;
    let version = format!("{}.{}", server.version().0, server.version().1);
    tell(format!(
        "PostgreSQL {version} of our own; vehicles with {} rows",
        options.rows
    ));
    let stage = Stage::set_up(&server, options.rows).await?;
    tell(format!(
        "the plan is rename-vehicle-status: vehicles.status becomes vehicle_status. Its gates are those of weeks, shortened to seconds: {}",
        "1 approval and a bake of 1 s before switch_reads, 2 s without an old write before retire, 1 s before contract"
    ));
    let result = stage.play(&reporter, tell, &stop).await;
    let (phases, report) = match result {
        Ok(played) => played,
        Err(error) => {
            stage.session.close().await;
            tokio::task::spawn_blocking(move || server.stop()).await??;
            return Err(error);
        }
    };
    let mut proof = stage.prove(options, phases, report).await?;
    stage.session.close().await;
    proof.server_version = version;
    if options.keep {
        let url = server.url(DATABASE);
        proof.kept = Some(Kept {
            url,
            folder: server.keep(),
        });
    } else {
        tokio::task::spawn_blocking(move || server.stop()).await??;
    }
    Ok(proof)
}

struct Stage {
    url: String,
    service: Service,
    approver: Service,
    session: Session,
    rows: u64,
    bytes_before: i64,
}

fn target(url: &str) -> Result<Target, ConnectError> {
    resolve(Some(url), &|_| None)
}

impl Stage {
    async fn set_up(server: &Server, rows: u64) -> Result<Self, DemoError> {
        let admin = target(&server.url("postgres"))?
            .connect("crossfade demo")
            .await?;
        admin
            .batch_execute(&format!("CREATE DATABASE {DATABASE}"))
            .await?;
        admin
            .batch_execute(&format!("CREATE ROLE {APPROVER} LOGIN"))
            .await?;
        let url = server.url(DATABASE);
        let session = target(&url)?.connect("crossfade demo").await?;
        traffic::create_table(&session, rows).await?;
        let service = Service::new(target(&url)?);
        service.init().await?;
        session
            .batch_execute(&format!(
                "GRANT USAGE ON SCHEMA crossfade TO {APPROVER}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {APPROVER}"
            ))
            .await?;
        service.start("the demo's plan", PLAN, &[]).await?;
        let bytes_before = table_bytes(&session).await?;
        let approver = Service::new(target(&url.replacen(
            "postgres@",
            &format!("{APPROVER}@"),
            1,
        ))?);
        Ok(Self {
            url,
            service,
            approver,
            session,
            rows,
            bytes_before,
        })
    }

    /// Every phase, the application writing all the time.
    async fn play(
        &self,
        reporter: &Arc<dyn Reporter>,
        tell: &(dyn Fn(String) + Sync),
        stop: &CancellationToken,
    ) -> Result<(Vec<DemoPhase>, Report), DemoError> {
        let options = Options {
            clients_per_version: 4,
            pause: Duration::from_millis(2),
            initial_rows: self.rows,
            ..Options::default()
        };
        let traffic = Traffic::start(&self.url, Shape::demo(), options).await?;
        tell("the old version of the application is in service: it writes status".to_owned());
        let mut phases = Vec::new();
        for phase in PhaseName::STANDARD {
            self.people_do_their_part(phase, &traffic, tell).await?;
            phases.push(self.advance(phase, &traffic, reporter, stop).await?);
            traffic.wait_for_operations(200).await;
        }
        let report = traffic.stop().await;
        Ok((phases, report))
    }

    /// What a team does between two phases: deploy, approve, take out of service.
    async fn people_do_their_part(
        &self,
        phase: PhaseName,
        traffic: &Traffic,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<(), DemoError> {
        match phase {
            PhaseName::Backfill => {
                traffic.start_version(Version::New).await?;
                tell("the new version is deployed beside it: it writes vehicle_status".to_owned());
            }
            PhaseName::SwitchReads => {
                self.approver
                    .approve(
                        RUN,
                        PhaseName::SwitchReads,
                        Some("the demo's release manager"),
                    )
                    .await?;
                tell(format!("{APPROVER} approves switch_reads"));
            }
            PhaseName::Retire => {
                traffic.stop_version(Version::Old).await;
                tell("the old version is out of service".to_owned());
            }
            PhaseName::Expand
            | PhaseName::DualWrite
            | PhaseName::Verify
            | PhaseName::Enforce
            | PhaseName::Contract
            | PhaseName::Sql => {}
        }
        Ok(())
    }

    async fn advance(
        &self,
        phase: PhaseName,
        traffic: &Traffic,
        reporter: &Arc<dyn Reporter>,
        stop: &CancellationToken,
    ) -> Result<DemoPhase, DemoError> {
        let (operations, errors) = (traffic.operations(), traffic.error_count());
        let began = Instant::now();
        let outcome = self
            .service
            .advance(
                RUN,
                Until::Phase(phase),
                AtGate::Wait,
                reporter.clone(),
                stop.clone(),
            )
            .await?;
        match outcome {
            Outcome::Done => {}
            Outcome::Interrupted => return Err(DemoError::Interrupted),
            Outcome::Waiting(_) => return Err(DemoError::AtGate { phase }),
        }
        let status = self.service.status(RUN).await?;
        let recorded = status.phases.iter().find(|recorded| recorded.name == phase);
        let seconds = recorded
            .and_then(|recorded| {
                Some(
                    recorded
                        .finished_at?
                        .duration_since(recorded.started_at?)
                        .as_secs_f64(),
                )
            })
            .unwrap_or(began.elapsed().as_secs_f64());
        Ok(DemoPhase {
            name: phase,
            seconds,
            operations_meanwhile: traffic.operations() - operations,
            errors_meanwhile: traffic.error_count() - errors,
        })
    }

    /// The application's own account against the table.
    async fn prove(
        &self,
        options: DemoOptions,
        phases: Vec<DemoPhase>,
        report: Report,
    ) -> Result<DemoReport, DemoError> {
        let differences = report
            .ledger
            .compare(&self.session, "vehicle_status")
            .await?;
        let status = self.service.status(RUN).await?;
        let verification = status.verification.map_or(
            // Not verified is not proven.
            Verification {
                rows_checked: 0,
                rows_different: -1,
            },
            |found| Verification {
                rows_checked: found.rows_checked,
                rows_different: found.rows_different,
            },
        );
        let bytes_after = table_bytes(&self.session).await?;
        let backfill_seconds = phases
            .iter()
            .find(|phase| phase.name == PhaseName::Backfill)
            .map_or(0.0, |phase| phase.seconds);
        Ok(DemoReport {
            server_version: String::new(),
            rows: options.rows,
            phases,
            application: Application {
                operations: report.operations,
                errors: report.error_count,
                first_errors: report.errors.into_iter().take(5).collect(),
                p50_ms: report.p50_ms,
                p99_ms: report.p99_ms,
                max_ms: report.max_ms,
            },
            ledger: LedgerReport {
                rows: report.ledger.len(),
                differences: differences.len(),
                first_differences: differences
                    .iter()
                    .take(5)
                    .map(ToString::to_string)
                    .collect(),
            },
            verification,
            table_growth: bytes_after as f64 / self.bytes_before.max(1) as f64,
            backfill_seconds,
            kept: None,
        })
    }
}

async fn table_bytes(session: &Session) -> Result<i64, tokio_postgres::Error> {
    let row = session
        .query_one("SELECT pg_table_size('public.vehicles')", &[])
        .await?;
    Ok(row.get(0))
}
