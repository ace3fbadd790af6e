//! A place at which sessions are lost again and again: it is said, with the row where that is known, and the run pauses.

use super::{Work, worker::Worker};
use crate::database::batch::{self, Range};
use crate::engine::EngineError;
use crate::store::walks::{self, Segment};
use crossfade_plan::key::KeyColumn;

impl Worker<'_> {
    /// Whether the run was paused, as trying again does no good.
    pub(super) async fn is_hopeless(&mut self, segment: &Segment) -> Result<bool, EngineError> {
        if !segment.losses.is_hopeless() {
            return Ok(false);
        }
        let reason = self.what_was_lost(segment).await?;
        let (lease, step) = (self.site.lease, &self.site.step.0);
        walks::say_losses(&**self.client, lease, step, segment).await?;
        self.pause(&reason).await?;
        Ok(true)
    }

    async fn what_was_lost(&self, segment: &Segment) -> Result<String, EngineError> {
        let losses = &segment.losses;
        let storage = segment.storage.as_ref();
        let table = storage.map_or_else(|| self.site.walk.table_name.clone(), ToString::to_string);
        let place = match (&losses.row, storage) {
            (Some(tid), Some(storage)) => {
                let row = Range::row(tid).map(|row| row.of(storage));
                let key = self.key();
                let key = match row {
                    Some(row) if !key.is_empty() => {
                        batch::row_key(&**self.client, &key, row).await?
                    }
                    _ => None,
                };
                let key =
                    key.map_or_else(String::new, |key| format!(" with the key {}", key.shown()));
                format!("at the row {tid}{key} of {table}")
            }
            _ => format!(
                "at the rows of {table} from ({},0) to before ({},0)",
                segment.next_block, losses.to
            ),
        };
        Ok(format!(
            "the server ended the session or crashed {} times {place} (ctid). Its log says why. Correct or drop the cause (a CHECK, an index or a function on that row). Then `crossfade resume {}` tries again",
            losses.count, self.site.plan.name
        ))
    }

    fn key(&self) -> Vec<KeyColumn> {
        match &self.site.work {
            Work::Fill(fill) => fill
                .link
                .as_ref()
                .map_or_else(|| fill.key.clone(), |link| link.key_columns()),
            Work::Compare { matching, .. } => matching.key.clone(),
        }
    }
}
