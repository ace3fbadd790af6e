//! How the engine's notices look: bars on a terminal, plain lines where there is none.

use super::{
    known::{Known, level},
    printer::one_line,
    stderr,
};
use crossfade_coordinator::notice::{Notice, Reporter, WalkProgress};
use crossfade_decisions::progress;
use crossfade_decisions::{lifecycle::next::Wait, progress::time_left};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};
use std::{
    io::IsTerminal,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Between two lines about the same walk, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub struct Lines {
    terminal: bool,
    run: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
    last_wait: Vec<&'static str>,
    known: Known,
}

impl Lines {
    pub fn new(run: &str) -> Self {
        Self {
            terminal: std::io::stderr().is_terminal() && !stderr::is_json(),
            run: run.to_owned(),
            state: Mutex::new(State::default()),
        }
    }
}

impl Reporter for Lines {
    fn notice(&self, notice: Notice) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let known = state.known.note(&self.run, &notice);
        match &notice {
            Notice::WalkProgress(progress) if self.terminal => {
                state.show(progress);
                return;
            }
            other if !state.is_worth_a_line(other) => return,
            _ => {}
        }
        tell(&notice, known, "");
    }
}

/// The notices of one of a server's runs, each line behind the run's name. A server has several, and no bars.
pub struct OfRun {
    run: String,
    state: Mutex<State>,
}

impl OfRun {
    pub fn new(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            state: Mutex::new(State::default()),
        }
    }
}

impl Reporter for OfRun {
    fn notice(&self, notice: Notice) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let known = state.known.note(&self.run, &notice);
        if state.is_worth_a_line(&notice) {
            tell(&notice, known, &self.run);
        }
    }
}

impl State {
    /// A walk is told every few seconds, and what is waited for once.
    fn is_worth_a_line(&mut self, notice: &Notice) -> bool {
        match notice {
            Notice::WalkProgress(progress) => {
                let at_the_end = progress.blocks_done >= progress.blocks_total;
                if !at_the_end && self.last_line.is_some_and(|at| at.elapsed() < LINE_EVERY) {
                    return false;
                }
                self.last_line = Some(Instant::now());
            }
            Notice::StepFinished(_) | Notice::PhaseFinished(_) => self.clear(),
            Notice::Waiting(wait) => {
                let what = what(wait);
                if self.last_wait == what {
                    return false;
                }
                self.last_wait = what;
            }
            _ => {}
        }
        true
    }

    fn show(&mut self, progress: &WalkProgress) {
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // It is cut off where the terminal ends.
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                bar.set_style(style);
            }
            stderr::set_bar(Some(bar.clone()));
            bar
        });
        bar.set_message(one_line(&bar_line(progress)));
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            stderr::set_bar(None);
            bar.finish_and_clear();
        }
        self.last_line = None;
    }
}

/// One line, behind the run's name where there are several runs; or one object with all that is known.
fn tell(notice: &Notice, known: Map<String, Value>, run: &str) {
    let line = line(notice);
    if stderr::is_json() {
        let text = line.unwrap_or_default();
        stderr::event(level(notice), &one_line(text.trim_start()), known);
    } else if let Some(line) = line {
        let line = match run {
            "" => line,
            run => format!("{run}: {}", line.trim_start()),
        };
        stderr::lines(&format!("{}\n", one_line(&line)));
    }
}

/// The end of the line may be cut off: first comes what matters most.
fn bar_line(progress: &WalkProgress) -> String {
    const WIDTH: usize = 10;
    let percent = progress::percent(progress.blocks_done, progress.blocks_total);
    let full = usize::from(percent).min(100) * WIDTH / 100;
    let (done, rest) = ("#".repeat(full), "-".repeat(WIDTH - full));
    let mut text = format!(
        "[{done}{rest}] {percent:>3} % {}, {:.0} rows/s",
        time_left(progress.seconds_left),
        progress.rows_per_second
    );
    if !progress.reasons.is_empty() {
        text.push_str(&format!(", held back: {}", progress.reasons.join("; ")));
    }
    if progress.pass > 1 {
        text.push_str(&format!(", pass {}", progress.pass));
    }
    text.push_str(&format!(", {} rows", progress.rows));
    text
}

fn detail(progress: &WalkProgress) -> String {
    let mut text = format!(
        "{} rows, {:.0} rows/s, {}",
        progress.rows,
        progress.rows_per_second,
        time_left(progress.seconds_left)
    );
    if progress.pass > 1 {
        text.push_str(&format!(", pass {}", progress.pass));
    }
    if !progress.reasons.is_empty() {
        text.push_str(&format!(" [held back: {}]", progress.reasons.join("; ")));
    }
    text
}

