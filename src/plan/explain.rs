//! What a plan would do: every statement of every phase, with its locks, and what undoes it. Pure, so that it is honest:
//! the engine runs the very statements that are shown here.

use super::{
    compiled::{Action, Conversion, Plan, Sync},
    document::PhaseName,
    facts::Facts,
    ident::TableName,
    steps::{Undo, Work, retire_column::RetireColumn},
};
use crate::statement::{
    part::{How, Lock, Part},
    rows,
    sync::Names,
};
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    pub name: String,
    pub description: Option<String>,
    pub phases: Vec<ExplainedPhase>,
    /// What an application may notice in spite of all care.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedPhase {
    pub phase: PhaseName,
    pub gate: Vec<String>,
    pub steps: Vec<ExplainedStep>,
    /// All statements of the phase are one transaction.
    pub one_transaction: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedStep {
    pub step: String,
    pub kind: &'static str,
    pub statements: Vec<ExplainedStatement>,
    /// `None`: cannot be undone. Empty: nothing has to be.
    pub undo: Option<Vec<String>>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedStatement {
    pub sql: String,
    pub locks: Vec<ExplainedLock>,
    pub rewrite: bool,
    pub scan: bool,
    pub in_transaction: bool,
    /// Rows of the table that it reads or writes, by the catalog's estimate; `None` where it touches the catalog only.
    pub rows_estimated: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedLock {
    pub table: String,
    pub lock: &'static str,
    pub blocks: &'static str,
}

pub fn explain(plan: &Plan, facts: &Facts) -> Explanation {
    let phases = plan
        .phases
        .iter()
        .map(|phase| ExplainedPhase {
            phase: phase.name,
            gate: phase.gate.iter().map(condition).collect(),
            one_transaction: phase.name == PhaseName::Contract && phase.steps.len() > 1,
            steps: phase
                .steps
                .iter()
                .map(|step| ExplainedStep {
                    step: step.id.to_string(),
                    kind: step.action.kind(),
                    statements: statements(&step.action, plan, facts),
                    undo: undo(&step.action, plan),
                    note: note(&step.action, facts),
                })
                .collect(),
        })
        .collect();
    Explanation {
        name: plan.name.to_string(),
        description: plan.description.clone(),
        phases,
        notes: notes(plan),
    }
}

fn condition(condition: &super::compiled::Condition) -> String {
    use super::compiled::Condition as C;
    match condition {
        C::QuarantineEmpty => "no row in quarantine".to_owned(),
        C::NoDependents(columns) => {
            let list: Vec<String> = columns
                .iter()
                .map(|(table, column)| format!("{table}.{column}"))
                .collect();
            format!("no database object names {}", list.join(", "))
        }
        C::Approvals(count) => format!("{count} approvals, not counting who started the run"),
        C::Bake(span) => format!("{span} since the phase before"),
        C::OldWritesQuiet(span) => format!("no write of the old version for {span}"),
        C::VerifiedWithin(span) => format!("verified without differences within {span}"),
        C::NoReferences(references) => format!(
            "nothing has named the old column for {}: no object, no function's body, no statement",
            references.wanted.quiet
        ),
        C::Window(window) => format!("within {window}"),
        C::Http(endpoint) => format!("{} answers {}", endpoint.name, endpoint.expect_status),
        C::Query(query) => format!("the query {} gives what is expected", query.name),
    }
}

fn rows_of(table: &TableName, facts: &Facts) -> Option<u64> {
    facts.table(table).map(|table| table.rows_estimated as u64)
}

fn explained_parts(parts: &[Part], facts: &Facts) -> Vec<ExplainedStatement> {
    parts
        .iter()
        .flat_map(|part| {
            part.statements.iter().map(|statement| ExplainedStatement {
                sql: statement.sql.clone(),
                locks: statement
                    .locks
                    .iter()
                    .map(|taken| ExplainedLock {
                        table: taken.table.to_string(),
                        lock: taken.lock.as_str(),
                        blocks: taken.lock.blocks(),
                    })
                    .collect(),
                rewrite: false,
                scan: statement.scans,
                in_transaction: part.how != How::Concurrently,
                rows_estimated: statement
                    .locks
                    .first()
                    .filter(|_| statement.scans)
                    .and_then(|taken| rows_of(&taken.table, facts)),
            })
        })
        .collect()
}

fn over_rows(sql: String, table: &TableName, lock: Lock, facts: &Facts) -> ExplainedStatement {
    ExplainedStatement {
        sql,
        locks: vec![ExplainedLock {
            table: table.to_string(),
            lock: lock.as_str(),
            blocks: lock.blocks(),
        }],
        rewrite: false,
        scan: true,
        in_transaction: true,
        rows_estimated: rows_of(table, facts),
    }
}

fn statements(action: &Action, plan: &Plan, facts: &Facts) -> Vec<ExplainedStatement> {
    match action.work(plan) {
        Work::Parts(parts) => explained_parts(&parts, facts),
        Work::Fill(fill, parts) => {
            let mut all = vec![over_rows(
                rows::fill(fill, &fill.table),
                &fill.table,
                Lock::RowExclusiveLock,
                facts,
            )];
            all.extend(explained_parts(&parts, facts));
            all
        }
        Work::Match(matching) => vec![over_rows(
            rows::compare(matching, &matching.table, &Names::as_planned()),
            &matching.table,
            Lock::AccessShareLock,
            facts,
        )],
        Work::Query(query) => vec![ExplainedStatement {
            sql: query.sql.clone(),
            locks: Vec::new(),
            rewrite: false,
            scan: false,
            in_transaction: true,
            rows_estimated: None,
        }],
    }
}

fn undo(action: &Action, plan: &Plan) -> Option<Vec<String>> {
    match action.undo(plan) {
        Undo::Parts(parts) => Some(
            parts
                .iter()
                .flat_map(|part| &part.statements)
                .map(|statement| statement.sql.clone())
                .collect(),
        ),
        Undo::Nothing => Some(Vec::new()),
        Undo::Irreversible => None,
    }
}

fn note(action: &Action, facts: &Facts) -> Option<String> {
    match action {
        Action::Fill(fill) => {
            let triggers = facts
                .table(&fill.table)
                .map(|table| table.update_triggers.as_slice());
            let fired = if facts.can_skip_triggers {
                "no trigger fires".to_owned()
            } else {
                match triggers {
                    Some([]) | None => {
                        "the application has no trigger that it could fire".to_owned()
                    }
                    Some(names) => format!("the application's triggers fire: {}", names.join(", ")),
                }
            };
            Some(format!(
                "in batches over ranges of blocks, each with its checkpoint in one transaction; {fired}"
            ))
        }
        Action::Match(_) => Some("in batches over ranges of blocks, reading only".to_owned()),
        Action::SyncColumns(sync) if sync.backward.is_empty() => Some(
            "one-way: from the moment the new version writes, going back loses what it wrote"
                .to_owned(),
        ),
        Action::Ddl(step) => step.ddl().note(),
        Action::SyncColumns(_) | Action::Query(_) => None,
    }
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = vec![
        "after a column is added, renamed or dropped, a prepared `SELECT *` fails once with \"cached plan must not change result type\" in drivers that do not prepare again".to_owned(),
        format!("no statement that blocks the application waits longer than {} for its lock", plan.settings.lock_timeout),
    ];
    if plan.syncs().next().is_some() {
        notes.push(
            "the new version may name the new columns from the end of dual_write on".to_owned(),
        );
    }
    for sync in plan.syncs() {
        for note in sync_notes(sync) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes.extend(plan.retired(&sync.table).into_iter().map(retire_note));
    }
    notes
}

fn retire_note(retire: &RetireColumn) -> String {
    let RetireColumn { table, column, .. } = retire;
    match &retire.replace_with {
        None => format!(
            "from retire on a statement that names {table}.{column} fails; `rollback --to switch_reads` brings the column back"
        ),
        Some(_) => format!(
            "from retire on {table}.{column} is the new column, of the new type; `rollback --to switch_reads` brings the old one back"
        ),
    }
}

fn sync_notes(sync: &Sync) -> Vec<String> {
    let expressions = sync
        .forward
        .iter()
        .any(|assignment| assignment.conversion == Conversion::Expression);
    let mut notes = Vec::new();
    if expressions && !sync.backward.is_empty() {
        notes.push(format!(
            "while {} is filled, a NULL that the new version writes where the old value is not NULL cannot be told from a row that is not filled yet",
            sync.table
        ));
    }
    let backward_can_fail = sync
        .backward
        .iter()
        .any(|assignment| assignment.conversion.can_fail());
    if backward_can_fail {
        notes.push(
            "a value of the new version that the old column cannot take goes to quarantine and keeps the gates shut; where the old column is NOT NULL without a default, an insert of such a value fails".to_owned(),
        );
    }
    notes
}

/// The SQL that carries a step out.
pub fn statements_of(action: &Action, plan: &Plan, facts: &Facts) -> Vec<String> {
    statements(action, plan, facts)
        .into_iter()
        .map(|statement| statement.sql)
        .collect()
}
