//! What a plan would do: every statement of every phase, with its locks, and what undoes it. Pure, so that it is honest:
//! the engine runs the very statements that are shown here.

pub mod estimate;
pub mod known;
mod summary;

use super::{
    compiled::{Action, Conversion, Plan, Sync},
    document::PhaseName,
    facts::{Facts, Triggers},
    search_path::SearchPath,
    steps::{DdlStep, Undo, Work, retire_column::RetireColumn},
    table_pair::{DeleteAlong, TablePair},
};
use crate::sqlgen::{
    cost::{Cost, Loss},
    ddl_unit::{DdlUnit, How, Statement},
    rows, standing,
    sync::Names,
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use crossfade_sql::{
    catalog::Catalog,
    classify::{Effects, Target, classify},
    name::Name,
    script::Script,
    statement::{Filter, Kind, Runs, Verb, Write},
    syntax,
};
use estimate::{Estimate, Labour, Size, Surroundings};
use serde::Serialize;
pub use summary::Summary;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    pub name: String,
    pub description: Option<String>,
    /// Where names without a schema are looked for, and who says so.
    pub search_path: Option<SearchPath>,
    pub phases: Vec<ExplainedPhase>,
    /// What an application may notice in spite of all care.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedPhase {
    pub phase: PhaseName,
    pub summary: Summary,
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
    /// What of the application's goes with that, and what may keep it from succeeding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undo_costs: Vec<String>,
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
    /// `None` where the size of its table is not known, or what it does to how many rows.
    pub estimate: Option<Estimate>,
    /// Why it cannot be estimated, where that is not the size of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_estimated: Option<&'static str>,
    /// Triggers of the application that it fires.
    pub fires: Vec<String>,
    /// Publications that send on what it writes.
    pub replicates: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedLock {
    pub table: String,
    /// The partitioned table whose lock comes with this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<String>,
    pub lock: &'static str,
    pub blocks: &'static str,
}

pub fn explain(plan: &Plan, facts: &Facts, surroundings: &Surroundings) -> Explanation {
    let mut explainer = Explainer {
        plan,
        facts,
        surroundings,
        catalog: known::catalog(facts),
    };
    let phases = plan
        .phases
        .iter()
        .map(|phase| {
            let mut explained = ExplainedPhase {
                phase: phase.name,
                summary: Summary::default(),
                gate: phase
                    .gate
                    .iter()
                    .map(condition)
                    .chain(
                        phase
                            .auto
                            .then(|| "auto: a server begins it by itself".to_owned()),
                    )
                    .collect(),
                one_transaction: phase.name == PhaseName::Contract && phase.steps.len() > 1,
                steps: phase
                    .steps
                    .iter()
                    .map(|step| ExplainedStep {
                        step: step.id.to_string(),
                        kind: step.action.kind(),
                        statements: explainer.statements(&step.action),
                        undo: undo(&step.action, plan),
                        undo_costs: undo_costs(&step.action, plan),
                        note: note(&step.action, facts),
                    })
                    .collect(),
            };
            explained.summary = summary::summary(&explained, plan);
            explained
        })
        .collect();
    let mut notes = notes(plan);
    notes.extend(surroundings.losses.iter().map(ToString::to_string));
    notes.extend(uncounted(surroundings));
    notes.extend(plan.search_path.as_ref().map(|path| {
        format!(
            "names without a schema are looked for in {path} ({})",
            path.from
        )
    }));
    Explanation {
        name: plan.name.to_string(),
        description: plan.description.clone(),
        search_path: plan.search_path.clone(),
        phases,
        notes,
    }
}

/// Estimates of a table that was never analyzed are guesses from its size.
fn uncounted(surroundings: &Surroundings) -> Option<String> {
    let tables = surroundings.sizes.iter();
    let names: Vec<String> = tables
        .filter(|(_, size)| !size.analyzed && size.bytes > 0)
        .map(|(table, _)| table.to_string())
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "ANALYZE {} for better estimates: its rows were never counted",
            names.join(", ")
        )
    })
}

