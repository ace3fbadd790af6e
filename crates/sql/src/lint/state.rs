//! What the statements before have left behind: tables, locks, settings, and what is prepared or can be called.

use crate::{
    catalog::{Catalog, Origin},
    classify::{Effects, Target},
    name::{Name, TEMPORARY},
    statement::{
        AlterTable, Body, Building, ChangeKind, Edge, Kind, Object, Renaming, Setting, Statement,
        TransactionControl,
    },
};
use crossfade_model::lock::Lock;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    pub lock: bool,
    pub statement: bool,
}

/// Those that matter here.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub timeouts: Timeouts,
    /// Where names without a schema are looked for; `None` as long as nothing is said.
    search_path: Option<Vec<String>>,
}

#[derive(Debug)]
struct Savepoint {
    name: String,
    settings: Settings,
    session: Settings,
    /// How many of them there were.
    locked: usize,
    enum_values: usize,
}

#[derive(Debug, Default)]
pub struct State {
    pub catalog: Catalog,
    pub in_transaction: bool,
    pub in_body: bool,
    /// The number of the statement, not counting those in bodies.
    pub number: usize,
    /// What the open transaction has locked so that the application cannot write, in the order of its statements.
    pub locked: Vec<Target>,
    /// The same, to look them up: there may be thousands.
    is_locked: BTreeSet<Target>,
    /// Labels, in quotes, that the open transaction has added to an enum, and whether it has made that too.
    pub enum_values: Vec<(String, bool)>,
    /// Those in force.
    pub settings: Settings,
    /// Said once in a file.
    pub missed: Timeouts,
    /// Those of the session, without SET LOCAL.
    session: Settings,
    /// Those of the session as the transaction began.
    at_begin: Settings,
    savepoints: Vec<Savepoint>,
    /// Those that were in force as each open branch began, and those of its session.
    branches: Vec<(Settings, Settings)>,
    /// Names that the file has made, of what is no table.
    objects: BTreeSet<(Object, String)>,
    /// Types that the open transaction has made.
    types_of_transaction: Vec<Name>,
    has_temporary: bool,
    until_commit: Vec<Name>,
    prepared: BTreeMap<String, Statement>,
    routines: BTreeMap<String, Body>,
    /// Tables, by the last part of their names, for which the file makes a policy.
    pub policies: BTreeSet<String>,
    /// The number of the last statement that makes something of this name.
    made_last: BTreeMap<String, usize>,
}

impl State {
    pub fn new(catalog: Catalog, in_transaction: bool, timeouts_set: bool) -> Self {
        let timeouts = Timeouts {
            lock: timeouts_set,
            statement: timeouts_set,
        };
        let settings = Settings {
            timeouts,
            search_path: None,
        };
        Self {
            catalog,
            in_transaction,
            settings: settings.clone(),
            session: settings.clone(),
            at_begin: settings,
            ..Self::default()
        }
    }

    /// Where its sessions look for names without a schema as they begin.
    #[must_use]
    pub fn looking_in(mut self, path: &[String]) -> Self {
        let path = (!path.is_empty()).then(|| path.to_vec());
        for settings in [&mut self.settings, &mut self.session, &mut self.at_begin] {
            settings.search_path.clone_from(&path);
        }
        self
    }

    /// Functions that are there as it begins.
    #[must_use]
    pub fn knowing(mut self, routines: &BTreeMap<String, Body>) -> Self {
        self.routines.clone_from(routines);
        self
    }

    pub fn routines(&self) -> &BTreeMap<String, Body> {
        &self.routines
    }

    /// Another session, which has said once what it says once in a file.
    pub fn begin_again(&mut self, fresh: Self) {
        let missed = self.missed;
        *self = fresh;
        self.missed = missed;
    }

