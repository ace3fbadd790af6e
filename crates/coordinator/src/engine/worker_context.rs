//! What a process brings along for its workers: the driver, or one that only helps.

use super::notice::Reporter;
use crate::store::lease::Lease;
use deadpool_postgres::Pool;
use std::sync::{Arc, atomic::AtomicBool};
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
pub struct WorkerContext {
    pub pool: Pool,
    pub lease: Lease,
    /// Who runs the workers, for the record.
    pub holder: String,
    pub reporter: Arc<dyn Reporter>,
    /// Ctrl-C.
    pub stop: CancellationToken,
    /// The driver's lease is lost. A process that only helps has none to lose.
    pub lost: Arc<AtomicBool>,
}