fn condition(condition: &super::compiled::Condition) -> String {
    use super::compiled::Condition as C;
    match condition {
        C::QuarantineEmpty => "no row in quarantine".to_owned(),
        C::SyncInPlace => "the triggers are in place".to_owned(),
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
            "nothing has named {} for {}: no object, no function's body, no statement",
            references.names().join(", "),
            references.wanted.quiet
        ),
        C::Window(window) => format!("within {window}"),
        C::Http(endpoint) => format!("{} answers {}", endpoint.name, endpoint.expect_status),
        C::Query(query) => format!("the query {} gives what is expected", query.name),
        C::Backup(backup) => format!("a backup younger than {}", backup.younger_than),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    ByUs,
    ByTheAuthor,
}

/// What a statement does, as far as its text says.
#[derive(Default)]
struct Classified {
    effects: Effects,
    /// A particular kind of work.
    labour: Option<Labour>,
    /// Why neither the text nor the catalog says how much it is.
    unknown: Option<&'static str>,
    updates: Option<Write>,
}

/// UPDATE or DELETE without a condition.
fn is_of_every_row(write: &Write) -> bool {
    matches!(write.verb, Verb::Update | Verb::Delete) && write.filter == Filter::EveryRow
}

fn unknown_labour(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Write(write) if is_of_every_row(write) => None,
        Kind::Write(_) => Some("how many rows it writes is not known before it is run"),
        Kind::Read { .. } | Kind::CreateMaterializedView { .. } | Kind::Refresh { .. } => {
            Some("how long a query takes is not estimated")
        }
        Kind::Body(body) if body.runs == Runs::AtOnce => {
            Some("what a DO block does is not estimated")
        }
        Kind::Unknown(_) => Some("what it does is not known"),
        _ => None,
    }
}

/// Goes through the plan in its order: what a step has changed is known to the next.
struct Explainer<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    surroundings: &'a Surroundings,
    catalog: Catalog,
}

