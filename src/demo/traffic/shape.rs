//! What the clients are told of the table: its names, and which values its synced column takes.

use std::fmt;
use std::sync::Arc;

/// A version of the application, and the side of the change that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Old,
    New,
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Version::Old => "old",
            Version::New => "new",
        })
    }
}

/// What the table is. Names are SQL text, already quoted where needed.
#[derive(Debug, Clone)]
pub struct Shape {
    /// As in `public.vehicles`.
    pub table: String,
    pub old_column: String,
    pub new_column: String,
    /// The synced column is NOT NULL.
    pub not_null: bool,
    /// It has a default. Inserts that name neither column are made where this is so or the column is nullable.
    pub has_default: bool,
    /// The new version writes explicit NULLs. Well defined only where the column is nullable and no backfill runs; its
    /// inserts write NULL only where the column has no default, as the database cannot tell them from an old writer's.
    pub new_writes_null: bool,
    pub values: Values,
}

impl Shape {
    /// `public.vehicles.status` to `vehicle_status`, as [`super::create_table`] makes it.
    pub fn demo() -> Shape {
        Shape {
            table: "public.vehicles".to_owned(),
            old_column: "status".to_owned(),
            new_column: "vehicle_status".to_owned(),
            not_null: true,
            has_default: true,
            new_writes_null: false,
            values: Values::Text {
                prefix: "status ".to_owned(),
            },
        }
    }

    /// The column that a version knows.
    pub fn column(&self, version: Version) -> &str {
        match version {
            Version::Old => &self.old_column,
            Version::New => &self.new_column,
        }
    }

    pub(super) fn inserts_neither(&self) -> bool {
        self.has_default || !self.not_null
    }

    pub(super) fn updates_to_null(&self, version: Version) -> bool {
        !self.not_null && (version == Version::Old || self.new_writes_null)
    }

    pub(super) fn inserts_null(&self, version: Version) -> bool {
        self.updates_to_null(version) && (version == Version::Old || !self.has_default)
    }

    /// SQL that reads a column so that equal values are equal text on both sides.
    pub(super) fn rendered(&self, column: &str) -> String {
        match self.values {
            // A numeric with a scale shows 5 as 5.00.
            Values::Integer => format!("trim_scale({column}::numeric)::text"),
            Values::Text { .. } | Values::Custom { .. } => format!("{column}::text"),
        }
    }
}

/// A value as the text of each side; None is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub old: Option<Arc<str>>,
    pub new: Option<Arc<str>>,
}

impl Pair {
    pub const NULL: Pair = Pair {
        old: None,
        new: None,
    };

    /// The same text on both sides.
    pub fn same(text: &str) -> Pair {
        let text: Arc<str> = text.into();
        Pair {
            old: Some(text.clone()),
            new: Some(text),
        }
    }

    pub fn side(&self, version: Version) -> Option<&str> {
        match version {
            Version::Old => self.old.as_deref(),
            Version::New => self.new.as_deref(),
        }
    }
}

/// Which values are written.
#[derive(Debug, Clone)]
pub enum Values {
    /// The prefix and a number of up to 20 digits, the same in both columns.
    Text { prefix: String },
    /// Whole numbers from 0 to 1,999,999,999, the same in both columns (integer to bigint or numeric).
    Integer,
    /// Text that each column's type reads, just as `::text` shows it.
    Custom {
        /// What a writer of this version writes for a number that is used once, and what the other side then shows. The
        /// writer's side is not NULL. Lost writes are found the better the less often values come again.
        pair: fn(Version, u64) -> Pair,
        /// What the new side shows for an old value that was there from the start, or that is the default.
        forward: fn(&str) -> Option<String>,
    },
}

impl Values {
    pub(super) fn pair(&self, version: Version, number: u64) -> Pair {
        match self {
            Values::Text { prefix } => Pair::same(&format!("{prefix}{number}")),
            Values::Integer => Pair::same(&(number % 2_000_000_000).to_string()),
            Values::Custom { pair, .. } => pair(version, number),
        }
    }

    /// The pair of a value that was read from the old side.
    pub(super) fn pair_of_old(&self, old: Option<Arc<str>>) -> Pair {
        let new = match (self, &old) {
            (Values::Text { .. } | Values::Integer, _) | (Values::Custom { .. }, None) => {
                old.clone()
            }
            (Values::Custom { forward, .. }, Some(old)) => forward(old).map(Arc::from),
        };
        Pair { old, new }
    }

    /// Whether writing to the new side what it shows already leaves the old side alone, also in a row that is not
    /// filled yet.
    pub(super) fn are_inverse(&self) -> bool {
        match self {
            Values::Text { .. } | Values::Integer => true,
            Values::Custom { .. } => false,
        }
    }
}
