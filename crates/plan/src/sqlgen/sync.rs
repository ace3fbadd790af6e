//! The dual-write triggers: one function and two triggers per table.

mod body;

use super::{
    ddl_unit::{DdlUnit, Goal, Statement},
    group::groups,
    literal, order, session, standing,
};
use crate::{
    compiled::{ColumnRef, Plan, Sync},
    document::RunName,
    steps::retire_column::RetireColumn,
    types::{self, Equality},
};
use body::Row;
pub use body::{NOTES_WHILE_ACTIVE, function_body, key_in_use};
use crossfade_model::ident::{Ident, TableName, short_hash};
use crossfade_model::lock::Lock;

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
    pub old_writes: Ident,
    pub new_writes: Ident,
    pub untold_writes: Ident,
}

impl Objects {
    /// Several tables of a run are told apart by a hash: the names must fit in 63 bytes.
    pub fn of(run: &RunName, table: &TableName) -> Self {
        let mark = format!("{run}_{:08x}", short_hash(&table.to_string()));
        Self {
            function: Ident::from_catalog(format!("sync_{mark}")),
            old_writes: Ident::from_catalog(format!("old_{mark}")),
            new_writes: Ident::from_catalog(format!("new_{mark}")),
            untold_writes: Ident::from_catalog(format!("untold_{mark}")),
        }
    }
}

/// BEFORE triggers, on INSERT and on UPDATE: ours must see what the application's leave.
pub fn triggers(plan: &Plan) -> [Ident; 2] {
    ["i", "u"].map(|suffix| order::trigger(plan, suffix))
}

/// A batch of ours writes this row. Anybody can set the setting: it makes the function look who asks. What the application's
/// triggers write as a batch fires them is a write like any other.
pub(super) fn filled_by_us(run: &RunName) -> String {
    format!(
        "coalesce(current_setting('crossfade.filling', true), '') = 'on' AND pg_trigger_depth() = 1 AND crossfade.fills({})",
        literal::text(run.as_str())
    )
}

/// The function has its owner's rights, and computes with values, types and operators of the table that it fires for: that must
/// be the one that it was made for. The table's name is the quick answer, its partitions and what somebody renamed the slow one.
pub(super) fn require_own_table(function: &Ident, table: &TableName) -> String {
    let [name, schema, whole, function_name] = [
        table.name.as_str(),
        table.schema.as_str(),
        &table.to_string(),
        function.as_str(),
    ]
    .map(literal::text);
    let message = literal::text(&format!(
        "crossfade: the function {function} is for the table {table} only"
    ));
    format!(
        "  IF (tg_table_name <> {name} OR tg_table_schema <> {schema}) AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass({whole}) AND NOT crossfade.is_made_for({function_name}, {whole}, tg_relid) THEN\n    RAISE insufficient_privilege USING MESSAGE = {message};\n  END IF;\n"
    )
}

/// Nobody else may attach the function to a table: its rights are its owner's.
pub(super) fn keep_function(function: &Ident, table: &TableName) -> Statement {
    Statement::new(format!(
        "SELECT crossfade.keep_function({}, {})",
        literal::text(function.as_str()),
        literal::text(&table.to_string())
    ))
}

/// What the function asks of the statement: which columns its column list names.
pub(super) fn ask_statement(
    into: &str,
    table: &TableName,
    new_side: &[&Ident],
    old_side: &[&Ident],
) -> String {
    let names = |columns: &[&Ident]| {
        let columns = columns.iter().map(|column| literal::text(column.as_str()));
        format!("ARRAY[{}]::text[]", columns.collect::<Vec<_>>().join(", "))
    };
    let place = |name: &Ident| {
        let name = name.as_str().replace('"', "\"\"").to_lowercase();
        format!("strpos(lower(current_query()), {})", literal::text(&name))
    };
    // Short statements that name nothing of the new side, as all of the old version are, are done with at once.
    let mut quick = vec![
        "strpos(crossfade_context, chr(10)) = 0".to_owned(),
        "octet_length(current_query()) < 2000".to_owned(),
        "strpos(lower(current_query()), 'insert') > 0".to_owned(),
        format!("{} > 0", place(&table.name)),
    ];
    quick.extend(new_side.iter().map(|column| {
        // A shorter name may be within a longer one of the old side.
        if is_word(column) {
            let named = mentions("current_query()", column);
            format!("({} = 0 OR NOT ({named}))", place(column))
        } else {
            format!("{} = 0", place(column))
        }
    }));
    format!(
        "    GET DIAGNOSTICS crossfade_context = PG_CONTEXT;\n    {into} := CASE WHEN {} THEN false ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, {}], {}, {}) END;\n",
        quick.join(" AND "),
        literal::text(table.name.as_str()),
        names(new_side),
        names(old_side)
    )
}