impl Explainer<'_> {
    fn statements(&mut self, action: &Action) -> Vec<ExplainedStatement> {
        match action.work(self.plan) {
            Work::Parts(parts) => {
                let by = match action {
                    Action::Ddl(DdlStep::Sql(_)) => Written::ByTheAuthor,
                    _ => Written::ByUs,
                };
                self.parts(&parts, by)
            }
            Work::Fill(fill, parts) => {
                let sql = rows::fill(fill, &fill.table);
                let mut filled =
                    self.over_rows(sql, &fill.table, Lock::RowExclusiveLock, Labour::Fill);
                filled.fires =
                    self.fires(fill.written(), self.facts.triggers_in_batches(), |one| {
                        fill.sets(one)
                    });
                filled.replicates = self.replicates(fill.written());
                let mut all = vec![filled];
                all.extend(self.parts(&parts, Written::ByUs));
                all
            }
            Work::Match(matching) => {
                let sql = rows::compare(matching, &matching.table, &Names::as_planned());
                vec![self.over_rows(sql, &matching.table, Lock::AccessShareLock, Labour::Scan)]
            }
            Work::Query(query) => vec![ExplainedStatement {
                sql: query.sql.clone(),
                locks: Vec::new(),
                rewrite: false,
                scan: false,
                in_transaction: true,
                rows_estimated: None,
                estimate: None,
                not_estimated: Some("how long a query takes is not estimated"),
                fires: Vec::new(),
                replicates: Vec::new(),
            }],
        }
    }

    fn parts(&mut self, parts: &[DdlUnit], by: Written) -> Vec<ExplainedStatement> {
        let mut all = Vec::new();
        for part in parts {
            for statement in &part.statements {
                if standing::is_record(statement) {
                    continue;
                }
                all.push(self.statement(statement, part.how, by));
            }
        }
        all
    }

    /// Locks and scans of our own statements are those that they are run by; of the author's, what the classifier says.
    fn statement(&mut self, statement: &Statement, how: How, by: Written) -> ExplainedStatement {
        let Classified {
            effects,
            labour,
            unknown,
            updates,
        } = self.classified(&statement.sql);
        let unknown = unknown.filter(|_| by == Written::ByTheAuthor);
        let is_ours = !statement.locks.is_empty();
        let is_guess = is_ours && effects.unknown;
        let rewrite = !effects.rewrites.is_empty() && !is_guess;
        let scan = statement.scans || (!is_ours && !effects.scans.is_empty());
        let table = self.table(statement, &effects);
        let labour = match labour {
            _ if rewrite => Labour::Rewrite,
            Some(labour) => labour,
            None if scan => Labour::Scan,
            None => Labour::Catalog,
        };
        let estimate = table
            .as_ref()
            .and_then(|table| self.estimate(table, labour));
        // What names no table is done at once.
        let estimate = estimate
            .or_else(|| (labour == Labour::Catalog).then(|| Size::default().estimate(labour)));
        let (fires, replicates) = self.written_rows(updates, by);
        ExplainedStatement {
            sql: statement.sql.clone(),
            locks: if is_ours {
                self.declared(statement, &effects)
            } else {
                effects
                    .locks
                    .iter()
                    .map(|taken| explained_lock(&taken.target, taken.lock))
                    .collect()
            },
            rewrite,
            scan,
            in_transaction: how != How::Concurrently,
            rows_estimated: table.filter(|_| scan).and_then(|table| self.rows(&table)),
            estimate: estimate.filter(|_| unknown.is_none()),
            not_estimated: unknown,
            fires,
            replicates,
        }
    }

    /// The application's triggers that an UPDATE of the author's fires, and who is sent what it writes.
    fn written_rows(&self, write: Option<Write>, by: Written) -> (Vec<String>, Vec<String>) {
        let Some(write) = write.filter(|_| by == Written::ByTheAuthor) else {
            return (Vec::new(), Vec::new());
        };
        let Some(table) = self.known(&write.table) else {
            return (Vec::new(), Vec::new());
        };
        let fires = match write.verb {
            Verb::Update | Verb::Merge => self.fires(&table, Triggers::Fire, |_| true),
            Verb::Insert | Verb::Delete | Verb::Copy => Vec::new(),
        };
        (fires, self.replicates(&table))
    }

    fn known(&self, name: &Name) -> Option<TableName> {
        let mut tables = self.facts.tables.keys();
        tables
            .find(|table| known::name(table).may_be(name))
            .cloned()
    }

    /// The locks that a statement is run by, and those on the partitions of its tables, which come with them.
    fn declared(&self, statement: &Statement, effects: &Effects) -> Vec<ExplainedLock> {
        let declared = statement.locks.iter();
        let mut locks: Vec<ExplainedLock> = declared
            .map(|taken| explained_lock(&taken.table, taken.lock))
            .collect();
        let partitions = self.facts.tables.values().flatten();
        let partitions = partitions.flat_map(|table| &table.partitions);
        for partition in partitions.map(|partition| &partition.table) {
            let target = Target::Table(known::name(partition));
            let taken = effects.locks.iter().find(|taken| taken.target == target);
            let is_declared = statement
                .locks
                .iter()
                .any(|taken| taken.table == *partition);
            let Some(taken) = taken.filter(|_| !is_declared) else {
                continue;
            };
            locks.push(ExplainedLock {
                partition_of: self.partitioned(statement, partition),
                ..explained_lock(partition, taken.lock)
            });
        }
        locks
    }

    /// Of the tables that the statement is run on: the one whose partition it is, under whatever name it has by then.
    fn partitioned(&self, statement: &Statement, partition: &TableName) -> Option<String> {
        let mut tables = statement.locks.iter().map(|taken| &taken.table);
        let first = tables.clone().next();
        let is_of = |table: &&TableName| {
            let facts = self.facts.table(table);
            facts.is_some_and(|facts| facts.partitions.iter().any(|p| p.table == *partition))
        };
        tables.find(is_of).or(first).map(ToString::to_string)
    }

    /// What the text does to the tables as they are by then, and the work if it is a particular one.
    fn classified(&mut self, sql: &str) -> Classified {
        let mut found = Classified::default();
        for statement in syntax::read(&Script::read(sql)) {
            found.effects = classify(&statement.kind, &self.catalog);
            found.unknown = unknown_labour(&statement.kind);
            found.updates = match &statement.kind {
                Kind::Write(write) => Some(write.clone()),
                _ => None,
            };
            found.labour = match &statement.kind {
                Kind::CreateIndex { .. } | Kind::Reindex { .. } => Some(Labour::Build),
                Kind::Write(write) if is_of_every_row(write) => Some(Labour::Fill),
                _ => None,
            };
            self.catalog.apply(&statement.kind);
        }
        found
    }

    /// The first table that the statement is about.
    fn table(&self, statement: &Statement, effects: &Effects) -> Option<TableName> {
        let declared = statement.locks.first().map(|taken| taken.table.clone());
        declared.or_else(|| {
            let targets = effects.locks.iter().map(|taken| &taken.target);
            let mut known = targets.filter_map(|target| match target {
                Target::Table(name) => Some(name),
                Target::TableOf(_) => None,
            });
            self.known(known.next()?)
        })
    }

    fn rows(&self, table: &TableName) -> Option<u64> {
        let facts = self.facts.table(table)?;
        Some(facts.rows_estimated as u64)
    }

    fn estimate(&self, table: &TableName, labour: Labour) -> Option<Estimate> {
        let size = self.surroundings.sizes.get(table)?;
        Some(size.estimate(labour))
    }

    fn over_rows(
        &self,
        sql: String,
        table: &TableName,
        lock: Lock,
        labour: Labour,
    ) -> ExplainedStatement {
        ExplainedStatement {
            sql,
            locks: vec![explained_lock(table, lock)],
            rewrite: false,
            scan: true,
            in_transaction: true,
            rows_estimated: self.rows(table),
            estimate: self.estimate(table, labour),
            not_estimated: None,
            fires: Vec::new(),
            replicates: Vec::new(),
        }
    }

    /// The application's triggers that an UPDATE fires; `sets` says which columns it sets.
    fn fires(
        &self,
        table: &TableName,
        triggers: Triggers,
        sets: impl Fn(&Ident) -> bool,
    ) -> Vec<String> {
        self.facts.fired(table, triggers, sets)
    }

    /// Every row that is written goes to whoever subscribes, and in any case to the physical replicas.
    fn replicates(&self, table: &TableName) -> Vec<String> {
        match self.facts.table(table) {
            Some(table) if self.surroundings.wal_level == "logical" => table.publications.clone(),
            _ => Vec::new(),
        }
    }
}

