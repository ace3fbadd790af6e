//! Limits that a backfill keeps within, as plans write them: how large a batch is, and for each signal from where on it
//! slows down and stops.

mod asked;
mod bytes;
mod limit;

pub use asked::{HttpProbe, HttpProbeWords, NumberQuery, NumberQueryWords};
pub use bytes::Bytes;
pub use limit::{Amount, Limit, LimitWords, WhenStale, or_off};

use super::{schema::OrOff, span::Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was read longer ago says nothing of now: `when_stale` counts instead.
pub const READING_AGE_MAX: Span = Span::from_millis(15_000);

/// In one process: each has a session of its own.
pub const WORKERS_MAX: u32 = 64;

/// Size and number of batches, and the signals that slow down or stop a backfill or verification. A signal that is `off` is not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pacing {
    /// Target duration of a batch.
    pub batch_target: Span,
    pub batch_rows_max: u32,
    /// Mebibytes of WAL that one batch may write.
    pub batch_wal_mib_max: u32,
    /// Workers in one process while no signal slows the backfill down.
    pub workers: u32,
    /// The table is vacuumed whenever this percentage of it was rewritten. 0: never.
    pub vacuum_percent: u32,
    /// A backfill pauses if this percentage of its last 50 batches had rows that do not convert. 0: never.
    pub failed_batches_percent: u32,
    /// Replay delay of the slowest streaming standby.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Span>>")]
    pub replica_lag: Option<Limit<Span>>,
    /// WAL that the slowest standby has not replayed.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Bytes>>")]
    pub replica_lag_bytes: Option<Limit<Bytes>>,
    /// WAL that a replication slot retains, active or not.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Bytes>>")]
    pub slot_wal_bytes: Option<Limit<Bytes>>,
    /// The same as a percentage of `max_slot_wal_keep_size`, if that is set. At 100 a slot is lost.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<u64>>")]
    pub slot_wal_percent: Option<Limit<u64>>,
    /// WAL files that wait for the archiver.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<u64>>")]
    pub archive_files: Option<Limit<u64>>,
    /// For how long the archiver has been failing, since Crossfade first noticed it.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Span>>")]
    pub archive_failing: Option<Limit<Span>>,
    /// The longest time that a session has waited for a lock of Crossfade.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Span>>")]
    pub blocked_sessions: Option<Limit<Span>>,
    /// Sessions that run a statement. The server does not report its number of cores, so this is off by default.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<u64>>")]
    pub active_sessions: Option<Limit<u64>>,
    /// The age of the oldest transaction that prevents vacuum from removing dead rows.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Span>>")]
    pub oldest_transaction: Option<Limit<Span>>,
    /// The same as a number of transactions, including replication slots and standbys.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<u64>>")]
    pub oldest_xmin: Option<Limit<u64>>,
    /// How long an anti-wraparound autovacuum has been running on the table.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<Span>>")]
    pub wraparound_vacuum: Option<Limit<Span>>,
    /// Dead rows as a percentage of all rows of the table. The backfill creates dead rows itself, and its vacuum runs
    /// only while it progresses, so this is off by default.
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<Limit<u64>>")]
    pub dead_tuples_percent: Option<Limit<u64>>,
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<NumberQuery>")]
    pub query: Option<NumberQuery>,
    #[serde(with = "or_off")]
    #[schemars(with = "OrOff<HttpProbe>")]
    pub http: Option<HttpProbe>,
}

impl Pacing {
    /// The words whose number means nothing, each with what it may be.
    pub fn out_of_range(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let percent = "from 0, for never, to 100";
        let ranges = [
            (
                "batch_target",
                (1..=60_000).contains(&self.batch_target.millis()),
                "from 1ms to 1m",
            ),
            ("batch_rows_max", self.batch_rows_max > 0, "at least 1"),
            (
                "batch_wal_mib_max",
                self.batch_wal_mib_max > 0,
                "at least 1",
            ),
            (
                "workers",
                (1..=WORKERS_MAX).contains(&self.workers),
                "from 1 to 64",
            ),
            ("vacuum_percent", self.vacuum_percent <= 100, percent),
            (
                "failed_batches_percent",
                self.failed_batches_percent <= 100,
                percent,
            ),
        ];
        ranges
            .into_iter()
            .filter(|(_, holds, _)| !holds)
            .map(|(word, _, range)| (word, range))
    }
}

