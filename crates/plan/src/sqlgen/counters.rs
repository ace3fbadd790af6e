//! The sequences of a run that count the writes of each version: without a lock, and whatever becomes of the transaction.

use super::{sync, table_pair};
use crate::compiled::Plan;
use crossfade_model::ident::Ident;

pub struct Counters {
    pub old: Ident,
    pub new: Ident,
    /// Of inserts of which the two could not be told.
    pub untold: Option<Ident>,
}

/// Those of each sync of the plan.
pub fn of(plan: &Plan) -> Vec<Counters> {
    let within = plan.syncs().map(|one| {
        let objects = sync::Objects::of(&plan.name, &one.table);
        Counters {
            old: objects.old_writes,
            new: objects.new_writes,
            untold: Some(objects.untold_writes),
        }
    });
    let across = plan.links().map(|one| {
        let objects = table_pair::Objects::of(&plan.name, one);
        Counters {
            old: objects.old_writes(),
            new: objects.new_writes(),
            untold: None,
        }
    });
    within.chain(across).collect()
}
