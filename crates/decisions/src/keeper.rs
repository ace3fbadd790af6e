//! What a `crossfade serve` does next, from the open orders of its database.

use crate::lifecycle::snapshot::RollbackTarget;
use crossfade_plan::document::PhaseName;
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