impl Default for Pacing {
    fn default() -> Self {
        let seconds = |slow: u64, stop: u64| {
            Some(Limit::new(
                Span::from_millis(slow * 1_000),
                Span::from_millis(stop * 1_000),
            ))
        };
        let mebibytes = |slow, stop| {
            Some(Limit::new(
                Bytes::from_mebibytes(slow),
                Bytes::from_mebibytes(stop),
            ))
        };
        let count = |slow, stop| Some(Limit::new(slow, stop));
        Self {
            batch_target: Span::from_millis(25),
            batch_rows_max: 100_000,
            batch_wal_mib_max: 64,
            workers: 1,
            vacuum_percent: 5,
            failed_batches_percent: 50,
            replica_lag: seconds(1, 10),
            replica_lag_bytes: mebibytes(256, 1_024),
            slot_wal_bytes: mebibytes(4_096, 16_384),
            slot_wal_percent: count(50, 80),
            archive_files: count(64, 512),
            archive_failing: seconds(5, 60),
            blocked_sessions: Some(Limit::new(Span::from_millis(50), Span::from_millis(1_000))),
            active_sessions: None,
            oldest_transaction: seconds(5 * 60, 60 * 60),
            oldest_xmin: count(5_000_000, 50_000_000),
            wraparound_vacuum: seconds(1, 10 * 60),
            dead_tuples_percent: None,
            query: None,
            http: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;
    use crossfade_model::error::Path;

    fn read(yaml: &str) -> Result<Pacing, Vec<String>> {
        let mut errors = Vec::new();
        let value = decode::read(yaml).unwrap();
        decode::decode(value, &Path::root(), &mut errors)
            .ok_or_else(|| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_off_stays_off_when_the_plan_is_stored_and_read_again() {
        let pacing = read("{replica_lag: off, blocked_sessions: ~, workers: 3}").unwrap();
        assert_eq!(
            (pacing.replica_lag, pacing.blocked_sessions, pacing.workers),
            (None, None, 3)
        );
        assert_eq!(pacing.oldest_xmin, Pacing::default().oldest_xmin);
        let stored = serde_json::to_value(&pacing).unwrap();
        assert_eq!(stored["replica_lag"], "off");
        assert_eq!(serde_json::from_value::<Pacing>(stored).unwrap(), pacing);
    }

    #[test]
    fn every_kind_of_limit_is_read_in_its_own_unit() {
        let pacing = read(
            "{replica_lag: {slow: 500ms, stop: 2s, when_stale: slow}, slot_wal_bytes: {slow: 1GB, stop: 10GB}, \
              active_sessions: {slow: 20, stop: 40}, query: {sql: 'SELECT 1', slow: 0.5, stop: 2}, \
              http: {url: 'http://localhost/pace', value: /load, slow: 1, stop: 2}}",
        )
        .unwrap();
        let lag = pacing.replica_lag.unwrap();
        assert_eq!(lag.slow.amount(), 0.5);
        assert_eq!(lag.when_stale, WhenStale::Slow);
        let slots = pacing.slot_wal_bytes.unwrap();
        assert_eq!(slots.stop.amount(), 10.0 * 1_073_741_824.0);
        assert_eq!(slots.when_stale, WhenStale::Stop);
        let http = pacing.http.clone().unwrap();
        assert_eq!(http.limit(), Some(Limit::new(1.0, 2.0)));
        let stored = serde_json::to_value(&pacing).unwrap();
        assert_eq!(serde_json::from_value::<Pacing>(stored).unwrap(), pacing);
    }

    #[test]
    fn limits_that_mean_nothing_are_refused() {
        for (yaml, expected) in [
            (
                "{replica_lag: {slow: 2s, stop: 1s}}",
                "`stop` is below `slow`",
            ),
            (
                "{replica_lag: {slow: 0s, stop: 1s}}",
                "`slow` must be more than 0",
            ),
            ("{replica_lag: {slow: 1s}}", "`stop` is missing"),
            ("{replica_lag: on}", "found"),
            (
                "{replica_lag: {slow: 1s, stop: 2s, when_stale: go}}",
                "unknown when stale `go`",
            ),
            (
                "{replica_lag: {slow: 1s, stop: 2s, halt: 3s}}",
                "unknown key `halt`",
            ),
            (
                "{slot_wal_bytes: {slow: 1 apple, stop: 2GB}}",
                "not a number of bytes",
            ),
            ("{query: {sql: ' ', slow: 1, stop: 2}}", "`sql` is empty"),
            ("{http: {url: 'ftp://a'}}", "not an http:// or https://"),
            ("{http: {url: 'http://a', value: /x}}", "go together"),
            ("{http: {url: 'http://a', slow: 1, stop: 2}}", "go together"),
            (
                "{http: {url: 'http://a', value: x, slow: 1, stop: 2}}",
                "JSON pointer",
            ),
        ] {
            let errors = read(yaml).unwrap_err();
            assert!(
                errors.iter().any(|error| error.contains(expected)),
                "{yaml}: {errors:?}"
            );
        }
    }
}
