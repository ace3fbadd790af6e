//! What a `crossfade serve` does next, from the open orders and the runs of its database.

use crate::lifecycle::{
    snapshot::{RollbackTarget, Snapshot},
    transition::{RunState, State},
};
use crossfade_plan::document::{PhaseName, VerifyEvery};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// So many runs are driven at a time by one server; the others wait for their turn.
pub const AT_WORK_MAX: usize = 8;

/// What somebody wants done with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Every phase up to and including this one.
    Advance {
        to: PhaseName,
        at_gate: AtGate,
    },
    /// The columns and tables whose values may go are named.
    RollBack {
        to: RollbackTarget,
        discards: BTreeSet<String>,
    },
    Verify,
    Repair,
}

/// What to do at a gate that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtGate {
    Return,
    Wait,
}

impl Wish {
    /// What the command line calls it: `advance to verify`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Advance { to, at_gate } => match at_gate {
                AtGate::Return => format!("advance to {to}"),
                AtGate::Wait => format!("advance to {to}, waiting at gates"),
            },
            Self::RollBack { to, .. } => format!("roll back to {to}"),
            Self::Verify => "verify".to_owned(),
            Self::Repair => "verify and repair".to_owned(),
        }
    }
}

/// An open order as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    pub id: i64,
    pub run_id: i64,
    pub run: String,
    pub wish: Wish,
    /// The run is paused. Going back ends a pause, if that was there before the order.
    pub is_held: bool,
    /// A living process has the run's lease: this one, or another.
    pub is_driven: bool,
}

/// What this server does with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Begin(i64),
    /// It is not open any more: the work on it ends at the next batch.
    Stop(i64),
}

/// The acts for now. `at_work`: the orders that this server carries out. `resting`: those that failed a moment ago, and are
/// tried again later.
pub fn decide(orders: &[OpenOrder], at_work: &BTreeSet<i64>, resting: &BTreeSet<i64>) -> Vec<Act> {
    let open: BTreeMap<i64, &OpenOrder> = orders.iter().map(|order| (order.id, order)).collect();
    let stop = at_work.iter().filter(|id| !open.contains_key(id));
    let may_begin = |order: &&&OpenOrder| {
        let is_ours = at_work.contains(&order.id);
        !is_ours && !order.is_held && !order.is_driven && !resting.contains(&order.id)
    };
    // Whoever goes back waits for nobody's turn.
    let (back, forward): (Vec<&OpenOrder>, Vec<&OpenOrder>) = open
        .values()
        .filter(may_begin)
        .copied()
        .partition(|order| matches!(order.wish, Wish::RollBack { .. }));
    let free = AT_WORK_MAX.saturating_sub(at_work.len());
    stop.map(|id| Act::Stop(*id))
        .chain(back.iter().map(|order| Act::Begin(order.id)))
        .chain(forward.iter().take(free).map(|order| Act::Begin(order.id)))
        .collect()
}

/// What was ordered of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub is_open: bool,
    /// When somebody, or a server, last ordered the phase that comes next.
    pub advance_at: Option<Timestamp>,
    pub verify_at: Option<Timestamp>,
}

/// What a server orders though nobody asked for it now: a phase that the plan says begins by itself, and a comparison that is due.
/// What ended once, cancelled or failed, is not ordered again: people decide.
pub fn by_itself(snapshot: &Snapshot, asked: &Asked) -> Option<Wish> {
    let is_held = asked.is_open
        || snapshot.state != RunState::Active
        || snapshot.rolling_back.is_some()
        || snapshot.paused().is_some()
        || snapshot.freeze.is_some();
    if is_held {
        return None;
    }
    let phase = snapshot.current_phase()?;
    // A phase that was undone is in another state: it waits for a person.
    if phase.auto && snapshot.phase_state(phase.name) == State::Pending {
        let before = snapshot.phases.values();
        let ended = before.filter_map(|phase| phase.finished_at).max();
        if asked.advance_at.is_none_or(|at| Some(at) < ended) {
            return Some(Wish::Advance {
                to: phase.name,
                at_gate: AtGate::Wait,
            });
        }
    }
    verification_is_due(snapshot, asked.verify_at).then_some(Wish::Verify)
}

/// From the end of `verify` until `contract` begins, rows are compared again and again. `asked_at`: when that was last ordered.
pub fn verification_is_due(snapshot: &Snapshot, asked_at: Option<Timestamp>) -> bool {
    let VerifyEvery::Span(every) = snapshot.plan.settings.verify_every else {
        return false;
    };
    let Some(verified) = &snapshot.verification else {
        return false;
    };
    let is_between = snapshot.has_completed(PhaseName::Verify)
        && snapshot.plan.phase(PhaseName::Contract).is_some()
        && !snapshot.phase_state(PhaseName::Contract).has_begun();
    let last = asked_at.map_or(verified.finished_at, |at| at.max(verified.finished_at));
    is_between && snapshot.now.duration_since(last).unsigned_abs() >= every.duration()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_order() -> impl Strategy<Value = OpenOrder> {
        (0_i64..20, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(id, is_held, is_driven, goes_back)| OpenOrder {
                id,
                run_id: id,
                run: format!("run-{id}"),
                wish: if goes_back {
                    Wish::RollBack {
                        to: RollbackTarget::Start,
                        discards: BTreeSet::new(),
                    }
                } else {
                    Wish::Verify
                },
                is_held,
                is_driven,
            },
        )
    }

    fn ids() -> impl Strategy<Value = BTreeSet<i64>> {
        prop::collection::btree_set(0_i64..20, 0..12)
    }

    proptest! {
        #[test]
        fn only_what_may_begin_begins_and_only_what_has_ended_stops(
            orders in prop::collection::vec(any_order(), 0..20), at_work in ids(), resting in ids()
        ) {
            // An id has one order.
            let orders: BTreeMap<i64, OpenOrder> = orders.into_iter().map(|order| (order.id, order)).collect();
            let orders: Vec<OpenOrder> = orders.into_values().collect();
            let acts = decide(&orders, &at_work, &resting);
            let (begun, stopped): (Vec<i64>, Vec<i64>) = acts.iter().fold(Default::default(), |(mut begun, mut stopped), act| {
                match act {
                    Act::Begin(id) => begun.push(*id),
                    Act::Stop(id) => stopped.push(*id),
                }
                (begun, stopped)
            });
            let may_begin = |goes_back: bool| -> Vec<i64> {
                orders.iter().filter(|order| {
                    matches!(order.wish, Wish::RollBack { .. }) == goes_back
                        && !at_work.contains(&order.id) && !resting.contains(&order.id) && !order.is_driven && !order.is_held
                }).map(|order| order.id).collect()
            };
            // Every rollback first, then as many of the others as there is room for, the oldest first.
            let room = AT_WORK_MAX.saturating_sub(at_work.len());
            let expected: Vec<i64> = may_begin(true).into_iter().chain(may_begin(false).into_iter().take(room)).collect();
            prop_assert_eq!(begun, expected);
            let open: BTreeSet<i64> = orders.iter().map(|order| order.id).collect();
            let ended: Vec<i64> = at_work.difference(&open).copied().collect();
            prop_assert_eq!(stopped, ended);
        }
    }
}
