//! The dual-write triggers: one function and two triggers per table (DESIGN "Dual writes").

use super::{
    literal,
    part::{Goal, Lock, Part, Statement},
};
use crate::plan::{
    compiled::{Assignment, ColumnRef, Conversion, Plan, Sync},
    document::RunName,
    ident::{Ident, TableName, short_hash},
    steps::sync_columns::OnUnconvertible,
};
use std::fmt::Write;

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
pub struct Names(Vec<(Ident, Ident)>);

impl Names {
    pub fn as_planned() -> Self {
        Self::default()
    }

    /// The names after the plan's `retire` has been done for `table`.
    pub fn retired(plan: &Plan, table: &TableName) -> Self {
        let mut names = Vec::new();
        for retire in plan.retired(table) {
            names.push((retire.column.clone(), retire.aside()));
            if let Some(by) = &retire.replace_with {
                names.push((by.clone(), retire.column.clone()));
            }
        }
        Self(names)
    }

    pub fn of<'a>(&'a self, column: &'a Ident) -> &'a Ident {
        self.0
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

/// `a` and `b`, of the column's type, are different values. It cannot fail, as a trigger's WHEN must not.
pub fn differs(column: &ColumnRef, a: &str, b: &str) -> String {
    if column.exact {
        format!("{a} IS DISTINCT FROM {b}")
    } else {
        // numeric 1.0 and 1.00, citext 'a' and 'A' are equal and yet not the same; json has no equality at all.
        format!("({a})::text IS DISTINCT FROM ({b})::text")
    }
}

/// The row has not been filled yet, told without evaluating an expression that could fail.
fn unfilled(assignment: &Assignment, names: &Names) -> String {
    let target = format!("new.{}", names.of(&assignment.target.name).quoted());
    let read = |column: &ColumnRef| format!("new.{}", names.of(&column.name).quoted());
    match (assignment.conversion, assignment.reads.as_slice()) {
        (Conversion::Copy, [source]) => differs(&assignment.target, &target, &read(source)),
        (_, reads) => {
            let sources: Vec<String> = reads
                .iter()
                .map(|column| format!("{} IS NOT NULL", read(column)))
                .collect();
            // An expression over no column at all (a constant) fills every row.
            let sources = if sources.is_empty() {
                "true".to_owned()
            } else {
                sources.join(" OR ")
            };
            format!("({target} IS NULL AND ({sources}))")
        }
    }
}

fn old_side(sync: &Sync) -> Vec<&ColumnRef> {
    let mut columns: Vec<&ColumnRef> = Vec::new();
    for column in sync
        .forward
        .iter()
        .flat_map(|assignment| &assignment.reads)
        .chain(sync.backward.iter().map(|assignment| &assignment.target))
    {
        if !columns.iter().any(|seen| seen.name == column.name) {
            columns.push(column);
        }
    }
    columns
}

fn changed(columns: &[&ColumnRef], names: &Names) -> String {
    let tests: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = names.of(&column.name).quoted();
            differs(column, &format!("new.{name}"), &format!("old.{name}"))
        })
        .collect();
    tests.join(" OR ")
}

