//! The application's triggers that the batches of a backfill fire, and what that does to the application.

use super::Compiler;
use crate::{
    facts::{Each, Enabled, Table, Triggers, UpdateTrigger, When},
    steps::Step,
};
use crossfade_model::{
    error::{Path, PlanError, Topic},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

impl Compiler<'_> {
    pub(super) fn check_fired(&mut self, place: &Path, name: &TableName, table: &Table) {
        let Some(set) = self.columns_filled(name) else {
            return;
        };
        let triggers = self.facts.triggers_in_batches();
        let fired: Vec<&UpdateTrigger> = table
            .update_triggers
            .iter()
            .filter(|trigger| trigger.is_fired(triggers, |column| set.contains(column)))
            .collect();
        if fired.is_empty() {
            return;
        }
        let kept_out = match triggers {
            Triggers::KeptOut => ", which session_replication_role does not keep out",
            Triggers::Fire => "",
        };
        let message = format!(
            "the backfill fires the application's triggers on {name}{kept_out}, {}",
            listed(&fired, name)
        );
        let help = format!(
            "{}; {}",
            effects(&fired),
            self.to_keep_out(&fired, triggers)
        );
        self.problem(
            PlanError::at(place.clone(), message)
                .about(Topic::Rights)
                .warning()
                .help(help),
        );
    }

    /// `None`: no batch writes the table.
    fn columns_filled(&self, name: &TableName) -> Option<BTreeSet<Ident>> {
        let fills: Vec<_> = self
            .steps()
            .filter_map(|step| match step {
                Step::Fill(fill) if fill.table == *name => Some(fill),
                _ => None,
            })
            .collect();
        if fills.is_empty() {
            return None;
        }
        let linked = self
            .steps()
            .filter_map(|step| match step {
                // Rows of a child are inserted.
                Step::SyncTables(sync) if sync.to == *name && sync.parent_and_child().0 == name => {
                    Some(sync.forward.keys())
                }
                _ => None,
            })
            .flatten();
        let own = fills.iter().flat_map(|fill| fill.set.keys());
        Some(own.chain(linked).cloned().collect())
    }

    fn to_keep_out(&self, fired: &[&UpdateTrigger], triggers: Triggers) -> String {
        if triggers == Triggers::KeptOut {
            let ordinary: Vec<String> = fired
                .iter()
                .map(|one| format!("ALTER TABLE {} ENABLE TRIGGER {};", one.table, one.name))
                .collect();
            return format!(
                "they are enabled ALWAYS or REPLICA: as ordinary ones they are kept out: {}",
                ordinary.join(" ")
            );
        }
        let role = Ident::from_catalog(&self.facts.role);
        let always = match fired.iter().any(|one| one.enabled == Enabled::Always) {
            true => " (but for those that are enabled ALWAYS)",
            false => "",
        };
        match self.facts.server_version >= 150_000 {
            true => format!(
                "to keep them out{always}: GRANT SET ON PARAMETER session_replication_role TO {role};"
            ),
            false => format!(
                "on this version of PostgreSQL only a superuser can keep them out{always} (from 15 on: GRANT SET ON PARAMETER session_replication_role)"
            ),
        }
    }
}

/// `once for each row: touch, own of public.part; once for each batch: counts`
fn listed(fired: &[&UpdateTrigger], table: &TableName) -> String {
    let named = |each: Each| {
        let names: Vec<String> = fired
            .iter()
            .filter(|trigger| trigger.each == each)
            .map(|trigger| trigger.described(table))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let rows = named(Each::Row).map(|names| format!("once for each row: {names}"));
    let batches = named(Each::Statement).map(|names| format!("once for each batch: {names}"));
    let lists: Vec<String> = rows.into_iter().chain(batches).collect();
    lists.join("; ")
}

fn effects(fired: &[&UpdateTrigger]) -> String {
    let is_there = |each: Each, when: When| {
        let mut fired = fired.iter();
        fired.any(|trigger| trigger.each == each && trigger.when == when)
    };
    let mut effects = Vec::new();
    if is_there(Each::Row, When::Before) {
        effects.push(
            "a BEFORE trigger changes every row as it does for the application (a time of change, a version); a row for which it returns NULL is not filled",
        );
    }
    if is_there(Each::Row, When::After) {
        effects.push("an AFTER trigger writes for every row what it writes for the application (a row of an audit table, a message)");
    }
    if is_there(Each::Statement, When::Before) || is_there(Each::Statement, When::After) {
        effects.push("a trigger for each statement does for every batch what it does for a statement of the application");
    }
    effects.push("a row for which one fails goes to quarantine");
    effects.join("; ")
}
