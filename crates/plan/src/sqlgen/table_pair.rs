//! Two tables that are kept in step: a function and triggers for each of them.
//!
//! They fire AFTER a row is written, as the other table's row may be written only then, and write what differs. A
//! transaction-local guard keeps what they write from coming back; not `pg_trigger_depth()` alone, which would also leave out
//! what the application's own triggers write. The guard is a setting, which any role can set: it holds with the number only
//! that its session has drawn last from a sequence of ours.

mod body;
pub mod rows;

use super::{
    ddl_unit::{DdlUnit, Goal, Statement},
    literal, order, session, standing,
    sync::{Names, create_sequence, keep_function, path_clause, session_clauses},
};
use crate::{
    compiled::Plan,
    document::RunName,
    steps::{DdlStep, retire_table},
    table_pair::{DeleteAlong, Side, TablePair},
};
use crossfade_model::ident::{Ident, TableName, short_hash};
use crossfade_model::lock::Lock;

/// Of a step that takes something out of sight: what comes before it, and what after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

pub fn names_as_planned() -> Names {
    Names::as_planned()
}

/// The names of both tables and their columns when these of the plan's steps are done.
pub fn names_when(plan: &Plan, link: &TablePair, is_done: impl Fn(&DdlStep) -> bool) -> Names {
    let done: Vec<&DdlStep> = plan.retiring(link).filter(|step| is_done(step)).collect();
    let columns = |side| {
        let columns = done.iter().filter_map(move |step| match step {
            DdlStep::RetireColumn(retire) if retire.table == *link.table(side) => Some(retire),
            _ => None,
        });
        Names::retired(columns)
    };
    let is_retired = done
        .iter()
        .any(|step| matches!(step, DdlStep::RetireTable(retire) if retire.table == link.child));
    let child = if is_retired {
        retire_table::aside(&link.child)
    } else {
        link.child.clone()
    };
    columns(Side::Parent).with_child(child, columns(Side::Child))
}

/// The same right before or after one step, in the plan's order.
pub fn names_around(plan: &Plan, link: &TablePair, at: &DdlStep, moment: Moment) -> Names {
    let before: Vec<&DdlStep> = plan.retiring(link).take_while(|step| *step != at).collect();
    names_when(plan, link, |step| match moment {
        Moment::Before => before.contains(&step),
        Moment::After => before.contains(&step) || step == at,
    })
}

/// The names of what is installed.
pub struct Objects {
    mark: String,
}

impl Objects {
    pub fn of(run: &RunName, link: &TablePair) -> Self {
        let pair = format!("{}\n{}", link.parent, link.child);
        Self {
            mark: format!("{run}_{:08x}", short_hash(&pair)),
        }
    }

    pub fn function(&self, side: Side) -> Ident {
        Ident::from_catalog(match side {
            Side::Parent => format!("parent_{}", self.mark),
            Side::Child => format!("child_{}", self.mark),
        })
    }

    pub fn functions(&self) -> [Ident; 2] {
        [Side::Parent, Side::Child].map(|side| self.function(side))
    }

    pub fn old_writes(&self) -> Ident {
        Ident::from_catalog(format!("old_{}", self.mark))
    }

    pub fn new_writes(&self) -> Ident {
        Ident::from_catalog(format!("new_{}", self.mark))
    }

    /// Numbers the guards. What a session has drawn last it alone knows, and nobody but the functions' owner can ask.
    fn guard_numbers(&self) -> Ident {
        Ident::from_catalog(format!("guard_{}", self.mark))
    }

    /// What the guard is, before its number, while the functions write this one of the tables.
    fn guard(&self, to: Side) -> String {
        match to {
            Side::Parent => format!("{} to parent", self.mark),
            Side::Child => format!("{} to child", self.mark),
        }
    }

