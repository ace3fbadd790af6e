//! What must be in the table, and its comparison with what is there.

use std::fmt;
use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::rows::{KeySpace, Origin, Row, Rows};
use super::shape::{Shape, Version};

/// Every row of the clients as it must be.
#[derive(Debug, Clone)]
pub struct Ledger {
    shape: Shape,
    keys: KeySpace,
    /// In the order of their ids.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    client: usize,
    pub(super) row: Row,
}

/// A row that is not as it must be. Values are text, None is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It should be there and is not. Without a license plate: a row that was there from the start.
    Missing {
        id: i64,
        license_plate: Option<String>,
        expected: Option<String>,
    },
    /// It is there and should not be: deleted, rolled back, or written by nobody.
    Unexpected { id: i64, license_plate: String },
    Value {
        id: i64,
        license_plate: String,
        expected: Option<String>,
        found: Option<String>,
    },
    Mileage {
        id: i64,
        license_plate: String,
        expected: i32,
        found: i32,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Missing {
                id,
                license_plate,
                expected,
            } => {
                let plate = license_plate.as_deref().unwrap_or("there from the start");
                write!(
                    formatter,
                    "row {id} ({plate}) is missing; its value is {expected:?}"
                )
            }
            Difference::Unexpected { id, license_plate } => {
                write!(formatter, "row {id} ({license_plate}) should not be there")
            }
            Difference::Value {
                id,
                license_plate,
                expected,
                found,
            } => write!(
                formatter,
                "row {id} ({license_plate}) has the value {found:?} instead of {expected:?}"
            ),
            Difference::Mileage {
                id,
                license_plate,
                expected,
                found,
            } => write!(
                formatter,
                "row {id} ({license_plate}) has the mileage {found} instead of {expected}"
            ),
        }
    }
}

/// A row of the table.
struct Found {
    id: i64,
    license_plate: String,
    value: Option<String>,
    mileage: i32,
}

impl Ledger {
    pub(super) fn new(shape: Shape, keys: KeySpace, parts: Vec<(usize, Rows)>) -> Ledger {
        let mut entries: Vec<Entry> = parts
            .into_iter()
            .flat_map(|(client, rows)| {
                rows.into_vec()
                    .into_iter()
                    .map(move |row| Entry { client, row })
            })
            .collect();
        entries.sort_unstable_by_key(|entry| entry.row.id);
        Ledger {
            shape,
            keys,
            entries,
        }
    }

    /// Rows that must be there.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Compares every row of the clients, reading its value from this column (SQL text), under whatever name it has now.
    /// It is taken for the new side where it has the new column's name, otherwise for the old one; see
    /// [`Ledger::compare_side`] for a column that took the other's name.
    pub async fn compare(
        &self,
        client: &Client,
        column: &str,
    ) -> Result<Vec<Difference>, tokio_postgres::Error> {
        let side = match column == self.shape.new_column {
            true => Version::New,
            false => Version::Old,
        };
        self.compare_side(client, column, side).await
    }

    /// [`Ledger::compare`] with the side that the column is, which matters where the sides show values differently.
    pub async fn compare_side(
        &self,
        client: &Client,
        column: &str,
        side: Version,
    ) -> Result<Vec<Difference>, tokio_postgres::Error> {
        let sql = format!(
            "SELECT id::bigint, license_plate::text, {}, mileage FROM {} \
             WHERE id BETWEEN 1 AND $1::bigint OR starts_with(license_plate, $2)",
            self.shape.rendered(column),
            self.shape.table
        );
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.keys.initial_rows, &self.keys.prefix];
        let mut rows = pin!(client.query_raw(&sql, parameters).await?);
        let mut seen = vec![false; self.entries.len()];
        let mut differences = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let found = Found {
                id: row.try_get(0)?,
                license_plate: row.try_get(1)?,
                value: row.try_get(2)?,
                mileage: row.try_get(3)?,
            };
            let index = self
                .entries
                .binary_search_by_key(&found.id, |entry| entry.row.id)
                .ok();
            let expected = index.and_then(|index| self.entries.get(index));
            if let Some(seen) = index.and_then(|index| seen.get_mut(index)) {
                *seen = true;
            }
            differences.extend(differences_of(found, expected, side));
        }
        let missing = self.entries.iter().zip(seen).filter(|(_, seen)| !seen);
        differences.extend(missing.map(|(entry, _)| self.missing(entry, side)));
        Ok(differences)
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn missing(&self, entry: &Entry, side: Version) -> Difference {
        Difference::Missing {
            id: entry.row.id,
            license_plate: match entry.row.origin {
                Origin::Initial => None,
                Origin::Inserted(number) => Some(self.keys.license_plate(entry.client, number)),
            },
            expected: entry.row.pair.side(side).map(str::to_owned),
        }
    }
}

fn differences_of(found: Found, expected: Option<&Entry>, side: Version) -> Vec<Difference> {
    let Found {
        id,
        license_plate,
        value,
        mileage,
    } = found;
    let Some(Entry { row, .. }) = expected else {
        return vec![Difference::Unexpected { id, license_plate }];
    };
    let mut differences = Vec::new();
    if row.mileage != mileage {
        differences.push(Difference::Mileage {
            id,
            license_plate: license_plate.clone(),
            expected: row.mileage,
            found: mileage,
        });
    }
    let expected = row.pair.side(side);
    if expected != value.as_deref() {
        differences.push(Difference::Value {
            id,
            license_plate,
            expected: expected.map(str::to_owned),
            found: value,
        });
    }
    differences
}
