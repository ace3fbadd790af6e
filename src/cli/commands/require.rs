//! `require`: asks whether a release of the application may start or stop, for a pipeline that deploys.

use super::Context;
use crate::cli::{
    args::{Require, Side},
    exit::Exit,
};
use crossfade_decisions::lifecycle::interlock::Release;
use serde_json::json;

pub async fn run(context: &Context<'_>, require: &Require) -> anyhow::Result<Exit> {
    // Who stops a release needs the other one.
    let (needed, question, of) = match (require.may_start, require.may_stop) {
        (Some(side), _) => (side, "may_start", side),
        (None, Some(Side::Old)) => (Side::New, "may_stop", Side::Old),
        (None, Some(Side::New)) => (Side::Old, "may_stop", Side::New),
        (None, None) => anyhow::bail!("neither --may-start nor --may-stop is given"),
    };
    let release = match (needed, require.writes_only) {
        (Side::Old, _) => Release::Old,
        (Side::New, false) => Release::New,
        (Side::New, true) => Release::NewWriter,
    };
    let verdict = context.service()?.may_run(&require.run, release).await?;
    let document = json!({
        "run": require.run,
        "question": question,
        "release": of.as_str(),
        "allowed": verdict.is_ok(),
        "reason": verdict.as_ref().err(),
    });
    let may = question.replace('_', " ");
    context.printer.result(&document, || match &verdict {
        Ok(()) => format!("the {} release {may}", of.as_str()),
        Err(why) => format!(
            "the {} release {} not {}: {why}",
            of.as_str(),
            &may[..3],
            &may[4..]
        ),
    })?;
    Ok(match verdict {
        Ok(()) => Exit::Done,
        Err(_) => Exit::AtGate,
    })
}
