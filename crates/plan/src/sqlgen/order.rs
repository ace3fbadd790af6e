//! When our triggers fire: in the order of all triggers' names, after those of the application that may change the row.

use crate::{compiled::Plan, document::RunName};
use crossfade_model::ident::Ident;

/// What the names begin with, one after the other by their bytes. With a run's longest name they fit in 63.
const BEGINNINGS: [&str; 13] = [
    "zz", "zzz", "zzzz", "zzzzz", "zzzzzz", "zzzzzzz", "zzzzzzzz", "~zz", "~~zz", "~~~zz",
    "~~~~zz", "~~~~~zz", "~~~~~~zz",
];

/// As they are called where nothing of the application's comes later.
pub const USUAL: &str = "zz";

fn name(beginning: &str, run: &RunName, suffix: &str) -> String {
    format!("{beginning}_crossfade_{run}_{suffix}")
}

/// The first that comes after all of these, as the server compares them: by their bytes. `None`: there is none.
pub fn beginning_after<'a>(
    names: impl Iterator<Item = &'a Ident> + Clone,
    run: &RunName,
) -> Option<&'static str> {
    BEGINNINGS.into_iter().find(|beginning| {
        let ours = name(beginning, run, "");
        names.clone().all(|name| name.as_str() < ours.as_str())
    })
}

/// A trigger of this name fires after ours.
pub fn is_after(name: &Ident, plan: &Plan) -> bool {
    name.as_str() > trigger(plan, "").as_str()
}

/// `zz_crossfade_<run>_<suffix>`: of a plan that was compiled before anybody looked at the others, too.
pub fn trigger(plan: &Plan, suffix: &str) -> Ident {
    let beginning = plan.triggers_begin.as_deref().unwrap_or(USUAL);
    Ident::from_catalog(name(beginning, &plan.name, suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_come_last_by_their_bytes() {
        let longest = "r".repeat(40);
        let run: RunName = longest.parse().unwrap();
        let begins = |names: &[&str]| {
            let names: Vec<Ident> = names
                .iter()
                .map(|name| Ident::from_catalog(*name))
                .collect();
            beginning_after(names.iter(), &run)
        };
        for (names, wanted) in [
            (&[][..], Some("zz")),
            (&["audit", "zebra", "ZZZ"], Some("zz")),
            (&["zz_touch"], Some("zzz")),
            (&["zzz_touch", "zzzz"], Some("zzzz")),
            (&["{set}"], Some("~zz")),
            (&["zzzzzzzzzzzzz", "~"], Some("~zz")),
            (&["~~~~~~~~~~"], None),
            (&["überall"], None),
        ] {
            assert_eq!(begins(names), wanted, "{names:?}");
        }
        for beginning in BEGINNINGS {
            assert!(name(beginning, &run, "pd").len() <= 63, "{beginning}");
        }
        assert!(BEGINNINGS.is_sorted());
    }
}
