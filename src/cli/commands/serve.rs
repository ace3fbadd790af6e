//! `serve`: carries out orders until it is told to stop.

mod page;

use super::Context;
use crate::cli::{
    args::Serve,
    exit::Exit,
    printer::{Printer, one_line},
    reporter::OfRun,
    supervisor::{self, State},
};
use crate::configuration::Configuration;
use crossfade_coordinator::{
    notice::Reporter,
    service::{Carried, NotDelivered, ServeNotice, ServeReporter, Service},
};
use crossfade_plan::span::Span;
use page::Page;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub async fn run(context: &Context<'_>, serve: &Serve) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let stop = context.stop()?;
    let configuration = Configuration::load(serve.configuration.file.as_deref())?;
    let service = service.with_checks(configuration.checks());
    let receivers = configuration.receivers()?;
    let page = match serve.listen {
        Some(address) => {
            let page = Page::open(address, serve, &configuration, service.describe());
            Some(page.await?)
        }
        None => None,
    };
    let reporter = Arc::new(Supervised {
        printer: *context.printer,
        told: lines(context),
    });
    let (stopping, printer) = (stop.clone(), *context.printer);
    tokio::spawn(async move {
        stopping.cancelled().await;
        tell_manager(printer, State::Stopping);
    });
    let posting = (!receivers.is_empty()).then(|| {
        let (service, stop) = (service.clone(), stop.clone());
        let (page, printer) = (configuration.page().map(str::to_owned), *context.printer);
        tokio::spawn(async move {
            let tell = move |not: NotDelivered| printer.message(one_line(&not_delivered(&not)));
            service.deliver(receivers, page, tell, stop).await;
        })
    });
    let calendar = {
        let (service, stop) = (service.clone(), stop.clone());
        let freezes = configuration.freezes().to_vec();
        tokio::spawn(async move { service.keep_calendar(&freezes, stop).await })
    };
    let served = serve_orders(context, page, service, reporter, stop.clone()).await;
    stop.cancel();
    let _ = calendar.await;
    if let Some(posting) = posting {
        // What is on its way has its own time to arrive.
        let _ = posting.await;
    }
    served
}

async fn serve_orders(
    context: &Context<'_>,
    page: Option<Page>,
    service: Service,
    reporter: Arc<dyn ServeReporter>,
    stop: CancellationToken,
) -> anyhow::Result<Exit> {
    let Some(page) = page else {
        service.serve(reporter, stop).await?;
        return Ok(Exit::Done);
    };
    context
        .printer
        .message(format!("the page is on {}", page.address()?));
    let web = tokio::spawn(crossfade_web::serve(
        page.listener,
        page.certificate,
        page.settings,
        service.clone(),
        stop.clone(),
    ));
    let served = service.serve(reporter, stop.clone()).await;
    // Open pages are told to come again, and do not keep the server.
    stop.cancel();
    let _ = tokio::time::timeout(GOODBYE_WITHIN, web).await;
    served?;
    Ok(Exit::Done)
}

fn not_delivered(not: &NotDelivered) -> String {
    let NotDelivered {
        receiver,
        run,
        topic,
        why,
        again_in,
    } = not;
    let then = match again_in {
        Some(pause) => format!("sent again in {}", Span::rough(*pause)),
        None => "given up".to_owned(),
    };
    let topic = topic.as_str();
    format!("{run}: the message {topic} was not delivered to {receiver}, and is {then}: {why}")
}

/// Requests that are under way when the server stops get so long.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

/// A service manager that cannot be told is no reason to stop.
fn tell_manager(printer: Printer, state: State) {
    if let Err(error) = supervisor::tell(state) {
        printer.message(format!("warning: cannot tell NOTIFY_SOCKET: {error}"));
    }
}

/// Tells a service manager, too, once the server serves.
struct Supervised {
    printer: Printer,
    told: Arc<dyn ServeReporter>,
}

impl ServeReporter for Supervised {
    fn notice(&self, notice: ServeNotice) {
        let has_begun = matches!(notice, ServeNotice::Serving { .. });
        self.told.notice(notice);
        if has_begun {
            tell_manager(self.printer, State::Ready);
        }
    }

    fn of_run(&self, run: &str) -> Arc<dyn Reporter> {
        self.told.of_run(run)
    }
}

/// Tells what the server does, a line at a time.
pub fn lines(context: &Context<'_>) -> Arc<dyn ServeReporter> {
    Arc::new(Lines(*context.printer))
}

struct Lines(Printer);

impl ServeReporter for Lines {
    fn notice(&self, notice: ServeNotice) {
        self.0.message(one_line(&line(&notice)));
    }

    fn of_run(&self, run: &str) -> Arc<dyn Reporter> {
        Arc::new(OfRun::new(run))
    }
}

fn line(notice: &ServeNotice) -> String {
    match notice {
        ServeNotice::Serving { database, holder } => {
            format!("serving {database} as {holder}; Ctrl-C stops at the next batch")
        }
        ServeNotice::Began { run, order, what } => format!("{run}: began order {order}: {what}"),
        ServeNotice::Ended { run, order, how } => match how {
            Carried::Done => format!("{run}: order {order} is done"),
            Carried::Stopped(why) => format!("{run}: order {order} stopped: {why}"),
            Carried::Failed(why) => format!("{run}: order {order} failed: {why}"),
            Carried::NotOpen => format!("{run}: order {order} is not open any more"),
            Carried::Left => format!(
                "{run}: stopped at a batch; order {order} stays open unless somebody has cancelled it"
            ),
        },
        ServeNotice::Resting {
            run,
            order,
            why,
            retry_in,
        } => format!("{run}: order {order} is tried again in {retry_in:.0?}: {why}"),
        ServeNotice::Away { why } => {
            format!("the database is unavailable: {why}. Retrying every second")
        }
        ServeNotice::Back => "the database is back".to_owned(),
        ServeNotice::Stopping { at_work } => {
            let runs = if *at_work == 1 {
                "1 run ends its batch"
            } else {
                &format!("{at_work} runs end their batches")
            };
            format!("stopping: {runs}. Orders stay open")
        }
    }
}
