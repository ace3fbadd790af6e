//! Reads the gauges while workers work: the server, the plan's query and its HTTP probe, each in its own time, so that
//! one that hangs makes only its own readings old.

use super::site::Site;
use crate::database::readings::{self, About};
use crate::engine::EngineError;
use crate::probe;
use crossfade_decisions::pacing::{self, Grip, Known, Missing, Reading, Sample, Signal};
use crossfade_plan::pacing::{HttpProbe, NumberQuery};
use crossfade_plan::sqlgen::session;
use crossfade_postgres::sqlstate;
use deadpool_postgres::Object;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    convert::Infallible,
    time::{Duration, Instant},
};
use tokio_postgres::Client;

const READ_EVERY: Duration = Duration::from_secs(1);
/// While it stands still, so that it goes on as soon as it may.
const READ_EVERY_WHILE_STOPPED: Duration = Duration::from_millis(200);
const READ_FOLDER_EVERY: Duration = Duration::from_secs(5);
/// What takes longer is no reading of this moment; and nobody is to be burdened by being looked at.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

pub struct Gauges<'a> {
    began: Instant,
    /// Sessions of this process, besides the workers', whose locks are ours.
    pids: &'a [i32],
    sample: RefCell<Sample>,
    /// Standbys that were connected at some time.
    standbys: RefCell<BTreeSet<String>>,
    archiver_fails_since: Cell<Option<Duration>>,
    folder_read: Cell<Option<Instant>>,
}

impl<'a> Gauges<'a> {
    pub fn new(pids: &'a [i32]) -> Self {
        Self {
            began: Instant::now(),
            pids,
            sample: RefCell::default(),
            standbys: RefCell::default(),
            archiver_fails_since: Cell::default(),
            folder_read: Cell::default(),
        }
    }

    /// What the times of the sample count to.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn sample(&self) -> Sample {
        self.sample.borrow().clone()
    }

    /// Every gauge once.
    pub async fn read(&self, site: &Site<'_>) {
        let mut session = None;
        tokio::join!(
            self.read_server(site, &mut session),
            self.read_query(site),
            self.read_probe(site)
        );
    }

    pub async fn read_for_ever(&self, site: &Site<'_>) -> Infallible {
        let server = async {
            let mut session = None;
            loop {
                pause(site).await;
                self.read_server(site, &mut session).await;
            }
        };
        let query = async {
            loop {
                pause(site).await;
                self.read_query(site).await;
            }
        };
        let probe = async {
            loop {
                pause(site).await;
                self.read_probe(site).await;
            }
        };
        tokio::select! {
            never = server => never,
            never = query => never,
            never = probe => never,
        }
    }

    fn note(&self, signal: Signal, reading: Reading) {
        self.sample.borrow_mut().note(signal, self.now(), reading);
    }

    async fn read_server(&self, site: &Site<'_>, session: &mut Option<Object>) {
        let signals: Vec<Signal> = pacing::bounds(&site.limits())
            .into_iter()
            .map(|(signal, _)| signal)
            .filter(|signal| !matches!(signal, Signal::Query | Signal::Http))
            .collect();
        let look = self.look(site, &signals, session);
        let why = match tokio::time::timeout(LOOK_TIMEOUT, look).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => words(&error),
            Err(_) => format!("the server did not answer within {LOOK_TIMEOUT:?}"),
        };
        // Whatever it is still at, nobody else is to wait for it.
        drop(session.take().map(Object::take));
        tracing::debug!(why, "the server was not read");
        self.sample.borrow_mut().failed(&signals, self.now(), &why);
    }

    async fn look(
        &self,
        site: &Site<'_>,
        signals: &[Signal],
        kept: &mut Option<Object>,
    ) -> Result<(), EngineError> {
        let client: &Client = match kept {
            Some(session) => session,
            None => kept.insert(site.session().await?),
        };
        let mut our_pids = site.pids();
        our_pids.extend(self.pids);
        let about = About {
            signals,
            relation: site.walk.relation,
            our_pids: &our_pids,
        };
        let look = readings::look(client, &about).await?;
        let lag = [Signal::ReplicaLag, Signal::ReplicaLagBytes]
            .into_iter()
            .find(|signal| signals.contains(signal));
        let gone = self.gone(look.standbys);
        for (signal, mut reading) in look.readings {
            if Some(signal) == lag && reading.missing.is_none() {
                reading.missing.clone_from(&gone);
            }
            self.note(signal, reading);
        }
        self.note_archiver(signals, look.archiver_fails);
        let is_due = |at: Instant| at.elapsed() >= READ_FOLDER_EVERY;
        if signals.contains(&Signal::ArchiveFiles) && self.folder_read.get().is_none_or(is_due) {
            self.folder_read.set(Some(Instant::now()));
            self.note(Signal::ArchiveFiles, readings::archive_files(client).await?);
        }
        Ok(())
    }

    /// A standby that was there and is gone falls behind unseen, whatever the others' lag is.
    fn gone(&self, connected: Vec<String>) -> Option<Missing> {
        let mut seen = self.standbys.borrow_mut();
        let gone: Vec<String> = seen
            .iter()
            .filter(|standby| !connected.contains(*standby))
            .cloned()
            .collect();
        seen.extend(connected);
        let why = || format!("the standby {} is gone", gone.join(", "));
        (!gone.is_empty()).then(|| Missing::Failed(why()))
    }

    /// The server tells when its archiver failed last, not since when it does.
    fn note_archiver(&self, signals: &[Signal], fails: Option<String>) {
        if !signals.contains(&Signal::ArchiveFailing) {
            return;
        }
        let Some(file) = fails else {
            self.archiver_fails_since.set(None);
            self.note(Signal::ArchiveFailing, whole(Known::Nothing));
            return;
        };
        let since = self.archiver_fails_since.get().unwrap_or(self.now());
        self.archiver_fails_since.set(Some(since));
        let seconds = (self.now() - since).as_secs_f64();
        self.note(
            Signal::ArchiveFailing,
            whole(Known::Amount(seconds, Some(file))),
        );
    }

    async fn read_query(&self, site: &Site<'_>) {
        let Some(query) = site.limits().query else {
            return;
        };
        let asked = tokio::time::timeout(LOOK_TIMEOUT, ask(site, &query)).await;
        let reading = match asked {
            Ok(Ok(Some(amount))) => whole(Known::Amount(amount, None)),
            Ok(Ok(None)) => failed("it gave NULL or no row".to_owned()),
            Ok(Err(error)) => failed(words(&error)),
            Err(_) => failed(format!("no answer within {LOOK_TIMEOUT:?}")),
        };
        self.note(Signal::Query, reading);
    }

    async fn read_probe(&self, site: &Site<'_>) {
        let Some(http) = site.limits().http else {
            return;
        };
        let answer = probe::read(&http.url, &http.headers, http.timeout.duration()).await;
        let reading = match answer {
            Ok(answer) => verdict(&http, &answer),
            Err(why) => failed(why),
        };
        self.note(Signal::Http, reading);
    }
}