/// The body of the trigger function. The first line tells what it is, so that a reader of `\df+` knows.
pub fn function_body(run: &RunName, sync: &Sync, filling: Filling, names: &Names) -> String {
    let objects = Objects::of(run, &sync.table);
    let new_side: Vec<&ColumnRef> = sync
        .forward
        .iter()
        .map(|assignment| &assignment.target)
        .collect();
    let old_side = old_side(sync);
    let any_new: Vec<String> = new_side
        .iter()
        .map(|column| format!("new.{} IS NOT NULL", names.of(&column.name).quoted()))
        .collect();
    let any_old: Vec<String> = old_side
        .iter()
        .map(|column| format!("new.{} IS NOT NULL", names.of(&column.name).quoted()))
        .collect();
    let any_old = if any_old.is_empty() {
        "false".to_owned()
    } else {
        any_old.join(" OR ")
    };
    let stage = match filling {
        Filling::Yes => "filling rows as they move",
        Filling::No => "not filling",
    };
    let mut body = format!(
        "\n-- crossfade: run {run}, table {}; keeps both sides of a change in step, {stage}\nDECLARE\n  crossfade_side text;\n  crossfade_count bigint;\n  crossfade_state text;\n  crossfade_error text;\nBEGIN\n",
        sync.table
    );
    let _ = write!(
        body,
        "  IF current_setting('crossfade.filling', true) = 'on' THEN\n    RETURN new;\n  END IF;\n  IF tg_op = 'INSERT' THEN\n    crossfade_side := current_setting('crossfade.writer', true);\n    IF crossfade_side IS NULL OR crossfade_side NOT IN ('old', 'new') THEN\n      crossfade_side := CASE WHEN {} THEN 'new' WHEN {any_old} THEN 'old' ELSE 'none' END;\n    END IF;\n",
        any_new.join(" OR "),
    );
    let old_changed = changed(&old_side, names);
    let old_changed = if old_changed.is_empty() {
        "false"
    } else {
        &old_changed
    };
    let _ = write!(
        body,
        "  ELSIF {} THEN\n    crossfade_side := 'new';\n  ELSIF {old_changed} THEN\n    crossfade_side := 'old';\n  ELSE\n    crossfade_side := 'none';\n  END IF;\n",
        changed(&new_side, names),
    );
    let count = |sequence: &Ident| {
        format!(
            "crossfade_count := nextval({}::regclass);\n",
            literal::text(&format!("crossfade.{}", sequence.quoted()))
        )
    };
    let count_new = format!("    {}", count(&objects.new_writes));
    let count_old = format!(
        "    IF tg_op = 'UPDATE' OR {} THEN\n      {}    END IF;\n",
        names_the_old_side(sync, &old_side, names),
        count(&objects.old_writes)
    );
    let _ = write!(
        body,
        "  IF crossfade_side = 'new' THEN\n{}{}  ELSIF crossfade_side = 'old' THEN\n{}{}  ELSE\n{}  END IF;\n  RETURN new;\nEND;\n",
        count_new,
        direction(run, sync, Direction::Backward, names),
        count_old,
        direction(run, sync, Direction::Forward, names),
        match filling {
            Filling::Yes => direction(run, sync, Direction::Fill, names),
            // An insert that names neither side and has no default: nothing to carry over, but an expression over
            // NULLs may still give a value.
            Filling::No => format!(
                "    IF tg_op = 'INSERT' THEN\n{}    END IF;\n",
                direction(run, sync, Direction::Fill, names)
            ),
        },
    );
    body
}

/// Whether an insert is by the old version, or by one that names neither side and got the old side's default. That is
/// told by the value first, and only then by the statement's text. What cannot be told counts as the old version's.
fn names_the_old_side(sync: &Sync, old_side: &[&ColumnRef], names: &Names) -> String {
    let tests: Vec<String> = old_side
        .iter()
        .map(|column| {
            let now = names.of(&column.name);
            let value = format!("new.{}", now.quoted());
            let other_value = match sync.old_defaults.get(&column.name) {
                None => format!("{value} IS NOT NULL"),
                // A call may give another value each time, or take the next one of a sequence: not evaluated.
                Some(default) if default.contains('(') => "false".to_owned(),
                Some(default) => differs(column, &value, &format!("({default})")),
            };
            format!(
                "{other_value} OR {}",
                mentions("left(current_query(), 10000)", now)
            )
        })
        .collect();
    if tests.is_empty() {
        "true".to_owned()
    } else {
        format!("({})", tests.join(" OR "))
    }
}