    /// What the file will make, so that it is known what comes again after it was dropped.
    pub fn foresee(&mut self, statements: &[Statement]) {
        for (number, statement) in statements.iter().enumerate() {
            if let Kind::CreatePolicy { table } = &statement.kind {
                self.policies.insert(table.name.clone());
            }
            for name in made(&statement.kind) {
                self.made_last.insert(name, number);
            }
        }
    }

    /// Whether something of this name is made later on.
    pub fn comes_again(&self, name: &Name) -> bool {
        self.made_last
            .get(&name.name)
            .is_some_and(|number| *number > self.number)
    }

    pub fn is_new(&self, table: &Name) -> bool {
        self.catalog.origin(table) == Origin::New
    }

    pub fn is_new_object(&self, object: Object, name: &Name) -> bool {
        self.objects.contains(&(object, name.name.clone()))
    }

    pub fn routine(&self, name: &Name) -> Option<&Body> {
        self.routines.get(&name.name)
    }

    /// Names with the schema that they are found in, as far as the file has said anything about that.
    pub fn resolve(&self, kind: &mut Kind) {
        if let Some(first) = self
            .settings
            .search_path
            .as_ref()
            .and_then(|path| path.first())
            && let Some(name) = kind.new_relation()
            && name.schema.is_none()
        {
            name.schema = Some(first.clone());
        }
        if self.settings.search_path.is_some() || self.has_temporary {
            kind.each_relation(&mut |name| self.find(name));
        }
    }

    fn find(&self, name: &mut Name) {
        if name.schema.is_some() {
            return;
        }
        let temporary = name.within(TEMPORARY);
        if self.has_temporary && self.catalog.table(&temporary).is_some() {
            *name = temporary;
            return;
        }
        let path = self.settings.search_path.as_deref().unwrap_or_default();
        let known = path
            .iter()
            .map(|schema| name.within(schema))
            .find(|name| self.catalog.table(name).is_some());
        if let Some(found) = known.or_else(|| path.first().map(|first| name.within(first))) {
            *name = found;
        }
    }

    /// The statement that EXECUTE and CALL run, where the file says what that is.
    pub fn expand(&self, statement: &Statement) -> Option<Statement> {
        let mut runs = match &statement.kind {
            Kind::Execute { name } => self.prepared.get(name)?.clone(),
            Kind::Call { procedure } => Statement {
                range: statement.range.clone(),
                kind: Kind::NoTable,
                calls: vec![self.routine(procedure)?.routine.clone()?],
            },
            _ => return None,
        };
        runs.range.clone_from(&statement.range);
        Some(runs)
    }

    /// Without what concerns new tables only, and what keeps nobody waiting.
    pub fn on_old_tables(&self, statement: &Kind, mut effects: Effects) -> Effects {
        let is_old = |target: &Target| match target {
            Target::Table(name) => !self.is_new(name),
            Target::TableOf(_) => true,
        };
        effects.locks.retain(|taken| is_old(&taken.target));
        effects.rewrites.retain(is_old);
        effects.scans.retain(is_old);
        match statement {
            // A foreign key of a table without rows is not looked for in the other.
            Kind::AlterTable(alter) if self.is_new(&alter.table) && !attaches(alter) => {
                effects.scans.clear();
            }
            // Nobody writes to a materialized view, and everybody can read it.
            Kind::Refresh {
                how: Building::Concurrently,
                ..
            } => effects = Effects::default(),
            _ => {}
        }
        effects
    }

