//! The dual-write triggers: one function and two triggers per table (DESIGN "Dual writes").

mod body;

use super::{
    group::groups,
    literal,
    part::{Goal, Lock, Part, Statement},
    standing,
};
use crate::plan::{
    compiled::{ColumnRef, Plan, Sync},
    document::RunName,
    ident::{Ident, TableName, short_hash},
    steps::retire_column::RetireColumn,
};
use body::Row;
pub use body::function_body;

/// Whether the triggers fill rows that the backfill has not come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// From `dual_write` until the backfill is done: a row is filled as it moves, or the walk may miss it.
    Yes,
    /// Afterwards: an explicit NULL of the new version stays.
    No,
}

/// The names that the plan's columns have now: `retire` renames them, while expressions go on using the plan's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    columns: Vec<(Ident, Ident)>,
    /// Of the other table, where the two sides are in two.
    child: Option<Box<(TableName, Names)>>,
}

impl Names {
    pub fn as_planned() -> Self {
        Self::default()
    }

    /// The names after these columns have been retired.
    pub fn retired<'a>(retired: impl IntoIterator<Item = &'a RetireColumn>) -> Self {
        let mut names = Vec::new();
        for retire in retired {
            names.push((retire.column.clone(), retire.aside()));
            if let Some(by) = &retire.replace_with {
                names.push((by.clone(), retire.column.clone()));
            }
        }
        Self {
            columns: names,
            child: None,
        }
    }

    /// The name that the child has now, and those of its columns.
    pub fn with_child(self, table: TableName, names: Self) -> Self {
        Self {
            child: Some(Box::new((table, names))),
            ..self
        }
    }

    /// The child's name now.
    pub fn child<'a>(&'a self, planned: &'a TableName) -> &'a TableName {
        self.child.as_deref().map_or(planned, |(table, _)| table)
    }

    /// The name that a column of the child has now.
    pub fn of_child<'a>(&'a self, column: &'a Ident) -> &'a Ident {
        self.child
            .as_deref()
            .map_or(column, |(_, names)| names.of(column))
    }

    pub fn of<'a>(&'a self, column: &'a Ident) -> &'a Ident {
        self.columns
            .iter()
            .find(|(planned, _)| planned == column)
            .map_or(column, |(_, now)| now)
    }
}

/// The names of what the sync of one table installs.
pub struct Objects {
    pub function: Ident,
    pub insert_trigger: Ident,
    pub update_trigger: Ident,
    pub old_writes: Ident,
    pub new_writes: Ident,
}

impl Objects {
    /// Several tables of a run are told apart by a hash: the names must fit in 63 bytes.
    pub fn of(run: &RunName, table: &TableName) -> Self {
        let mark = format!("{run}_{:08x}", short_hash(&table.to_string()));
        Self {
            function: Ident::from_catalog(format!("sync_{mark}")),
            // `zz_`: BEFORE triggers fire in the order of their names, and ours must see what the application's leave.
            insert_trigger: Ident::from_catalog(format!("zz_crossfade_{run}_i")),
            update_trigger: Ident::from_catalog(format!("zz_crossfade_{run}_u")),
            old_writes: Ident::from_catalog(format!("old_{mark}")),
            new_writes: Ident::from_catalog(format!("new_{mark}")),
        }
    }
}

/// A batch of ours writes this row. What the application's triggers write as a batch fires them is a write like any other.
pub(super) const FILLED_BY_US: &str =
    "current_setting('crossfade.filling', true) = 'on' AND pg_trigger_depth() = 1";

/// `a` and `b`, of the column's type, are different values. It cannot fail, as a trigger's WHEN must not.
pub fn differs(column: &ColumnRef, a: &str, b: &str) -> String {
    if column.exact {
        format!("{a} IS DISTINCT FROM {b}")
    } else {
        // numeric 1.0 and 1.00, citext 'a' and 'A' are equal and yet not the same; json has no equality at all.
        format!("({a})::text IS DISTINCT FROM ({b})::text")
    }
}

/// A column has another value than before. By its bytes where equal ones may not be the same: the text of a value depends
/// on the settings of the application's session (`extra_float_digits`), and a WHEN has no others.
pub fn is_written(column: &ColumnRef, new: &str, old: &str) -> String {
    if column.exact {
        format!("{new} IS DISTINCT FROM {old}")
    } else {
        // As records: two rows as such would be compared column by column.
        format!("ROW({new})::record *<> ROW({old})::record")
    }
}

fn create_function(plan: &Plan, sync: &Sync, body: &str) -> Statement {
    let converts = sync
        .forward
        .iter()
        .chain(&sync.backward)
        .any(|assignment| assignment.conversion.can_fail());
    let pinned = if converts {
        session_clauses(plan)
    } else {
        String::new()
    };
    Statement::new(format!(
        "CREATE OR REPLACE FUNCTION crossfade.{}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp{pinned} AS {}",
        Objects::of(&plan.name, &sync.table).function,
        literal::dollar_quoted(body)
    ))
}