/// `a` and `b`, of the column's type, are different values, whatever the search path is. It cannot fail, as a trigger's WHEN
/// must not. Where the type's own "=" is not that of the bytes (numeric 1.0 and 1.00, citext 'a' and 'A'), or is not there
/// (json), the bytes tell: the text of a value may be the same where its type tells two apart.
pub fn differs(column: &ColumnRef, a: &str, b: &str) -> String {
    match types::equality(&column.type_name).filter(|_| column.exact) {
        Some(Equality::OwnOperator) => format!("{a} IS DISTINCT FROM {b}"),
        // Of its own it has none: a stranger's, in a schema on the path, would fit better than that of text.
        Some(Equality::AsText) => format!("({a})::text IS DISTINCT FROM ({b})::text"),
        None => other_bytes(a, b),
    }
}

/// As records: two rows as such would be compared column by column. By the operator's function: in a trigger's WHEN, which
/// pg_dump writes out, the server leaves the casts to record away, and what is left is another comparison.
pub(super) fn other_bytes(a: &str, b: &str) -> String {
    format!("pg_catalog.record_image_ne(ROW({a}), ROW({b}))")
}

/// The function, and what it needs that an older version of Crossfade did not make.
fn create_function(plan: &Plan, sync: &Sync, body: &str) -> [Statement; 2] {
    let objects = Objects::of(&plan.name, &sync.table);
    let converts = sync
        .forward
        .iter()
        .chain(&sync.backward)
        .any(|assignment| assignment.conversion.can_fail());
    // A plain copy calls nothing of anybody's.
    let pinned = if converts {
        path_clause(&session::path(plan)) + &session_clauses(plan)
    } else {
        path_clause(session::OWN_PATH)
    };
    let function = Statement::new(format!(
        "CREATE OR REPLACE FUNCTION crossfade.{}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER{pinned} AS {}",
        objects.function,
        literal::dollar_quoted(body)
    ));
    [create_sequence(&objects.untold_writes), function]
}

pub(super) fn create_sequence(name: &Ident) -> Statement {
    Statement::new(format!("CREATE SEQUENCE IF NOT EXISTS crossfade.{name}"))
}

pub(super) fn path_clause(path: &str) -> String {
    format!(" SET search_path = {path}")
}

pub(super) fn session_clauses(plan: &Plan) -> String {
    let clauses: Vec<String> = session::settings(plan)
        .map(|(name, value)| format!(" SET {name} = {}", literal::text(value)))
        .collect();
    clauses.concat()
}

