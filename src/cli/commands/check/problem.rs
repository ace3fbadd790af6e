//! What `check` found, of a plan or of SQL, for the reports that do not tell them apart.

use crossfade_model::error::{LocatedError, Severity};
use crossfade_sql::Finding;

/// What a plan's own errors are called where everything needs a rule.
pub const OF_PLANS: &str = "plan";

pub struct Problem {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub rule: &'static str,
    pub severity: Severity,
    pub message: String,
    pub help: String,
}

impl Problem {
    pub fn of_plan(error: LocatedError) -> Self {
        Self {
            file: error.file,
            line: error.line.unwrap_or(1),
            column: error.column.unwrap_or(1),
            rule: error.rule.unwrap_or(OF_PLANS),
            severity: error.severity,
            message: error.message,
            help: error.help.unwrap_or_default(),
        }
    }

    pub fn of_sql(file: &str, finding: Finding) -> Self {
        Self {
            file: file.to_owned(),
            line: finding.line,
            column: finding.column,
            rule: finding.rule,
            severity: finding.severity,
            message: finding.message,
            help: finding.help,
        }
    }

    /// What is wrong and what would be right.
    pub fn words(&self) -> String {
        if self.help.is_empty() {
            self.message.clone()
        } else {
            format!("{}\nhelp: {}", self.message, self.help)
        }
    }
}
