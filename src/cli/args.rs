//! The words of the command line.

use super::moment;
use clap::{Args, Parser, Subcommand, ValueEnum};
use crossfade_coordinator::service::{Can, Check as CheckName};
use crossfade_plan::{document::PhaseName, span::Span};
use crossfade_web::Network;
use std::{net::SocketAddr, path::PathBuf};

/// Change the schema of a live PostgreSQL database phase by phase, while old and new versions of the application write.
#[derive(Debug, Parser)]
#[command(name = "crossfade", version, about, max_term_width = 110)]
pub struct Arguments {
    /// The database to connect to. Without it, Crossfade reads CROSSFADE_DATABASE_URL, DATABASE_URL, or libpq's PG* variables,
    /// service file and password file, in this order.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Format of the results on stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Format of the log on stderr.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Write more log messages. Give it twice for more detail.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    /// For a pull request; `explain` only.
    Markdown,
    /// For code scanning; `check` only.
    Sarif,
    /// Annotations for a GitHub workflow; `check` only.
    Github,
}

impl Arguments {
    /// Every command has text and JSON; a few have one more.
    pub fn format_is_offered(&self) -> bool {
        match self.format {
            Format::Text | Format::Json => true,
            Format::Markdown => matches!(self.command, Command::Explain(_)),
            Format::Sarif | Format::Github => matches!(self.command, Command::Check(_)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create or upgrade Crossfade's own tables, in the schema `crossfade`.
    Init,
    /// Write a new plan.
    New(New),
    /// Report errors in plans, and dangerous statements in SQL files.
    Check(Check),
    /// Print the plan language as a JSON Schema, for editors.
    Schema(Schema),
    /// Print the explicit steps of a plan. The output is itself a plan.
    Expand(PlanFile),
    /// Show every statement of every phase with its locks, its cost and its undo. Runs nothing.
    Explain(PlanFile),
    /// Check the database, and what plans need of it: connection, rights, settings, disk, replication, backups. Changes nothing.
    Doctor(Doctor),
    /// Register a run of a plan, unless a check of `doctor` fails. Changes nothing in your tables.
    Start(Start),
    /// Run the next phase, or resume the current one.
    Advance(Advance),
    /// Show the state of a run and what it waits for. Without a name, list all runs.
    Status(StatusOf),
    /// Record an approval of a phase by the role that you connect as.
    Approve(Approve),
    /// Pause a run at its next batch. Works from any machine.
    Pause(Pause),
    /// End a pause and resume at the checkpoint.
    Resume(Resume),
    /// Freeze the database: no phase begins and backfills rest, in every run. Going back stays possible.
    Freeze(Freeze),
    /// End the freeze of the database.
    Unfreeze,
    /// Change the limits of a backfill while it runs.
    Tune(Tune),
    /// Change the gates of phases that have not begun, and limits, of an active run.
    Amend(Amend),
    /// Process segments of a backfill or verification that another process drives. Works from any machine.
    Work(Work),
    /// List, retry or accept rows whose value the other side cannot take.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Compare every row of the old and the new side now.
    Verify(Verify),
    /// Undo phases, newest first, back to the end of a phase or to the start.
    Rollback(Rollback),
    /// Show who did what and when, from the audit log: of one run, or of all.
    History(History),
    /// Print what a run did, when, and how long it took, as Markdown.
    Report(ReportOf),
    /// Carry out orders that were placed with `--detach` or on its page, until you stop it. You can run several servers, on
    /// any machines.
    Serve(Serve),
    /// Create, list or revoke tokens. People sign in with them on the page of `serve`, and programs use them for its API.
    #[command(subcommand)]
    Token(Token),
    /// Test the receivers of messages, or list how their messages stand.
    #[command(subcommand)]
    Notify(Notify),
    /// Cancel the open order of a run. A server that carries it out stops at its next batch.
    Cancel(Cancel),
    /// Ask whether a release of the application may start or stop. Exits with 0 or 3, for a pipeline that deploys.
    Require(Require),
    /// Start a temporary PostgreSQL server and run a rename through every phase while two versions of an application write.
    Demo(Demo),
    /// Print a script that completes commands, flags and phases in your shell.
    Completions(Completions),
    /// Write man pages, one for each command.
    Man(Man),
    /// Print the page of the book that lists every command and flag.
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Args)]
pub struct New {
    /// The recipe. `crossfade new --list` shows all of them.
    pub recipe: Option<String>,
    /// Settings of the recipe, such as table=public.vehicles from=status to=vehicle_status.
    #[arg(value_name = "KEY=VALUE")]
    pub words: Vec<String>,
    /// List the recipes and the settings of each.
    #[arg(long, conflicts_with_all = ["recipe", "words", "name", "output"])]
    pub list: bool,
    /// Name of the plan. By default it is made from the recipe.
    #[arg(long)]
    pub name: Option<String>,
    /// Write to this new file instead of stdout.
    #[arg(short, long)]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Schema {
    /// Print a Markdown page instead.
    #[arg(long)]
    pub page: bool,
    /// Print the schema of crossfade.yaml instead.
    #[arg(long, conflicts_with = "page")]
    pub configuration: bool,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// The folder to write to, such as /usr/local/share/man/man1.
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct PlanFile {
    /// The plan file; `-` reads standard input.
    pub plan: PathBuf,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Plans whose needs are checked, too.
    #[arg(value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    #[command(flatten)]
    pub configuration: ConfigurationFile,
}

#[derive(Debug, Args)]
pub struct Start {
    /// The plan file; `-` reads standard input.
    pub plan: PathBuf,
    /// Start in spite of this check if it fails. Needs a `--reason`. May be repeated.
    #[arg(long, value_name = "CHECK", requires = "reason")]
    pub accept: Vec<CheckName>,
    /// Why the check is accepted: one reason for each `--accept`, in the same order. It is recorded and shown by `status`.
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub reason: Vec<String>,
    #[command(flatten)]
    pub configuration: ConfigurationFile,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Plans, SQL files (`*.sql`), and directories with plans or SQL files. SQL files form one history, in the given order.
    /// They need no database; with --database-url, what the database knows about their tables counts.
    #[arg(value_name = "FILE", required_unless_present = "rules")]
    pub files: Vec<PathBuf>,
    /// Use no database. For plans, check only syntax, names, order and contradictions.
    #[arg(long)]
    pub offline: bool,
    /// List the rules for SQL files.
    #[arg(long, exclusive = true)]
    pub rules: bool,
    /// SQL files: your tool runs each file in a transaction.
    #[arg(long)]
    pub in_transaction: bool,
    /// SQL files: your tool sets lock_timeout and statement_timeout.
    #[arg(long)]
    pub timeouts_set: bool,
}

#[derive(Debug, Args)]
pub struct Advance {
    /// Name of the run.
    pub run: String,
    /// Run every phase up to and including this one, as long as gates are open.
    #[arg(long, value_name = "PHASE")]
    pub to: Option<PhaseName>,
    /// Wait at closed gates instead of exiting with 3.
    #[arg(long)]
    pub wait: bool,
    /// Show the statements of the next phase and the conditions of its gate. Runs nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Place an order for a `crossfade serve`, and return at once.
    #[arg(long, conflicts_with = "dry_run")]
    pub detach: bool,
    /// Do not ask before `contract`. Required where there is no terminal.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct StatusOf {
    /// Name of the run.
    pub run: Option<String>,
    /// Without a name: list every run that has ended, not only the latest.
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    /// Refresh every second.
    #[arg(long, requires = "run")]
    pub watch: bool,
    /// With --format json: include the readings of the last minutes of a backfill, for plots.
    #[arg(long, requires = "run")]
    pub samples: bool,
}

#[derive(Debug, Args)]
pub struct Approve {
    /// Name of the run.
    pub run: String,
    /// The phase whose gate the approval counts for.
    pub phase: PhaseName,
    /// A comment that is recorded with the approval.
    #[arg(long)]
    pub comment: Option<String>,
}

#[derive(Debug, Args)]
pub struct Pause {
    /// Name of the run.
    #[arg(required_unless_present = "all")]
    pub run: Option<String>,
    /// Pause every active run that is not paused yet.
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    /// The reason. It is recorded and shown by `status`.
    #[arg(long)]
    pub reason: String,
    /// The pause ends after this time, such as 2h.
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    pub for_span: Option<Span>,
    /// The pause ends at this time: 18:00 is the next 18:00 of the local time zone, 2026-11-23T18:00 is local time too, and
    /// 2026-11-23T08:00:00Z is UTC.
    #[arg(long, value_name = "TIME", value_parser = moment::read)]
    pub until: Option<jiff::Timestamp>,
}

#[derive(Debug, Args)]
pub struct Freeze {
    /// Why, for those who find the database frozen.
    #[arg(long)]
    pub reason: String,
    /// The freeze ends by itself after this time, such as 12h.
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    pub for_span: Option<Span>,
    /// The freeze ends by itself at this time, such as 18:00 or 2026-12-27T06:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment::read)]
    pub until: Option<jiff::Timestamp>,
}

#[derive(Debug, Args)]
pub struct Resume {
    /// Name of the run.
    #[arg(required_unless_present = "all")]
    pub run: Option<String>,
    /// Resume every run that `pause --all` paused.
    #[arg(long, conflicts_with = "run", requires = "detach")]
    pub all: bool,
    /// Return at once. A `crossfade serve` continues, or a background process if none is connected.
    #[arg(long)]
    pub detach: bool,
}

#[derive(Debug, Args)]
pub struct Tune {
    /// Name of the run.
    pub run: String,
    /// Limits of `settings.pacing`, such as workers=4 batch_target=50ms 'replica_lag={slow: 2s, stop: 20s}'. KEY=plan restores
    /// the limit of the plan.
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub limits: Vec<String>,
    /// The reason. It is recorded and shown by `status`.
    #[arg(long)]
    pub reason: String,
    /// Restore the plan's limits after this time, such as 1h.
    #[arg(long = "for", value_name = "TIME")]
    pub for_span: Option<Span>,
}

#[derive(Debug, Args)]
pub struct Amend {
    /// Name of the run.
    pub run: String,
    /// A file with the keys `gates`, `without` and `settings`: the conditions to change or add by phase, those to remove, and limits.
    #[arg(long, value_name = "FILE")]
    pub gates: PathBuf,
    /// The reason. It is recorded and shown by `status`.
    #[arg(long)]
    pub reason: String,
}

#[derive(Debug, Args)]
pub struct Work {
    /// Name of the run.
    pub run: String,
}

#[derive(Debug, Subcommand)]
pub enum Quarantine {
    /// List the rows by key. Values and the server's messages appear only with `show_values` in the plan or with --values.
    List(QuarantineList),
    /// Try the conversions again, after you corrected what they depend on.
    Retry(QuarantineRetry),
    /// Accept rows as they are, with a reason that is recorded. They no longer close a gate.
    Skip(QuarantineSkip),
}

#[derive(Debug, Args)]
pub struct QuarantineList {
    /// Name of the run.
    pub run: String,
    /// Show values and messages, even without `show_values` in the plan.
    #[arg(long)]
    pub values: bool,
    /// Show at most this many rows.
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub struct QuarantineRetry {
    /// Name of the run.
    pub run: String,
    /// Show the server's messages, even without `show_values` in the plan.
    #[arg(long)]
    pub values: bool,
    /// Retry only these rows. By default, all rows that are not accepted.
    #[arg(long, num_args = 1.., value_name = "N")]
    pub id: Vec<i64>,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub struct QuarantineSkip {
    /// Name of the run.
    pub run: String,
    /// The reason. It is recorded and shown by `status`.
    #[arg(long)]
    pub reason: String,
    /// Accept these rows, by the number that `quarantine list` shows.
    #[arg(long, num_args = 1.., value_name = "N", group = "which")]
    pub id: Vec<i64>,
    /// Accept every row in quarantine.
    #[arg(long, group = "which")]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Name of the run.
    pub run: String,
    /// Correct differing rows. The side that the application reads counts as correct: the old side before `switch_reads`,
    /// the new side after it. A value that only the other side has is not replaced with NULL.
    #[arg(long)]
    pub repair: bool,
    /// With `--repair`: values of this column, such as `public.t.note`, may be replaced with NULL if the other side has
    /// nothing. Without it, such rows are named and left unchanged. May be repeated.
    #[arg(
        long,
        value_name = "COLUMN",
        requires = "repair",
        conflicts_with = "detach"
    )]
    pub discard: Vec<String>,
    /// Place an order for a `crossfade serve`, and return at once.
    #[arg(long)]
    pub detach: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("question").required(true))]
pub struct Require {
    /// Name of the run.
    pub run: String,
    /// Ask whether instances of this release may start: `old` uses what was there before the run, `new` uses what the run makes.
    #[arg(long, value_name = "RELEASE", group = "question")]
    pub may_start: Option<Side>,
    /// Ask whether the last instance of this release may stop, so that only the other one is left.
    #[arg(long, value_name = "RELEASE", group = "question")]
    pub may_stop: Option<Side>,
    /// The new release writes, and does not read rows that others wrote. It may start when the triggers are in place.
    #[arg(long)]
    pub writes_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    Old,
    New,
}

impl Side {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

#[derive(Debug, Args)]
pub struct Cancel {
    /// Name of the run.
    pub run: String,
}

#[derive(Debug, Args)]
pub struct Rollback {
    /// Name of the run.
    pub run: String,
    /// Go back to the end of this phase. By default, to the start.
    #[arg(long, value_name = "PHASE")]
    pub to: Option<PhaseName>,
    /// Drop this column or table together with the values that the application wrote to it, such as public.users.plan. May be
    /// repeated.
    #[arg(long, value_name = "COLUMN|TABLE")]
    pub discard: Vec<String>,
    /// Show what would be undone and what would be lost. Undoes nothing. Exits with 1 if the rollback would be refused.
    #[arg(long)]
    pub dry_run: bool,
    /// Place an order for a `crossfade serve`, and return at once.
    #[arg(long, conflicts_with = "dry_run")]
    pub detach: bool,
    /// Do not ask. Required where there is no terminal.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct History {
    /// Name of the run. Without it, the events of all runs by time.
    pub run: Option<String>,
    /// Check the events and their hashes against the run. Exits with 1 if they do not match.
    #[arg(long, requires = "run")]
    pub verify: bool,
    /// Show an earlier run of this name: 1 is the one before the newest.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "run")]
    pub earlier: usize,
    /// Without a name: show at most this many of the latest events.
    #[arg(long, value_name = "N", default_value_t = 200, conflicts_with = "run", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub struct ReportOf {
    /// Name of the run.
    pub run: String,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Serve the page and the API on this address. Without a value: 127.0.0.1:8080. An address that other machines reach
    /// needs --tls-cert or --behind-proxy.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8080")]
    pub listen: Option<SocketAddr>,
    /// Anyone who can reach the address may look, without a token. Rows, errors and the history are not shown.
    #[arg(long, requires = "listen")]
    pub public_read: bool,
    /// The page and the API show runs, but cannot change anything.
    #[arg(long, requires = "listen")]
    pub read_only: bool,
    /// A proxy in front terminates TLS.
    #[arg(long, requires = "listen")]
    pub behind_proxy: bool,
    /// Serve TLS with this certificate: a PEM file with the chain, the server's own certificate first. Read again when it changes.
    #[arg(long, value_name = "FILE", requires = "listen", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert, a PEM file.
    #[arg(long, value_name = "FILE", requires = "listen", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A proxy says in this header who its user is. The user acts on the page by the token that crossfade.yaml names for him.
    #[arg(
        long,
        value_name = "HEADER",
        requires = "listen",
        requires = "trusted_proxy"
    )]
    pub trust_header: Option<String>,
    /// The addresses of the proxy, such as 10.0.0.7 or 10.0.0.0/28. From any other address, the header is ignored. Repeat it for
    /// several.
    #[arg(long, value_name = "CIDR", requires = "trust_header")]
    pub trusted_proxy: Vec<Network>,
    #[command(flatten)]
    pub configuration: ConfigurationFile,
}

/// The configuration of `serve`, and of the checks before a run.
#[derive(Debug, Args)]
pub struct ConfigurationFile {
    /// The configuration. By default, crossfade.yaml in the working directory or the nearest folder above it.
    #[arg(long = "config", value_name = "FILE", env = "CROSSFADE_CONFIG")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Notify {
    /// Send a test message to every receiver of the configuration, or to those that you name. Needs no database.
    Test(NotifyTest),
    /// List the receivers that servers of this database had, and how many messages wait, were delivered or given up.
    List,
}

#[derive(Debug, Args)]
pub struct NotifyTest {
    /// The receivers.
    #[arg(value_name = "RECEIVER")]
    pub receivers: Vec<String>,
    #[command(flatten)]
    pub configuration: ConfigurationFile,
}

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Create a token and print it, once.
    Create(TokenCreate),
    /// List the valid tokens.
    List(TokenList),
    /// Revoke a token. Whoever signed in with it is signed out.
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
pub struct TokenCreate {
    /// The database role that the token stands for. By default, the role that you connect as. For another one you must be able
    /// to set its password.
    #[arg(long)]
    pub role: Option<String>,
    /// What the token may be used for, as far as its role has the rights: view, operate, approve. Operating and approving include
    /// viewing.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "view")]
    pub can: Vec<TokenUse>,
    /// The token expires after this time, such as 90d.
    #[arg(long, value_name = "TIME")]
    pub expires: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenUse {
    View,
    Operate,
    Approve,
}

impl From<TokenUse> for Can {
    fn from(wanted: TokenUse) -> Self {
        match wanted {
            TokenUse::View => Self::View,
            TokenUse::Operate => Self::Operate,
            TokenUse::Approve => Self::Approve,
        }
    }
}

#[derive(Debug, Args)]
pub struct TokenList {
    /// List also those that were revoked or have expired.
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// Number of the token, as `token list` shows it.
    pub id: i64,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Rows in the table.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    pub rows: u64,
    /// Leave the server running and print how to connect.
    #[arg(long, conflicts_with = "serve")]
    pub keep: bool,
    /// Serve a page on which you take the rename through its phases yourself. Without a value: on 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8080")]
    pub serve: Option<SocketAddr>,
}
