//! What a client does next: at random, by its own seeded generator, over all of its rows.

use super::client::Client;
use super::operation::{InsertKind, Operation};
use super::rows::{Origin, Row};
use super::shape::Pair;

const MILEAGE_MAX: i32 = 1_000_000;
/// Long enough that a row often no longer fits into its page.
const NOTE_LENGTH_MAX: usize = 200;
const ROWS_OF_ONE_UPDATE: usize = 8;
/// Every so many inserts that may write an explicit NULL do.
const INSERTS_FOR_A_NULL: u32 = 8;

/// Where the statement runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Nothing,
    Transaction,
}

impl Client {
    pub(super) fn choose(&mut self, within: Within) -> Operation {
        let may_insert = self.rows.inserted() < self.setting.options.inserted_rows_max;
        let Some(row) = self.rows.random(&mut self.rng).cloned() else {
            return match may_insert {
                true => self.insert(InsertKind::Naming),
                // Nothing is left that it may write.
                false => Operation::Read { id: 0 },
            };
        };
        match self.rng.u32(0..100) {
            0..=13 if may_insert => self.insert(InsertKind::Naming),
            14..=19 if may_insert && self.setting.shape.inserts_neither() => {
                self.insert(InsertKind::NamingNeither)
            }
            20..=24 if may_insert => self.insert(InsertKind::OnConflict),
            20..=31 => self.upsert(&row),
            32..=51 => self.set(vec![row.id]),
            52..=59 => self.set_same(&row),
            60..=74 => self.update_unrelated(row.id),
            // A lock on another client's row within a transaction could end in a deadlock.
            75..=79 if within == Within::Nothing => self.update_note(),
            80..=84 => {
                let ids = self.some_rows();
                self.set(ids)
            }
            85..=90 => Operation::Delete { id: row.id },
            91..=93 if self.setting.shape.updates_to_null(self.version) => {
                self.set_to(vec![row.id], Pair::NULL)
            }
            94..=99 => Operation::Read { id: row.id },
            // What may not be inserted or written here.
            _ => self.update_unrelated(row.id),
        }
    }

    fn insert(&mut self, kind: InsertKind) -> Operation {
        let shape = &self.setting.shape;
        let null = kind == InsertKind::Naming
            && shape.inserts_null(self.version)
            && self.rng.u32(..INSERTS_FOR_A_NULL) == 0;
        let pair = match kind {
            InsertKind::NamingNeither => self.setting.default.clone(),
            _ if null => Pair::NULL,
            InsertKind::Naming | InsertKind::OnConflict => self.next_pair(),
        };
        let number = self.keys_used;
        self.keys_used = self.keys_used.wrapping_add(1);
        let value = self.value(&pair);
        let row = Row {
            id: 0,
            origin: Origin::Inserted(number),
            pair,
            mileage: self.rng.i32(0..MILEAGE_MAX),
            value_written: true,
        };
        let license_plate = self.setting.keys.license_plate(self.number, number);
        Operation::Insert {
            kind,
            license_plate,
            row,
            value,
        }
    }

    fn upsert(&mut self, row: &Row) -> Operation {
        let pair = self.next_pair();
        if !self.outcome_is_known(row, &pair) {
            return self.update_unrelated(row.id);
        }
        let license_plate = match row.origin {
            Origin::Initial => None,
            Origin::Inserted(number) => Some(self.setting.keys.license_plate(self.number, number)),
        };
        let value = self.value(&pair);
        // Only what would be inserted: the row keeps the mileage that it has.
        let mileage = self.rng.i32(0..MILEAGE_MAX);
        Operation::Upsert {
            id: row.id,
            license_plate,
            pair,
            value,
            mileage,
        }
    }

    fn set(&mut self, ids: Vec<i64>) -> Operation {
        let pair = self.next_pair();
        self.set_to(ids, pair)
    }

    fn set_to(&mut self, ids: Vec<i64>, pair: Pair) -> Operation {
        let is_known = |id: &i64| {
            self.rows
                .get(*id)
                .is_some_and(|row| self.outcome_is_known(row, &pair))
        };
        let (known, unknown): (Vec<i64>, Vec<i64>) = ids.into_iter().partition(is_known);
        if let (true, Some(&id)) = (known.is_empty(), unknown.first()) {
            return self.update_unrelated(id);
        }
        let value = self.value(&pair);
        Operation::Set {
            ids: known,
            pair,
            value,
        }
    }

    /// To the value that the row has.
    fn set_same(&mut self, row: &Row) -> Operation {
        match self.outcome_is_known(row, &row.pair) {
            true => self.set_to(vec![row.id], row.pair.clone()),
            false => self.set(vec![row.id]),
        }
    }

    /// Writing to the new side what it would show is no change where the row is filled, and one that the old side
    /// follows where it is not. Which it is does not matter if the old side cannot tell them apart.
    fn outcome_is_known(&self, row: &Row, pair: &Pair) -> bool {
        row.shows_value(self.version)
            || self.setting.shape.values.are_inverse()
            || row.pair.side(self.version) != pair.side(self.version)
    }

    fn update_unrelated(&mut self, id: i64) -> Operation {
        let (mileage, note) = (self.rng.i32(0..MILEAGE_MAX), self.note());
        Operation::UpdateUnrelated { id, mileage, note }
    }

    fn update_note(&mut self) -> Operation {
        let id = self.rng.i64(0..=self.setting.keys.initial_rows);
        Operation::UpdateNote {
            id,
            note: self.note(),
        }
    }

    fn some_rows(&mut self) -> Vec<i64> {
        let mut ids: Vec<i64> = (0..self.rng.usize(2..=ROWS_OF_ONE_UPDATE))
            .filter_map(|_| self.rows.random(&mut self.rng).map(|row| row.id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn note(&mut self) -> String {
        "serviced "
            .chars()
            .cycle()
            .take(self.rng.usize(..NOTE_LENGTH_MAX))
            .collect()
    }

    /// A value that no client writes twice, so that one that was lost cannot go unnoticed.
    fn next_pair(&mut self) -> Pair {
        let number = self.values_used * self.clients() + self.number as u64;
        self.values_used += 1;
        self.setting.shape.values.pair(self.version, number)
    }

    fn value(&self, pair: &Pair) -> Option<String> {
        pair.side(self.version).map(str::to_owned)
    }
}
