//! The decision's properties, whatever the limits and the readings.

use super::*;
use crate::pacing::{Missing, Reading};
use crossfade_plan::{
    pacing::{Bytes, Limit},
    span::Span,
};
use proptest::prelude::*;

const MOMENT: Duration = Duration::from_secs(100);

fn known(amount: f64) -> Reading {
    Reading {
        known: Some(Known::Amount(amount, None)),
        missing: None,
    }
}

/// A sample in which every signal was read at this moment, and is 0 unless it is given.
fn sample(at: Duration, amounts: &[(Signal, f64)]) -> Sample {
    let mut sample = Sample::default();
    for signal in Signal::ALL {
        sample.note(signal, at, known(0.0));
    }
    for (signal, amount) in amounts {
        sample.note(*signal, at, known(*amount));
    }
    sample
}

/// As many workers as plans have that do not say.
fn free() -> Pace {
    Pace::free(10, Pacing::default().workers)
}

fn after(limits: &Pacing, last: &Pace, amounts: &[(Signal, f64)]) -> Pace {
    decide(limits, last, &sample(MOMENT, amounts), MOMENT)
}

#[test]
fn lag_slows_then_stops_then_releases_at_half_with_its_reason() {
    let limits = Pacing::default();
    let lag = |last: &Pace, seconds: f64| after(&limits, last, &[(Signal::ReplicaLag, seconds)]);
    let at_ease = lag(&free(), 0.9);
    assert_eq!(at_ease, free());
    let slowed = lag(&at_ease, 2.0);
    assert!(!slowed.stopped && slowed.workers == 1 && slowed.delay > Duration::ZERO);
    assert_eq!(slowed.reasons[0].text, "replica lag 2.0s, slowed from 1.0s");
    let stopped = lag(&slowed, 10.0);
    assert!(stopped.stopped);
    assert!(lag(&stopped, 6.0).stopped, "let go below the middle only");
    let held = lag(&stopped, 0.9);
    assert!(!held.stopped && !held.reasons.is_empty());
    assert_eq!(lag(&held, 0.4), free());
}

#[test]
fn every_reason_is_shown_and_each_signal_has_its_own_memory() {
    let limits = Pacing::default();
    let both = [(Signal::ReplicaLag, 2.0), (Signal::SlotWalPercent, 85.0)];
    let pace = after(&limits, &free(), &both);
    let texts: Vec<&str> = pace.reasons.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "replica lag 2.0s, slowed from 1.0s",
            "log kept by a replication slot, of max_slot_wal_keep_size 85 %, stopped at 80 %"
        ]
    );
    // The slot's hold says nothing of the lag: that begins at `slow`, not at half of it.
    let pace = after(&limits, &pace, &[(Signal::SlotWalPercent, 85.0)]);
    let pace = after(
        &limits,
        &pace,
        &[(Signal::SlotWalPercent, 85.0), (Signal::ReplicaLag, 0.9)],
    );
    assert_eq!(pace.reasons.len(), 1);
}

#[test]
fn what_is_not_known_follows_the_plans_policy() {
    for (when_stale, expected) in [
        (WhenStale::Stop, Some(Grip::Stopped)),
        (WhenStale::Slow, Some(Grip::Slowed)),
        (WhenStale::Ignore, None),
    ] {
        let limits = Pacing {
            replica_lag: Some(Limit {
                when_stale,
                ..Limit::new(Span::from_millis(1_000), Span::from_millis(2_000))
            }),
            ..Pacing::default()
        };
        let mut sample = sample(MOMENT, &[]);
        sample.failed(
            &[Signal::ReplicaLag],
            Duration::from_secs(50),
            "standby a is gone",
        );
        let pace = decide(&limits, &free(), &sample, MOMENT);
        assert_eq!(pace.reasons.first().map(|one| one.grip), expected);
        assert_eq!(pace.stopped, expected == Some(Grip::Stopped));
        if let Some(reason) = pace.reasons.first() {
            assert!(
                reason
                    .text
                    .contains("replica_lag not known: standby a is gone")
            );
        }
    }
}

#[test]
fn what_the_role_may_not_see_holds_nothing_back_unless_the_plan_asked_for_it() {
    let mut sample = sample(MOMENT, &[]);
    let forbidden = Reading {
        known: None,
        missing: Some(Missing::Forbidden("GRANT pg_monitor".to_owned())),
    };
    sample.note(Signal::OldestXmin, MOMENT, forbidden);
    assert_eq!(decide(&Pacing::default(), &free(), &sample, MOMENT), free());
    let limits = Pacing {
        oldest_xmin: Some(Limit::new(10, 20)),
        ..Pacing::default()
    };
    let pace = decide(&limits, &free(), &sample, MOMENT);
    assert!(pace.stopped && pace.reasons[0].text.contains("GRANT pg_monitor"));
}

fn a_limit() -> impl Strategy<Value = (u64, u64)> {
    (1_u64..1_000, 0_u64..1_000).prop_map(|(slow, more)| (slow, slow + more))
}