pub(super) fn session_clauses(plan: &Plan) -> String {
    let clauses: Vec<String> = plan
        .session
        .iter()
        .map(|(name, value)| format!(" SET {name} = {}", literal::text(value)))
        .collect();
    clauses.concat()
}

/// What a session that fills or compares is set to, so that it computes as the triggers do.
pub fn session(plan: &Plan) -> String {
    let settings: Vec<String> = plan
        .session
        .iter()
        .map(|(name, value)| format!("SET {name} = {};", literal::text(value)))
        .collect();
    settings.join(" ")
}

fn update_trigger(run: &RunName, sync: &Sync, filling: Filling, names: &Names) -> Statement {
    let objects = Objects::of(run, &sync.table);
    let groups = groups(&sync.forward, &sync.backward);
    // Every statement that updates the table parses the WHEN anew, whatever it sets: few tests are worth more than quick
    // ones (benches/README.md).
    let mut when: Vec<String> = Vec::new();
    for group in &groups {
        if let Some((column, source)) = group.mutual_copy() {
            let [new, old] = [column, source].map(|column| Row::New.column(&column.name, names));
            when.push(is_written(column, &new, &old));
            continue;
        }
        let columns = [group.old_side(), group.new_side()].concat();
        when.push(body::changed(&columns, names));
        if filling == Filling::Yes {
            when.push(body::unfilled(group, Row::New, names));
        }
    }
    when.extend(body::key_changed(sync, &groups, names));
    Statement::new(format!(
        "CREATE OR REPLACE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW WHEN ({}) EXECUTE FUNCTION crossfade.{}()",
        objects.update_trigger,
        sync.table,
        when.join(" OR "),
        objects.function
    ))
    .lock(&sync.table, Lock::ShareRowExclusiveLock)
}

fn goal(run: &RunName, sync: &Sync, body: Option<String>) -> Goal {
    Goal::Sync {
        table: sync.table.clone(),
        function: Objects::of(run, &sync.table).function,
        body,
    }
}

/// Installs the triggers and the write counters, in one transaction.
pub fn install(plan: &Plan, sync: &Sync) -> Part {
    put_in_place(plan, sync, Filling::Yes, &Names::as_planned())
}

/// The same at a later point of the run: what somebody has taken away or disabled is put back as it should be by now.
pub fn put_in_place(plan: &Plan, sync: &Sync, filling: Filling, names: &Names) -> Part {
    let run = &plan.name;
    let objects = Objects::of(run, &sync.table);
    let body = function_body(run, sync, filling, names);
    let sequence =
        |name: &Ident| Statement::new(format!("CREATE SEQUENCE IF NOT EXISTS crossfade.{name}"));
    let statements = vec![
        sequence(&objects.old_writes),
        sequence(&objects.new_writes),
        create_function(plan, sync, &body),
        update_trigger(run, sync, filling, names),
        Statement::new(format!(
            "CREATE OR REPLACE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION crossfade.{}()",
            objects.insert_trigger, sync.table, objects.function
        ))
        .lock(&sync.table, Lock::ShareRowExclusiveLock),
        standing::keep(run, std::slice::from_ref(&objects.function)),
    ];
    Part::locking(goal(run, sync, Some(body)), statements)
}

/// Makes the triggers fill rows as they move, or stop doing so.
pub fn set_filling(plan: &Plan, sync: &Sync, filling: Filling) -> Part {
    let run = &plan.name;
    let names = Names::as_planned();
    let body = function_body(run, sync, filling, &names);
    let statements = vec![
        create_function(plan, sync, &body),
        update_trigger(run, sync, filling, &names),
        standing::keep(run, &[Objects::of(run, &sync.table).function]),
    ];
    Part::locking(goal(run, sync, Some(body)), statements)
}

/// The function for the names that hold after `retire` or before it; the triggers' WHEN follows a rename by itself.
pub fn replace_function(plan: &Plan, sync: &Sync, names: &Names) -> Vec<Statement> {
    let body = function_body(&plan.name, sync, Filling::No, names);
    vec![
        create_function(plan, sync, &body),
        standing::keep(&plan.name, &[Objects::of(&plan.name, &sync.table).function]),
    ]
}

/// Takes everything away again, in one transaction.
pub fn uninstall(run: &RunName, table: &TableName) -> Part {
    let objects = Objects::of(run, table);
    let drop_trigger = |trigger: &Ident| {
        Statement::new(format!("DROP TRIGGER IF EXISTS {trigger} ON {table}"))
            .lock(table, Lock::AccessExclusiveLock)
    };
    let drop_sequence =
        |name: &Ident| Statement::new(format!("DROP SEQUENCE IF EXISTS crossfade.{name}"));
    Part::locking(
        Goal::Sync {
            table: table.clone(),
            function: objects.function.clone(),
            body: None,
        },
        vec![
            drop_trigger(&objects.insert_trigger),
            drop_trigger(&objects.update_trigger),
            Statement::new(format!(
                "DROP FUNCTION IF EXISTS crossfade.{}()",
                objects.function
            )),
            drop_sequence(&objects.old_writes),
            drop_sequence(&objects.new_writes),
            standing::forget(run, std::slice::from_ref(&objects.function)),
        ],
    )
}
