//! Goes through a file statement by statement, as a server would, and asks every rule.

use super::{
    catalog::Catalog,
    classify::{Effects, Target, classify},
    finding::{Finding, Lines},
    name::Name,
    rules::{self, Found, RULES, Rule, When},
    script::{Allowance, Script},
    statement::{
        Body, Building, Change, ChangeKind, Kind, Runs, Setting, Statement, TransactionControl,
    },
    syntax,
};
use crate::plan::error::Severity;
use crate::statement::part::Lock;
use std::collections::BTreeMap;

/// What is known beside the text.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Whoever runs the text wraps it in one transaction.
    pub in_transaction: bool,
    /// Whoever runs the text has set lock_timeout and statement_timeout.
    pub timeouts_set: bool,
    /// Tables that are there already.
    pub catalog: Catalog,
    /// Tables that nobody uses yet.
    pub new_tables: Vec<Name>,
    /// What is allowed in all of the text: rule → reason.
    pub allowed: BTreeMap<String, String>,
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

/// What the statements before have left behind.
#[derive(Debug, Default)]
pub struct State {
    pub catalog: Catalog,
    /// Tables that the file has made: empty, and known to nobody.
    pub new_tables: Vec<Name>,
    pub in_transaction: bool,
    pub in_body: bool,
    /// What the open transaction has locked so that the application cannot write.
    pub locked: Vec<Target>,
    /// Labels, in quotes, that the open transaction has added to an enum.
    pub enum_values: Vec<String>,
    pub lock_timeout: bool,
    pub statement_timeout: bool,
    /// Said once in a file.
    pub lock_timeout_missed: bool,
    pub statement_timeout_missed: bool,
}

impl Site<'_> {
    pub fn is_new(&self, table: &Name) -> bool {
        self.state.is_new(table)
    }

    /// The changes that ALTER TABLE makes to a table that was there before.
    pub fn changes(&self) -> impl Iterator<Item = (&Name, &Change)> {
        let alter = match &self.statement.kind {
            Kind::AlterTable(alter) if !self.is_new(&alter.table) => Some(alter),
            _ => None,
        };
        alter.into_iter().flat_map(|alter| {
            alter
                .changes
                .iter()
                .map(move |change| (&alter.table, change))
        })
    }

    /// What the change alone does.
    pub fn effects_of(&self, table: &Name, change: &Change) -> Effects {
        let alone = Kind::AlterTable(super::statement::AlterTable {
            table: table.clone(),
            only: false,
            changes: vec![change.clone()],
        });
        classify(&alone, &self.state.catalog)
    }

    pub fn found(&self, message: String, help: String) -> Found {
        Found {
            range: self.statement.range.clone(),
            message,
            help,
        }
    }
}

impl State {
    pub fn is_new(&self, table: &Name) -> bool {
        self.new_tables.iter().any(|new| new.may_be(table))
    }

    /// Without what concerns new tables only, and what keeps nobody waiting.
    fn on_old_tables(&self, statement: &Kind, mut effects: Effects) -> Effects {
        let is_old = |target: &Target| match target {
            Target::Table(name) => !self.is_new(name),
            Target::TableOf(_) => true,
        };
        effects.locks.retain(|taken| is_old(&taken.target));
        effects.rewrites.retain(is_old);
        effects.scans.retain(is_old);
        match statement {
            // A foreign key of a table without rows is not looked for in the other.
            Kind::AlterTable(alter) if self.is_new(&alter.table) => effects.scans.clear(),
            // Nobody writes to a materialized view, and everybody can read it.
            Kind::Refresh {
                how: Building::Concurrently,
                ..
            } => effects = Effects::default(),
            _ => {}
        }
        effects
    }