fn explained_lock(table: &impl ToString, lock: Lock) -> ExplainedLock {
    ExplainedLock {
        table: table.to_string(),
        partition_of: None,
        lock: lock.as_str(),
        blocks: lock.blocks(),
    }
}

fn undo(action: &Action, plan: &Plan) -> Option<Vec<String>> {
    match action.undo(plan) {
        Undo::Parts(parts) => Some(
            parts
                .iter()
                .flat_map(|part| &part.statements)
                .filter(|statement| !standing::is_record(statement))
                .map(|statement| statement.sql.clone())
                .collect(),
        ),
        Undo::Nothing => Some(Vec::new()),
        Undo::Irreversible => None,
    }
}

fn undo_costs(action: &Action, plan: &Plan) -> Vec<String> {
    let Cost { losses, obstacles } = action.cost(plan);
    let losses = losses.into_iter().map(|Loss { of, what, kept_in_step, .. }| {
        if action.undo(plan) == Undo::Irreversible {
            return format!("takes away {what}, for good");
        }
        let until = if kept_in_step {
            ", unless the triggers have been installed, which keep them on the other side as well"
        } else {
            ""
        };
        format!("takes away {what}{until}: refused while there are any, but with `--discard {of}`")
    });
    let obstacles = obstacles.into_iter().map(|obstacle| {
        let condition = obstacle.condition;
        format!("puts back that {condition}: refused while rows break that")
    });
    losses.chain(obstacles).collect()
}

fn note(action: &Action, facts: &Facts) -> Option<String> {
    match action {
        Action::Fill(fill) => {
            let fired = facts.fired(fill.written(), facts.triggers_in_batches(), |one| fill.sets(one));
            let fired = match (fired.is_empty(), facts.triggers_in_batches()) {
                (false, _) => format!("the application's triggers fire: {}", fired.join(", ")),
                (true, Triggers::KeptOut) => "no trigger fires".to_owned(),
                (true, Triggers::Fire) => {
                    "the application has no trigger that it could fire".to_owned()
                }
            };
            Some(format!(
                "in batches over ranges of blocks, each with its checkpoint in one transaction; {fired}"
            ))
        }
        Action::Match(_) => Some("in batches over ranges of blocks, reading only".to_owned()),
        Action::SyncColumns(sync) if sync.backward.is_empty() => Some(
            if sync.key.is_empty() {
                "one-way: once the new version writes, going back loses what it wrote. Without a key Crossfade cannot record which rows these are. They differ, and keep the gate of contract closed"
            } else {
                "one-way: from the moment the new version writes, going back loses what it wrote"
            }
            .to_owned(),
        ),
        Action::Ddl(step) => step.ddl().note(),
        Action::SyncTables(link) => Some(link_note(link)),
        Action::SyncColumns(_) | Action::Query(_) => None,
    }
}