async fn pause(site: &Site<'_>) {
    let pause = if site.pace().stopped {
        READ_EVERY_WHILE_STOPPED
    } else {
        READ_EVERY
    };
    tokio::time::sleep(pause).await;
}

/// What the server said, where it said anything.
fn words(error: &EngineError) -> String {
    match error {
        EngineError::Database(said) if said.as_db_error().is_some() => sqlstate::message(said),
        other => other.to_string(),
    }
}

fn whole(known: Known) -> Reading {
    Reading {
        known: Some(known),
        missing: None,
    }
}

fn failed(why: String) -> Reading {
    Reading {
        known: None,
        missing: Some(Missing::Failed(why)),
    }
}

/// What an answer to the probe means.
fn verdict(http: &HttpProbe, answer: &probe::Answer) -> Reading {
    match (answer.status, &http.value) {
        (429, _) => whole(Known::Says(Grip::Slowed, "answered 429".to_owned())),
        (503, _) => whole(Known::Says(Grip::Stopped, "answered 503".to_owned())),
        (200..=299, None) => whole(Known::Nothing),
        (200..=299, Some(pointer)) => {
            let number = serde_json::from_slice::<serde_json::Value>(&answer.body)
                .ok()
                .and_then(|body| body.pointer(pointer)?.as_f64());
            match number {
                Some(number) => whole(Known::Amount(number, None)),
                None => failed(format!("the answer is no JSON with a number at {pointer}")),
            }
        }
        (status, _) => failed(format!("answered {status}")),
    }
}

/// The plan's query, in a transaction that can neither write nor last.
async fn ask(site: &Site<'_>, query: &NumberQuery) -> Result<Option<f64>, EngineError> {
    let mut session = site.session().await?;
    let client: &mut Client = &mut session;
    let transaction = client.build_transaction().read_only(true).start().await?;
    let timeout = QUERY_TIMEOUT.as_millis();
    let path = session::as_the_application(site.plan);
    transaction
        .batch_execute(&format!("SET LOCAL statement_timeout = {timeout}; {path}"))
        .await?;
    let answer = readings::number(&transaction, &query.sql).await;
    transaction.rollback().await?;
    Ok(answer?)
}
