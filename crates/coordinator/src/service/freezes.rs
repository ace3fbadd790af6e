//! Freezing a database: nothing begins, backfills rest, and going back and looking stay possible.

use super::{Service, ServiceError, tokens::Doing};
use crate::{
    engine::{EngineError, vital},
    store::freezes,
};
use crossfade_decisions::lifecycle::snapshot::Pause;
use crossfade_plan::calendar::Occasion;
use crossfade_postgres::connect::Session;
use jiff::Timestamp;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks at the calendar.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LOOK_WITHIN: Duration = Duration::from_secs(15);

impl Service {
    /// Takes effect at the next batch of whoever drives a run.
    pub async fn freeze(&self, reason: &str, until: Option<Timestamp>) -> Result<(), ServiceError> {
        let mut session = self.installed("freeze").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        freezes::place(&transaction, reason, until, None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends every freeze in force. Those that it ended.
    pub async fn unfreeze(&self) -> Result<Vec<Pause>, ServiceError> {
        let mut session = self.installed("unfreeze").await?;
        let transaction = session.transaction().await?;
        self.act(&transaction, Doing::Operate).await?;
        let ended = freezes::end(&transaction).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    /// The freeze in force that ends last.
    pub async fn frozen(&self) -> Result<Option<Pause>, ServiceError> {
        let session = self.installed("status").await?;
        Ok(freezes::in_force(&*session).await?)
    }

    /// Freezes the database at the times of a calendar, by the database's clock, until `stop`. Each time is placed once, by
    /// whichever server comes first, so one that somebody has ended stays ended.
    pub async fn keep_calendar(&self, calendar: &[Occasion], stop: CancellationToken) {
        let (mut session, mut trouble) = (None, None);
        while !stop.is_cancelled() && !calendar.is_empty() {
            let looked = vital::within(LOOK_WITHIN, self.freeze_by(calendar, &mut session));
            let failed = looked.await.err().map(|error| error.to_string());
            if let Some(why) = &failed {
                session = None;
                // Of each reason once: the next look may do it.
                if failed != trouble {
                    tracing::warn!(why, "the calendar of freezes cannot be kept");
                }
            }
            trouble = failed;
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn freeze_by(
        &self,
        calendar: &[Occasion],
        session: &mut Option<Session>,
    ) -> Result<(), EngineError> {
        let session = match session {
            Some(session) => session,
            None => session.insert(self.target.connect("crossfade calendar").await?),
        };
        let now = session.query_one("SELECT clock_timestamp()", &[]).await?;
        let now: Timestamp = now.get(0);
        for occasion in calendar {
            let Some(interval) = occasion.at(now) else {
                continue;
            };
            let name = format!("{}/{} {}", interval.from, interval.to, occasion.reason);
            if freezes::is_placed(&**session, &name).await? {
                continue;
            }
            let transaction = session.transaction().await?;
            freezes::place(
                &transaction,
                &occasion.reason,
                Some(interval.to),
                Some(&name),
            )
            .await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}
