//! The plan as its author writes it: a strict mirror of the YAML. Nothing here is resolved or defaulted by a catalog.

pub use super::pacing::Pacing;
use super::{
    decode::nearest, endpoint::Endpoint, facts::Facts, no_references::NoReferences,
    recipes::Recipe, span::Span, steps::Step, window::Window,
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A plan document, version 1. Exactly one of `change`, `changes` and `phases` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub version: Version,
    pub name: RunName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A recipe, which compiles into the standard phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Recipe>,
    /// Several recipes in one plan. Changes of the same table share its triggers, its backfill and its comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub changes: Option<Vec<Recipe>>,
    /// The explicit form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Vec<PhaseDocument>>,
    /// Conditions in addition to those of the recipe or the phases, by phase.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<PhaseName, Gate>,
    #[serde(default, skip_serializing_if = "Settings::is_default")]
    pub settings: Settings,
    /// Findings of the rules in `sql` steps that are allowed: rule and reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allow: BTreeMap<String, String>,
}

impl Document {
    /// What it says to do: without what only people read. Two documents with the same meaning are of the same plan.
    pub fn meaning(&self) -> Self {
        Self {
            description: None,
            allow: BTreeMap::new(),
            ..self.clone()
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseDocument {
    pub phase: PhaseName,
    #[serde(default, skip_serializing_if = "Gate::is_empty")]
    pub gate: Gate,
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// Phases run separately, in this order. `sql` may be used at any position.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
    Expand,
    DualWrite,
    Backfill,
    Verify,
    Enforce,
    SwitchReads,
    Retire,
    Contract,
    Sql,
}

/// Conditions that must hold before a phase begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Approvals by this many distinct database roles. The role that started the run does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u32>,
    /// Time since the previous phase finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<Span>,
    /// Time since the last write of the old version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_writes_quiet: Option<Span>,
    /// Time since anything used the column or table that is to be dropped: an object of the database, the body of a
    /// function, a statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_references: Option<NoReferences>,
    /// A verification without differences, finished at most this long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_within: Option<Span>,
    /// The phase begins only at these times on these days. A phase that has begun continues after the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// An HTTP endpoint that must answer as expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Endpoint>,
    /// A query of your own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// A recent backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupGate>,
    /// A `crossfade serve` orders the phase by itself when the phase before has ended, and waits for the gate. Not for `contract`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto: Option<bool>,
}

/// A query in a read-only transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub name: String,
    pub sql: String,
    pub expect: Expect,
}

/// When the last backup ended, by a query in a read-only transaction. No plan names a command: others run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupGate {
    /// Gives the moment when the last backup ended.
    pub query: String,
    /// An older backup closes the gate. The database's clock counts.
    pub younger_than: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// The query returns no row.
    NoRows,
    /// The first column of its only row, as text.
    Value(String),
    /// The same value as another query's first column, as text.
    EqualTo(String),
}

/// Limits of the run. Every default is safe for a busy database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The longest time that the application can wait behind a lock request of Crossfade.
    pub lock_timeout: Span,
    /// How often Crossfade tries a statement that could not acquire its lock.
    pub lock_attempts_max: u32,
    /// For how long in total Crossfade tries it.
    pub lock_wait_max: Span,
    /// For statements that scan a table (VALIDATE, verification batches, queries).
    pub statement_timeout: Span,
    /// End sessions that block Crossfade and have been idle in a transaction for longer than this. Off by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_idle_blockers: Option<Span>,
    /// The schemas in which names without a schema are looked for, as in `search_path`. By default those of a new
    /// session of the tables' owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_path: Option<String>,
    /// A backfill pauses the run at this many rows in quarantine.
    pub quarantine_max: u32,
    /// How often a `crossfade serve` compares all rows again, from the end of `verify` until `contract` begins.
    #[serde(skip_serializing_if = "VerifyEvery::is_default")]
    pub verify_every: VerifyEvery,
    /// Reports of verification may show values of rows.
    pub show_values: bool,
    pub pacing: Pacing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_timeout: Span::from_millis(100),
            lock_attempts_max: 60,
            lock_wait_max: Span::from_millis(10 * 60_000),
            statement_timeout: Span::from_millis(3_600_000),
            end_idle_blockers: None,
            search_path: None,
            quarantine_max: 1000,
            verify_every: VerifyEvery::default(),
            show_values: false,
            pacing: Pacing::default(),
        }
    }
}

/// `24h`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum VerifyEvery {
    Off,
    Span(Span),
}

impl VerifyEvery {
    /// Comparing reads the whole table.
    const SHORTEST: Span = Span::from_millis(60_000);

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for VerifyEvery {
    fn default() -> Self {
        Self::Span(Span::from_millis(24 * 3_600_000))
    }
}

impl TryFrom<String> for VerifyEvery {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let span: Span = text
            .parse()
            .map_err(|error: super::span::SpanError| format!("{error}, or off"))?;
        match span < Self::SHORTEST {
            true => Err(format!(
                "{span} is too short: comparing reads the whole table. Write at least {}, or off",
                Self::SHORTEST
            )),
            false => Ok(Self::Span(span)),
        }
    }
}

