//! The audit log of a run: by pages, and live.

use super::{
    body::{Asked, Run},
    document::Operation,
};
use crate::{
    failure::{Failure, Problem},
    site::Shared,
    visitor::Caller,
};
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use crossfade_coordinator::service::HistoryEvent;
use futures_util::stream::{self, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;

const LIMIT_MAX: u32 = 1_000;
const EVERY: Duration = Duration::from_secs(1);
/// A token may be revoked while its holder listens.
const ASK_AGAIN_EVERY: u32 = 10;

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Page {
    /// Events after this number.
    #[serde(default)]
    after: i64,
    /// At most so many.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 1_000))]
    limit: u32,
}

/// Where a stream begins.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Beginning {
    /// Behind the event of this number.
    #[serde(default)]
    after: i64,
}

#[derive(Serialize, JsonSchema)]
pub struct Events {
    run: String,
    /// The oldest first.
    events: Vec<HistoryEvent>,
    /// The `after` of the next page; null: there is none.
    next: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    let page = Operation::get(
        "/runs/{run}/events",
        page,
        "The audit log of a run, by pages",
    )
    .query::<Page>()
    .answers::<Events>(200);
    let live = Operation::get(
        "/runs/{run}/events/live",
        live,
        "The audit log of a run, as it grows",
    )
    .query::<Beginning>()
    .header(
        "Last-Event-ID",
        "The number of the event behind which the stream goes on.",
    )
    .answers_text(200, "text/event-stream");
    vec![page, live]
}

fn limit() -> u32 {
    100
}

pub async fn page(
    State(site): State<Shared>,
    Caller(visitor): Caller,
    Run(run): Run,
    Asked(page): Asked<Page>,
) -> Result<Json<Events>, Problem> {
    visitor.known()?;
    if !(1..=LIMIT_MAX).contains(&page.limit) {
        let why = format!("`limit` is from 1 to {LIMIT_MAX}");
        return Err(Failure::Malformed(why).into());
    }
    let events = site
        .looker
        .events_after(&run, page.after, page.limit)
        .await?;
    let is_full = u32::try_from(events.len()).is_ok_and(|shown| shown == page.limit);
    let next = events.last().filter(|_| is_full).map(|event| event.number);
    Ok(Json(Events { run, events, next }))
}

struct Listener {
    site: Shared,
    run: String,
    caller: Caller,
    after: i64,
    ready: VecDeque<HistoryEvent>,
    looks: u32,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.after = event.number;
                let text = serde_json::to_string(&event).ok()?;
                let id = event.number.to_string();
                return Some(
                    Event::default()
                        .id(id)
                        .event(event.kind.replace(' ', "_"))
                        .data(text),
                );
            }
            if self.looks > 0 {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = self.site.stop.cancelled() => return None,
                }
            }
            self.looks = self.looks.wrapping_add(1);
            if self.looks.is_multiple_of(ASK_AGAIN_EVERY) && !self.may_still_listen().await {
                return None;
            }
            // While the database is away, nothing new is sent: the stream stays.
            if let Ok(events) = self
                .site
                .looker
                .events_after(&self.run, self.after, LIMIT_MAX)
                .await
            {
                self.ready = events.into();
            }
        }
    }

    async fn may_still_listen(&self) -> bool {
        let Some(secret) = self.caller.0.secret() else {
            return false;
        };
        match self.site.looker.holder(secret).await {
            Ok(holder) => holder.is_some_and(|holder| holder.may_look),
            Err(_away) => true,
        }
    }
}

/// Each event as it is recorded, with its number as id: `Last-Event-ID` goes on behind it.
pub async fn live(
    State(site): State<Shared>,
    caller: Caller,
    Run(run): Run,
    Asked(from): Asked<Beginning>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    caller.0.known()?;
    let last = headers.get("last-event-id").map(|value| {
        let number = value
            .to_str()
            .ok()
            .and_then(|text| text.parse::<i64>().ok());
        number.ok_or_else(|| {
            Failure::Malformed("`Last-Event-ID` is the number of an event".to_owned())
        })
    });
    let after = last.transpose()?.unwrap_or(from.after);
    // A name that no run has is an error, and not a silent stream.
    site.looker.events_after(&run, after, 1).await?;
    let place = Arc::clone(&site.streams).try_acquire_owned();
    let place = place.map_err(|_all_taken| Failure::TooMany)?;
    let listener = Listener {
        _place: place,
        site: Arc::clone(&site),
        run,
        caller,
        after,
        ready: VecDeque::new(),
        looks: 0,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