    /// Triggers fire in the order of their names, and ours must see what the application's leave; all but the one that
    /// deletes along, which comes before PostgreSQL's own (`RI_…`), as a foreign key would refuse the deletion.
    fn trigger(&self, plan: &Plan, name: &str) -> Ident {
        if name == DELETES_ALONG {
            return Ident::from_catalog(format!("A_crossfade_{}_{name}", plan.name));
        }
        order::trigger(plan, name)
    }
}

const DELETES_ALONG: &str = "pd";

struct Trigger {
    name: Ident,
    on: Side,
    /// `AFTER INSERT OR DELETE`
    when: &'static str,
    condition: Option<String>,
}

/// The names and the tables of the triggers: what must be there while both are in step.
pub fn triggers(plan: &Plan, link: &TablePair) -> Vec<(Ident, Side)> {
    all_triggers(plan, link, &Names::as_planned())
        .into_iter()
        .map(|trigger| (trigger.name, trigger.on))
        .collect()
}

fn all_triggers(plan: &Plan, link: &TablePair, names: &Names) -> Vec<Trigger> {
    let objects = Objects::of(&plan.name, link);
    let trigger = |name: &str, on, when, condition| Trigger {
        name: objects.trigger(plan, name),
        on,
        when,
        condition,
    };
    let mut all = vec![
        // Both versions take the parent's row first and the child's then, where they can: else two that write the same
        // thing at the same moment, each in its own table, would wait for each other.
        trigger("cb", Side::Child, "BEFORE INSERT", None),
        trigger("ci", Side::Child, "AFTER INSERT OR DELETE", None),
        trigger(
            "cu",
            Side::Child,
            "AFTER UPDATE",
            Some(body::changed(&link.columns(Side::Child), |column| {
                names.of_child(column)
            })),
        ),
        trigger("pi", Side::Parent, "AFTER INSERT", None),
        trigger(
            "pu",
            Side::Parent,
            "AFTER UPDATE",
            Some(body::changed(&link.columns(Side::Parent), |column| {
                names.of(column)
            })),
        ),
    ];
    if link.new == Side::Parent {
        all.push(trigger("pb", Side::Parent, "BEFORE INSERT", None));
    }
    if link.delete_along == DeleteAlong::Yes {
        all.push(trigger(DELETES_ALONG, Side::Parent, "AFTER DELETE", None));
    }
    all
}

fn table_now<'a>(link: &'a TablePair, side: Side, names: &'a Names) -> &'a TableName {
    match side {
        Side::Parent => &link.parent,
        Side::Child => names.child(&link.child),
    }
}

fn bodies(plan: &Plan, link: &TablePair, names: &Names) -> Vec<(Ident, String)> {
    let objects = Objects::of(&plan.name, link);
    [Side::Parent, Side::Child]
        .into_iter()
        .map(|side| {
            let body = body::function_body(&plan.name, link, side, names, &objects);
            (objects.function(side), body)
        })
        .collect()
}

/// The functions, and what they need that an older version of Crossfade did not make.
fn create_functions(plan: &Plan, link: &TablePair, names: &Names) -> Vec<Statement> {
    // What is written to the other table runs its constraints and the application's triggers.
    let pinned = path_clause(&session::path(plan)) + &session_clauses(plan);
    let numbers = create_sequence(&Objects::of(&plan.name, link).guard_numbers());
    let functions = bodies(plan, link, names)
        .into_iter()
        .map(|(function, body)| {
            Statement::new(format!(
                "CREATE OR REPLACE FUNCTION crossfade.{function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER{pinned} AS {}",
                literal::dollar_quoted(&body)
            ))
        });
    std::iter::once(numbers).chain(functions).collect()
}

fn goal(plan: &Plan, link: &TablePair, names: &Names, bodies: Vec<(Ident, String)>) -> Goal {
    let objects = Objects::of(&plan.name, link);
    Goal::TablesInStep {
        parent: link.parent.clone(),
        child: names.child(&link.child).clone(),
        functions: vec![
            objects.function(Side::Parent),
            objects.function(Side::Child),
        ],
        bodies: bodies.into_iter().map(|(_, body)| body).collect(),
    }
}

