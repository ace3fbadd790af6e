//! The compiled plan: every default explicit, every name resolved, nothing left for execution to choose. Stored with the run.

use super::{
    attributes::Succession,
    document::{BackupGate, Expression, PhaseName, Query, RunName, Settings},
    endpoint::Endpoint,
    key::KeyColumn,
    no_references::NoReferences,
    search_path::SearchPath,
    span::Span,
    steps::{DdlStep, retire_column::RetireColumn, sync_columns::OnUnconvertible},
    table_pair::TablePair,
    window::Window,
};
use crossfade_model::ident::{Ident, TableName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub name: RunName,
    pub description: Option<String>,
    pub settings: Settings,
    /// What conversions depend on (time zone, date order): pinned, so that a trigger in anybody's session, the backfill
    /// and the verification all compute the same.
    pub session: Vec<(String, String)>,
    /// Where what is the application's looks for names without a schema: its code that runs in our sessions, and the author's
    /// SQL. Not in plans of runs that were started before this was asked: there it is PostgreSQL's own schema alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_path: Option<SearchPath>,
    /// The columns that no other active run may touch.
    pub claims: Vec<(TableName, Ident)>,
    /// The columns that no other active run may change. Not in plans of runs that were started before this was looked at.
    #[serde(default)]
    pub reads: Vec<(TableName, Ident)>,
    /// Indexes and constraints, each by its table, that may go with the columns that the plan drops: it found them there
    /// and carries them over or says that they go, or it makes them itself. `None` where no column goes, and in plans of
    /// runs that were started before this was looked at: there all may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreseen: Option<BTreeSet<(TableName, Ident)>>,
    /// What the columns were that others take the place of. Not in plans of runs that were started before this was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<Succession>,
    /// What the names of its triggers begin with, so that they come after the application's. Not in plans of runs that were
    /// started before this was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggers_begin: Option<String>,
    pub phases: Vec<Phase>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    pub name: PhaseName,
    /// A server orders it by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto: bool,
    pub gate: Vec<Condition>,
    pub steps: Vec<PlannedStep>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub id: StepId,
    pub action: Action,
}

/// Stable for as long as the plan is the same, whatever is added before it: never a position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepId(pub String);

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nothing is to name these columns and tables, the plan's own work aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct References {
    pub wanted: NoReferences,
    pub columns: Vec<(TableName, Ident)>,
    /// Tables that go, or whose name does. Not in plans of runs that were started before this was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableName>,
    /// Indexes and constraints that have a successor on the new column, or go with the old one, by name.
    pub carried: Vec<String>,
}

/// What must hold before a phase may start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    QuarantineEmpty,
    /// Nobody has dropped or disabled the triggers that keep both sides in step.
    SyncInPlace,
    /// Nothing outside the plan names these columns any more.
    NoDependents(Vec<(TableName, Ident)>),
    Approvals(u32),
    Bake(Span),
    OldWritesQuiet(Span),
    VerifiedWithin(Span),
    NoReferences(References),
    Window(Window),
    Http(Endpoint),
    Query(Query),
    Backup(BackupGate),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Ddl(DdlStep),
    SyncColumns(Sync),
    SyncTables(TablePair),
    Fill(Fill),
    Match(Match),
    Query(Query),
}

/// Two sides of one table that are kept in step by triggers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sync {
    pub table: TableName,
    pub forward: Vec<Assignment>,
    /// Empty: the sync is one-way.
    pub backward: Vec<Assignment>,
    pub on_unconvertible: OnUnconvertible,
    pub key: Vec<KeyColumn>,
    /// The defaults of the old side: an insert that names neither side gets them, whichever version it is by.
    pub old_defaults: BTreeMap<Ident, String>,
    /// Columns of the old side that stay, where others go: both versions write them.
    pub kept: BTreeSet<Ident>,
    /// Columns of the old side that are NOT NULL.
    pub required: BTreeSet<Ident>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fill {
    /// The table that is walked.
    pub table: TableName,
    pub set: Vec<Assignment>,
    pub key: Vec<KeyColumn>,
    /// What is filled is read from another table, or is one: then `table` is the parent of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<TablePair>,
}

