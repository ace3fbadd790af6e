//! Sizes, times and lists as the checks write them.

use crossfade_plan::span::Span;
use std::time::Duration;

/// `12.3 GB`, in the powers of 1024 that PostgreSQL's own sizes are in.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    match unit {
        "bytes" => format!("{bytes} bytes"),
        unit => format!("{amount:.1} {unit}"),
    }
}

/// `3d`, `5m`; of less than nothing, nothing.
pub fn time(seconds: f64) -> String {
    let seconds = if seconds.is_finite() {
        seconds.clamp(0.0, 1e9)
    } else {
        0.0
    };
    Span::rough(Duration::from_secs_f64(seconds)).to_string()
}

/// The first of them, and how many more there are.
pub fn list(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = all.iter().take(SHOWN).map(String::as_str);
    let shown: Vec<&str> = shown.collect();
    match all.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_lists_are_short() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 kB");
        assert_eq!(size(5 << 30), "5.0 GB");
        let seven: Vec<String> = (1..=7).map(|number| number.to_string()).collect();
        assert_eq!(list(&seven), "1; 2; 3; 4; 5; and 2 more");
        assert_eq!(time(f64::INFINITY), time(0.0));
    }
}
