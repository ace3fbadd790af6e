//! The last minutes of a backfill: rows a second and the delay between batches, and what held it back at each moment.

use crossfade_coordinator::service::SampleStatus;
use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// Between two samples.
struct Stretch {
    from_seconds: f64,
    to_seconds: f64,
    rows_per_second: f64,
    delay_ms: i32,
    /// The first of the reasons, without what follows its name.
    reason: Option<String>,
}

pub fn plot(samples: &[SampleStatus]) -> Markup {
    let stretches = stretches(samples);
    let Some(oldest) = stretches.first().map(|one| one.from_seconds) else {
        return html! {};
    };
    let span = oldest.max(1.0);
    let most = stretches
        .iter()
        .map(|one| one.rows_per_second)
        .fold(1.0, f64::max);
    let slowest = stretches
        .iter()
        .map(|one| one.delay_ms)
        .max()
        .unwrap_or(0)
        .max(1);
    let x = |seconds: f64| WIDTH * (1.0 - seconds / span);
    let line = |y: &dyn Fn(&Stretch) -> f64| {
        let points = stretches.iter().map(|one| {
            let middle = f64::midpoint(one.from_seconds, one.to_seconds);
            format!("{:.1},{:.1}", x(middle), y(one))
        });
        points.collect::<Vec<_>>().join(" ")
    };
    let rows = line(&|one| HEIGHT * (1.0 - one.rows_per_second / most));
    let delays = line(&|one| HEIGHT * (1.0 - f64::from(one.delay_ms) / f64::from(slowest)));
    let mut reasons: Vec<&String> = stretches
        .iter()
        .filter_map(|one| one.reason.as_ref())
        .collect();
    reasons.sort();
    reasons.dedup();
    let label = format!(
        "Rows per second over the last {span:.0} seconds, {most:.0} at most; delays between batches of {slowest} ms at most"
    );
    html! {
        figure.plot {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) preserveAspectRatio="none" {
                @for one in &stretches {
                    @if let Some(reason) = &one.reason {
                        rect class=(format!("reason-{}", place(&reasons, reason))) x=(format!("{:.1}", x(one.from_seconds))) y="0"
                            width=(format!("{:.1}", x(one.to_seconds) - x(one.from_seconds))) height=(HEIGHT) {}
                    }
                }
                polyline.delays points=(delays) {}
                polyline.rows points=(rows) {}
            }
            figcaption {
                span.key.rows { "rows/s, at most " (format!("{most:.0}")) }
                span.key.delays { "delay between batches, at most " (slowest) " ms" }
                @for (index, reason) in reasons.iter().enumerate() {
                    span class=(format!("key reason-{}", index % 6)) { "held back: " (reason) }
                }
                span { "the last " (format!("{span:.0}")) " s" }
            }
        }
    }
}

fn place(reasons: &[&String], reason: &String) -> usize {
    reasons.iter().position(|one| *one == reason).unwrap_or(0) % 6
}

fn stretches(samples: &[SampleStatus]) -> Vec<Stretch> {
    samples
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let seconds = before.age_seconds - after.age_seconds;
            (seconds > 0.0).then(|| Stretch {
                from_seconds: before.age_seconds,
                to_seconds: after.age_seconds,
                rows_per_second: (after.rows_changed - before.rows_changed).max(0) as f64 / seconds,
                delay_ms: after.delay_ms,
                reason: after.reasons.first().map(|reason| named(reason)),
            })
        })
        .collect()
}

/// `replica_lag` of `replica_lag: 3 s behind`.
fn named(reason: &str) -> String {
    let end = reason.find([':', ',', '(']).unwrap_or(reason.len());
    reason.get(..end).unwrap_or(reason).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(age_seconds: f64, rows_changed: i64, reasons: &[&str]) -> SampleStatus {
        SampleStatus {
            age_seconds,
            blocks_done: 0,
            rows_changed,
            delay_ms: 5,
            workers: 1,
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        }
    }

    #[test]
    fn each_moment_has_its_rate_and_what_held_it_back() {
        let samples = [
            sample(20.0, 0, &[]),
            sample(10.0, 1_000, &[]),
            sample(0.0, 1_500, &["replica_lag: 3 s behind"]),
        ];
        let found = stretches(&samples);
        let rates: Vec<f64> = found.iter().map(|one| one.rows_per_second).collect();
        assert_eq!(rates, [100.0, 50.0]);
        assert_eq!(found[0].reason, None);
        assert_eq!(found[1].reason.as_deref(), Some("replica_lag"));
        let html = plot(&samples).0;
        assert!(html.contains("held back: replica_lag"), "{html}");
    }

    #[test]
    fn without_two_samples_there_is_nothing_to_draw() {
        assert_eq!(plot(&[]).0, "");
        assert_eq!(plot(&[sample(1.0, 1, &[])]).0, "");
    }
}
