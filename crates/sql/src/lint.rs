//! Goes through a file statement by statement, as a server would, and asks every rule.

mod state;

use super::{
    catalog::{Catalog, Origin},
    classify::{Effects, Target, classify},
    finding::{Finding, Lines},
    name::Name,
    rules::{self, Found, RULES, Rule, When},
    script::{Allowance, Event, Happening, Script},
    statement::{AlterTable, Body, Change, ChangeKind, Kind, Object, Runs, Statement},
    syntax,
};
use crossfade_model::error::Severity;
pub use state::{State, Timeouts};
use std::collections::BTreeMap;

/// So many statements of called functions are looked at in one file.
const CALLED_STATEMENTS_MAX: usize = 20_000;
/// Functions that call each other.
const CALLS_DEPTH_MAX: usize = 8;

/// What is known beside the text.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Whoever runs the text wraps it in one transaction.
    pub in_transaction: bool,
    /// Whoever runs the text has set lock_timeout and statement_timeout.
    pub timeouts_set: bool,
    /// Tables that are there already.
    pub catalog: Catalog,
    /// Where names without a schema are looked for as the text begins; empty: in `public`.
    pub search_path: Vec<String>,
    /// Tables that nobody uses yet.
    pub new_tables: Vec<Name>,
    /// What is allowed in all of the text: rule → reason.
    pub allowed: BTreeMap<String, String>,
    /// Functions that are there already, as far as their bodies are known.
    pub routines: BTreeMap<String, Body>,
}

/// A file of a history of migrations.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    pub text: &'a str,
    /// It undoes what another file does, and is not part of the history.
    pub goes_back: bool,
}

/// What one statement is judged by.
pub struct Site<'a> {
    /// The file, without what is not SQL.
    pub text: &'a str,
    pub statement: &'a Statement,
    /// On tables that were there before.
    pub effects: &'a Effects,
    pub state: &'a State,
}

impl Site<'_> {
    pub fn is_new(&self, table: &Name) -> bool {
        self.state.is_new(table)
    }

    pub fn is_new_object(&self, object: Object, name: &Name) -> bool {
        self.state.is_new_object(object, name)
    }

    /// The server's own tables.
    pub fn is_catalog(&self, table: &Name) -> bool {
        let schema = table.schema.as_deref();
        matches!(schema, Some("pg_catalog" | "information_schema"))
            || (schema.is_none() && table.name.starts_with("pg_"))
    }

    /// A column that the file has added to a table that was there.
    pub fn is_added(&self, table: &Name, column: &str) -> bool {
        let known = self.state.catalog.table(table);
        known.is_some_and(|known| known.added.contains_key(column))
    }

    pub fn comes_again(&self, name: &Name) -> bool {
        self.state.comes_again(name)
    }

    /// Something else has the name when the transaction ends: nobody misses it.
    pub fn is_replaced(&self, name: &Name) -> bool {
        self.state.in_transaction && self.comes_again(name)
    }

    /// The server has none of its rows.
    pub fn is_foreign(&self, table: &Name) -> bool {
        let known = self.state.catalog.table(table);
        let altered = matches!(&self.statement.kind, Kind::AlterTable(alter) if alter.foreign && alter.table == *table);
        altered || known.is_some_and(|known| known.foreign)
    }

    /// This file makes a policy of the table.
    pub fn makes_policy(&self, table: &Name) -> bool {
        self.state.policies.contains(&table.name)
    }

    /// A policy of the table is there, or this file makes one.
    pub fn has_policy(&self, table: &Name) -> bool {
        let known = self.state.catalog.table(table);
        known.is_some_and(|known| known.has_policy) || self.state.policies.contains(&table.name)
    }

    /// The file makes it under a condition: it is new, or it is not.
    pub fn may_be_new(&self, table: &Name) -> bool {
        self.state.catalog.origin(table) == Origin::MayBeNew
    }

    /// Of the tables that the statement locks.
    fn first_that_may_be_new(&self) -> Option<Name> {
        let mut locked = self.effects.locks.iter();
        locked.find_map(|taken| match &taken.target {
            Target::Table(name) if self.may_be_new(name) => Some(name.clone()),
            Target::Table(_) | Target::TableOf(_) => None,
        })
    }

    /// The changes that ALTER TABLE makes to a table that was there before.
    pub fn changes(&self) -> impl Iterator<Item = (&Name, &Change)> {
        self.all_changes().filter(|(table, _)| !self.is_new(table))
    }

    pub fn all_changes(&self) -> impl Iterator<Item = (&Name, &Change)> {
        let alter = match &self.statement.kind {
            Kind::AlterTable(alter) => Some(alter),
            _ => None,
        };
        alter.into_iter().flat_map(|alter| {
            alter
                .changes
                .iter()
                .map(move |change| (&alter.table, change))
        })
    }

    /// What the change alone does; a proof that the same statement drops is gone before it is looked for.
    pub fn effects_of(&self, table: &Name, change: &Change) -> Effects {
        let is_looked_for = matches!(change.kind, ChangeKind::SetNotNull { .. });
        let dropped = self.changes().filter(|(of, other)| {
            let drops = matches!(other.kind, ChangeKind::DropConstraint { .. });
            is_looked_for && *of == table && drops
        });
        let dropped = dropped.map(|(_, other)| other.clone());
        let alone = Kind::AlterTable(AlterTable {
            table: table.clone(),
            only: false,
            foreign: self.is_foreign(table),
            changes: dropped.chain([change.clone()]).collect(),
        });
        classify(&alone, &self.state.catalog)
    }

    pub fn found(&self, message: String, help: String) -> Found {
        Found::at(self.statement.range.clone(), message, help)
    }
}