/// What a row that a batch writes is to other transactions, as a row that the application itself writes.
const BESIDE_BATCHES: &str = "a backfill writes rows that the application may be using. A REPEATABLE READ or SERIALIZABLE transaction that began before a batch can fail with 40001, NOWAIT with 55P03, and a row that is looked up by its `xmin` is not found. READ COMMITTED waits for the batch";

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    if plan
        .steps()
        .any(|(_, step)| changes_columns(step.action.kind()))
    {
        notes.push("after a column is added, renamed or dropped, a prepared `SELECT *` fails once with \"cached plan must not change result type\" in drivers that do not prepare again".to_owned());
    }
    let is_filled = plan
        .steps()
        .any(|(_, step)| matches!(step.action, Action::Fill(_)));
    if is_filled {
        notes.push(BESIDE_BATCHES.to_owned());
    }
    notes.push(format!(
        "no statement that blocks the application waits longer than {} for its lock",
        plan.settings.lock_timeout
    ));
    if plan.syncs().next().is_some() || plan.links().next().is_some() {
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
    for link in plan.links() {
        let retired = [&link.parent, &link.child].map(|table| plan.retired(table));
        notes.extend(retired.into_iter().flatten().map(retire_note));
    }
    notes
}

fn link_note(link: &TablePair) -> String {
    let TablePair { parent, child, .. } = link;
    let way = match link.backward() {
        [] => "one-way: once the new version writes, going back loses what it wrote. ",
        _ => "",
    };
    let rows = if link.order_by.is_empty() {
        String::new()
    } else {
        let order: Vec<String> = link
            .order_by
            .iter()
            .map(|order| {
                format!("{} {}", order.expression, order.direction)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        format!(
            "Of several rows of {child} the first by {} counts, and the others are not read. ",
            order.join(", ")
        )
    };
    let deleted = match link.delete_along {
        DeleteAlong::Yes => {
            format!("A row of {parent} that is deleted takes its rows of {child} along. ")
        }
        DeleteAlong::No => String::new(),
    };
    format!(
        "{way}{rows}{deleted}A write of either table writes the other too, and so waits for that row. Two transactions that update the same thing at the same moment, each in its own table, may wait for each other: the server ends one of them (40P01), as with any two tables. TRUNCATE of {child} is not followed: verification finds it"
    )
}

/// Steps after which a table may have other columns.
fn changes_columns(kind: &str) -> bool {
    matches!(
        kind,
        "add_column"
            | "alter_column_type"
            | "retire_column"
            | "drop_column"
            | "take_place"
            | "alias_table"
            | "sql"
    )
}

fn retire_note(retire: &RetireColumn) -> String {
    let RetireColumn { table, column, .. } = retire;
    match &retire.replace_with {
        None => format!(
            "from retire on a statement that names {table}.{column} fails; `rollback --to switch_reads` brings the column back"
        ),
        Some(_) => format!(
            "from retire on {table}.{column} is the new column, of the new type, and a prepared statement that returns it as it is fails once with \"cached plan must not change result type\" in drivers that do not prepare again; `rollback --to switch_reads` brings the old one back"
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
            "a value of the new version that the old column cannot take goes to quarantine and keeps the gates closed. If the old column is NOT NULL without a default, an insert of such a value fails".to_owned(),
        );
    }
    notes
}

/// The SQL that carries a step out.
pub fn statements_of(action: &Action, plan: &Plan) -> Vec<String> {
    let (facts, surroundings) = (Facts::default(), Surroundings::default());
    let mut explainer = Explainer {
        plan,
        facts: &facts,
        surroundings: &surroundings,
        catalog: Catalog::default(),
    };
    explainer
        .statements(action)
        .into_iter()
        .map(|statement| statement.sql)
        .collect()
}
