//! How a client goes on after its connection was lost: it connects again and learns what became of its last write.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Error;
use super::client::{Client, close};
use super::rows::{Change, Origin};
use super::session::{self, Failure, Session};
use super::sql::Sql;

const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

impl Client {
    /// Of changes that are applied: each row before the first and after the last of them.
    pub(super) fn net(&self, changes: &[Change]) -> Vec<Change> {
        let mut seen = HashSet::new();
        let mut net = Vec::new();
        for change in changes {
            let Some(row) = change.before.as_ref().or(change.after.as_ref()) else {
                continue;
            };
            if seen.insert(row.id) {
                let after = self.rows.get(row.id).cloned();
                net.push(Change {
                    before: change.before.clone(),
                    after,
                });
            }
        }
        net
    }

    pub(super) async fn reconnect(
        &mut self,
        sql: &Arc<Sql>,
        stop: &CancellationToken,
    ) -> Option<Session> {
        let session = match Session::open(&self.setting.config, sql.clone()).await {
            Ok(session) => session,
            Err(error) => {
                let cause = match &error {
                    Error::Connect { source } | Error::Prepare { source, .. } => {
                        session::describe(source)
                    }
                    other => other.to_string(),
                };
                self.report(format!("{cause}: connecting again"));
                self.pause(RECONNECT_PAUSE, stop).await;
                return None;
            }
        };
        match self.settle(&session).await {
            Ok(()) => Some(session),
            Err(failure) => {
                self.failed(&failure);
                close(Some(session)).await;
                self.pause(RECONNECT_PAUSE, stop).await;
                None
            }
        }
    }

    /// Asks the table whether what was under way was done. What is neither before nor after is left as it was before,
    /// so that the comparison shows it.
    async fn settle(&mut self, session: &Session) -> Result<(), Failure> {
        if let (Some(backend), false) = (self.lost, self.uncertain.is_empty()) {
            session.wait_until_gone(backend).await?;
        }
        self.lost = None;
        while let Some(change) = self.uncertain.last().cloned() {
            let inserted = match (&change.before, &change.after) {
                (None, Some(after)) => Some(after.origin),
                _ => None,
            };
            let found = match (inserted, change.before.as_ref().or(change.after.as_ref())) {
                (Some(Origin::Inserted(number)), _) => {
                    let plate = self.setting.keys.license_plate(self.number, number);
                    session.find_by_plate(&plate).await?
                }
                (_, Some(row)) => session.find_by_id(row.id).await?,
                (_, None) => None,
            };
            self.uncertain.pop();
            match (found, change.after) {
                (Some(found), Some(mut after)) if found.is(&after, self.version) => {
                    after.id = found.id;
                    self.rows.put(after);
                }
                (None, None) => self.rows.apply(Change {
                    before: change.before,
                    after: None,
                }),
                (Some(_) | None, _) => {}
            }
        }
        Ok(())
    }
}
