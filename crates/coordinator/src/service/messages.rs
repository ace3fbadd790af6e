//! Messages for people. The audit log is what they are made of: `crossfade serve` queues an event for each receiver that wants it,
//! records how runs stand where somebody should know, and sends what is due until it is taken. A receiver that hangs keeps
//! nobody else waiting.

mod conditions;

use super::{Looker, Report, Service, ServiceError, report};
use crate::{
    engine::{EngineError, vital},
    store::{
        history,
        messages::{self, Due, ReceiverRecord},
        pauses, runs, schema, verification,
    },
};
use crossfade_decisions::{
    lifecycle::transition::RunState,
    messages::{Condition, Topic, send_again_after},
};
use crossfade_postgres::connect::Session;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Between two looks for messages that are due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between two looks at how the runs stand.
const WATCH_EVERY: Duration = Duration::from_secs(5);
const CLEAN_EVERY: Duration = Duration::from_secs(3_600);
/// A look that takes longer has lost its connection.
const LOOK_WITHIN: Duration = Duration::from_secs(15);
/// An attempt gets so long.
pub const SEND_WITHIN: Duration = Duration::from_secs(15);
/// Another server leaves a message alone that this one sends for so long.
const HOLD: Duration = Duration::from_secs(60);
/// What is on its way when the server stops gets so long.
const GOODBYE_WITHIN: Duration = Duration::from_secs(2);

/// What a receiver is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// `msg_…`: the same at every attempt.
    pub id: String,
    pub topic: Topic,
    /// When it happened: UTC, to the microsecond.
    pub at: String,
    /// Which database this is, without the password.
    pub database: String,
    pub run: String,
    /// The number of the event in the run's audit log.
    pub event: i64,
    pub by: String,
    /// In a sentence.
    pub summary: String,
    /// Of the page; `None`: the configuration does not say where that is.
    pub link: Option<String>,
    /// As the audit log has it.
    pub detail: Value,
    /// Of a run that is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// Why a message was not taken, in words that name neither the address nor a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    pub why: String,
    /// The receiver asks for this pause.
    pub asks: Option<Duration>,
    /// The receiver wants no more of this message.
    pub is_final: bool,
}

/// Takes messages.
pub trait Receiver: Send + Sync {
    fn name(&self) -> &str;
    fn wants(&self, topic: Topic) -> bool;
    fn send<'a>(
        &'a self,
        message: &'a Message,
    ) -> Pin<Box<dyn Future<Output = Result<(), NotTaken>> + Send + 'a>>;
}

/// A message that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDelivered {
    pub receiver: String,
    pub run: String,
    pub topic: Topic,
    pub why: String,
    /// `None`: it is given up.
    pub again_in: Option<Duration>,
}

type Receivers = BTreeMap<String, Arc<dyn Receiver>>;

struct Post<'a> {
    service: &'a Service,
    looker: Looker,
    receivers: Receivers,
    /// Where people reach the page, without a slash at the end.
    page: Option<String>,
    tell: &'a (dyn Fn(NotDelivered) + Send + Sync),
    session: Option<Session>,
    under_way: JoinSet<(Due, Message, Result<(), NotTaken>)>,
    busy: BTreeSet<String>,
    /// Of runs: what was noticed and told at the last look, which needs no other.
    settled: BTreeMap<i64, Vec<(Topic, String)>>,
    /// Why the last look failed.
    trouble: Option<String>,
}

impl Service {
    /// Sends messages until `stop`. While the database is away it waits.
    pub async fn deliver(
        &self,
        receivers: Vec<Arc<dyn Receiver>>,
        page: Option<String>,
        tell: impl Fn(NotDelivered) + Send + Sync,
        stop: CancellationToken,
    ) {
        let receivers = receivers.into_iter();
        let mut post = Post {
            service: self,
            looker: Looker::new(self.clone()),
            receivers: receivers.map(|one| (one.name().to_owned(), one)).collect(),
            page: page.map(|page| page.trim_end_matches('/').to_owned()),
            tell: &tell,
            session: None,
            under_way: JoinSet::new(),
            busy: BTreeSet::new(),
            settled: BTreeMap::new(),
            trouble: None,
        };
        let (mut watch_at, mut clean_at) = (Instant::now(), Instant::now());
        let mut watched = Ok(());
        while !stop.is_cancelled() {
            let now = Instant::now();
            if now >= watch_at {
                watched = post.watch().await;
                watch_at = now + WATCH_EVERY;
            }
            let cleans = now >= clean_at;
            let looked = post.look(cleans).await;
            match looked {
                Ok(()) if cleans => clean_at = now + CLEAN_EVERY,
                Ok(()) => {}
                Err(_) => post.session = None,
            }
            post.say(looked.as_ref().err().or(watched.as_ref().err()));
            post.wait(&stop).await;
        }
        let _ = tokio::time::timeout(GOODBYE_WITHIN, async {
            while let Some(sent) = post.under_way.join_next().await {
                post.sent(sent).await;
            }
        })
        .await;
    }

