//! The words of the command line.

use crate::plan::{document::PhaseName, span::Span};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Expand/contract migrations of a live PostgreSQL, phase by phase.
#[derive(Debug, Parser)]
#[command(name = "crossfade", version, about, max_term_width = 110)]
pub struct Arguments {
    /// The database; otherwise CROSSFADE_DATABASE_URL, DATABASE_URL, or libpq's PG* variables, service and password files.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// How results are written to stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the log is written to stderr.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// More of the log; twice for even more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    /// `explain` only: for a pull request.
    Markdown,
    /// `check` only: for code scanning.
    Sarif,
    /// `check` only: annotations of a GitHub workflow.
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
    /// Installs or upgrades Crossfade's own tables, in the schema `crossfade`.
    Init,
    /// Writes a plan.
    New(New),
    /// Says what is wrong with plans, and what is dangerous in files of SQL.
    Check(Check),
    /// Prints the plan language as JSON Schema, for editors.
    Schema(Schema),
    /// Prints a plan's explicit form, which is itself a plan.
    Expand(PlanFile),
    /// Shows every statement of every phase with its locks and its reverse. Runs nothing.
    Explain(PlanFile),
    /// Registers a run of a plan. Runs nothing.
    Start(PlanFile),
    /// Runs the next phase, or goes on with the one under way.
    Advance(Advance),
    /// Where a run stands and what it waits for; without a name, all runs.
    Status(StatusOf),
    /// Records an approval of a phase by the role that you connect as.
    Approve(Approve),
    /// Pauses a run at its next batch, from anywhere.
    Pause(Pause),
    /// Ends a pause and goes on from the checkpoint.
    Resume(Resume),
    /// Changes the limits of a backfill while it goes on.
    Tune(Tune),
    /// Helps with the segments of a backfill or a verification that another process drives, from whatever machine.
    Work(Work),
    /// Rows whose value the other side cannot take: what they are, another try, or leaving them as they are.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Compares every row of old and new now.
    Verify(Verify),
    /// Goes back to where a phase had ended, or to the start.
    Rollback(Rollback),
    /// What happened, from the audit log.
    History(History),
    /// Starts a PostgreSQL of its own and takes a rename through every phase while two versions of an application write.
    Demo(Demo),
}

#[derive(Debug, Args)]
pub struct New {
    /// One of those that `crossfade new` without a recipe lists.
    pub recipe: Option<String>,
    /// The recipe's words, e.g. table=public.vehicles from=status to=vehicle_status
    #[arg(value_name = "KEY=VALUE")]
    pub words: Vec<String>,
    /// Show the recipes there are, and what each has to be given.
    #[arg(long, conflicts_with_all = ["recipe", "words", "name", "output"])]
    pub list: bool,
    /// The plan's name; made from the recipe unless given.
    #[arg(long)]
    pub name: Option<String>,
    /// Write to a new file instead of stdout.
    #[arg(short, long)]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Schema {
    /// The same as a page of Markdown.
    #[arg(long)]
    pub page: bool,
}

#[derive(Debug, Args)]
pub struct PlanFile {
    /// `-` for standard input.
    pub plan: PathBuf,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Plans, and files of SQL (`*.sql`), which need no database.
    #[arg(value_name = "FILE", required_unless_present = "rules")]
    pub files: Vec<PathBuf>,
    /// Plans without a database: syntax, names and order only.
    #[arg(long)]
    pub offline: bool,
    /// Lists the rules for SQL.
    #[arg(long, exclusive = true)]
    pub rules: bool,
    /// SQL: whoever runs the files wraps each in a transaction.
    #[arg(long)]
    pub in_transaction: bool,
    /// SQL: whoever runs the files has set lock_timeout and statement_timeout.
    #[arg(long)]
    pub timeouts_set: bool,
}

#[derive(Debug, Args)]
pub struct Advance {
    pub run: String,
    /// Every phase up to and including this one, as long as gates are open.
    #[arg(long, value_name = "PHASE")]
    pub to: Option<PhaseName>,
    /// Wait at closed gates instead of exiting with 3.
    #[arg(long)]
    pub wait: bool,
    /// Show what would be run and what it waits for.
    #[arg(long)]
    pub dry_run: bool,
    /// Needed for `contract` where no terminal can be asked.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct StatusOf {
    pub run: Option<String>,
    /// Look again every second.
    #[arg(long, requires = "run")]
    pub watch: bool,
    /// With --format json: the moments of the last minutes of a backfill, for plots.
    #[arg(long, requires = "run")]
    pub samples: bool,
}