    pub fn after(&mut self, statement: &Statement, effects: &Effects) {
        let blocking = effects.locks.iter().filter(|taken| {
            taken.lock >= Lock::ShareLock && matches!(taken.target, Target::Table(_))
        });
        for taken in blocking.filter(|_| self.in_transaction) {
            if self.is_locked.insert(taken.target.clone()) {
                self.locked.push(taken.target.clone());
            }
        }
        match &statement.kind {
            Kind::Transaction(control) => self.transaction(control),
            Kind::Branch(edge) => self.branch(*edge),
            Kind::Set(setting) => self.set(setting),
            Kind::CreateTable(create) if create.until_commit => {
                self.until_commit.push(create.table.clone());
            }
            Kind::AddEnumValue { of, value } if self.in_transaction => {
                let of_new = self.types_of_transaction.contains(of);
                self.enum_values.push((value.clone(), of_new));
            }
            Kind::CreateObject { object, name } => self.made(*object, name),
            Kind::CreateDomain { domain, .. } => self.made(Object::Domain, domain),
            Kind::CreateSchema { schema, .. } => self.made(Object::Schema, schema),
            // Nobody knows the new name.
            Kind::RenameObject {
                object,
                renaming: Renaming::Name(to),
                ..
            } if self.branches.is_empty() => {
                self.objects.insert((*object, to.clone()));
            }
            Kind::Prepare { name, statement } => {
                self.prepared.insert(name.clone(), (**statement).clone());
            }
            Kind::Body(body) => {
                if let Some(routine) = &body.routine {
                    self.routines.insert(routine.name.clone(), body.clone());
                }
            }
            _ => {}
        }
        self.catalog.apply(&statement.kind);
        self.has_temporary |= is_temporary(&statement.kind);
    }

    pub fn holds(&self, target: &Target) -> bool {
        self.is_locked.contains(target)
    }

    /// Every lock goes with its transaction.
    pub fn unlock(&mut self) {
        self.locked.clear();
        self.is_locked.clear();
    }

    /// Of a body that was a transaction of its own.
    pub fn body_ends(&mut self) {
        self.unlock();
        self.settings = self.session.clone();
        self.types_of_transaction.clear();
        self.enum_values.clear();
        self.catalog.commit();
    }

    /// After a part that may not have been run, only what holds either way is relied on.
    pub fn branch(&mut self, edge: Edge) {
        match edge {
            Edge::Begin => {
                self.catalog.branch();
                let settings = (self.settings.clone(), self.session.clone());
                self.branches.push(settings);
            }
            Edge::End => {
                self.catalog.end_branch();
                if let Some((settings, session)) = self.branches.pop() {
                    self.settings.or(settings);
                    self.session.or(session);
                }
            }
        }
    }

    fn made(&mut self, object: Object, name: &Name) {
        if self.branches.is_empty() {
            self.objects.insert((object, name.name.clone()));
        }
        if self.in_transaction && object == Object::Type && self.branches.is_empty() {
            self.types_of_transaction.push(name.clone());
        }
    }

    fn transaction(&mut self, control: &TransactionControl) {
        match control {
            TransactionControl::Begin => self.begin(),
            TransactionControl::End { undone, chained } => {
                self.end(*undone);
                if *chained {
                    self.begin();
                }
            }
            TransactionControl::Savepoint(name) => {
                self.catalog.savepoint(name);
                self.savepoints.push(Savepoint {
                    name: name.clone(),
                    settings: self.settings.clone(),
                    session: self.session.clone(),
                    locked: self.locked.len(),
                    enum_values: self.enum_values.len(),
                });
            }
            TransactionControl::Release(name) => {
                self.catalog.release(name);
                if let Some(at) = self.place_of(name) {
                    self.savepoints.truncate(at);
                }
            }
            TransactionControl::RollbackTo(name) => self.roll_back_to(name),
            TransactionControl::Within => {}
        }
    }

    fn place_of(&self, savepoint: &str) -> Option<usize> {
        let mut savepoints = self.savepoints.iter();
        savepoints.rposition(|known| known.name == savepoint)
    }

    /// Locks that were taken since are let go.
    fn roll_back_to(&mut self, name: &str) {
        self.catalog.roll_back_to(name);
        let Some(at) = self.place_of(name) else {
            return;
        };
        self.savepoints.truncate(at + 1);
        let savepoint = &self.savepoints[at];
        self.settings = savepoint.settings.clone();
        self.session = savepoint.session.clone();
        self.enum_values.truncate(savepoint.enum_values);
        for target in self.locked.drain(savepoint.locked.min(self.locked.len())..) {
            self.is_locked.remove(&target);
        }
    }