/// Everything that the rules find in a text of SQL, in its order.
pub fn lint(sql: &str, context: &Context) -> Vec<Finding> {
    let file = File {
        text: sql,
        goes_back: false,
    };
    lint_file(file, context).0
}

/// The same of files that are run one after the other, each in a session of its own: what the earlier ones have made and
/// proved is known to the later ones, and is in use by then.
pub fn lint_history(files: &[File<'_>], context: &Context) -> Vec<Vec<Finding>> {
    let mut context = context.clone();
    let files = files.iter();
    files
        .map(|file| {
            let (findings, left) = lint_file(*file, &context);
            (context.catalog, context.routines) = left;
            findings
        })
        .collect()
}

/// What the next file finds: tables, and functions that can be called.
type Left = (Catalog, BTreeMap<String, Body>);

fn lint_file(file: File<'_>, context: &Context) -> (Vec<Finding>, Left) {
    let sql = file.text;
    let script = Script::read(sql);
    let statements = syntax::read(&script);
    let mut linter = Linter {
        text: &script.text,
        found: Vec::new(),
        within: Vec::new(),
        called_statements: 0,
        goes_back: file.goes_back,
        left: (context.catalog.clone(), context.routines.clone()),
    };
    let mut state = fresh(context, &statements);
    let mut events = script.events.iter().peekable();
    for (number, statement) in statements.iter().enumerate() {
        while let Some(event) = events.next_if(|event| event.range.start < statement.range.start) {
            linter.event(event, number, &mut state, context, &statements);
        }
        state.number = number;
        linter.statement(statement, number, &mut state);
    }
    for event in events {
        linter.event(event, statements.len(), &mut state, context, &statements);
    }
    linter.part_ends(&state);
    let found = allow(sql, linter.found, &script.allowances, context);
    (found, linter.left)
}

/// What is known as a session begins.
fn fresh(context: &Context, statements: &[Statement]) -> State {
    let mut catalog = context.catalog.clone();
    for table in &context.new_tables {
        catalog.add_new(table.clone());
    }
    let mut state = State::new(catalog, context.in_transaction, context.timeouts_set)
        .looking_in(&context.search_path)
        .knowing(&context.routines);
    state.foresee(statements);
    state
}

struct Linter<'a> {
    text: &'a str,
    found: Vec<Hit>,
    /// The functions being run, and how they are called in messages.
    within: Vec<Name>,
    called_statements: usize,
    /// To take away what was added is what going back is for.
    goes_back: bool,
    left: Left,
}

/// A finding, with the number of its statement.
struct Hit {
    number: usize,
    rule: &'static Rule,
    found: Found,
}

