//! `demo --serve`: the demo's database and application, and the page on which the reader takes the rename through every phase.

use super::{APPROVER, DATABASE, DemoError, PLAN, RUN, target};
use crate::demo::traffic::{self, Options, Shape, Traffic, Version};
use crossfade_coordinator::service::{Can, ServeReporter, Service, Status};
use crossfade_decisions::lifecycle::transition::State;
use crossfade_plan::document::PhaseName;
use crossfade_postgres::launch::{LaunchOptions, Server};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The role that owns the table, drives the run, and whose token may operate.
const OPERATOR: &str = "operator";
/// Between two looks at what the team has to do next.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const PAGE_GOODBYE: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
pub struct HostedOptions {
    pub rows: u64,
    pub listen: SocketAddr,
}

/// Until `stop`. `tell` is given what happens, a line at a time.
pub async fn run(
    options: HostedOptions,
    reporter: Arc<dyn ServeReporter>,
    tell: &(dyn Fn(String) + Sync),
    stop: CancellationToken,
) -> Result<(), DemoError> {
    let listener = TcpListener::bind(options.listen).await?;
    let server =
        tokio::task::spawn_blocking(|| Server::launch(&LaunchOptions::default())).await??;
    let hosted = host(&server, listener, options, reporter, tell, &stop).await;
    stop.cancel();
    tokio::task::spawn_blocking(move || server.stop()).await??;
    hosted
}

async fn host(
    server: &Server,
    listener: TcpListener,
    options: HostedOptions,
    reporter: Arc<dyn ServeReporter>,
    tell: &(dyn Fn(String) + Sync),
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let url = set_up(server, options.rows).await?;
    let service = Service::new(target(&url)?);
    service.start("the demo's plan", PLAN, &[]).await?;
    let approver = Service::new(target(&url.replacen(OPERATOR, APPROVER, 1))?);
    let operates = service
        .create_token(None, &[Can::View, Can::Operate], None)
        .await?;
    let approves = approver
        .create_token(None, &[Can::View, Can::Approve], None)
        .await?;
    let settings = crossfade_web::Settings {
        database: service.describe(),
        public_read: false,
        read_only: false,
        is_secure: false,
        trust: None,
    };
    let address = listener.local_addr()?;
    tell(format!(
        "PostgreSQL {}.{} of our own; vehicles with {} rows. The old version of an application writes them all the time",
        server.version().0,
        server.version().1,
        options.rows
    ));
    tell(format!("the page is on http://{address}"));
    tell(format!(
        "sign in as {OPERATOR}: {}",
        operates.secret.reveal()
    ));
    tell(format!(
        "and in a private window as {APPROVER}, who approves switch_reads: {}",
        approves.secret.reveal()
    ));
    let page = crossfade_web::serve(listener, None, settings, service.clone(), stop.clone());
    let page = tokio::spawn(page);
    let (served, played) = tokio::join!(
        service.serve(reporter, stop.clone()),
        play(&service, &url, options.rows, tell, stop)
    );
    let _ = tokio::time::timeout(PAGE_GOODBYE, page).await;
    played?;
    Ok(served?)
}

/// The database with its roles and table; its URL as the operator.
async fn set_up(server: &Server, rows: u64) -> Result<String, DemoError> {
    let admin = target(&server.url("postgres"))?
        .connect("crossfade demo")
        .await?;
    for statement in [
        format!("CREATE ROLE {OPERATOR} LOGIN"),
        format!("CREATE ROLE {APPROVER} LOGIN"),
        format!("GRANT pg_monitor TO {OPERATOR}"),
        format!("CREATE DATABASE {DATABASE} OWNER {OPERATOR}"),
    ] {
        admin.batch_execute(&statement).await?;
    }
    let fleet = target(&server.url(DATABASE))?
        .connect("crossfade demo")
        .await?;
    fleet
        .batch_execute(&format!("GRANT ALL ON SCHEMA public TO {OPERATOR}"))
        .await?;
    fleet.close().await;
    let url = server
        .url(DATABASE)
        .replacen("postgres@", &format!("{OPERATOR}@"), 1);
    let session = target(&url)?.connect("crossfade demo").await?;
    traffic::create_table(&session, rows).await?;
    Service::new(target(&url)?).init().await?;
    session
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA crossfade TO {APPROVER}; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO {APPROVER}"
        ))
        .await?;
    session.close().await;
    Ok(url)
}

/// The versions of the application that run, as a team would have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InService {
    old: bool,
    new: bool,
}

/// The new version is deployed when both sides are kept in step, the old one is taken out of service when reads have switched, and
/// each comes back before a rollback needs it.
fn in_service(status: &Status) -> InService {
    let is_done = |name| {
        let mut phases = status.phases.iter();
        phases.any(|phase| phase.phase == name && phase.state == State::Completed)
    };
    let order = status.order.as_ref().filter(|order| order.is_open());
    let goes_back = order.filter(|order| order.action == "rollback");
    let stays = |name: PhaseName| {
        goes_back.is_none_or(|order| {
            let last = order.phase.as_deref().and_then(|phase| phase.parse().ok());
            last.is_some_and(|last: PhaseName| last >= name)
        })
    };
    InService {
        old: !(is_done(PhaseName::SwitchReads) && stays(PhaseName::SwitchReads)),
        new: is_done(PhaseName::DualWrite) && stays(PhaseName::DualWrite),
    }
}

async fn play(
    service: &Service,
    url: &str,
    rows: u64,
    tell: &(dyn Fn(String) + Sync),
    stop: &CancellationToken,
) -> Result<(), DemoError> {
    let options = Options {
        clients_per_version: 2,
        pause: Duration::from_millis(10),
        initial_rows: rows,
        ..Options::default()
    };
    let traffic = Traffic::start(url, Shape::demo(), options).await?;
    let mut before = InService {
        old: true,
        new: false,
    };
    let status = loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => break service.status(RUN).await.ok(),
        }
        // The reader may stop the database to see what happens.
        let Ok(status) = service.status(RUN).await else {
            continue;
        };
        if status.state != "active" {
            break Some(status);
        }
        let now = in_service(&status);
        for (version, was, is) in [
            (Version::New, before.new, now.new),
            (Version::Old, before.old, now.old),
        ] {
            match (was, is) {
                (false, true) => {
                    traffic.start_version(version).await?;
                    tell(format!(
                        "the {version} version of the application is in service"
                    ));
                }
                (true, false) => {
                    traffic.stop_version(version).await;
                    tell(format!(
                        "the {version} version of the application is out of service"
                    ));
                }
                _ => {}
            }
        }
        before = now;
    };
    let column = match &status {
        Some(status) if status.state == "rolled_back" => "status",
        Some(status) if status.state == "completed" => "vehicle_status",
        _ => {
            traffic.stop().await;
            return Ok(());
        }
    };
    let report = traffic.stop().await;
    let session = target(url)?.connect("crossfade demo").await?;
    let differences = report.ledger.compare(&session, column).await?;
    tell(format!(
        "the run has ended. The application made {} statements, of which {} failed; of {} rows that it remembers, {} differ from the table. Ctrl-C ends the demo",
        report.operations,
        report.error_count,
        report.ledger.len(),
        differences.len()
    ));
    for wrong in report.errors.iter().take(5) {
        tell(format!("  {wrong}"));
    }
    session.close().await;
    stop.cancelled().await;
    Ok(())
}
