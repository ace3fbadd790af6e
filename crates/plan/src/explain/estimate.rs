//! How much a statement has to do, from the server's statistics: estimates, as ranges. `docs/reference/estimates.md` says how.

use crossfade_model::ident::{Ident, TableName};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// What is known of the server and its tables beside their definitions.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `minimal`, `replica` or `logical`; empty where it is not known.
    pub wal_level: String,
    pub sizes: BTreeMap<TableName, Size>,
    /// What conversions would do to values that are there.
    pub losses: Vec<Loss>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    pub table: TableName,
    /// The new columns.
    pub columns: Vec<Ident>,
    /// `Err`: why it could not be tried.
    pub seen: Result<Seen, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub rows: u64,
    /// Rows with a value that a new column does not take.
    pub failed: u64,
    /// Rows of which something else comes back than was there.
    pub lost: u64,
    /// The whole table was looked at, and no sample of it.
    pub is_all: bool,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self.columns.iter().map(ToString::to_string).collect();
        let (table, columns) = (&self.table, columns.join(", "));
        let seen = match &self.seen {
            Ok(seen) => seen,
            Err(why) => {
                return write!(
                    f,
                    "which values of {table} {columns} would not take or lose was not counted: {why}"
                );
            }
        };
        let of = if seen.is_all {
            format!("all {} rows of {table}", seen.rows)
        } else {
            format!("a sample of {} rows of {table}", seen.rows)
        };
        if seen.failed == 0 && seen.lost == 0 {
            return write!(
                f,
                "of {of} none has a value that {columns} would not take or lose"
            );
        }
        write!(
            f,
            "of {of} {} have a value that {columns} cannot take. They go to quarantine, and the gates stay closed until the value is corrected or the row is accepted. {} would not survive the way there and back: their old value is lost when the old column is dropped",
            seen.failed, seen.lost
        )
    }
}

/// From `pg_class`, `pg_stats` and the sizes of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Size {
    /// 0 with `analyzed: false` where nobody has counted.
    pub rows: u64,
    pub analyzed: bool,
    /// The table's main file with its TOAST.
    pub bytes: u64,
    pub indexes: u64,
    pub index_bytes: u64,
    /// The sum of the columns' `avg_width`; 0 where there are no statistics.
    pub row_bytes: u64,
}

