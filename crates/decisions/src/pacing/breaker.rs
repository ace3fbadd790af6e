//! The circuit breaker: so many of the last batches failed that going on does no good until somebody has looked.

use std::collections::VecDeque;

/// So many batches are remembered, and fewer say nothing yet.
const BATCHES: usize = 50;

/// What became of a batch at its first try. One whose rows do not convert is taken apart until the row is found; the
/// pieces do not count: a single bad row in a large batch would look like a dozen failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    TakenApart,
}

/// The last batches of one process. It begins anew with each: somebody who resumes a run has looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker(VecDeque<Outcome>);

impl Breaker {
    pub fn note(&mut self, outcome: Outcome) {
        if self.0.len() == BATCHES {
            self.0.pop_front();
        }
        self.0.push_back(outcome);
    }

    /// Why the run is to be paused, where at least `percent` of the last batches failed; 0: never.
    pub fn reason(&self, percent: u32) -> Option<String> {
        let taken_apart = self.0.iter().filter(|one| **one == Outcome::TakenApart);
        let failed = taken_apart.count();
        let is_full = self.0.len() == BATCHES;
        let is_over = percent > 0 && failed * 100 >= BATCHES * percent as usize;
        (is_full && is_over).then(|| {
            format!(
                "{failed} of the last {BATCHES} batches had rows that do not convert: the expression does not fit the data"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(outcomes: impl IntoIterator<Item = Outcome>) -> Breaker {
        let mut breaker = Breaker::default();
        outcomes
            .into_iter()
            .for_each(|outcome| breaker.note(outcome));
        breaker
    }

    fn failing(failed: usize, done: usize) -> Breaker {
        let failed = std::iter::repeat_n(Outcome::TakenApart, failed);
        after(failed.chain(std::iter::repeat_n(Outcome::Done, done)))
    }

    #[test]
    fn it_breaks_at_half_of_the_last_fifty_and_not_before_there_were_fifty() {
        assert_eq!(failing(49, 0).reason(50), None);
        assert_eq!(failing(24, 26).reason(50), None);
        let reason = failing(25, 25).reason(50).unwrap();
        assert!(
            reason.starts_with("25 of the last 50 batches had rows"),
            "{reason}"
        );
        assert_eq!(failing(1000, 26).reason(50), None, "long past");
    }

    #[test]
    fn it_can_be_told_to_break_later_or_never() {
        assert_eq!(failing(50, 0).reason(0), None);
        assert_eq!(failing(49, 1).reason(100), None);
        assert!(failing(50, 0).reason(100).is_some());
        assert_eq!(failing(50, 0).reason(101), None);
    }

    proptest! {
        #[test]
        fn only_the_last_fifty_count(before in proptest::collection::vec(any::<bool>(), 0..200), last in proptest::collection::vec(any::<bool>(), 50), percent in 1_u32..=100) {
            let outcome = |failed: &bool| if *failed { Outcome::TakenApart } else { Outcome::Done };
            let breaker = after(before.iter().chain(&last).map(outcome));
            let failed = last.iter().filter(|failed| **failed).count();
            prop_assert_eq!(breaker.reason(percent).is_some(), failed * 2 >= percent as usize);
        }
    }
}
