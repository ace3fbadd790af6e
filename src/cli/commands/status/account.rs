//! What a backfill's last minutes went into: its throughput as a line of blocks, and what held it back for how long.

use crossfade_decisions::progress::Account;
use crossfade_plan::span::Span;
use std::{fmt::Write as _, time::Duration};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Shorter than this is the time between two looks.
const IDLE_SECONDS_MIN: f64 = 1.0;

pub fn in_words(account: &Account) -> String {
    let most = account.rows_per_second.iter().copied().fold(0.0, f64::max);
    let mut text = format!(
        "  {} at most {most:.0} rows/s over the last {}\n",
        sparkline(&account.rows_per_second),
        seconds(account.window_seconds)
    );
    let mut parts = vec![format!("at full speed {}", seconds(account.free_seconds))];
    for (what, time, least) in [
        ("slowed", account.slowed_seconds, 0.05),
        ("stopped", account.stopped_seconds, 0.05),
        ("nobody at work", account.idle_seconds, IDLE_SECONDS_MIN),
    ] {
        if time >= least {
            parts.push(format!("{what} {}", seconds(time)));
        }
    }
    let _ = writeln!(text, "  of these {}", parts.join(", "));
    for held in &account.held_back_by {
        let _ = writeln!(
            text,
            "    {}: {}",
            held.signal.as_str(),
            seconds(held.seconds)
        );
    }
    text
}

fn seconds(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if time < Duration::from_secs(10) {
        return format!("{seconds:.1}s");
    }
    Span::rough(Duration::from_secs(time.as_secs()))
}

/// The largest is a full block; nothing at all is the lowest.
fn sparkline(values: &[f64]) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let top = BLOCKS.len() - 1;
    values
        .iter()
        .map(|value| {
            let share = if most > 0.0 { value / most } else { 0.0 };
            BLOCKS[((share * top as f64).ceil() as usize).min(top)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossfade_decisions::{pacing::Signal, progress::Held};

    #[test]
    fn the_line_shows_the_rate_and_the_text_every_second() {
        let account = Account {
            window_seconds: 238.4,
            free_seconds: 80.0,
            slowed_seconds: 40.0,
            stopped_seconds: 9.5,
            idle_seconds: 108.9,
            held_back_by: vec![Held {
                signal: Signal::ReplicaLag,
                seconds: 49.5,
            }],
            rows_per_second: vec![0.0, 1.0, 500.0, 1_000.0],
        };
        assert_eq!(
            in_words(&account),
            "  ▁▂▅█ at most 1000 rows/s over the last 3m 58s\n  \
             of these at full speed 1m 20s, slowed 40s, stopped 9.5s, nobody at work 1m 48s\n    \
             replica_lag: 49s\n"
        );
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
    }
}