impl Linter<'_> {
    /// A part that undoes another leaves nothing behind: it is not run where the history goes on.
    fn part_ends(&mut self, state: &State) {
        if !self.goes_back {
            self.left = (state.catalog.clone().deployed(), state.routines().clone());
        }
    }

    /// `number` is that of the next statement.
    fn event(
        &mut self,
        event: &Happening,
        number: usize,
        state: &mut State,
        context: &Context,
        statements: &[Statement],
    ) {
        let (number, found) = match event.what {
            Event::Include => (number, rules::unclassified::included(&event.range)),
            Event::Shell => (number, rules::unclassified::shell(&event.range)),
            Event::Execute => (
                number.saturating_sub(1),
                rules::unclassified::generated(&event.range),
            ),
            Event::If(edges) => {
                for edge in edges {
                    state.branch(*edge);
                }
                return;
            }
            Event::Connect => {
                state.begin_again(fresh(context, statements));
                return;
            }
            Event::Section {
                goes_back,
                in_transaction,
            } => {
                self.part_ends(state);
                self.goes_back = goes_back;
                state.begin_again(fresh(context, statements));
                state.in_transaction |= in_transaction;
                return;
            }
        };
        self.found.push(Hit {
            number,
            rule: &rules::unclassified::RULE,
            found,
        });
    }

    /// What it does to the tables that were there before.
    fn statement(&mut self, statement: &Statement, number: usize, state: &mut State) -> Effects {
        let expanded = state.expand(statement);
        let mut resolved = expanded.unwrap_or_else(|| statement.clone());
        state.resolve(&mut resolved.kind);
        self.calls(&resolved, number, state);
        let effects = match &resolved.kind {
            Kind::Body(body) if body.runs == Runs::AtOnce => {
                let mut effects = self.body(body, number, state);
                effects.with_the_unread(body);
                effects
            }
            Kind::CreateSchema { schema, elements } => {
                for element in elements {
                    let mut element = element.clone();
                    element
                        .kind
                        .each_relation(&mut |name| within(name, &schema.name));
                    if let Some(made) = element.kind.new_relation() {
                        within(made, &schema.name);
                    }
                    self.statement(&element, number, state);
                }
                // Its elements have been judged.
                Effects::default()
            }
            kind => state.on_old_tables(kind, classify(kind, &state.catalog)),
        };
        self.judge(&resolved, &effects, number, state);
        effects
    }

    /// Asks every rule, and takes in what the statement has done.
    fn judge(
        &mut self,
        statement: &Statement,
        effects: &Effects,
        number: usize,
        state: &mut State,
    ) {
        let site = Site {
            text: self.text,
            statement,
            effects,
            state,
        };
        let before = self.found.len();
        for rule in RULES {
            let said_better = rule.when == When::NothingElseFound && self.found.len() > before;
            if said_better || (self.goes_back && rules::GOING_BACK.contains(&rule.name)) {
                continue;
            }
            let found = (rule.check)(&site).into_iter();
            let (routine, may_be_new) = (self.within.last().cloned(), site.first_that_may_be_new());
            self.found.extend(found.map(|found| {
                let found = match &routine {
                    Some(routine) => found.called(routine, &statement.range),
                    None => found,
                };
                let found = match &may_be_new {
                    Some(table) => found.unless_new(table),
                    None => found,
                };
                Hit {
                    number,
                    rule,
                    found,
                }
            }));
        }
        if effects.blocks() && !effects.outside_transaction && !effects.unknown {
            let long = !effects.scans.is_empty() || !effects.rewrites.is_empty();
            state.missed.lock |= !state.settings.timeouts.lock;
            state.missed.statement |= long && !state.settings.timeouts.statement;
        }
        state.after(statement, effects);
    }

    /// DO runs its statements in the transaction that it is in, or in one of its own.
    fn body(&mut self, body: &Body, number: usize, state: &mut State) -> Effects {
        let was_in_transaction = std::mem::replace(&mut state.in_transaction, true);
        let was_in_body = std::mem::replace(&mut state.in_body, true);
        let mut effects = Effects::default();
        for statement in &body.statements {
            effects.join(self.statement(statement, number, state));
        }
        state.in_body = was_in_body;
        state.in_transaction = was_in_transaction;
        if !was_in_transaction {
            state.body_ends();
        }
        effects
    }

    /// What functions of the file do where they are called.
    fn calls(&mut self, statement: &Statement, number: usize, state: &mut State) {
        for called in &statement.calls {
            let Some(body) = state.routine(called) else {
                continue;
            };
            let again = self
                .within
                .iter()
                .any(|running| running.name == called.name);
            if again || self.within.len() >= CALLS_DEPTH_MAX {
                continue;
            }
            self.called_statements += body.statements.len() + 1;
            if self.called_statements > CALLED_STATEMENTS_MAX {
                return;
            }
            // What it does is told at the call.
            let mut body = body.clone();
            for inner in &mut body.statements {
                inner.range.clone_from(&statement.range);
            }
            self.within.push(called.clone());
            self.body(&body, number, state);
            self.within.pop();
        }
    }
}

fn within(name: &mut Name, schema: &str) {
    if name.schema.is_none() {
        *name = name.within(schema);
    }
}

/// Takes out what is allowed, and adds what is wrong with the allowances themselves.
fn allow(sql: &str, hits: Vec<Hit>, allowances: &[Allowance], context: &Context) -> Vec<Finding> {
    let lines = Lines::new(sql);
    let mut kept: Vec<Finding> = Vec::new();
    let mut used = vec![false; allowances.len()];
    for hit in hits {
        let by = allowances.iter().position(|allowance| {
            allowance.statement == Some(hit.number)
                && !allowance.reason.is_empty()
                && allowance.rules.iter().any(|name| name == hit.rule.name)
        });
        if let Some(by) = by {
            used[by] = true;
        } else if !context.allowed.contains_key(hit.rule.name) {
            let severity = hit.found.severity.unwrap_or(hit.rule.severity);
            kept.push(finding(hit.rule.name, severity, hit.found, &lines));
        }
    }
    for (allowance, used) in allowances.iter().zip(used) {
        if let Some((severity, found)) = rules::allowance::wrong(allowance, used) {
            kept.push(finding(rules::allowance::NAME, severity, found, &lines));
        }
    }
    kept.sort_by_key(|finding| finding.range.start);
    kept
}

fn finding(rule: &'static str, severity: Severity, found: Found, lines: &Lines<'_>) -> Finding {
    let position = lines.position(&found.range);
    Finding {
        rule,
        severity,
        message: found.message,
        help: found.help,
        line: position.line,
        column: position.column,
        length: position.length,
        range: found.range,
    }
}

#[cfg(test)]
mod tests;
