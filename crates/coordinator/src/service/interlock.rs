//! `require`: whether a release of the application may start or stop beside a run.

use super::{Service, ServiceError};
use crossfade_decisions::lifecycle::interlock::{self, Release, Verdict};

impl Service {
    /// Whether a release may run at this moment. Changes nothing, and takes no lease.
    pub async fn may_run(&self, run: &str, release: Release) -> Result<Verdict, ServiceError> {
        let (snapshot, _) = self.snapshot(run).await?;
        Ok(interlock::may_run(&snapshot, release))
    }
}
