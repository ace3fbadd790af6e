//! Whether a database is fit for runs, and for a plan: one check per file, each decided from what was read. `docs/guides/doctor.md`
//! lists them.

mod archiver;
mod autovacuum;
mod backup;
mod constraints;
mod disk;
mod event_triggers;
mod indexes;
mod products;
mod settings;
mod slots;
mod standbys;
mod transactions;
mod words;
mod wraparound;

pub use archiver::Archiver;
pub use autovacuum::{Autovacuum, VacuumedTable};
pub use backup::{Backup, Freshness, freshness};
pub use constraints::Unvalidated;
pub use disk::Disk;
pub use event_triggers::EventTrigger;
pub use indexes::InvalidIndex;
pub use products::{Installed, Special};
pub use settings::{Setting, Settings};
pub use slots::Slot;
pub use standbys::Standbys;
pub use transactions::{LongTransaction, Transactions};
pub use wraparound::{Horizon, Numbers, Wraparound};

use serde::Serialize;
use std::{fmt, str::FromStr};

/// What is looked at. `--accept` takes these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Connection,
    Installation,
    Plan,
    Rights,
    Triggers,
    Settings,
    Disk,
    Slots,
    Standbys,
    Archiver,
    Transactions,
    Wraparound,
    Indexes,
    Constraints,
    EventTriggers,
    Products,
    Autovacuum,
    Backup,
}

impl Check {
    pub const ALL: [Self; 18] = [
        Self::Connection,
        Self::Installation,
        Self::Plan,
        Self::Rights,
        Self::Triggers,
        Self::Settings,
        Self::Disk,
        Self::Slots,
        Self::Standbys,
        Self::Archiver,
        Self::Transactions,
        Self::Wraparound,
        Self::Indexes,
        Self::Constraints,
        Self::EventTriggers,
        Self::Products,
        Self::Autovacuum,
        Self::Backup,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Installation => "installation",
            Self::Plan => "plan",
            Self::Rights => "rights",
            Self::Triggers => "triggers",
            Self::Settings => "settings",
            Self::Disk => "disk",
            Self::Slots => "slots",
            Self::Standbys => "standbys",
            Self::Archiver => "archiver",
            Self::Transactions => "transactions",
            Self::Wraparound => "wraparound",
            Self::Indexes => "indexes",
            Self::Constraints => "constraints",
            Self::EventTriggers => "event_triggers",
            Self::Products => "products",
            Self::Autovacuum => "autovacuum",
            Self::Backup => "backup",
        }
    }

    /// Whether a run can be started in spite of it. What the others find would stop the run, or make it lose rows.
    pub const fn can_be_accepted(self) -> bool {
        match self {
            Self::Connection
            | Self::Installation
            | Self::Plan
            | Self::Rights
            | Self::Triggers
            | Self::Settings
            | Self::Products => false,
            Self::Disk
            | Self::Slots
            | Self::Standbys
            | Self::Archiver
            | Self::Transactions
            | Self::Wraparound
            | Self::Indexes
            | Self::Constraints
            | Self::EventTriggers
            | Self::Autovacuum
            | Self::Backup => true,
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|check| check.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            format!(
                "`{text}` is not a check; the checks are {}",
                names.join(", ")
            )
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Passed,
    /// Somebody should know.
    Warning,
    /// It would stop the run, or do harm.
    Failed,
    /// It could not be found out, which is no pass.
    Unknown,
}

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckFinding {
    pub check: Check,
    pub verdict: Verdict,
    pub found: String,
    /// A command or a statement that puts it right, or what to do.
    pub remedy: Option<String>,
}

impl CheckFinding {
    pub fn passed(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Passed, found)
    }

    pub fn warning(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, found)
    }

    pub fn failed(check: Check, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Failed, found)
    }

    pub fn unknown(check: Check, why: impl Into<String>) -> Self {
        Self::new(check, Verdict::Unknown, why)
    }

    fn new(check: Check, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            found: found.into(),
            remedy: None,
        }
    }

    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub fn has_failed(&self) -> bool {
        self.verdict == Verdict::Failed
    }
}

/// What was read, or why it could not be.
pub type Reading<T> = Result<T, String>;

/// What one or several plans would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// A plan among them has errors, so that it is not known what it would do.
    pub is_partly_unknown: bool,
    pub statements: Vec<String>,
    /// It fills a table, which writes much log for a long time.
    pub fills: bool,
    /// From the least that is likely to the most. `None`: not known.
    pub growth_bytes: Option<[u64; 2]>,
    pub wal_bytes: Option<[u64; 2]>,
    /// The least log kept by a slot at which a backfill of one of the plans stops.
    pub slot_bytes_max: Option<u64>,
    /// The least age of a transaction, and the least delay of a standby, at which one slows down.
    pub transaction_seconds_max: Option<f64>,
    pub lag_seconds_max: Option<f64>,
}

