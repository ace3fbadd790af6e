//! `demo`: a rename under traffic, proven. Exits with 1 where anything is wrong.

use super::{Context, serve};
use crate::cli::{args::Demo, exit::Exit};
use crate::demo::{self, DemoError, DemoOptions, DemoReport, hosted::HostedOptions};
use std::fmt::Write as _;

pub async fn run(context: &Context<'_>, arguments: &Demo) -> anyhow::Result<Exit> {
    let stop = context.stop()?;
    let options = DemoOptions {
        rows: arguments.rows,
        keep: arguments.keep,
    };
    let tell = |line: String| context.printer.message(format!("* {line}"));
    if let Some(listen) = arguments.serve {
        let options = HostedOptions {
            rows: arguments.rows,
            listen,
        };
        let reporter = serve::lines(context);
        demo::hosted::run(options, reporter, &tell, stop).await?;
        return Ok(Exit::Done);
    }
    let report = match demo::run(options, context.reporter("demo"), &tell, stop).await {
        Err(DemoError::Interrupted) => {
            context
                .printer
                .message("interrupted: the demo's server is gone");
            return Ok(Exit::Interrupted);
        }
        other => other?,
    };
    context.printer.result(&report, || in_words(&report))?;
    Ok(if report.is_proven() {
        Exit::Done
    } else {
        Exit::Error
    })
}

fn in_words(report: &DemoReport) -> String {
    let mut text = String::from("\nphase          seconds  statements meanwhile  of them failed\n");
    for phase in &report.phases {
        let _ = writeln!(
            text,
            "{:<14} {:>7.2}  {:>20}  {:>14}",
            phase.name.as_str(),
            phase.seconds,
            phase.operations_meanwhile,
            phase.errors_meanwhile
        );
    }
    let application = &report.application;
    let _ = write!(
        text,
        "\napplication    {} statements, {} errors; p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms\n\
         verification   {} rows checked, {} differ\n\
         ledger         {} rows that the application remembers, {} differ from the table\n\
         table          {:.2} times its size before; the backfill took {:.1} s\n",
        application.operations,
        application.errors,
        application.p50_ms,
        application.p99_ms,
        application.max_ms,
        report.verification.rows_checked,
        report.verification.rows_different,
        report.ledger.rows,
        report.ledger.differences,
        report.table_growth,
        report.backfill_seconds,
    );
    for wrong in application
        .first_errors
        .iter()
        .chain(&report.ledger.first_differences)
    {
        let _ = writeln!(text, "  {wrong}");
    }
    if let Some(kept) = &report.kept {
        let _ = writeln!(
            text,
            "the server keeps running: psql '{}'; end it with pg_ctl -D {}/data stop",
            kept.url,
            kept.folder.display()
        );
    }
    text.push_str(if report.is_proven() {
        "proven: nothing stopped, nothing was lost\n"
    } else {
        "NOT proven: see above\n"
    });
    text
}
