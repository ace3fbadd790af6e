//! `serve`: carries out orders until it is told to stop.

use super::Context;
use crate::cli::{
    exit::Exit,
    printer::{Printer, one_line},
    reporter::OfRun,
};
use crossfade_coordinator::{
    notice::Reporter,
    service::{Carried, ServeNotice, ServeReporter},
};
use std::sync::Arc;

pub async fn run(context: &Context<'_>) -> anyhow::Result<Exit> {
    let service = context.service()?;
    let reporter = Arc::new(Lines(*context.printer));
    service.serve(reporter, context.stop()?).await?;
    Ok(Exit::Done)
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
            format!("the database is away: {why}. Looking for it every second")
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
