//! Live pages: each thing that somebody looks at is read and rendered once a second, for all who look at it.

use crate::{
    failure::Failure,
    page,
    sight::Sight,
    site::{Shared, Site},
    visitor::Looking,
};
use axum::{
    extract::{Path, State},
    response::sse::{Event, KeepAlive, Sse},
};
use crossfade_coordinator::service::Secret;
use futures_util::stream::{self, Stream};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, watch};

const EVERY: Duration = Duration::from_secs(1);
/// A token may be revoked while its holder looks on.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Runs(Sight),
    Run(String, Sight),
}

type Shown = Arc<str>;

#[derive(Default)]
pub struct Live {
    topics: Mutex<BTreeMap<Topic, watch::Sender<Shown>>>,
}

/// What a page is sent.
#[derive(Serialize)]
struct Update<'a> {
    top: &'a str,
    html: &'a str,
    /// What may be done has changed where this has.
    mark: &'a str,
}

/// The part of a page that changes by itself, and what decides which actions it offers.
pub struct Part {
    /// Above the actions.
    pub top: maud::Markup,
    /// Below them.
    pub html: maud::Markup,
    pub mark: String,
}

impl Part {
    fn in_json(&self) -> Shown {
        let update = Update {
            top: &self.top.0,
            html: &self.html.0,
            mark: &self.mark,
        };
        serde_json::to_string(&update).unwrap_or_default().into()
    }
}

async fn render(site: &Site, topic: &Topic) -> Part {
    let part = match topic {
        Topic::Runs(sight) => page::runs::part(site, *sight).await,
        Topic::Run(run, sight) => page::run::part(site, run, *sight).await,
    };
    part.unwrap_or_else(|failure| page::away_part(&failure))
}

impl Live {
    /// What the topic shows, from now on.
    fn subscribe(&self, site: &Shared, topic: Topic) -> watch::Receiver<Shown> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = topics.get(&topic) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(Shown::from(""));
        topics.insert(topic.clone(), sender);
        tokio::spawn(keep(Arc::clone(site), topic));
        receiver
    }

    /// Shows it; `false`: nobody looks on any more, and the topic is gone.
    fn show(&self, topic: &Topic, shown: Shown) -> bool {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = topics.get(topic) else {
            return false;
        };
        if sender.receiver_count() == 0 {
            topics.remove(topic);
            return false;
        }
        sender.send_if_modified(|before| {
            let is_new = *before != shown;
            *before = shown;
            is_new
        });
        true
    }
}

async fn keep(site: Shared, topic: Topic) {
    loop {
        let shown = render(&site, &topic).await.in_json();
        if !site.live.show(&topic, shown) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = site.stop.cancelled() => return,
        }
    }
}

/// One open page.
struct Watcher {
    site: Shared,
    shown: watch::Receiver<Shown>,
    secret: Option<Secret>,
    asked_at: Instant,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    /// What is new; `None`: the server stops, or who looks may not any more.
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        loop {
            tokio::select! {
                changed = self.shown.changed() => {
                    changed.ok()?;
                    let shown = self.shown.borrow_and_update().clone();
                    if !shown.is_empty() {
                        return Some(Event::default().data(&*shown));
                    }
                }
                () = tokio::time::sleep_until((self.asked_at + ASK_AGAIN_AFTER).into()) => {
                    if !self.may_still_look().await {
                        self.is_over = true;
                        return Some(Event::default().event("over").data("signed out"));
                    }
                }
                () = self.site.stop.cancelled() => return None,
            }
        }
    }

    /// While the database is away, nothing new is shown.
    async fn may_still_look(&mut self) -> bool {
        self.asked_at = Instant::now();
        let Some(secret) = &self.secret else {
            return self.site.settings.public_read;
        };
        match self.site.looker.holder(secret).await {
            Ok(holder) => holder.is_some_and(|holder| holder.may_look),
            Err(_away) => true,
        }
    }
}

type Events = Sse<
    axum::response::sse::KeepAliveStream<
        std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>,
    >,
>;

fn stream(site: &Shared, visitor: &Looking, topic: Topic) -> Result<Events, Failure> {
    let place = Arc::clone(&site.streams).try_acquire_owned();
    let place = place.map_err(|_all_taken| Failure::TooMany)?;
    let shown = site.live.subscribe(site, topic);
    let mut watcher = Watcher {
        site: Arc::clone(site),
        shown,
        secret: visitor.0.secret().cloned(),
        asked_at: Instant::now(),
        is_over: false,
        _place: place,
    };
    // Whoever comes later is shown what the others see.
    watcher.shown.mark_changed();
    let events = stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok(event), watcher))
    });
    let events: std::pin::Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(events);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

pub async fn runs(State(site): State<Shared>, visitor: Looking) -> Result<Events, Failure> {
    let topic = Topic::Runs(visitor.0.sight());
    stream(&site, &visitor, topic)
}

pub async fn run(
    State(site): State<Shared>,
    visitor: Looking,
    Path(run): Path<String>,
) -> Result<Events, Failure> {
    // A name that no run has is an error of the page, and not a stream of errors.
    site.looker.status(&run).await?;
    let topic = Topic::Run(run, visitor.0.sight());
    stream(&site, &visitor, topic)
}
