//! The plan's limits as plain numbers, one entry for each signal that is on.

use super::Signal;
use crossfade_plan::pacing::{Amount, HttpProbe, Limit, Pacing, WhenStale};

/// The limits of one signal, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    pub slow: f64,
    pub stop: f64,
    pub when_stale: WhenStale,
    /// These are not the limits that every plan has: somebody wants this signal to be read.
    pub asked: bool,
}

pub fn bounds(pacing: &Pacing) -> Vec<(Signal, Bound)> {
    let usual = Pacing::default();
    let all = [
        (
            Signal::ReplicaLag,
            of(pacing.replica_lag, usual.replica_lag),
        ),
        (
            Signal::ReplicaLagBytes,
            of(pacing.replica_lag_bytes, usual.replica_lag_bytes),
        ),
        (
            Signal::SlotWalBytes,
            of(pacing.slot_wal_bytes, usual.slot_wal_bytes),
        ),
        (
            Signal::SlotWalPercent,
            of(pacing.slot_wal_percent, usual.slot_wal_percent),
        ),
        (
            Signal::ArchiveFiles,
            of(pacing.archive_files, usual.archive_files),
        ),
        (
            Signal::ArchiveFailing,
            of(pacing.archive_failing, usual.archive_failing),
        ),
        (
            Signal::BlockedSessions,
            of(pacing.blocked_sessions, usual.blocked_sessions),
        ),
        (
            Signal::ActiveSessions,
            of(pacing.active_sessions, usual.active_sessions),
        ),
        (
            Signal::OldestTransaction,
            of(pacing.oldest_transaction, usual.oldest_transaction),
        ),
        (
            Signal::OldestXmin,
            of(pacing.oldest_xmin, usual.oldest_xmin),
        ),
        (
            Signal::WraparoundVacuum,
            of(pacing.wraparound_vacuum, usual.wraparound_vacuum),
        ),
        (
            Signal::DeadTuplesPercent,
            of(pacing.dead_tuples_percent, usual.dead_tuples_percent),
        ),
        (
            Signal::Query,
            of(pacing.query.as_ref().map(|query| query.limit), None),
        ),
        (Signal::Http, pacing.http.as_ref().map(of_probe)),
    ];
    all.into_iter()
        .filter_map(|(signal, bound)| Some((signal, bound?)))
        .collect()
}

fn of<T: Amount + PartialEq>(limit: Option<Limit<T>>, usual: Option<Limit<T>>) -> Option<Bound> {
    limit.map(|given| Bound {
        slow: given.slow.amount(),
        stop: given.stop.amount(),
        when_stale: given.when_stale,
        asked: Some(given) != usual,
    })
}

/// Without a number its answers alone slow and stop.
fn of_probe(probe: &HttpProbe) -> Bound {
    let limit = probe.limit();
    Bound {
        slow: limit.map_or(f64::INFINITY, |limit| limit.slow),
        stop: limit.map_or(f64::INFINITY, |limit| limit.stop),
        when_stale: probe.when_stale,
        asked: true,
    }
}