fn line(notice: &Notice) -> Option<String> {
    Some(match notice {
        Notice::PhaseStarted(phase) => format!("{phase}"),
        Notice::PhaseFinished(phase) => format!("{phase} done"),
        Notice::PhaseReversed(phase) => format!("{phase} undone"),
        Notice::StepStarted(step) => format!("  {step}"),
        Notice::StepFinished(_) => return None,
        Notice::StepFound(_) => "    was there already".to_owned(),
        Notice::StepReversed(step) => format!("  {step} undone"),
        Notice::StepLeavesWhatItFound(step) => {
            format!("  {step} leaves what was there before it")
        }
        Notice::StepHadChangedNothing(step) => format!("  {step} had changed nothing"),
        Notice::Blocked {
            attempt,
            blockers,
            retry_in,
            ..
        } => {
            let who: Vec<String> = blockers.iter().map(ToString::to_string).collect();
            let who = if who.is_empty() {
                "could not acquire the lock in time".to_owned()
            } else {
                format!("waiting for {}", who.join("; "))
            };
            format!("    attempt {attempt}: {who}; again in {retry_in:.1?}")
        }
        Notice::EndedBlocker { pid, .. } => {
            format!("    ended pid {pid}, idle in its transaction, as the plan allows")
        }
        Notice::IndexProgress {
            phase,
            done,
            total,
            waits_for,
            ..
        } => {
            let waits = waits_for.map_or(String::new(), |pid| format!(", waiting for pid {pid}"));
            format!("    {phase}: {} %{waits}", progress::percent(*done, *total))
        }
        Notice::WalkProgress(progress) => format!(
            "    {} %: {}",
            progress::percent(progress.blocks_done, progress.blocks_total),
            detail(progress)
        ),
        Notice::WalkRestarted { .. } => "    the table was rewritten: starting again".to_owned(),
        Notice::LooksAgain { .. } => {
            "    the triggers were changed meanwhile, or a partition was attached: comparing again"
                .to_owned()
        }
        Notice::WalkWaits { why, .. } => format!("    {why}"),
        Notice::Quarantined { rows, .. } => {
            format!("    {rows} rows could not be converted and are in quarantine")
        }
        Notice::SyncPutBack(was) => format!("put the triggers back: {}", was.join("; ")),
        Notice::SyncTouched(what) => format!(
            "somebody changed the triggers that keep both sides in step: {}. Rows written meanwhile may be on one side only. No value is overwritten, and `verify` finds the rows that differ",
            what.join("; ")
        ),
        Notice::Freed(why) => format!(
            "dropped the triggers, so that the application can write: {}. No column and no table is dropped",
            why.join("; ")
        ),
        Notice::Left(what) => format!("left as it is: {}", what.join("; ")),
        Notice::Helping { step } => format!("helping with {step}"),
        Notice::Cancelled { why, retry_in } => {
            format!("    cancelled by somebody: {why}; again in {retry_in:.1?}")
        }
        Notice::Away { why, retry_in } => {
            format!("    the database is unavailable: {why}; retrying in {retry_in:.1?}")
        }
        Notice::PauseEnded(pause) => {
            format!("the pause by {} has ended: {}", pause.by, pause.reason)
        }
        Notice::Waiting(wait) => format!("waiting: {}", reason(wait)),
        // The command ends with it.
        Notice::RunFinished | Notice::Drives { .. } => return None,
    })
}

/// What is waited for, however long still.
fn what(wait: &Wait) -> Vec<&'static str> {
    match wait {
        Wait::Paused(_) => vec!["paused"],
        Wait::Frozen(_) => vec!["frozen"],
        Wait::Gate(phase, conditions) => std::iter::once(phase.as_str())
            .chain(conditions.iter().map(|condition| condition.kind))
            .collect(),
        Wait::RollingBack(..) => vec!["rolling back"],
    }
}

/// A wait in words, on one line.
pub fn reason(wait: &Wait) -> String {
    wait.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossfade_plan::compiled::StepId;

    #[test]
    fn a_narrow_terminal_shows_how_far_it_is_and_how_long_it_takes() {
        let progress = WalkProgress {
            step: StepId("fill:public.vehicles".to_owned()),
            table: "public.vehicles".to_owned(),
            pass: 1,
            blocks_done: 42,
            blocks_total: 100,
            rows: 123_456_789,
            rows_per_second: 98_765.0,
            seconds_left: Some((3_600, 7_200)),
            reasons: vec!["replica_lag".to_owned()],
        };
        let line: String = bar_line(&progress).chars().take(60).collect();
        assert_eq!(
            line,
            "[####------]  42 % 1h to 2h left, 98765 rows/s, held back: r"
        );
    }
}