impl From<VerifyEvery> for String {
    fn from(every: VerifyEvery) -> Self {
        match every {
            VerifyEvery::Off => "off".to_owned(),
            VerifyEvery::Span(span) => span.to_string(),
        }
    }
}

impl Settings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Gate {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl PhaseName {
    /// In their order.
    pub const STANDARD: [PhaseName; 8] = [
        Self::Expand,
        Self::DualWrite,
        Self::Backfill,
        Self::Verify,
        Self::Enforce,
        Self::SwitchReads,
        Self::Retire,
        Self::Contract,
    ];

    pub const ALL: [PhaseName; 9] = [
        Self::Expand,
        Self::DualWrite,
        Self::Backfill,
        Self::Verify,
        Self::Enforce,
        Self::SwitchReads,
        Self::Retire,
        Self::Contract,
        Self::Sql,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::DualWrite => "dual_write",
            Self::Backfill => "backfill",
            Self::Verify => "verify",
            Self::Enforce => "enforce",
            Self::SwitchReads => "switch_reads",
            Self::Retire => "retire",
            Self::Contract => "contract",
            Self::Sql => "sql",
        }
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PhaseName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|phase| phase.as_str() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::as_str);
                let meant = nearest(text, names.into_iter())
                    .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
                format!(
                    "`{text}` is not a phase; {meant}the phases are {}",
                    names.join(", ")
                )
            })
    }
}

/// The only version of the plan language there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Version;

impl TryFrom<u64> for Version {
    type Error = String;
    fn try_from(number: u64) -> Result<Self, String> {
        match number {
            1 => Ok(Self),
            other => Err(format!(
                "version {other} is not known; this Crossfade reads version 1"
            )),
        }
    }
}

impl From<Version> for u64 {
    fn from(_: Version) -> u64 {
        1
    }
}

/// A run's name: what operators type, and part of trigger names and of `application_name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunName(String);

impl RunName {
    const LENGTH_MAX: usize = 40;
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RunName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not a run's name: 1 to {} of a-z, 0-9, `-` and `_`, a letter or a digit first",
                Self::LENGTH_MAX
            ))
        }
    }
}

impl TryFrom<String> for RunName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<RunName> for String {
    fn from(name: RunName) -> String {
        name.0
    }
}

/// A SQL expression over one table's columns. What it reads and whether it is fit is asked of the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression(String);

impl Expression {
    const BYTES_MAX: usize = 10_000;

    pub fn column(column: &Ident) -> Self {
        Self(column.to_string())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The column that this expression is, if it is nothing but a column.
    pub fn as_column(&self) -> Option<Ident> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Expression {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.trim() {
            "" => Err("an expression is empty".to_owned()),
            trimmed if trimmed.len() > Self::BYTES_MAX => Err(format!(
                "an expression has {} bytes; the limit is {}",
                trimmed.len(),
                Self::BYTES_MAX
            )),
            trimmed => Ok(Self(trimmed.to_owned())),
        }
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> String {
        expression.0
    }
}

/// Target column ← expression.
pub type Assignments = BTreeMap<Ident, Expression>;

impl Document {
    /// The recipes, each with its place: `change`, or `changes[2]`. None in the explicit form.
    pub fn recipes(&self) -> Vec<(Path, &Recipe)> {
        let one = self.change.iter();
        let one = one.map(|recipe| (Path::root().key("change"), recipe));
        let several = self.changes.iter().flatten().enumerate();
        let several =
            several.map(|(number, recipe)| (Path::root().key("changes").index(number), recipe));
        one.chain(several).collect()
    }

    /// It has steps of its author's, and no recipe.
    pub fn is_explicit(&self) -> bool {
        self.change.is_none() && self.changes.is_none()
    }

    /// The same document, with a list of one change as that change.
    #[must_use]
    pub fn plainly(mut self) -> Self {
        if self.change.is_none()
            && let Some([only]) = self.changes.as_deref()
        {
            self.change = Some(only.clone());
            self.changes = None;
        }
        self
    }

    /// The tables that facts are needed of before this document can be compiled, given those that are known.
    pub fn tables(&self, facts: &Facts) -> Vec<TableName> {
        let recipes = self.recipes().into_iter();
        let mut tables: Vec<TableName> = recipes
            .flat_map(|(_, recipe)| recipe.tables_given(facts))
            .collect();
        for phase in self.phases.iter().flatten() {
            tables.extend(phase.steps.iter().flat_map(Step::tables).cloned());
        }
        tables.sort();
        tables.dedup();
        tables
    }
}
