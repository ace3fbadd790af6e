//! The signals that a backfill is paced by: what they are called, and how a reading of each is written.

use crossfade_plan::pacing::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Named as in `settings.pacing`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    ReplicaLag,
    ReplicaLagBytes,
    SlotWalBytes,
    SlotWalPercent,
    ArchiveFiles,
    ArchiveFailing,
    BlockedSessions,
    ActiveSessions,
    OldestTransaction,
    OldestXmin,
    WraparoundVacuum,
    DeadTuplesPercent,
    Query,
    Http,
}

enum Unit {
    Seconds,
    Bytes,
    Percent,
    Count(&'static str),
    Number,
}

impl Signal {
    pub const ALL: [Self; 14] = [
        Self::ReplicaLag,
        Self::ReplicaLagBytes,
        Self::SlotWalBytes,
        Self::SlotWalPercent,
        Self::ArchiveFiles,
        Self::ArchiveFailing,
        Self::BlockedSessions,
        Self::ActiveSessions,
        Self::OldestTransaction,
        Self::OldestXmin,
        Self::WraparoundVacuum,
        Self::DeadTuplesPercent,
        Self::Query,
        Self::Http,
    ];

    /// As in `settings.pacing`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReplicaLag => "replica_lag",
            Self::ReplicaLagBytes => "replica_lag_bytes",
            Self::SlotWalBytes => "slot_wal_bytes",
            Self::SlotWalPercent => "slot_wal_percent",
            Self::ArchiveFiles => "archive_files",
            Self::ArchiveFailing => "archive_failing",
            Self::BlockedSessions => "blocked_sessions",
            Self::ActiveSessions => "active_sessions",
            Self::OldestTransaction => "oldest_transaction",
            Self::OldestXmin => "oldest_xmin",
            Self::WraparoundVacuum => "wraparound_vacuum",
            Self::DeadTuplesPercent => "dead_tuples_percent",
            Self::Query => "query",
            Self::Http => "http",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }

    /// To an operator.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReplicaLag => "replica lag",
            Self::ReplicaLagBytes => "log not replayed by a replica",
            Self::SlotWalBytes => "log kept by a replication slot",
            Self::SlotWalPercent => "log kept by a replication slot, of max_slot_wal_keep_size",
            Self::ArchiveFiles => "log waiting for the archiver",
            Self::ArchiveFailing => "the archiver has been failing for",
            Self::BlockedSessions => "sessions waiting for us",
            Self::ActiveSessions => "active sessions",
            Self::OldestTransaction => "oldest transaction",
            Self::OldestXmin => "transactions since the oldest that is held",
            Self::WraparoundVacuum => "autovacuum against wraparound at the table for",
            Self::DeadTuplesPercent => "dead rows in the table",
            Self::Query => "the plan's query",
            Self::Http => "the plan's HTTP probe",
        }
    }

    const fn unit(self) -> Unit {
        match self {
            Self::ReplicaLag
            | Self::ArchiveFailing
            | Self::BlockedSessions
            | Self::OldestTransaction
            | Self::WraparoundVacuum => Unit::Seconds,
            Self::ReplicaLagBytes | Self::SlotWalBytes => Unit::Bytes,
            Self::SlotWalPercent | Self::DeadTuplesPercent => Unit::Percent,
            Self::ArchiveFiles => Unit::Count(" files"),
            Self::ActiveSessions | Self::OldestXmin => Unit::Count(""),
            Self::Query | Self::Http => Unit::Number,
        }
    }

    /// A reading or a threshold.
    pub fn write(self, amount: f64) -> String {
        match self.unit() {
            Unit::Seconds => Duration::try_from_secs_f64(amount).map_or_else(
                |_| "no length of time".to_owned(),
                |time| format!("{time:.1?}"),
            ),
            Unit::Bytes => Bytes::rough(amount),
            Unit::Percent => format!("{amount:.0} %"),
            Unit::Count(of) => format!("{amount:.0}{of}"),
            Unit::Number => format!("{amount}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signal;
    use crossfade_plan::pacing::Pacing;

    #[test]
    fn every_signal_is_a_key_of_the_settings() {
        let settings = serde_json::to_value(Pacing::default()).unwrap();
        for signal in Signal::ALL {
            assert!(settings.get(signal.as_str()).is_some(), "{signal:?}");
            assert_eq!(serde_json::to_value(signal).unwrap(), signal.as_str());
            assert_eq!(Signal::named(signal.as_str()), Some(signal));
        }
    }

    #[test]
    fn a_reading_is_written_in_its_unit() {
        assert_eq!(Signal::ReplicaLag.write(2.0), "2.0s");
        assert_eq!(Signal::SlotWalBytes.write(1_503_238_553.0), "1.4 GB");
        assert_eq!(Signal::SlotWalPercent.write(49.6), "50 %");
        assert_eq!(Signal::ArchiveFiles.write(3.0), "3 files");
        assert_eq!(Signal::Query.write(0.25), "0.25");
        assert_eq!(Signal::ReplicaLag.write(f64::INFINITY), "no length of time");
    }
}
