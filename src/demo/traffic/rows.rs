//! A client's part of the ledger: its rows as they must be, and how a change of them is applied and taken back.

use std::collections::HashMap;

use super::shape::{Pair, Version};

/// Three hexadecimal digits of a license plate: old and new together.
pub(super) const CLIENTS_MAX: usize = 4095;

/// Which rows of the table are the clients'.
#[derive(Debug, Clone)]
pub(super) struct KeySpace {
    /// Begins the license plate of every row that a client inserts. Eight characters, none special to LIKE.
    pub prefix: String,
    /// Rows with an id from 1 to this were there from the start.
    pub initial_rows: i64,
}

impl KeySpace {
    pub fn of(seed: u64, initial_rows: u64) -> KeySpace {
        KeySpace {
            prefix: format!("t{:06x}-", seed & 0xff_ffff),
            initial_rows: i64::try_from(initial_rows).unwrap_or(i64::MAX),
        }
    }

    /// At most 20 characters.
    pub fn license_plate(&self, client: usize, number: u32) -> String {
        format!("{}{client:x}-{number:x}", self.prefix)
    }
}

/// A row as it must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub id: i64,
    pub origin: Origin,
    pub pair: Pair,
    pub mileage: i32,
    /// Since its version was last deployed. Until then a row may not be filled on the new side.
    pub value_written: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// There from the start.
    Initial,
    /// Inserted by its client, with this number in its license plate.
    Inserted(u32),
}

impl Row {
    /// Whether its version, reading it now, must find the value.
    pub fn shows_value(&self, version: Version) -> bool {
        version == Version::Old || self.value_written
    }
}

/// A row before and after. None: it is not there. The id is the same in both.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub before: Option<Row>,
    pub after: Option<Row>,
}

impl Change {
    pub fn reversed(self) -> Change {
        Change {
            before: self.after,
            after: self.before,
        }
    }
}

/// The rows of one client.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    index_by_id: HashMap<i64, usize>,
    inserted: usize,
}

impl Rows {
    pub fn get(&self, id: i64) -> Option<&Row> {
        self.index_by_id
            .get(&id)
            .and_then(|&index| self.rows.get(index))
    }

    /// How many of them the client has inserted itself.
    pub fn inserted(&self) -> usize {
        self.inserted
    }

    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<&Row> {
        (!self.rows.is_empty())
            .then(|| self.rows.get(rng.usize(..self.rows.len())))
            .flatten()
    }

    pub fn put(&mut self, row: Row) {
        if let Some(known) = self
            .index_by_id
            .get(&row.id)
            .and_then(|&index| self.rows.get_mut(index))
        {
            *known = row;
            return;
        }
        self.inserted += usize::from(row.origin != Origin::Initial);
        self.index_by_id.insert(row.id, self.rows.len());
        self.rows.push(row);
    }

    fn remove(&mut self, id: i64) {
        let Some(index) = self.index_by_id.remove(&id) else {
            return;
        };
        let removed = self.rows.swap_remove(index);
        self.inserted -= usize::from(removed.origin != Origin::Initial);
        if let Some(moved) = self.rows.get(index) {
            self.index_by_id.insert(moved.id, index);
        }
    }

    pub fn apply(&mut self, change: Change) {
        match (change.before, change.after) {
            (_, Some(after)) => self.put(after),
            (Some(before), None) => self.remove(before.id),
            (None, None) => {}
        }
    }

    /// Takes back changes that were applied in this order.
    pub fn revert(&mut self, changes: Vec<Change>) {
        for change in changes.into_iter().rev() {
            self.apply(change.reversed());
        }
    }

    /// The version is deployed anew, perhaps with a column that was added anew: what it wrote before may not be filled.
    pub fn forget_written(&mut self) {
        for row in &mut self.rows {
            row.value_written = false;
        }
    }

    pub fn into_vec(self) -> Vec<Row> {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, mileage: i32, origin: Origin) -> Row {
        Row {
            id,
            origin,
            pair: Pair::same("x"),
            mileage,
            value_written: true,
        }
    }

    #[test]
    fn reverting_gives_back_what_was_there() {
        let mut rows = Rows::default();
        for id in 1..=3 {
            rows.put(row(id, 0, Origin::Initial));
        }
        let changes = [
            Change {
                before: Some(row(1, 0, Origin::Initial)),
                after: Some(row(1, 5, Origin::Initial)),
            },
            Change {
                before: Some(row(1, 5, Origin::Initial)),
                after: None,
            },
            Change {
                before: None,
                after: Some(row(9, 1, Origin::Inserted(0))),
            },
            Change {
                before: Some(row(9, 1, Origin::Inserted(0))),
                after: None,
            },
            Change {
                before: None,
                after: Some(row(10, 1, Origin::Inserted(1))),
            },
        ];
        for change in changes.clone() {
            rows.apply(change);
        }
        assert_eq!((rows.inserted(), rows.get(1), rows.get(9)), (1, None, None));
        rows.revert(changes.to_vec());
        assert_eq!(rows.inserted(), 0);
        let mut left = rows.into_vec();
        left.sort_by_key(|row| row.id);
        assert_eq!(
            left,
            (1..=3)
                .map(|id| row(id, 0, Origin::Initial))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_license_plate_has_at_most_twenty_characters() {
        let keys = KeySpace::of(u64::MAX, u64::MAX);
        assert_eq!(keys.license_plate(CLIENTS_MAX, u32::MAX).len(), 20);
    }
}
