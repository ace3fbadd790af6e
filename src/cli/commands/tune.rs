//! `tune`: changes the limits of a run that goes on, within a second, with the reason and until when.

use super::{Context, pause};
use crate::cli::{args::Tune, exit::Exit, exit::UsageError, printer::Text};

pub async fn run(context: &Context<'_>, tune: &Tune) -> anyhow::Result<Exit> {
    let until = pause::until(tune.for_span, None)?;
    let mut changes = Vec::new();
    for word in &tune.limits {
        let Some((key, value)) = word.split_once('=') else {
            let help = format!("`{word}` is not KEY=VALUE, e.g. workers=4 or batch_target=50ms");
            return Err(UsageError(help).into());
        };
        let value = (value != "plan").then(|| value.to_owned());
        changes.push((key.to_owned(), value));
    }
    if tune.reason.trim().is_empty() {
        return Err(UsageError("--reason is what the audit log keeps: say why".to_owned()).into());
    }
    let service = context.service()?;
    let in_force = service
        .tune(&tune.run, &changes, &tune.reason, until)
        .await?;
    context.printer.result(&in_force, || {
        if in_force.is_empty() {
            return Text::of(format_args!("{} has the limits of its plan", tune.run));
        }
        let mut text = Text::new();
        for tuning in &in_force {
            let until = tuning
                .until
                .map_or(String::new(), |until| format!(" until {until:.0}"));
            text.line(format_args!(
                "{}={}{until}: {}",
                tuning.key, tuning.value, tuning.reason
            ));
        }
        text
    })?;
    Ok(Exit::Done)
}
