//! The locks that statements take on tables.

use serde::Serialize;

/// PostgreSQL's table locks, as `pg_locks.mode` names them. Source of the modes: measurements on PostgreSQL 14 to 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Lock {
    AccessShareLock,
    RowShareLock,
    RowExclusiveLock,
    ShareUpdateExclusiveLock,
    ShareLock,
    ShareRowExclusiveLock,
    ExclusiveLock,
    AccessExclusiveLock,
}

impl Lock {
    /// What an application notices while the lock is held.
    pub fn blocks(self) -> &'static str {
        match self {
            Self::AccessShareLock | Self::RowShareLock | Self::RowExclusiveLock => "nothing",
            Self::ShareUpdateExclusiveLock => "other schema changes and vacuum only",
            Self::ShareLock | Self::ShareRowExclusiveLock | Self::ExclusiveLock => "writes",
            Self::AccessExclusiveLock => "reads and writes",
        }
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessShareLock => "ACCESS SHARE",
            Self::RowShareLock => "ROW SHARE",
            Self::RowExclusiveLock => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusiveLock => "SHARE UPDATE EXCLUSIVE",
            Self::ShareLock => "SHARE",
            Self::ExclusiveLock => "EXCLUSIVE",
            Self::ShareRowExclusiveLock => "SHARE ROW EXCLUSIVE",
            Self::AccessExclusiveLock => "ACCESS EXCLUSIVE",
        }
    }
}
