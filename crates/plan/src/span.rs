//! Lengths of time as plans write them: `100ms`, `48h`, `1h 30m`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A length of time, to the millisecond, at most ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time; write e.g. 100ms, 30s, 15m, 48h, 7d or 1h 30m")]
pub struct SpanError(String);

/// From the largest to the smallest, in milliseconds.
const UNITS: [(&str, u64); 6] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const MILLISECONDS_MAX: u64 = 10 * 366 * 86_400_000;

impl Span {
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }
    pub const fn duration(self) -> Duration {
        self.0
    }
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
    /// Rounded for reading: the two largest units that are not zero.
    pub fn rough(duration: Duration) -> String {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        parts(milliseconds)
            .into_iter()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn parts(mut milliseconds: u64) -> Vec<String> {
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        // Weeks are read but never written: "168h" is "7d" to everybody.
        if unit != "w" && milliseconds >= size {
            parts.push(format!("{}{unit}", milliseconds / size));
            milliseconds %= size;
        }
    }
    if parts.is_empty() {
        parts.push("0s".to_owned());
    }
    parts
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&parts(self.millis()).join(" "))
    }
}

impl FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError(text.to_owned());
        let mut rest = text.trim();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = rest[digits..].trim_start();
            let letters = rest
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(rest.len());
            let (_, size) = UNITS
                .iter()
                .find(|(unit, _)| *unit == &rest[..letters])
                .ok_or_else(wrong)?;
            total = number
                .checked_mul(*size)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= MILLISECONDS_MAX)
                .ok_or_else(wrong)?;
            rest = rest[letters..].trim_start();
        }
        Ok(Self::from_millis(total))
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;
    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_back() {
        for (text, milliseconds, written) in [
            ("100ms", 100, "100ms"),
            ("48h", 172_800_000, "2d"),
            ("1h 30m", 5_400_000, "1h 30m"),
            ("1w", 604_800_000, "7d"),
            ("0s", 0, "0s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(
                (span.millis(), span.to_string().as_str()),
                (milliseconds, written)
            );
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }

    #[test]
    fn what_is_no_length_of_time_is_refused() {
        for text in [
            "",
            "5",
            "h",
            "5 fortnights",
            "-1s",
            "99999999999999999999s",
            "999999d",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
