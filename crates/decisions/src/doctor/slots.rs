//! Replication slots: what one keeps of the log stays on the server's disk until somebody takes it.

use super::{Check, CheckFinding, Work, words::size};

#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    pub name: String,
    /// As SQL, for a statement.
    pub literal: String,
    pub is_active: bool,
    /// The log that it keeps; `None`: none yet.
    pub kept_bytes: Option<u64>,
    /// `max_slot_wal_keep_size` has ended it.
    pub is_lost: bool,
}

pub fn check(slots: &[Slot], work: Option<&Work>) -> Vec<CheckFinding> {
    let check = Check::Slots;
    let found: Vec<CheckFinding> = slots.iter().filter_map(|slot| one(slot, work)).collect();
    if !found.is_empty() {
        return found;
    }
    let found = match slots.len() {
        0 => "there is no replication slot".to_owned(),
        1 => "the replication slot is in use".to_owned(),
        number => format!("all {number} replication slots are in use"),
    };
    vec![CheckFinding::passed(check, found)]
}

fn one(slot: &Slot, work: Option<&Work>) -> Option<CheckFinding> {
    let check = Check::Slots;
    let Slot { name, literal, .. } = slot;
    let drop = format!("SELECT pg_drop_replication_slot({literal});");
    if slot.is_lost {
        let found = format!("the replication slot {name} is lost: its receiver has to begin anew");
        return Some(CheckFinding::warning(check, found).remedy(drop));
    }
    let kept = slot.kept_bytes?;
    let limit = work.and_then(|work| work.slot_bytes_max.filter(|_| work.fills));
    let stops = limit.filter(|limit| kept >= *limit);
    let use_it = format!("let its receiver connect, or end it: {drop}");
    match (slot.is_active, stops) {
        (true, None) => None,
        (true, Some(limit)) => {
            // It may be behind for a moment only.
            let found = format!(
                "the replication slot {name} keeps {} of log, and a backfill rests from {} on",
                size(kept),
                size(limit)
            );
            Some(CheckFinding::warning(check, found).remedy("see why its receiver is behind"))
        }
        (false, None) => {
            let found = format!(
                "nobody uses the replication slot {name}: it keeps {} of log, and all that is written from now on",
                size(kept)
            );
            Some(CheckFinding::warning(check, found).remedy(use_it))
        }
        (false, Some(limit)) => {
            let found = format!(
                "nobody uses the replication slot {name}, which keeps {} of log: a backfill stops at {}, and would not begin",
                size(kept),
                size(limit)
            );
            Some(CheckFinding::failed(check, found).remedy(use_it))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn a_slot_that_nobody_uses_fails_where_a_backfill_would_not_begin() {
        let slot = |is_active, kept_bytes| Slot {
            name: "old".to_owned(),
            literal: "'old'".to_owned(),
            is_active,
            kept_bytes,
            is_lost: false,
        };
        let fills = Work {
            fills: true,
            slot_bytes_max: Some(100),
            ..Work::default()
        };
        let no_fill = Work {
            fills: false,
            ..fills.clone()
        };
        let verdict = |slot, work| check(&[slot], work)[0].verdict;
        assert_eq!(
            verdict(slot(false, Some(200)), Some(&fills)),
            Verdict::Failed
        );
        assert_eq!(
            verdict(slot(false, Some(200)), Some(&no_fill)),
            Verdict::Warning
        );
        assert_eq!(
            verdict(slot(false, Some(50)), Some(&fills)),
            Verdict::Warning
        );
        assert_eq!(verdict(slot(false, None), Some(&fills)), Verdict::Passed);
        assert_eq!(
            verdict(slot(true, Some(200)), Some(&fills)),
            Verdict::Warning
        );
        assert_eq!(verdict(slot(true, Some(50)), Some(&fills)), Verdict::Passed);
        let lost = Slot {
            is_lost: true,
            ..slot(false, None)
        };
        assert_eq!(verdict(lost, None), Verdict::Warning);
        assert_eq!(check(&[], None)[0].verdict, Verdict::Passed);
    }
}
