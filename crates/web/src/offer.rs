//! What a visitor may do with a run as it stands, and why not where not.

use crate::{
    failure::Failure,
    site::Site,
    visitor::{READ_ONLY, Visitor},
};
use crossfade_coordinator::service::Status;
use crossfade_decisions::lifecycle::transition::State;
use crossfade_plan::document::PhaseName;

/// A button: where it leads, or why it cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub label: String,
    /// The last part of its address: `/runs/RUN/PATH`.
    pub path: &'static str,
    pub is_main: bool,
    pub is_dangerous: bool,
    /// Why it cannot be used; `None`: it can.
    pub off: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Operate,
    /// A member of the role that the server is connected as.
    Order,
    Approve,
}

/// In the order in which they stand on the page.
pub fn offers(status: &Status, visitor: &Visitor, site: &Site) -> Vec<Offer> {
    let next = status.current_phase();
    let next_name = next.map(|phase| phase.phase);
    let has_begun =
        next.is_some_and(|phase| !matches!(phase.state, State::Pending | State::Reverted));
    let rolls_back = status.waiting.iter().any(|one| one.kind == "rolling_back");
    let open = status.order.as_ref().filter(|order| order.is_open());
    let busy = open.map(|order| format!("order {} is open: {}", order.id, order.in_words()));
    let driven = status.lease.as_ref().filter(|_| open.is_none());
    let driven = driven.map(|lease| format!("it is driven by {}", lease.holder));
    let held = busy.clone().or_else(|| driven.clone());
    let over = (status.state != "active")
        .then(|| format!("the run is {}", status.state.replace('_', " ")));
    let going_back = rolls_back.then(|| "a rollback is in progress: continue it".to_owned());

    let forward = |what: Option<String>| {
        over.clone()
            .or_else(|| held.clone())
            .or_else(|| going_back.clone())
            .or(what)
    };
    let mut offers = Vec::new();
    let mut offer = |label: &str, path, needs: Needs, off: Option<String>| {
        let right = missing_right(visitor, site, needs);
        offers.push(Offer {
            label: label.to_owned(),
            path,
            is_main: false,
            is_dangerous: false,
            // Who may not do it at all is not told when it could be done.
            off: right.or(off),
        });
    };
    let advance = match (next_name, has_begun) {
        (Some(PhaseName::Contract), _) => "Run contract…".to_owned(),
        (Some(phase), true) => format!("Go on with {phase}…"),
        (Some(phase), false) => format!("Advance: {phase}…"),
        (None, _) => "Advance…".to_owned(),
    };
    offer(&advance, "advance", Needs::Order, forward(None));
    let nothing_to_approve = match next_name {
        None => Some("no phase is left".to_owned()),
        Some(phase) if has_begun && phase == PhaseName::Contract => {
            Some(format!("{phase} has begun"))
        }
        Some(_) => None,
    };
    let approve_off = over.clone().or(nothing_to_approve).or_else(|| {
        going_back
            .as_ref()
            .map(|_| "a rollback is under way: approve when it has ended".to_owned())
    });
    offer("Approve…", "approve", Needs::Approve, approve_off);
    match &status.paused {
        Some(_) => offer("Resume…", "resume", Needs::Operate, over.clone()),
        None => offer("Pause…", "pause", Needs::Operate, over.clone()),
    }
    offer(
        "Verify…",
        "verify",
        Needs::Order,
        forward(verify_off(status)),
    );
    let fills = status
        .phases
        .iter()
        .any(|phase| phase.phase == PhaseName::Backfill);
    let no_backfill = (!fills).then(|| "the plan has no backfill".to_owned());
    offer(
        "Limits…",
        "tune",
        Needs::Operate,
        over.clone().or(no_backfill),
    );
    let none_open = open.is_none().then(|| "no order is open".to_owned());
    offer(
        "Cancel order…",
        "cancel",
        Needs::Operate,
        over.clone().or(none_open),
    );
    // Going back is possible after completion, where nothing was dropped: the rollback's own page says.
    let back = (status.state == "rolled_back")
        .then(|| "the run is rolled back".to_owned())
        .or_else(|| driven.clone())
        .or_else(|| {
            busy.clone()
                .filter(|_| open.is_some_and(|order| order.action == "rollback"))
        });
    offer("Roll back…", "rollback", Needs::Order, back);

    let may_approve = missing_right(visitor, site, Needs::Approve).is_none();
    for offer in &mut offers {
        offer.is_dangerous = offer.path == "rollback"
            || offer.path == "advance" && next_name == Some(PhaseName::Contract);
        offer.is_main = offer.path == main_path(status, may_approve);
    }
    offers
}

/// What most people come for.
fn main_path(status: &Status, may_approve: bool) -> &'static str {
    if status.paused.is_some() {
        "resume"
    } else if status.waiting.iter().any(|one| one.kind == "rolling_back") {
        "rollback"
    } else if may_approve && status.waiting.iter().any(|one| one.kind == "approvals") {
        "approve"
    } else {
        "advance"
    }
}

fn verify_off(status: &Status) -> Option<String> {
    let is_filled = status
        .phases
        .iter()
        .any(|phase| phase.phase == PhaseName::Backfill && phase.state == State::Completed);
    (!is_filled).then(|| "both sides are compared when the backfill has ended".to_owned())
}

/// Before something is looked up for an act that costs the database more than a look: a count of rows, say.
pub fn require(visitor: &Visitor, site: &Site, needs: Needs) -> Result<(), Failure> {
    match missing_right(visitor, site, needs) {
        None => Ok(()),
        Some(_) if visitor.holder.is_none() => Err(Failure::SignIn),
        Some(why) => Err(Failure::Forbidden(why)),
    }
}

pub fn missing_right(visitor: &Visitor, site: &Site, needs: Needs) -> Option<String> {
    if site.settings.read_only {
        return Some(READ_ONLY.to_owned());
    }
    let Some(holder) = &visitor.holder else {
        return Some("sign in first".to_owned());
    };
    let (may, verb) = match needs {
        Needs::Operate => (holder.may_operate, "do this"),
        Needs::Order => (holder.may_start, "place orders"),
        Needs::Approve => (holder.may_approve, "approve"),
    };
    (!may).then(|| {
        format!(
            "{} may not {verb} by token {}: the token does not allow it, or the role lacks the right",
            holder.role, holder.token
        )
    })
}
