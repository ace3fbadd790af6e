//! What a client does to its rows: the statement's values, what must come back, and what is then true. Pure.

use super::rows::{Change, Row, Rows};
use super::shape::{Pair, Version};

/// Which columns an INSERT of a new row names, and whether it minds a row that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InsertKind {
    Naming,
    NamingNeither,
    OnConflict,
}

/// One statement. `value` is what is sent for the synced column: the writer's side of the pair.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// Of a new row, whose id is 0 until the database has given one.
    Insert {
        kind: InsertKind,
        license_plate: String,
        row: Row,
        value: Option<String>,
    },
    /// INSERT … ON CONFLICT of a row that is there. Without the license plate: that of the id.
    Upsert {
        id: i64,
        license_plate: Option<String>,
        pair: Pair,
        value: Option<String>,
        mileage: i32,
    },
    /// Of the synced column, of one row or several.
    Set {
        ids: Vec<i64>,
        pair: Pair,
        value: Option<String>,
    },
    /// Of what is not synced: the row moves, and its value must come along.
    UpdateUnrelated {
        id: i64,
        mileage: i32,
        note: String,
    },
    /// Of what no client owns, in any row that was there from the start, be it another client's or deleted.
    UpdateNote {
        id: i64,
        note: String,
    },
    Delete {
        id: i64,
    },
    Read {
        id: i64,
    },
}

/// A row as it was read; the value is the reading version's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub id: i64,
    pub value: Option<String>,
    pub mileage: i32,
}

impl Found {
    /// Whether this is the row, as far as its version can tell.
    pub fn is(&self, row: &Row, version: Version) -> bool {
        self.mileage == row.mileage
            && (!row.shows_value(version) || self.value.as_deref() == row.pair.side(version))
    }
}

/// What the server answered.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// Of the row that was inserted or updated.
    Id(Option<i64>),
    Rows(u64),
    Found(Option<Found>),
}

impl Operation {
    /// What the answer says that must not be, if anything.
    pub fn contradiction(
        &self,
        rows: &Rows,
        version: Version,
        outcome: &Outcome,
    ) -> Option<String> {
        let affected = |expected: usize| match outcome {
            Outcome::Rows(rows) if *rows == expected as u64 => None,
            other => Some(format!("expected {expected} rows, got {other:?}")),
        };
        match self {
            Operation::Insert { .. } => match outcome {
                Outcome::Id(Some(_)) => None,
                other => Some(format!("expected the id of a new row, got {other:?}")),
            },
            Operation::Upsert { id, .. } => match outcome {
                Outcome::Id(Some(got)) if got == id => None,
                other => Some(format!(
                    "expected the row {id} to be updated, got {other:?}"
                )),
            },
            Operation::Set { ids, .. } => affected(ids.len()),
            Operation::UpdateUnrelated { .. } | Operation::Delete { .. } => affected(1),
            Operation::UpdateNote { .. } => None,
            Operation::Read { id } => {
                let row = rows.get(*id)?;
                match outcome {
                    Outcome::Found(Some(found)) if found.is(row, version) => None,
                    other => Some(format!("wrote {row:?}, read {other:?}")),
                }
            }
        }
    }

    /// What changes once the statement is done. `inserted` is the id of a new row, 0 where it is not known.
    pub fn changes(&self, rows: &Rows, version: Version, inserted: i64) -> Vec<Change> {
        let with = |id: i64, change: &dyn Fn(&mut Row)| {
            rows.get(id).map(|before| {
                let mut after = before.clone();
                change(&mut after);
                Change {
                    before: Some(before.clone()),
                    after: Some(after),
                }
            })
        };
        let set = |id: i64, pair: &Pair| {
            with(id, &|row| {
                // Writing what is there changes nothing, so the other side does not follow.
                if row.pair.side(version) != pair.side(version) {
                    row.pair = pair.clone();
                }
                row.value_written = true;
            })
        };
        match self {
            Operation::Insert { row, .. } => {
                let after = Row {
                    id: inserted,
                    ..row.clone()
                };
                vec![Change {
                    before: None,
                    after: Some(after),
                }]
            }
            Operation::Upsert { id, pair, .. } => set(*id, pair).into_iter().collect(),
            Operation::Set { ids, pair, .. } => {
                ids.iter().filter_map(|id| set(*id, pair)).collect()
            }
            Operation::UpdateUnrelated { id, mileage, .. } => {
                with(*id, &|row| row.mileage = *mileage)
                    .into_iter()
                    .collect()
            }
            Operation::Delete { id } => rows
                .get(*id)
                .map(|before| Change {
                    before: Some(before.clone()),
                    after: None,
                })
                .into_iter()
                .collect(),
            Operation::UpdateNote { .. } | Operation::Read { .. } => Vec::new(),
        }
    }
}