fn update_trigger(plan: &Plan, sync: &Sync, filling: Filling, names: &Names) -> Statement {
    let objects = Objects::of(&plan.name, &sync.table);
    let [_, trigger] = triggers(plan);
    let groups = groups(&sync.forward, &sync.backward);
    // Every statement that updates the table parses the WHEN anew, whatever it sets: few tests are worth more than quick
    // ones (benches/README.md).
    let mut when: Vec<String> = Vec::new();
    for group in &groups {
        if let Some((column, source)) = group.mutual_copy() {
            let [new, old] = [column, source].map(|column| Row::New.column(&column.name, names));
            when.push(differs(column, &new, &old));
            continue;
        }
        let columns = [group.old_side(), group.new_side()].concat();
        when.push(body::changed(&columns, names));
        if filling == Filling::Yes {
            when.push(body::unfilled(group, Row::New, names));
        }
    }
    when.extend(body::key_changed(sync, names));
    Statement::new(format!(
        "CREATE OR REPLACE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW WHEN ({}) EXECUTE FUNCTION crossfade.{}()",
        trigger,
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
pub fn install(plan: &Plan, sync: &Sync) -> DdlUnit {
    put_in_place(plan, sync, Filling::Yes, &Names::as_planned())
}

/// The same at a later point of the run: what somebody has taken away or disabled is put back as it should be by now.
pub fn put_in_place(plan: &Plan, sync: &Sync, filling: Filling, names: &Names) -> DdlUnit {
    let run = &plan.name;
    let objects = Objects::of(run, &sync.table);
    let [insert_trigger, _] = triggers(plan);
    let body = function_body(run, sync, filling, names);
    let mut statements = vec![
        create_sequence(&objects.old_writes),
        create_sequence(&objects.new_writes),
    ];
    statements.extend(create_function(plan, sync, &body));
    statements.extend([
        keep_function(&objects.function, &sync.table),
        update_trigger(plan, sync, filling, names),
        Statement::new(format!(
            "CREATE OR REPLACE TRIGGER {} BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION crossfade.{}()",
            insert_trigger, sync.table, objects.function
        ))
        .lock(&sync.table, Lock::ShareRowExclusiveLock),
        standing::keep(run, std::slice::from_ref(&objects.function)),
    ]);
    DdlUnit::locking(goal(run, sync, Some(body)), statements)
}

/// Makes the triggers fill rows as they move, or stop doing so.
pub fn set_filling(plan: &Plan, sync: &Sync, filling: Filling) -> DdlUnit {
    let run = &plan.name;
    let names = Names::as_planned();
    let body = function_body(run, sync, filling, &names);
    let mut statements = create_function(plan, sync, &body).to_vec();
    statements.extend([
        keep_function(&Objects::of(run, &sync.table).function, &sync.table),
        update_trigger(plan, sync, filling, &names),
        standing::keep(run, &[Objects::of(run, &sync.table).function]),
    ]);
    DdlUnit::locking(goal(run, sync, Some(body)), statements)
}

/// The function for the names that hold after `retire` or before it; the triggers' WHEN follows a rename by itself.
pub fn replace_function(plan: &Plan, sync: &Sync, names: &Names) -> DdlUnit {
    let body = function_body(&plan.name, sync, Filling::No, names);
    let function = Objects::of(&plan.name, &sync.table).function;
    let mut statements = create_function(plan, sync, &body).to_vec();
    statements.push(standing::keep(&plan.name, std::slice::from_ref(&function)));
    DdlUnit::locking(
        Goal::Functions {
            bodies: vec![(function, body)],
        },
        statements,
    )
}

/// Takes everything away again, in one transaction.
pub fn uninstall(plan: &Plan, table: &TableName) -> DdlUnit {
    let objects = Objects::of(&plan.name, table);
    let drop_trigger = |trigger: &Ident| {
        Statement::new(format!("DROP TRIGGER IF EXISTS {trigger} ON {table}"))
            .lock(table, Lock::AccessExclusiveLock)
    };
    let [insert_trigger, update_trigger] = triggers(plan);
    let drop_sequence =
        |name: &Ident| Statement::new(format!("DROP SEQUENCE IF EXISTS crossfade.{name}"));
    DdlUnit::locking(
        Goal::Sync {
            table: table.clone(),
            function: objects.function.clone(),
            body: None,
        },
        vec![
            drop_trigger(&insert_trigger),
            drop_trigger(&update_trigger),
            Statement::new(format!(
                "DROP FUNCTION IF EXISTS crossfade.{}()",
                objects.function
            )),
            drop_sequence(&objects.old_writes),
            drop_sequence(&objects.new_writes),
            drop_sequence(&objects.untold_writes),
            standing::forget(&plan.name, std::slice::from_ref(&objects.function)),
        ],
    )
}

/// `text` has the name in it, as a word where it is one.
pub(super) fn mentions(text: &str, name: &Ident) -> String {
    if is_word(name) {
        format!(
            "{text} ~* {}",
            literal::text(&format!("\\m{}\\M", name.as_str()))
        )
    } else {
        format!("strpos({text}, {}) > 0", literal::text(name.as_str()))
    }
}

fn is_word(name: &Ident) -> bool {
    let mut characters = name.as_str().chars();
    characters.all(|c| c == '_' || c.is_ascii_alphanumeric())
}
