//! For load balancers and for applications: whether the process lives, whether it can work, and where the migrations are.

use super::document::Operation;
use crate::{failure::Problem, site::Shared, visitor::Caller};
use axum::{Json, extract::State, http::StatusCode};
use crossfade_coordinator::service::{ErrorKind, RunSummary};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub struct Health {
    /// `ok` or `unavailable`
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

const OK: Health = Health {
    status: "ok",
    why: None,
};

#[derive(Serialize, JsonSchema)]
pub struct Migrations {
    database_connected: bool,
    /// Null: the database does not answer.
    runs: Option<Vec<Migration>>,
}

#[derive(Serialize, JsonSchema)]
struct Migration {
    run: String,
    status: String,
    phase: Option<String>,
    /// The fingerprint of its plan; null: it is not active, or could not be read.
    plan: Option<String>,
    started_at: Timestamp,
    completed_at: Option<Timestamp>,
}

impl Migration {
    fn of(run: &RunSummary) -> Self {
        let line = &run.line;
        let fingerprint = run
            .status
            .as_ref()
            .map(|status| status.plan_fingerprint.clone());
        Self {
            run: line.name.clone(),
            status: line.state.clone(),
            phase: line.phase.clone(),
            plan: fingerprint,
            started_at: line.started_at,
            completed_at: line.finished_at,
        }
    }
}

pub fn operations() -> Vec<Operation> {
    let alive = Operation::get("/healthz", alive, "Whether the process lives")
        .for_everybody()
        .answers::<Health>(200);
    let ready = Operation::get(
        "/readyz",
        ready,
        "Whether the database answers, and has the tables that this server knows",
    )
    .for_everybody()
    .answers::<Health>(200)
    .answers::<Health>(503);
    let migrations = Operation::get(
        "/health/migrations",
        migrations,
        "Each run in one line, for an application to show",
    )
    .answers::<Migrations>(200);
    vec![alive, ready, migrations]
}

/// The process answers.
async fn alive() -> Json<Health> {
    Json(OK)
}

/// The database answers, and has the tables that this program knows.
async fn ready(State(site): State<Shared>) -> (StatusCode, Json<Health>) {
    match site.looker.ready().await {
        Ok(()) => (StatusCode::OK, Json(OK)),
        // Nobody has signed in: what is wrong is in the log of the server.
        Err(error) => {
            let why = match error.kind() {
                ErrorKind::NotReady => "the tables are not those that this server knows",
                _ => "the database does not answer",
            };
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(Health {
                    status: "unavailable",
                    why: Some(why),
                }),
            )
        }
    }
}

/// Each run in one line, for an application to show.
async fn migrations(
    State(site): State<Shared>,
    _caller: Caller,
) -> Result<Json<Migrations>, Problem> {
    let runs = match site.looker.runs().await {
        Ok(runs) => runs,
        Err(error) if error.kind() == ErrorKind::Away => {
            return Ok(Json(Migrations {
                database_connected: false,
                runs: None,
            }));
        }
        Err(error) => return Err(error.into()),
    };
    let runs = runs.iter().map(Migration::of).collect();
    Ok(Json(Migrations {
        database_connected: true,
        runs: Some(runs),
    }))
}