    fn after(&mut self, statement: &Statement, effects: &Effects) {
        let blocking = effects.locks.iter().filter(|taken| {
            taken.lock >= Lock::ShareLock && matches!(taken.target, Target::Table(_))
        });
        for taken in blocking {
            if !self.locked.contains(&taken.target) {
                self.locked.push(taken.target.clone());
            }
        }
        match &statement.kind {
            Kind::Transaction(TransactionControl::Begin) => {
                self.locked.clear();
                self.in_transaction = true;
            }
            Kind::Transaction(TransactionControl::End) => {
                self.in_transaction = false;
                self.enum_values.clear();
            }
            Kind::Set(setting) => self.set(setting),
            Kind::CreateTable(create) => self.new_tables.push(create.table.clone()),
            Kind::Read {
                into: Some(table), ..
            } => self.new_tables.push(table.clone()),
            Kind::CreateMaterializedView { view, .. } => self.new_tables.push(view.clone()),
            Kind::AddEnumValue { value } if self.in_transaction => {
                self.enum_values.push(value.clone())
            }
            Kind::AlterTable(alter) if self.is_new(&alter.table) => {
                for change in &alter.changes {
                    if let ChangeKind::RenameTable { to } = &change.kind {
                        self.new_tables.push(alter.table.renamed(to));
                    }
                }
            }
            _ => {}
        }
        if !self.in_transaction {
            self.locked.clear();
        }
        self.catalog.apply(&statement.kind);
    }

    fn set(&mut self, setting: &Setting) {
        // Outside a transaction it does nothing.
        if setting.local && !self.in_transaction {
            return;
        }
        match setting.name.as_str() {
            "lock_timeout" => self.lock_timeout = !setting.is_off,
            "statement_timeout" => self.statement_timeout = !setting.is_off,
            "all" => (self.lock_timeout, self.statement_timeout) = (false, false),
            _ => {}
        }
    }
}

/// Everything that the rules find in a text of SQL, in its order.
pub fn lint(sql: &str, context: &Context) -> Vec<Finding> {
    let script = Script::read(sql);
    let statements = syntax::read(&script);
    let mut state = State {
        catalog: context.catalog.clone(),
        new_tables: context.new_tables.clone(),
        in_transaction: context.in_transaction,
        lock_timeout: context.timeouts_set,
        statement_timeout: context.timeouts_set,
        ..State::default()
    };
    let mut linter = Linter {
        text: &script.text,
        found: Vec::new(),
    };
    for (number, statement) in statements.iter().enumerate() {
        linter.statement(statement, number, &mut state);
    }
    for include in &script.includes {
        let number = statements.partition_point(|statement| statement.range.end <= include.start);
        linter.found.push(Hit {
            number,
            rule: &rules::unclassified::RULE,
            severity: Severity::Warning,
            found: rules::unclassified::included(include),
        });
    }
    allow(sql, linter.found, &script.allowances, context)
}

struct Linter<'a> {
    text: &'a str,
    found: Vec<Hit>,
}

/// A finding, with the number of its statement.
struct Hit {
    number: usize,
    rule: &'static Rule,
    severity: Severity,
    found: Found,
}

impl Linter<'_> {
    fn statement(&mut self, statement: &Statement, number: usize, state: &mut State) {
        if let Kind::Body(body) = &statement.kind
            && body.runs == Runs::AtOnce
        {
            self.body(body, number, state);
        }
        let effects =
            state.on_old_tables(&statement.kind, classify(&statement.kind, &state.catalog));
        let site = Site {
            text: self.text,
            statement,
            effects: &effects,
            state,
        };
        let before = self.found.len();
        for rule in RULES {
            let asked = match rule.when {
                When::Always => true,
                When::NothingElseFound => self.found.len() == before,
            };
            if asked {
                let found = (rule.check)(&site).into_iter();
                self.found.extend(found.map(|found| Hit {
                    number,
                    rule,
                    severity: rule.severity,
                    found,
                }));
            }
        }
        if effects.blocks() && !effects.outside_transaction && !effects.unknown {
            let long = !effects.scans.is_empty() || !effects.rewrites.is_empty();
            state.lock_timeout_missed |= !state.lock_timeout;
            state.statement_timeout_missed |= long && !state.statement_timeout;
        }
        state.after(statement, &effects);
    }

    /// DO runs its statements in the transaction that it is in, or in one of its own.
    fn body(&mut self, body: &Body, number: usize, state: &mut State) {
        let was_in_transaction = std::mem::replace(&mut state.in_transaction, true);
        let was_in_body = std::mem::replace(&mut state.in_body, true);
        for statement in &body.statements {
            self.statement(statement, number, state);
        }
        state.in_body = was_in_body;
        state.in_transaction = was_in_transaction;
        if !was_in_transaction {
            state.locked.clear();
        }
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
            kept.push(finding(hit.rule.name, hit.severity, hit.found, &lines));
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
