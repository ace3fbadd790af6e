//! `quarantine list|retry|skip`: rows whose value the other side cannot take.

use super::Context;
use crate::cli::{
    args::{Quarantine, QuarantineList, QuarantineRetry, QuarantineSkip},
    exit::{Exit, UsageError},
    printer::Text,
};
use crossfade_coordinator::service::quarantine::{Entry, StillQuarantined, Which, said};
use serde_json::{Value, json};

pub async fn run(context: &Context<'_>, quarantine: &Quarantine) -> anyhow::Result<Exit> {
    match quarantine {
        Quarantine::List(words) => list(context, words).await,
        Quarantine::Retry(words) => retry(context, words).await,
        Quarantine::Skip(words) => skip(context, words).await,
    }
}

async fn list(context: &Context<'_>, words: &QuarantineList) -> anyhow::Result<Exit> {
    let found = context
        .service()?
        .quarantine(&words.run, 0, words.limit)
        .await?;
    let with_values = words.values || found.show_values;
    let value = found.listed(&words.run, with_values);
    context.printer.result(&value, || {
        let mut text = Text::new();
        for entry in &found.entries {
            in_words(entry, with_values, &mut text);
        }
        let shown = i64::try_from(found.entries.len()).unwrap_or(i64::MAX);
        let all = found.holding + found.accepted;
        if shown < all {
            text.line(format_args!("… {} more; --limit shows them", all - shown));
        }
        text.line(format_args!(
            "{} rows keep the gates closed, {} were accepted as they are",
            found.holding, found.accepted
        ));
        text
    })?;
    Ok(Exit::Done)
}

fn in_words(entry: &Entry, with_values: bool, text: &mut Text) {
    let values = if with_values {
        format!(" {}", entry.row_values)
    } else {
        String::new()
    };
    text.line(format_args!(
        "{}  {}.{} of {}{values}",
        entry.id, entry.table_name, entry.column_name, entry.row_key
    ));
    let said = said(&entry.sqlstate, &entry.error, with_values);
    text.line(format_args!("    {said}"));
    if let Some(accepted) = &entry.accepted {
        text.line(format_args!(
            "    accepted by {}: {}",
            accepted.by, accepted.reason
        ));
    }
}

async fn retry(context: &Context<'_>, words: &QuarantineRetry) -> anyhow::Result<Exit> {
    let which = match words.id.as_slice() {
        [] => Which::All,
        ids => Which::Ids(ids.to_vec()),
    };
    let (retried, show_values) = context
        .service()?
        .retry_quarantine(
            &words.run,
            &which,
            context.reporter(&words.run),
            context.stop()?,
        )
        .await?;
    let with_values = words.values || show_values;
    let said = |still: &StillQuarantined| said(&still.sqlstate, &still.error, with_values);
    let failed: Vec<Value> = retried
        .failed
        .iter()
        .map(|still| json!({"id": still.id, "sqlstate": still.sqlstate, "error": said(still)}))
        .collect();
    let value = json!({"run": words.run, "converted": retried.converted, "mended": retried.mended, "failed": failed});
    context.printer.result(&value, || {
        let mut text = Text::of(format_args!(
            "{} converted, {} had been corrected, {} still in quarantine",
            retried.converted.len(),
            retried.mended.len(),
            retried.failed.len()
        ));
        for still in &retried.failed {
            text.line(format_args!("  {}: {}", still.id, said(still)));
        }
        text
    })?;
    Ok(if retried.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Error
    })
}

async fn skip(context: &Context<'_>, words: &QuarantineSkip) -> anyhow::Result<Exit> {
    if words.reason.trim().is_empty() {
        return Err(UsageError(
            "--reason is what stands in the audit log for these rows: say why they may stay as they are".to_owned(),
        )
        .into());
    }
    let which = if words.all {
        Which::All
    } else {
        Which::Ids(words.id.clone())
    };
    let accepted = context
        .service()?
        .accept_quarantined(&words.run, &which, &words.reason)
        .await?;
    let value = json!({"run": words.run, "accepted": accepted, "reason": words.reason});
    context.printer.result(&value, || {
        format!(
            "{} rows of {} are accepted as they are. Their old values are kept in crossfade.quarantine",
            accepted.len(),
            words.run
        )
    })?;
    Ok(Exit::Done)
}