    fn begin(&mut self) {
        // BEGIN within a transaction is a warning and nothing else.
        if !self.in_transaction {
            self.at_begin = self.session.clone();
            self.catalog.begin();
        }
        self.in_transaction = true;
    }

    fn end(&mut self, undone: bool) {
        self.in_transaction = false;
        self.unlock();
        self.enum_values.clear();
        self.types_of_transaction.clear();
        self.savepoints.clear();
        if undone {
            self.session = self.at_begin.clone();
            self.catalog.roll_back();
        } else {
            self.catalog.commit();
        }
        self.settings = self.session.clone();
        for table in std::mem::take(&mut self.until_commit) {
            self.catalog.drop(&table);
        }
    }

    fn set(&mut self, setting: &Setting) {
        // Outside a transaction it does nothing.
        if setting.local && !self.in_transaction {
            return;
        }
        self.settings.set(setting);
        if !setting.local {
            self.session.set(setting);
        }
    }
}

impl Settings {
    fn set(&mut self, setting: &Setting) {
        match setting.name.as_str() {
            "lock_timeout" => self.timeouts.lock = !setting.is_off,
            "statement_timeout" => self.timeouts.statement = !setting.is_off,
            "search_path" => self.search_path = search_path(setting),
            "all" => *self = Self::default(),
            _ => {}
        }
    }

    /// What is set in both. Where names are looked for is not known to have changed.
    fn or(&mut self, other: Self) {
        self.timeouts.lock &= other.timeouts.lock;
        self.timeouts.statement &= other.timeouts.statement;
        self.search_path = other.search_path;
    }
}

/// The rows of the partition, and of the default one, are looked at whoever has made their parent.
fn attaches(alter: &AlterTable) -> bool {
    let mut changes = alter.changes.iter();
    changes.any(|change| matches!(change.kind, ChangeKind::Attach { .. }))
}

/// The schemas that a file names; those that depend on the role or come by themselves are left out.
fn search_path(setting: &Setting) -> Option<Vec<String>> {
    let named = setting.values.iter().filter(|schema| {
        !matches!(schema.as_str(), "$user" | "pg_catalog" | "default") && *schema != TEMPORARY
    });
    Some(named.cloned().collect::<Vec<_>>()).filter(|path| !path.is_empty())
}

fn is_temporary(kind: &Kind) -> bool {
    let made = match kind {
        Kind::CreateTable(create) => Some(&create.table),
        Kind::Read { into, .. } => into.as_ref(),
        _ => None,
    };
    made.is_some_and(|name| name.schema.as_deref() == Some(TEMPORARY))
}

/// Names that a statement makes, tables or not.
fn made(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::CreateTable(create) => vec![create.table.name.clone()],
        Kind::CreateView { view, .. } | Kind::CreateMaterializedView { view, .. } => {
            vec![view.name.clone()]
        }
        Kind::Read {
            into: Some(table), ..
        } => vec![table.name.clone()],
        Kind::CreateObject { name, .. } => vec![name.name.clone()],
        Kind::CreateDomain { domain, .. } => vec![domain.name.clone()],
        Kind::CreateSchema { schema, elements } => {
            let mut names = vec![schema.name.clone()];
            names.extend(elements.iter().flat_map(|element| made(&element.kind)));
            names
        }
        Kind::RenameObject {
            renaming: Renaming::Name(to),
            ..
        } => vec![to.clone()],
        Kind::AlterTable(alter) => alter
            .changes
            .iter()
            .filter_map(|change| match &change.kind {
                ChangeKind::RenameTable { to } => Some(to.clone()),
                _ => None,
            })
            .collect(),
        Kind::Body(body) => body.routine.iter().map(|name| name.name.clone()).collect(),
        _ => Vec::new(),
    }
}