#[derive(Debug, Args)]
pub struct Approve {
    pub run: String,
    pub phase: PhaseName,
    #[arg(long)]
    pub comment: Option<String>,
}

#[derive(Debug, Args)]
pub struct Pause {
    #[arg(required_unless_present = "all")]
    pub run: Option<String>,
    /// Every active run of the database that is not paused already.
    #[arg(long, conflicts_with = "run")]
    pub all: bool,
    #[arg(long)]
    pub reason: String,
    /// Until then from now, e.g. 2h.
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    pub for_span: Option<Span>,
    /// e.g. 2026-11-23T08:00:00Z
    #[arg(long)]
    pub until: Option<jiff::Timestamp>,
}

#[derive(Debug, Args)]
pub struct Resume {
    #[arg(required_unless_present = "all")]
    pub run: Option<String>,
    /// Every run that `pause --all` has paused.
    #[arg(long, conflicts_with = "run", requires = "detach")]
    pub all: bool,
    /// Go on in a process of its own and return at once.
    #[arg(long)]
    pub detach: bool,
}

#[derive(Debug, Args)]
pub struct Tune {
    pub run: String,
    /// Words of `settings.pacing`, e.g. workers=4 batch_target=50ms 'replica_lag={slow: 2s, stop: 20s}'; KEY=plan gives
    /// a limit back to the plan.
    #[arg(value_name = "KEY=VALUE", required = true)]
    pub limits: Vec<String>,
    #[arg(long)]
    pub reason: String,
    /// Back to the plan's limits after this time, e.g. 1h.
    #[arg(long = "for", value_name = "TIME")]
    pub for_span: Option<Span>,
}

#[derive(Debug, Args)]
pub struct Work {
    pub run: String,
}

#[derive(Debug, Subcommand)]
pub enum Quarantine {
    /// The rows, with their keys; values and the server's messages only if the plan shows them or you ask for them.
    List(QuarantineList),
    /// Tries the conversions again, after what they depend on was mended.
    Retry(QuarantineRetry),
    /// Accepts rows as they are, for a reason that is recorded: they hold no gate any more.
    Skip(QuarantineSkip),
}

#[derive(Debug, Args)]
pub struct QuarantineList {
    pub run: String,
    /// Show values and messages, whatever the plan says.
    #[arg(long)]
    pub values: bool,
    #[arg(long, default_value_t = 100)]
    pub limit: u32,
}

#[derive(Debug, Args)]
pub struct QuarantineRetry {
    pub run: String,
    /// Show the server's messages, whatever the plan says.
    #[arg(long)]
    pub values: bool,
    /// These only; all that are not accepted unless given.
    #[arg(long, num_args = 1.., value_name = "N")]
    pub id: Vec<i64>,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub struct QuarantineSkip {
    pub run: String,
    #[arg(long)]
    pub reason: String,
    #[arg(long, num_args = 1.., value_name = "N", group = "which")]
    pub id: Vec<i64>,
    #[arg(long, group = "which")]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct Verify {
    pub run: String,
    /// Make differing rows agree with the side that reads are on: old before `switch_reads`, new after it.
    #[arg(long)]
    pub repair: bool,
}

#[derive(Debug, Args)]
pub struct Rollback {
    pub run: String,
    /// Back to where this phase had ended; to the start unless given.
    #[arg(long, value_name = "PHASE")]
    pub to: Option<PhaseName>,
    /// A column or table that may go with what the application has written to it, e.g. public.users.plan. May be repeated.
    #[arg(long, value_name = "COLUMN|TABLE")]
    pub discard: Vec<String>,
    /// Needed where no terminal can be asked.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct History {
    pub run: String,
    /// Check the hash chain; exit 1 where it is broken.
    #[arg(long)]
    pub verify: bool,
    /// Of the run that came so many before the newest one of that name.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub earlier: usize,
}

#[derive(Debug, Args)]
pub struct Demo {
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    pub rows: u64,
    /// Leave the server running and say how to connect.
    #[arg(long)]
    pub keep: bool,
}