prop_compose! {
    fn any_limits()(
        lag in a_limit(), slots in a_limit(), sessions in a_limit(), blocked in a_limit(),
        target in 0_u64..100_000, workers in 0_u32..100,
    ) -> Pacing {
        let span = |(slow, stop)| Some(Limit::new(Span::from_millis(slow), Span::from_millis(stop)));
        Pacing {
            batch_target: Span::from_millis(target),
            workers,
            replica_lag: span(lag),
            blocked_sessions: span(blocked),
            slot_wal_bytes: Some(Limit::new(Bytes::from_mebibytes(slots.0), Bytes::from_mebibytes(slots.1))),
            active_sessions: Some(Limit::new(sessions.0, sessions.1)),
            ..Pacing::default()
        }
    }
}

/// As a share of the signal's `stop`.
fn any_amounts() -> impl Strategy<Value = Vec<(usize, f64)>> {
    let share = prop_oneof![0.0..0.4, 0.4..1.2, Just(1.0), Just(f64::INFINITY)];
    proptest::collection::vec((0..Signal::ALL.len(), share), 0..6)
}

fn amounts(limits: &Pacing, shares: &[(usize, f64)]) -> Vec<(Signal, f64)> {
    let bounds = bounds(limits);
    let stop = |signal| {
        bounds
            .iter()
            .find(|(one, _)| *one == signal)
            .map(|(_, bound)| bound.stop)
    };
    shares
        .iter()
        .filter_map(|(index, share)| {
            Some((Signal::ALL[*index], share * stop(Signal::ALL[*index])?))
        })
        .collect()
}

proptest! {
    #[test]
    fn a_reading_at_its_limit_always_stops(
        limits in any_limits(), history in proptest::collection::vec(any_amounts(), 1..8), over in 0_usize..12,
    ) {
        let mut pace = free();
        for shares in &history {
            pace = after(&limits, &pace, &amounts(&limits, shares));
        }
        let bounds = bounds(&limits);
        let (signal, bound) = bounds[over % bounds.len()];
        pace = after(&limits, &pace, &[(signal, bound.stop)]);
        prop_assert!(pace.stopped);
        prop_assert!(pace.reasons.iter().any(|reason| reason.signal == signal && reason.grip == Grip::Stopped));
    }

    #[test]
    fn the_first_decision_after_all_is_well_lets_go(
        limits in any_limits(), history in proptest::collection::vec(any_amounts(), 0..8),
    ) {
        let mut pace = free();
        for shares in &history {
            pace = after(&limits, &pace, &amounts(&limits, shares));
        }
        let well: Vec<_> = bounds(&limits).iter().map(|(signal, bound)| (*signal, bound.slow * 0.49)).collect();
        pace = after(&limits, &pace, &well);
        prop_assert_eq!(pace, Pace { workers: limits.workers.max(1), ..free() });
    }

    #[test]
    fn between_half_of_slow_and_slow_it_never_flaps(
        limits in any_limits(), which in 0_usize..12, shares in proptest::collection::vec(0.5_f64..1.0, 2..40), begin in 0.0_f64..3.0,
    ) {
        let bounds = bounds(&limits);
        let (signal, bound) = bounds[which % bounds.len()];
        let mut pace = after(&limits, &free(), &[(signal, bound.slow * begin)]);
        let mut changes = 0;
        for share in shares {
            let next = after(&limits, &pace, &[(signal, bound.slow * share)]);
            changes += usize::from(next.reasons.is_empty() != pace.reasons.is_empty() || next.stopped != pace.stopped);
            pace = next;
        }
        prop_assert!(changes <= 1, "{changes} changes");
    }

    #[test]
    fn what_holds_back_says_why_and_waits_are_bounded(
        limits in any_limits(), history in proptest::collection::vec(any_amounts(), 1..8), age in 0_u64..40,
    ) {
        let mut pace = free();
        for shares in &history {
            let sample = sample(MOMENT, &amounts(&limits, shares));
            pace = decide(&limits, &pace, &sample, MOMENT + Duration::from_secs(age));
            let is_held = pace.stopped || pace.delay > Duration::ZERO || pace.workers < limits.workers;
            prop_assert_eq!(is_held && !(limits.workers == 0 && pace.reasons.is_empty()), !pace.reasons.is_empty());
            prop_assert!(pace.delay <= DELAY_MAX && (pace.reasons.is_empty() || pace.delay >= DELAY_MIN));
            prop_assert!(pace.workers >= 1 && pace.workers <= limits.workers.max(1));
            prop_assert!(age <= 15 || pace.stopped, "what is too old stops");
            prop_assert!(pace.reasons.iter().all(|reason| !reason.text.is_empty()));
        }
    }

    #[test]
    fn worse_readings_never_go_faster(limits in any_limits(), which in 0_usize..12, one in 0.0_f64..2.0, more in 0.0_f64..2.0) {
        let bounds = bounds(&limits);
        let (signal, bound) = bounds[which % bounds.len()];
        let better = after(&limits, &free(), &[(signal, bound.stop * one)]);
        let worse = after(&limits, &free(), &[(signal, bound.stop * (one + more))]);
        prop_assert!(worse.stopped || (!better.stopped && worse.delay >= better.delay));
    }
}