impl Work {
    /// What holds where no plan says another.
    fn or(limit: f64, of_plan: Option<f64>) -> f64 {
        of_plan.map_or(limit, |of_plan| of_plan.min(limit))
    }
}

/// What is read of the database and its server.
#[derive(Clone, Debug)]
pub struct ServerReadings {
    pub settings: Reading<Settings>,
    pub disk: Disk,
    pub slots: Reading<Vec<Slot>>,
    pub standbys: Reading<Standbys>,
    pub archiver: Reading<Archiver>,
    pub transactions: Reading<Transactions>,
    pub wraparound: Reading<Wraparound>,
    pub event_triggers: Reading<Vec<EventTrigger>>,
    pub installed: Reading<Vec<Installed>>,
    pub autovacuum: Reading<Autovacuum>,
    pub backup: Backup,
}

/// What is read of the tables of a plan.
#[derive(Clone, Debug)]
pub struct TableReadings {
    pub wraparound: Reading<Vec<Horizon>>,
    pub indexes: Reading<Vec<InvalidIndex>>,
    pub constraints: Reading<Vec<Unvalidated>>,
    pub special: Reading<Vec<Special>>,
    pub autovacuum: Reading<Vec<VacuumedTable>>,
}

/// The checks of the server. `work`: of the plans that are to be run there, if any are known.
pub fn of_server(readings: &ServerReadings, work: Option<&Work>) -> Vec<CheckFinding> {
    let ServerReadings {
        settings,
        disk,
        slots,
        standbys,
        archiver,
        transactions,
        wraparound,
        event_triggers,
        installed,
        autovacuum,
        backup,
    } = readings;
    [
        known(Check::Settings, settings, settings::check),
        disk::check(disk, work),
        known(Check::Slots, slots, |slots| slots::check(slots, work)),
        known(Check::Standbys, standbys, |standbys| {
            standbys::check(standbys, work)
        }),
        known(Check::Archiver, archiver, |archiver| {
            archiver::check(archiver, work)
        }),
        known(Check::Transactions, transactions, |transactions| {
            transactions::check(transactions, work)
        }),
        known(Check::Wraparound, wraparound, wraparound::check),
        known(Check::EventTriggers, event_triggers, |triggers| {
            event_triggers::check(triggers, work)
        }),
        known(Check::Products, installed, |installed| {
            products::of_database(installed)
        }),
        known(Check::Autovacuum, autovacuum, autovacuum::of_server),
        backup::check(backup),
    ]
    .concat()
}

/// The checks of a plan's tables.
pub fn of_tables(readings: &TableReadings) -> Vec<CheckFinding> {
    let TableReadings {
        wraparound,
        indexes,
        constraints,
        special,
        autovacuum,
    } = readings;
    [
        known(Check::Wraparound, wraparound, |tables| {
            wraparound::of_tables(tables)
        }),
        known(Check::Indexes, indexes, |indexes| indexes::check(indexes)),
        known(Check::Constraints, constraints, |constraints| {
            constraints::check(constraints)
        }),
        known(Check::Products, special, |tables| {
            products::of_tables(tables)
        }),
        known(Check::Autovacuum, autovacuum, |tables| {
            autovacuum::of_tables(tables)
        }),
    ]
    .concat()
}

/// What could not be read is said to be unknown.
fn known<T>(
    check: Check,
    reading: &Reading<T>,
    decide: impl FnOnce(&T) -> Vec<CheckFinding>,
) -> Vec<CheckFinding> {
    match reading {
        Ok(read) => decide(read),
        Err(why) => vec![CheckFinding::unknown(check, format!("not known: {why}"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_known_by_its_name() {
        for check in Check::ALL {
            assert_eq!(check.as_str().parse(), Ok(check));
            assert_eq!(serde_json::to_value(check).unwrap(), check.as_str());
        }
        assert!("slot".parse::<Check>().unwrap_err().contains("slots"));
    }

    #[test]
    fn what_cannot_be_read_never_passes() {
        fn no<T>() -> Reading<T> {
            Err("the server did not answer".to_owned())
        }
        let server = ServerReadings {
            settings: no(),
            disk: Disk::NotAsked,
            slots: no(),
            standbys: no(),
            archiver: no(),
            transactions: no(),
            wraparound: no(),
            event_triggers: no(),
            installed: no(),
            autovacuum: no(),
            backup: Backup::NotAsked,
        };
        let tables = TableReadings {
            wraparound: no(),
            indexes: no(),
            constraints: no(),
            special: no(),
            autovacuum: no(),
        };
        let work = Work {
            fills: true,
            ..Work::default()
        };
        let found = [of_server(&server, Some(&work)), of_tables(&tables)].concat();
        assert_eq!(found.len(), 16);
        for finding in found {
            assert_eq!(finding.verdict, Verdict::Unknown, "{finding:?}");
        }
    }
}