impl Fill {
    /// The table whose rows its batches write, which is not the one that they walk where that is another.
    pub fn written(&self) -> &TableName {
        match &self.link {
            Some(link) => link.table(link.new),
            None => &self.table,
        }
    }

    /// Whether its UPDATE sets the column of that table.
    pub fn sets(&self, column: &Ident) -> bool {
        let mut set = self.set.iter();
        set.any(|assignment| assignment.target.name == *column)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Match {
    pub table: TableName,
    pub columns: Vec<Assignment>,
    pub backward: Vec<Assignment>,
    pub key: Vec<KeyColumn>,
    /// The two sides are in two tables, of which `table` is the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<TablePair>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    pub target: ColumnRef,
    pub expression: Expression,
    pub reads: Vec<ColumnRef>,
    pub conversion: Conversion,
    /// Assignments whose columns are connected by expressions have the same number (see `statement::group`).
    pub group: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRef {
    pub name: Ident,
    pub type_name: String,
    /// See `facts::Column::exact`.
    pub exact: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// Another column's value, of the same type: both are always equal.
    Copy,
    /// Another column's value in a type that takes every such value.
    Widening,
    /// Anything else: it may fail, and may not be the other direction's inverse.
    Expression,
}

impl Conversion {
    pub fn can_fail(self) -> bool {
        match self {
            Self::Copy | Self::Widening => false,
            Self::Expression => true,
        }
    }
}

impl References {
    /// What is not to be named, as an operator reads it.
    pub fn names(&self) -> Vec<String> {
        let columns = self.columns.iter();
        let columns = columns.map(|(table, column)| format!("{table}.{column}"));
        columns
            .chain(self.tables.iter().map(ToString::to_string))
            .collect()
    }
}

impl Plan {
    pub fn phase(&self, name: PhaseName) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// How many phases of this plan come before it.
    pub fn position(&self, name: PhaseName) -> Option<usize> {
        self.phases.iter().position(|phase| phase.name == name)
    }

    pub fn steps(&self) -> impl Iterator<Item = (&Phase, &PlannedStep)> {
        self.phases
            .iter()
            .flat_map(|phase| phase.steps.iter().map(move |step| (phase, step)))
    }

    pub fn sync(&self, table: &TableName) -> Option<&Sync> {
        self.steps().find_map(|(_, step)| match &step.action {
            Action::SyncColumns(sync) if sync.table == *table => Some(sync),
            _ => None,
        })
    }

    pub fn syncs(&self) -> impl Iterator<Item = &Sync> {
        self.steps().filter_map(|(_, step)| match &step.action {
            Action::SyncColumns(sync) => Some(sync),
            _ => None,
        })
    }

    /// The tables whose triggers keep two sides in step.
    pub fn synced_tables(&self) -> Vec<&TableName> {
        self.steps()
            .flat_map(|(_, step)| match &step.action {
                Action::SyncColumns(sync) => vec![&sync.table],
                Action::SyncTables(link) => vec![&link.parent, &link.child],
                _ => Vec::new(),
            })
            .collect()
    }

    /// The columns of `table` that `retire` renames.
    pub fn retired(&self, table: &TableName) -> Vec<&RetireColumn> {
        self.steps()
            .filter_map(|(_, step)| match &step.action {
                Action::Ddl(DdlStep::RetireColumn(retire)) if retire.table == *table => {
                    Some(retire)
                }
                _ => None,
            })
            .collect()
    }

    /// SHA-256 over what the plan does, in hexadecimal: not its description, nor who says where names are looked for. Two runs with
    /// the same fingerprint do the same. Runs keep the one that they were started with.
    pub fn fingerprint(&self) -> Result<String, serde_json::Error> {
        let mut plan = self.clone();
        plan.description = None;
        plan.settings.search_path = None;
        if let Some(path) = &mut plan.search_path {
            path.from.clear();
        }
        sha256(&plan)
    }
}

/// SHA-256 over the value as JSON, in hexadecimal.
pub fn sha256(value: &impl Serialize) -> Result<String, serde_json::Error> {
    use sha2::{Digest, Sha256};
    let text = serde_json::to_string(value)?;
    let digest = Sha256::digest(text.as_bytes());
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