/// Each pair is from the least that is likely to the most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    pub rows: u64,
    pub wal_bytes: [u64; 2],
    /// What the table and its indexes grow by.
    pub growth_bytes: [u64; 2],
    pub seconds: [f64; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labour {
    /// Entries of the catalog: at once.
    Catalog,
    /// Every row is read.
    Scan,
    /// Every row is read twice, and an index written.
    Build,
    /// Every row is written again in its place, in batches.
    Fill,
    /// The table and its indexes are written anew.
    Rewrite,
}

/// Rows in a second that a fill changed, measured with one worker: wide rows with many indexes, and narrow ones with few.
const FILLED_PER_SECOND: [f64; 2] = [10_000.0, 250_000.0];
/// Bytes in a second that are read from a slow disk, and from memory.
const READ_PER_SECOND: [f64; 2] = [100e6, 1e9];
/// Bytes in a second that are written with their WAL.
const WRITTEN_PER_SECOND: [f64; 2] = [20e6, 200e6];
/// A change of the catalog, without the wait for its lock.
const CATALOG_SECONDS: [f64; 2] = [0.0, 0.1];
/// The head of a WAL record with that of a row, and of one with an entry of an index.
const RECORD_BYTES: u64 = 70;
const INDEX_RECORD_BYTES: u64 = 90;
/// An entry of a B-tree beside its key.
const INDEX_ENTRY_BYTES: u64 = 16;
/// An unknown row's width.
const ROW_BYTES: u64 = 100;

impl Size {
    fn rows(&self) -> u64 {
        if self.analyzed {
            self.rows
        } else {
            self.bytes / ROW_BYTES
        }
    }

    fn row_bytes(&self) -> u64 {
        match (self.row_bytes, self.rows()) {
            (0, 0) => ROW_BYTES,
            (0, rows) => self.bytes / rows,
            (known, _) => known,
        }
    }

    pub fn estimate(&self, labour: Labour) -> Estimate {
        let rows = self.rows();
        let nothing = Estimate {
            rows: 0,
            wal_bytes: [0, 0],
            growth_bytes: [0, 0],
            seconds: CATALOG_SECONDS,
        };
        match labour {
            Labour::Catalog => nothing,
            Labour::Scan => Estimate {
                rows,
                seconds: seconds(self.bytes, READ_PER_SECOND),
                ..nothing
            },
            Labour::Build => self.build(rows),
            Labour::Fill => self.fill(rows),
            Labour::Rewrite => {
                let all = self.bytes + self.index_bytes;
                Estimate {
                    rows,
                    wal_bytes: [rows * self.row_bytes(), all + self.bytes / 2],
                    // The old files go when the transaction ends.
                    growth_bytes: [0, all],
                    seconds: seconds(all, WRITTEN_PER_SECOND),
                }
            }
        }
    }

    fn build(&self, rows: u64) -> Estimate {
        let index = [
            rows * INDEX_ENTRY_BYTES,
            rows * (INDEX_ENTRY_BYTES + self.row_bytes().min(ROW_BYTES)),
        ];
        let read = seconds(2 * self.bytes, READ_PER_SECOND);
        let written = seconds(index[1], WRITTEN_PER_SECOND);
        Estimate {
            rows,
            wal_bytes: index,
            growth_bytes: index,
            seconds: [read[0] + written[0], read[1] + written[1]],
        }
    }

    /// The least: each row stays on its page and no index is touched. The most: each goes elsewhere, with an entry in
    /// every index, and every page is logged whole once after a checkpoint.
    fn fill(&self, rows: u64) -> Estimate {
        let row = rows * (self.row_bytes() + RECORD_BYTES);
        let entries = rows * self.indexes * INDEX_RECORD_BYTES;
        Estimate {
            rows,
            wal_bytes: [row, row + entries + 2 * self.bytes + self.index_bytes],
            growth_bytes: [self.bytes / 20, self.bytes + self.index_bytes],
            seconds: [
                rows as f64 / FILLED_PER_SECOND[1],
                rows as f64 / FILLED_PER_SECOND[0],
            ],
        }
    }
}

impl Estimate {
    pub fn and(self, other: Self) -> Self {
        let sum = |one: [u64; 2], two: [u64; 2]| [one[0] + two[0], one[1] + two[1]];
        Self {
            rows: self.rows.max(other.rows),
            wal_bytes: sum(self.wal_bytes, other.wal_bytes),
            growth_bytes: sum(self.growth_bytes, other.growth_bytes),
            seconds: [
                self.seconds[0] + other.seconds[0],
                self.seconds[1] + other.seconds[1],
            ],
        }
    }
}

fn seconds(bytes: u64, per_second: [f64; 2]) -> [f64; 2] {
    let at = |speed: f64| bytes as f64 / speed;
    [at(per_second[1]), at(per_second[0]).max(CATALOG_SECONDS[1])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_ranges_and_more_rows_are_more_work() {
        let size = |rows: u64| Size {
            rows,
            analyzed: true,
            bytes: rows * 120,
            indexes: 2,
            index_bytes: rows * 40,
            row_bytes: 90,
        };
        for labour in [Labour::Scan, Labour::Build, Labour::Fill, Labour::Rewrite] {
            let (small, large) = (
                size(1_000).estimate(labour),
                size(1_000_000).estimate(labour),
            );
            for estimate in [small, large] {
                assert!(
                    estimate.seconds[0] <= estimate.seconds[1],
                    "{labour:?} {estimate:?}"
                );
                assert!(
                    estimate.wal_bytes[0] <= estimate.wal_bytes[1],
                    "{labour:?} {estimate:?}"
                );
                assert!(
                    estimate.growth_bytes[0] <= estimate.growth_bytes[1],
                    "{labour:?} {estimate:?}"
                );
            }
            assert!(large.seconds[1] > small.seconds[1] && large.rows == 1_000_000);
        }
        assert_eq!(size(9).estimate(Labour::Catalog).wal_bytes, [0, 0]);
    }

    #[test]
    fn a_table_that_nobody_has_counted_is_counted_by_its_size() {
        let size = Size {
            bytes: 1_000_000,
            ..Size::default()
        };
        assert_eq!(size.estimate(Labour::Scan).rows, 10_000);
        assert_eq!(Size::default().estimate(Labour::Fill).rows, 0);
    }
}
