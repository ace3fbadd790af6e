//! Amounts of bytes as PostgreSQL's settings write them: `64MB`, `10GB`, in powers of 1024.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(u64);

/// From the largest to the smallest. The other spellings are those of whoever wants to be exact.
const UNITS: [(&str, &str, u64); 5] = [
    ("TB", "TiB", 1 << 40),
    ("GB", "GiB", 1 << 30),
    ("MB", "MiB", 1 << 20),
    ("kB", "KiB", 1 << 10),
    ("B", "B", 1),
];

impl Bytes {
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }

    pub const fn count(self) -> u64 {
        self.0
    }

    /// Rounded for reading: `1.4 GB`.
    pub fn rough(bytes: f64) -> String {
        let (unit, _, size) = UNITS
            .into_iter()
            .find(|(_, _, size)| bytes >= *size as f64)
            .unwrap_or(UNITS[4]);
        if size == 1 {
            return format!("{bytes:.0} {unit}");
        }
        format!("{:.1} {unit}", bytes / size as f64)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, _, size) = UNITS
            .into_iter()
            .find(|(_, _, size)| self.0 > 0 && self.0.is_multiple_of(*size))
            .unwrap_or(UNITS[4]);
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl FromStr for Bytes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a number of bytes with its unit; write e.g. 512MB, 10GB or 1TB"
            )
        };
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit = text[digits..].trim();
        let (_, _, size) = UNITS
            .into_iter()
            .find(|(short, exact, _)| unit == *short || unit == *exact)
            .ok_or_else(wrong)?;
        number.checked_mul(size).map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Bytes {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> String {
        bytes.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn bytes_are_read_as_postgresql_writes_them_and_written_exactly() {
        for (text, count, written) in [
            ("64MB", 67_108_864, "64MB"),
            ("1024 MiB", 1_073_741_824, "1GB"),
            ("1500kB", 1_536_000, "1500kB"),
            ("7B", 7, "7B"),
            ("0B", 0, "0B"),
        ] {
            let bytes: Bytes = text.parse().unwrap();
            assert_eq!(
                (bytes.count(), bytes.to_string().as_str()),
                (count, written)
            );
        }
        for text in [
            "",
            "MB",
            "12",
            "1.5GB",
            "-1GB",
            "1 gigabyte",
            "99999999999TB",
        ] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert_eq!(Bytes::rough(1_503_238_553.0), "1.4 GB");
    }
}
