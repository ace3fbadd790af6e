//! `explain`: a dry run that a release manager can read.

mod amounts;
mod markdown;

use super::{Context, read_plan};
use crate::cli::{
    args::{Format, PlanFile},
    exit::Exit,
    printer::Text,
};
use crossfade_plan::{
    document::PhaseName,
    explain::{ExplainedLock, ExplainedPhase, ExplainedStatement, ExplainedStep, Explanation},
};

pub async fn run(context: &Context<'_>, explain: &PlanFile) -> anyhow::Result<Exit> {
    let (file, text) = read_plan(&explain.plan)?;
    let explanation = context.service()?.explain(&file, &text).await?;
    let markdown = context.printer.format() == Format::Markdown;
    context.printer.result(&explanation, || {
        if markdown {
            Text::from(markdown::document(&explanation))
        } else {
            in_words(&explanation)
        }
    })?;
    Ok(Exit::Done)
}

fn in_words(explanation: &Explanation) -> Text {
    let description = explanation.description.as_ref();
    let about = description.map_or(String::new(), |description| {
        format!(": {}", description.trim_end().replace('\n', " "))
    });
    let mut text = Text::of(format_args!("{}{about}", explanation.name));
    for phase in &explanation.phases {
        text.push_str("\n");
        text.line(phase.phase);
        for (what, words) in summary(phase) {
            text.line(format_args!("  {what:9} {words}"));
        }
        for condition in &phase.gate {
            text.line(format_args!("  gate      {condition}"));
        }
        if phase.one_transaction {
            text.line(format_args!("  all of it in one transaction"));
        }
        for step in &phase.steps {
            step_in_words(step, &mut text);
        }
    }
    text.push_str("\nnotes\n");
    for note in &explanation.notes {
        text.line(format_args!("  - {note}"));
    }
    text
}

/// A phase in a few lines, each with what it says.
fn summary(phase: &ExplainedPhase) -> Vec<(&'static str, String)> {
    let summary = &phase.summary;
    if phase.steps.is_empty() {
        let nothing = if phase.phase == PhaseName::SwitchReads {
            "Crossfade runs nothing here: the application switches, and the gate of the next phase waits for it"
        } else {
            "nothing is to be done"
        };
        return vec![("does", nothing.to_owned())];
    }
    let takes = match &summary.estimate {
        Some(estimate) => amounts::of(estimate),
        None => not_estimated(phase),
    };
    let mut lines = vec![("does", summary.does.join(", ")), ("takes", takes)];
    if summary.blocks.is_empty() {
        lines.push(("blocks", "nobody".to_owned()));
    }
    lines.extend(
        summary
            .blocks
            .iter()
            .map(|blocks| ("blocks", blocks.clone())),
    );
    lines.push(("back", summary.back.clone()));
    lines
}

/// Why it is not said how long a phase may take.
fn not_estimated(phase: &ExplainedPhase) -> String {
    let mut statements = phase.steps.iter().flat_map(|step| &step.statements);
    let why = statements.find_map(|statement| statement.not_estimated);
    let why = why.unwrap_or("the size of a table is not known yet");
    format!("not known: {why}")
}

fn step_in_words(step: &ExplainedStep, text: &mut Text) {
    text.line(format_args!("  {}", step.step));
    if let Some(note) = &step.note {
        text.line(format_args!("    {note}"));
    }
    for statement in &step.statements {
        text.line(format_args!("    {}", short(&statement.sql)));
        let effects = effects(statement);
        if !effects.is_empty() {
            text.line(format_args!("      {}", effects.join("; ")));
        }
    }
    match &step.undo {
        None => text.push_str("    cannot be undone\n"),
        Some(statements) if statements.is_empty() => text.push_str("    undo: nothing to do\n"),
        Some(statements) => {
            for statement in statements {
                text.line(format_args!("    undo: {}", short(statement)));
            }
        }
    }
    for cost in &step.undo_costs {
        text.line(format_args!("      {cost}"));
    }
}

/// There may be thousands: `--format json` has their names.
fn partitions(lock: &ExplainedLock, statement: &ExplainedStatement) -> String {
    let of = |other: &&ExplainedLock| other.partition_of.as_ref() == Some(&lock.table);
    match statement.locks.iter().filter(of).count() {
        0 => String::new(),
        1 => " and its partition".to_owned(),
        number => format!(" and its {number} partitions"),
    }
}

fn effects(statement: &ExplainedStatement) -> Vec<String> {
    let locks = statement.locks.iter();
    let mut effects: Vec<String> = locks
        .filter(|lock| lock.partition_of.is_none())
        .map(|lock| {
            format!(
                "locks {}{} {}, which blocks {}",
                lock.table,
                partitions(lock, statement),
                lock.lock,
                lock.blocks
            )
        })
        .collect();
    if statement.rewrite {
        effects.push("rewrites the whole table".to_owned());
    }
    if statement.scan {
        let rows = statement
            .rows_estimated
            .map_or(String::new(), |rows| format!(" (about {rows} rows)"));
        effects.push(format!("reads the table{rows}"));
    }
    if let Some(estimate) = statement.estimate.filter(|estimate| estimate.rows > 0) {
        effects.push(amounts::of(&estimate));
    }
    if let Some(why) = statement.not_estimated {
        effects.push(why.to_owned());
    }
    if !statement.fires.is_empty() {
        effects.push(format!("fires {}", statement.fires.join(", ")));
    }
    if !statement.replicates.is_empty() {
        effects.push(format!(
            "every row that is written goes out with {}",
            statement.replicates.join(", ")
        ));
    }
    if !statement.in_transaction {
        effects.push("outside a transaction".to_owned());
    }
    effects
}

/// A function's body is shown by its first line; `--format json` has it whole.
fn short(sql: &str) -> String {
    let mut lines = sql.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default().trim_end();
    match lines.count() {
        0 => first.to_owned(),
        more => format!("{first} … ({more} more lines)"),
    }
}
