//! Estimates as people say them: ranges of time and of bytes, no more exact than they are.

use crossfade_plan::explain::estimate::Estimate;

pub fn of(estimate: &Estimate) -> String {
    let mut words = vec![time(estimate.seconds)];
    if estimate.wal_bytes[1] > 0 {
        words.push(format!("WAL {}", bytes(estimate.wal_bytes)));
    }
    if estimate.growth_bytes[1] > 0 {
        words.push(format!(
            "the table and its indexes grow by {}",
            bytes(estimate.growth_bytes)
        ));
    }
    if words.len() == 1 && estimate.seconds[1] < 1.0 {
        return words.join(", ");
    }
    format!("{} (estimated)", words.join(", "))
}

fn time([least, most]: [f64; 2]) -> String {
    if most < 1.0 {
        return "less than a second".to_owned();
    }
    let (unit, name) = match most {
        _ if most < 120.0 => (1.0, "s"),
        _ if most < 7_200.0 => (60.0, "min"),
        _ => (3_600.0, "h"),
    };
    range((least / unit).round(), (most / unit).ceil(), name)
}

fn bytes([least, most]: [u64; 2]) -> String {
    let (unit, name) = match most {
        _ if most < 1 << 20 => (1_u64 << 10, "kB"),
        _ if most < 1 << 30 => (1 << 20, "MB"),
        _ => (1 << 30, "GB"),
    };
    let (least, most) = (least as f64 / unit as f64, most as f64 / unit as f64);
    range(least.floor(), most.ceil(), name)
}

fn range(least: f64, most: f64, unit: &str) -> String {
    match least {
        _ if least >= most => format!("{most} {unit}"),
        _ if least < 1.0 => format!("up to {most} {unit}"),
        _ => format!("{least} to {most} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_said_in_units_that_fit() {
        assert_eq!(time([0.0, 0.1]), "less than a second");
        assert_eq!(time([2.0, 50.0]), "2 to 50 s");
        assert_eq!(time([8.0, 200.0]), "up to 4 min");
        assert_eq!(time([9_000.0, 90_000.0]), "3 to 25 h");
        assert_eq!(bytes([1 << 20, 200 << 20]), "1 to 200 MB");
        assert_eq!(bytes([0, 5 << 30]), "up to 5 GB");
    }
}