/// `text` has the name in it, as a word where it is one.
fn mentions(text: &str, name: &Ident) -> String {
    let is_word = name
        .as_str()
        .chars()
        .all(|c| c == '_' || c.is_ascii_alphanumeric());
    if is_word {
        format!(
            "{text} ~* {}",
            literal::text(&format!("\\m{}\\M", name.as_str()))
        )
    } else {
        format!("strpos({text}, {}) > 0", literal::text(name.as_str()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    /// Forward, but only what is still NULL.
    Fill,
    Backward,
}

fn direction(run: &RunName, sync: &Sync, direction: Direction, names: &Names) -> String {
    let assignments = match direction {
        Direction::Forward | Direction::Fill => &sync.forward,
        Direction::Backward => &sync.backward,
    };
    let mut text = String::new();
    for assignment in assignments {
        let target = format!("new.{}", names.of(&assignment.target.name).quoted());
        let assign = assign(run, sync, assignment, names);
        let assign = match (direction, sync.on_unconvertible) {
            (_, OnUnconvertible::Quarantine) if assignment.conversion.can_fail() => {
                let caught = match direction {
                    // The stale value would be worse than none.
                    Direction::Forward | Direction::Fill => format!("      {target} := NULL;\n"),
                    // The old side keeps what it had: it may be NOT NULL, and the write must not fail.
                    Direction::Backward => String::new(),
                };
                format!(
                    "    BEGIN\n{assign}    EXCEPTION WHEN OTHERS THEN\n      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;\n{caught}{}    END;\n",
                    quarantine(run, sync, assignment, direction, names)
                )
            }
            _ => assign,
        };
        if direction == Direction::Fill {
            let _ = write!(
                text,
                "    IF {} THEN\n{assign}    END IF;\n",
                unfilled(assignment, names)
            );
        } else {
            text.push_str(&assign);
        }
    }
    if text.is_empty() {
        text.push_str("    NULL;\n");
    }
    text
}

/// One assignment. An expression is evaluated in a block that is named as the table and has its columns as variables,
/// so that `status` and `vehicles.status` both mean the row's value and the server's fast path for simple expressions
/// applies; the target and the sources are named through the function's own block, as a column may be called "new".
fn assign(run: &RunName, sync: &Sync, assignment: &Assignment, names: &Names) -> String {
    let target = names.of(&assignment.target.name).quoted();
    if let (false, [source]) = (
        assignment.conversion.can_fail(),
        assignment.reads.as_slice(),
    ) {
        return format!(
            "    new.{target} := new.{};\n",
            names.of(&source.name).quoted()
        );
    }
    let function = Objects::of(run, &sync.table).function.quoted();
    let mut text = format!("    <<{}>>\n    DECLARE\n", sync.table.name.quoted());
    for column in &assignment.reads {
        let _ = writeln!(
            text,
            "      {} {} := {function}.new.{};",
            column.name.quoted(),
            column.type_name,
            names.of(&column.name).quoted()
        );
    }
    let _ = write!(
        text,
        "    BEGIN\n      {function}.new.{target} := ({}\n      );\n    END;\n",
        assignment.expression
    );
    text
}

fn quarantine(
    run: &RunName,
    sync: &Sync,
    assignment: &Assignment,
    direction: Direction,
    names: &Names,
) -> String {
    let object = |columns: Vec<&Ident>| {
        let pairs: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "{}, new.{}",
                    literal::text(column.as_str()),
                    names.of(column).quoted()
                )
            })
            .collect();
        format!("jsonb_build_object({})", pairs.join(", "))
    };
    let reads = assignment.reads.iter().map(|column| &column.name).collect();
    let direction = match direction {
        Direction::Forward | Direction::Fill => "forward",
        Direction::Backward => "backward",
    };
    // A row that is written again with the same value, or moved, is not another row in quarantine.
    format!(
        "      INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)\n        SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error\n        FROM crossfade.runs AS r, (VALUES ({}, {}, {}, {}, '{direction}')) AS q (table_name, column_name, row_key, row_values, direction)\n        WHERE r.name = {} AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o\n          WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));\n",
        literal::text(&sync.table.to_string()),
        literal::text(assignment.target.name.as_str()),
        object(sync.key.iter().collect()),
        object(reads),
        literal::text(run.as_str()),
    )
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

fn session_clauses(plan: &Plan) -> String {
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
    let mut columns = old_side(sync);
    columns.extend(sync.forward.iter().map(|assignment| &assignment.target));
    let mut when = vec![changed(&columns, names)];
    if filling == Filling::Yes {
        when.extend(
            sync.forward
                .iter()
                .map(|assignment| unfilled(assignment, names)),
        );
    }
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
    let run = &plan.name;
    let objects = Objects::of(run, &sync.table);
    let names = Names::as_planned();
    let body = function_body(run, sync, Filling::Yes, &names);
    let sequence =
        |name: &Ident| Statement::new(format!("CREATE SEQUENCE IF NOT EXISTS crossfade.{name}"));
    let statements = vec![
        sequence(&objects.old_writes),
        sequence(&objects.new_writes),
        create_function(plan, sync, &body),
        update_trigger(run, sync, Filling::Yes, &names),
        Statement::new(format!(
            "CREATE OR REPLACE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION crossfade.{}()",
            objects.insert_trigger, sync.table, objects.function
        ))
        .lock(&sync.table, Lock::ShareRowExclusiveLock),
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
    ];
    Part::locking(goal(run, sync, Some(body)), statements)
}

/// The function for the names that hold after `retire` or before it; the triggers' WHEN follows a rename by itself.
pub fn replace_function(plan: &Plan, sync: &Sync, names: &Names) -> Statement {
    create_function(
        plan,
        sync,
        &function_body(&plan.name, sync, Filling::No, names),
    )
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
        ],
    )
}