    /// How the messages of each receiver stand.
    pub async fn receivers(&self) -> Result<Vec<ReceiverRecord>, ServiceError> {
        let session = self.installed("status").await?;
        Ok(messages::receivers(&*session).await?)
    }
}

impl Post<'_> {
    async fn session(&mut self) -> Result<&mut Session, ServiceError> {
        if self
            .session
            .as_ref()
            .is_none_or(|session| session.is_closed())
        {
            let mut session = vital::within(LOOK_WITHIN, async {
                let session = self.service.target.connect("crossfade messages").await?;
                schema::require(&session, schema::Purpose::Drive).await?;
                Ok::<_, EngineError>(session)
            })
            .await?;
            let transaction = session.transaction().await?;
            for receiver in self.receivers.keys() {
                messages::register(&transaction, receiver).await?;
            }
            transaction.commit().await?;
            self.session = Some(session);
        }
        self.session
            .as_mut()
            .ok_or_else(|| ServiceError::Refused("there is no session".to_owned()))
    }

    /// What keeps messages from being sent, a database that is away or missing rights, is a warning in the log, once.
    fn say(&mut self, error: Option<&ServiceError>) {
        let trouble = error.map(ToString::to_string);
        if let Some(why) = trouble.as_deref().filter(|_| trouble != self.trouble) {
            tracing::warn!(why, "messages cannot be sent");
        }
        self.trouble = trouble;
    }

    /// Queues what is new, and begins to send what is due to receivers that are not at work on another message.
    async fn look(&mut self, cleans: bool) -> Result<(), ServiceError> {
        let receivers = self.receivers.clone();
        let names: Vec<&str> = receivers.keys().map(String::as_str).collect();
        let session = self.session().await?;
        let due = vital::within::<_, EngineError>(LOOK_WITHIN, async {
            for (name, run_id) in messages::behind(&**session, &names).await? {
                let Some(receiver) = receivers.get(&name) else {
                    continue;
                };
                let transaction = session.transaction().await?;
                let wants = |topic| receiver.wants(topic);
                messages::queue(&transaction, &name, run_id, wants).await?;
                transaction.commit().await?;
            }
            if cleans {
                messages::clean(&**session).await?;
            }
            Ok(messages::due(&**session, &names).await?)
        })
        .await?;
        for name in due {
            self.begin(&name).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, name: &str) -> Result<(), ServiceError> {
        let Some(receiver) = self.receivers.get(name).cloned() else {
            return Ok(());
        };
        if self.busy.contains(name) {
            return Ok(());
        }
        let (service, page) = (self.service.clone(), self.page.clone());
        let session = self.session().await?;
        let begun = vital::within::<_, EngineError>(LOOK_WITHIN, async {
            let Some(due) = messages::take(&**session, name, HOLD).await? else {
                return Ok(None);
            };
            let message = message(&service, session, &due, page.as_deref()).await?;
            Ok(Some((due, message)))
        })
        .await?;
        let Some((due, mut message)) = begun else {
            return Ok(());
        };
        if message.topic == Topic::Finished {
            // The message matters more than what it brings with it.
            let report = tokio::time::timeout(LOOK_WITHIN, service.report(&message.run));
            message.report = report.await.ok().and_then(Result::ok);
        }
        self.busy.insert(name.to_owned());
        self.under_way.spawn(async move {
            let sent = tokio::time::timeout(SEND_WITHIN, receiver.send(&message)).await;
            let sent = sent.unwrap_or_else(|_elapsed| {
                Err(NotTaken {
                    why: format!("no answer within {} s", SEND_WITHIN.as_secs()),
                    asks: None,
                    is_final: false,
                })
            });
            (due, message, sent)
        });
        Ok(())
    }

    /// Until the next look, the end of an attempt, or the end of the server.
    async fn wait(&mut self, stop: &CancellationToken) {
        let next_look = tokio::time::sleep(LOOK_EVERY);
        tokio::pin!(next_look);
        loop {
            tokio::select! {
                () = &mut next_look => return,
                () = stop.cancelled() => return,
                Some(sent) = self.under_way.join_next() => {
                    let receiver = self.sent(sent).await;
                    // The next of the same receiver, if there is one.
                    if let Some(receiver) = receiver
                        && self.begin(&receiver).await.is_err()
                    {
                        self.session = None;
                        return;
                    }
                }
            }
        }
    }

    /// Records what came of an attempt. Where that cannot be recorded, the message is sent again.
    async fn sent(
        &mut self,
        sent: Result<(Due, Message, Result<(), NotTaken>), tokio::task::JoinError>,
    ) -> Option<String> {
        let Ok((due, message, result)) = sent else {
            // A fault of ours: nobody knows which. All may begin again once their message is due again.
            self.busy.clear();
            return None;
        };
        self.busy.remove(&due.receiver);
        let again_in = match &result {
            Err(refused) if !refused.is_final => {
                let attempts = u32::try_from(due.attempts).unwrap_or(u32::MAX);
                send_again_after(attempts, due.age, refused.asks)
            }
            _ => None,
        };
        if let Err(refused) = &result {
            (self.tell)(NotDelivered {
                receiver: due.receiver.clone(),
                run: message.run,
                topic: message.topic,
                why: refused.why.clone(),
                again_in,
            });
        }
        let recorded = async {
            let session = self.session().await?;
            let recorded = vital::within::<_, EngineError>(LOOK_WITHIN, async {
                match &result {
                    Ok(()) => messages::delivered(&**session, &due.id).await?,
                    Err(refused) => {
                        messages::not_delivered(&**session, &due.id, &refused.why, again_in)
                            .await?;
                    }
                }
                Ok(())
            });
            recorded.await.map_err(ServiceError::from)
        };
        if recorded.await.is_err() {
            self.session = None;
            return None;
        }
        result.is_ok().then_some(due.receiver)
    }

    /// Records what there is to say of the runs as they stand.
    async fn watch(&mut self) -> Result<(), ServiceError> {
        let runs = self.looker.runs().await?;
        let mut there = BTreeSet::new();
        for run in runs.iter() {
            if run.line.state == RunState::Active.as_str() {
                there.insert(run.line.id);
            }
            // Of one that cannot be read at this moment, nothing is known to be over.
            let Some(status) = &run.status else { continue };
            self.notice(run.line.id, conditions::of(status)).await?;
        }
        let over: Vec<i64> = self.settled.keys().copied().collect();
        for run_id in over.into_iter().filter(|id| !there.contains(id)) {
            self.notice(run_id, Vec::new()).await?;
            self.settled.remove(&run_id);
        }
        Ok(())
    }

    async fn notice(&mut self, run_id: i64, mut found: Vec<Condition>) -> Result<(), ServiceError> {
        let key: Vec<(Topic, String)> = found
            .iter()
            .map(|one| (one.topic, one.about.clone()))
            .collect();
        if self.settled.get(&run_id) == Some(&key) {
            return Ok(());
        }
        let session = self.session().await?;
        let noted = vital::within::<_, EngineError>(LOOK_WITHIN, async {
            let transaction = session.transaction().await?;
            // One server after the other.
            pauses::hold(&transaction, run_id).await?;
            for condition in &mut found {
                if condition.topic == Topic::DifferenceFound {
                    let keys = verification::different_keys(&transaction, run_id).await?;
                    condition.detail += &format!(". Keys: {}", keys.join(", "));
                }
            }
            messages::notice(&transaction, run_id, &found).await?;
            let noticed = messages::noticed(&transaction, run_id).await?;
            transaction.commit().await?;
            Ok(noticed)
        });
        let noticed = match noted.await {
            Ok(noticed) => noticed,
            Err(error) => {
                self.session = None;
                return Err(error.into());
            }
        };
        if noticed.iter().all(|(_, _, is_told)| *is_told) {
            self.settled.insert(run_id, key);
        } else {
            self.settled.remove(&run_id);
        }
        Ok(())
    }
}

async fn message(
    service: &Service,
    session: &Session,
    due: &Due,
    page: Option<&str>,
) -> Result<Message, EngineError> {
    let run = runs::name(&**session, due.run_id).await?;
    let event = history::after(&**session, due.run_id, due.number - 1, 1)
        .await?
        .into_iter()
        .next()
        .ok_or_else(|| {
            EngineError::Refused(format!("event {} of {run} is not there", due.number))
        })?;
    let topic = Topic::named(&due.topic).unwrap_or(Topic::Test);
    let what = report::in_words(&event);
    let path = if topic == Topic::Finished {
        "/report"
    } else {
        ""
    };
    Ok(Message {
        id: format!("msg_{}", due.id.replace('-', "")),
        topic,
        at: event.at,
        database: service.describe(),
        event: due.number,
        by: format!("{} ({})", event.role, event.os_user),
        summary: format!("{run}: {what}"),
        link: page.map(|page| format!("{page}/runs/{run}{path}")),
        detail: event.detail,
        report: None,
        run,
    })
}
