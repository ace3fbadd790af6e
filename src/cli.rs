//! The command line. stdout is data, messages and progress go to stderr.

mod args;
mod commands;
mod exit;
mod known;
mod moment;
mod printer;
mod reporter;
mod stderr;
mod supervisor;

use args::{Arguments, Command, LogFormat};
use clap::{CommandFactory, Parser, error::ErrorKind};
use exit::Exit;
use printer::Printer;
use std::{fmt, process::ExitCode};
use tracing::field::Field;
use tracing_subscriber::fmt::format::Writer;

/// Parses the arguments and runs the command.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    stderr::begin(arguments.log_format == LogFormat::Json);
    if !arguments.format_is_offered() {
        return refuse(&Arguments::command().error(
            ErrorKind::InvalidValue,
            "this command writes text or json: markdown is of `explain`, sarif and github are of `check`",
        ));
    }
    start_logging(&arguments);
    let printer = Printer::new(arguments.format);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.message(format!("error: no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(dispatch(&arguments, &printer));
    // Work that was left behind (a pooled connection saying goodbye) is not waited for long.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&error);
            exit::of_error(&error).into()
        }
    }
}

/// What the arguments are not, or help that was asked for. The log's format is not known yet, but for what was typed.
fn refuse(error: &clap::Error) -> ExitCode {
    let mut words = std::env::args().skip_while(|word| !word.starts_with("--log-format"));
    let is_json = match words.next().as_deref() {
        Some("--log-format") => words.next().as_deref() == Some("json"),
        word => word == Some("--log-format=json"),
    };
    if is_json && error.use_stderr() {
        stderr::begin(true);
        stderr::lines(&error.render().to_string());
    } else {
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

async fn dispatch(arguments: &Arguments, printer: &Printer) -> anyhow::Result<Exit> {
    let context = commands::Context { arguments, printer };
    match &arguments.command {
        Command::Init => commands::init::run(&context).await,
        Command::New(new) => commands::new::run(&context, new),
        Command::Check(check) => commands::check::run(&context, check).await,
        Command::Schema(words) => commands::schema::run(&context, words),
        Command::Expand(expand) => commands::expand::run(&context, expand).await,
        Command::Explain(explain) => commands::explain::run(&context, explain).await,
        Command::Doctor(doctor) => commands::doctor::run(&context, doctor).await,
        Command::Start(start) => commands::start::run(&context, start).await,
        Command::Advance(advance) => commands::advance::run(&context, advance).await,
        Command::Status(status) => commands::status::run(&context, status).await,
        Command::Amend(amend) => commands::amend::run(&context, amend).await,
        Command::Approve(approve) => commands::approve::run(&context, approve).await,
        Command::Pause(pause) => commands::pause::run(&context, pause).await,
        Command::Freeze(freeze) => commands::freeze::run(&context, freeze).await,
        Command::Unfreeze => commands::unfreeze::run(&context).await,
        Command::Resume(resume) => commands::resume::run(&context, resume).await,
        Command::Tune(tune) => commands::tune::run(&context, tune).await,
        Command::Work(work) => commands::work::run(&context, work).await,
        Command::Quarantine(words) => commands::quarantine::run(&context, words).await,
        Command::Verify(verify) => commands::verify::run(&context, verify).await,
        Command::Rollback(rollback) => commands::rollback::run(&context, rollback).await,
        Command::History(history) => commands::history::run(&context, history).await,
        Command::Report(asked) => commands::report::run(&context, asked).await,
        Command::Serve(serve) => commands::serve::run(&context, serve).await,
        Command::Token(token) => commands::token::run(&context, token).await,
        Command::Notify(notify) => commands::notify::run(&context, notify).await,
        Command::Require(require) => commands::require::run(&context, require).await,
        Command::Cancel(cancel) => commands::cancel::run(&context, cancel).await,
        Command::Demo(demo) => commands::demo::run(&context, demo).await,
        Command::Completions(wanted) => commands::completions::run(&context, wanted),
        Command::Man(wanted) => commands::man::run(&context, wanted),
        Command::Reference => commands::reference::run(&context),
    }
}

fn start_logging(arguments: &Arguments) {
    use tracing_subscriber::{EnvFilter, field::MakeExt, fmt::format};
    let level = match arguments.verbose {
        0 => "warn",
        1 => "info,crossfade=info",
        2 => "info,crossfade=debug",
        _ => "debug,crossfade=trace",
    };
    let filter = EnvFilter::try_from_env("CROSSFADE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr::is_painted(&std::io::stderr()))
        .with_writer(stderr::Log::default);
    match arguments.log_format {
        LogFormat::Text => builder
            .with_target(false)
            .fmt_fields(format::debug_fn(field).delimited(" "))
            .init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// What the server, an author or a role wrote is in there: no line of the log may begin within it.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let text = printer::one_line(&format!("{value:?}"));
    match field.name() {
        "message" => write!(writer, "{text}"),
        // Where a line of a library comes from, which its message says as well.
        name if name.starts_with("log.") => Ok(()),
        name => write!(writer, "{name}={text}"),
    }
}