/// Installs the functions, the triggers and the write counters, in one transaction.
pub fn install(plan: &Plan, link: &TablePair) -> DdlUnit {
    put_in_place(plan, link, &Names::as_planned())
}

/// The same at a later point of the run: what somebody has taken away or disabled is put back as it should be by now.
pub fn put_in_place(plan: &Plan, link: &TablePair, names: &Names) -> DdlUnit {
    let objects = Objects::of(&plan.name, link);
    let mut statements: Vec<Statement> = [objects.old_writes(), objects.new_writes()]
        .iter()
        .map(create_sequence)
        .collect();
    statements.extend(create_functions(plan, link, names));
    statements.extend(
        [Side::Parent, Side::Child]
            .map(|side| keep_function(&objects.function(side), table_now(link, side, names))),
    );
    for trigger in all_triggers(plan, link, names) {
        let table = table_now(link, trigger.on, names);
        let condition = trigger.condition.map(|when| format!(" WHEN ({when})"));
        let sql = format!(
            "CREATE OR REPLACE TRIGGER {} {} ON {table} FOR EACH ROW{} EXECUTE FUNCTION crossfade.{}()",
            trigger.name,
            trigger.when,
            condition.unwrap_or_default(),
            objects.function(trigger.on)
        );
        statements.push(Statement::new(sql).lock(table, Lock::ShareRowExclusiveLock));
    }
    statements.push(standing::keep(&plan.name, &objects.functions()));
    let goal = goal(plan, link, names, bodies(plan, link, names));
    DdlUnit::locking(goal, statements)
}

/// The functions for other names; the triggers' WHEN follows a rename by itself.
pub fn replace_functions(plan: &Plan, link: &TablePair, names: &Names) -> DdlUnit {
    let mut statements = create_functions(plan, link, names);
    let functions = Objects::of(&plan.name, link).functions();
    statements.push(standing::keep(&plan.name, &functions));
    let bodies = bodies(plan, link, names);
    DdlUnit::locking(Goal::Functions { bodies }, statements)
}

/// Keeps writes of the other table out while what its function names is renamed: one that is under way would look for the
/// name that was there.
pub fn lock_other(link: &TablePair, table: &TableName, names: &Names) -> Statement {
    let side = if *table == link.parent {
        Side::Child
    } else {
        Side::Parent
    };
    let other = table_now(link, side, names);
    Statement::new(format!("LOCK TABLE {other} IN SHARE ROW EXCLUSIVE MODE"))
        .lock(other, Lock::ShareRowExclusiveLock)
}

/// Takes everything away again, in one transaction.
pub fn uninstall(plan: &Plan, link: &TablePair, names: &Names) -> DdlUnit {
    let objects = Objects::of(&plan.name, link);
    let mut statements: Vec<Statement> = all_triggers(plan, link, names)
        .iter()
        .map(|trigger| {
            let table = table_now(link, trigger.on, names);
            let sql = format!("DROP TRIGGER IF EXISTS {} ON {table}", trigger.name);
            Statement::new(sql).lock(table, Lock::AccessExclusiveLock)
        })
        .collect();
    for side in [Side::Parent, Side::Child] {
        statements.push(Statement::new(format!(
            "DROP FUNCTION IF EXISTS crossfade.{}()",
            objects.function(side)
        )));
    }
    for sequence in [
        objects.old_writes(),
        objects.new_writes(),
        objects.guard_numbers(),
    ] {
        statements.push(Statement::new(format!(
            "DROP SEQUENCE IF EXISTS crossfade.{sequence}"
        )));
    }
    statements.push(standing::forget(&plan.name, &objects.functions()));
    DdlUnit::locking(goal(plan, link, names, Vec::new()), statements)
}
