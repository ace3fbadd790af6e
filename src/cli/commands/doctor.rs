//! `doctor`: whether the database is fit for runs, and for these plans.

use super::{Context, read_plan};
use crate::cli::{
    args::Doctor,
    exit::Exit,
    printer::{Paint, Text},
};
use crate::configuration::Configuration;
use crossfade_coordinator::service::{CheckFinding, Diagnosis, Verdict};

pub async fn run(context: &Context<'_>, doctor: &Doctor) -> anyhow::Result<Exit> {
    let plans = doctor.plans.iter().map(|plan| read_plan(plan));
    let plans: Vec<(String, String)> = plans.collect::<Result<_, _>>()?;
    let configuration = Configuration::load(doctor.configuration.file.as_deref())?;
    let service = context.service()?.with_checks(configuration.checks());
    let diagnosis = service.doctor(&plans).await?;
    context
        .printer
        .result(&diagnosis, || in_words(&diagnosis, Marks::of_terminal()))?;
    Ok(match diagnosis.ok {
        true => Exit::Done,
        false => Exit::Error,
    })
}

/// A finding with its remedy, in one line.
pub fn sentence(finding: &CheckFinding) -> String {
    let remedy = finding.remedy.as_deref();
    let remedy = remedy.map_or(String::new(), |remedy| format!(". Remedy: {remedy}"));
    format!("{}: {}{remedy}", finding.check, finding.found)
}

/// What stands in front of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    Signs,
    /// Where the terminal may not show these.
    Ascii,
}

impl Marks {
    /// By the first of these variables that is set, as the C library takes them.
    fn of_terminal() -> Self {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"];
        let set = names.iter().filter_map(|name| std::env::var(name).ok());
        Self::of_locale(set.into_iter().find(|value| !value.is_empty()).as_deref())
    }

    fn of_locale(locale: Option<&str>) -> Self {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        match locale.contains("utf-8") || locale.contains("utf8") {
            true => Self::Signs,
            false => Self::Ascii,
        }
    }

    /// Our own sentences have one sign that is not ASCII.
    fn spell(self, line: &str) -> String {
        match self {
            Self::Signs => line.to_owned(),
            Self::Ascii => line.replace('…', "..."),
        }
    }

    fn of(self, verdict: Verdict) -> (Paint, &'static str) {
        let (paint, sign, ascii) = match verdict {
            Verdict::Passed => (Paint::Green, "✓", "ok  "),
            Verdict::Warning => (Paint::Yellow, "!", "!   "),
            Verdict::Failed => (Paint::Red, "✗", "FAIL"),
            Verdict::Unknown => (Paint::Plain, "?", "?   "),
        };
        let mark = match self {
            Self::Signs => sign,
            Self::Ascii => ascii,
        };
        (paint, mark)
    }
}

fn in_words(diagnosis: &Diagnosis, marks: Marks) -> Text {
    let mut text = Text::of(&diagnosis.database);
    checks_in_words(&diagnosis.checks, marks, &mut text);
    for plan in &diagnosis.plans {
        text.push_str("\n");
        text.line(&plan.file);
        checks_in_words(&plan.checks, marks, &mut text);
    }
    let all = diagnosis.plans.iter().flat_map(|plan| &plan.checks);
    let all: Vec<&CheckFinding> = diagnosis.checks.iter().chain(all).collect();
    let count = |verdict| all.iter().filter(|one| one.verdict == verdict).count();
    text.push_str("\n");
    text.line(format_args!(
        "{} failed, {} warnings, {} not known, {} passed",
        count(Verdict::Failed),
        count(Verdict::Warning),
        count(Verdict::Unknown),
        count(Verdict::Passed)
    ));
    text
}

fn checks_in_words(checks: &[CheckFinding], marks: Marks, text: &mut Text) {
    for finding in checks {
        let line = format!(" {:<14} {}", finding.check.as_str(), finding.found);
        text.line_with("  ", marks.of(finding.verdict), marks.spell(&line));
        if let Some(remedy) = &finding.remedy {
            text.line(marks.spell(&format!("      remedy: {remedy}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_ascii_where_the_locale_is_not_unicode() {
        for (locale, marks) in [
            (Some("C.UTF-8"), Marks::Signs),
            (Some("de_DE.utf8"), Marks::Signs),
            (Some("POSIX"), Marks::Ascii),
            (None, Marks::Ascii),
        ] {
            assert_eq!(Marks::of_locale(locale), marks, "{locale:?}");
        }
        for verdict in [
            Verdict::Passed,
            Verdict::Warning,
            Verdict::Failed,
            Verdict::Unknown,
        ] {
            assert!(Marks::Ascii.of(verdict).1.is_ascii());
        }
    }
}
