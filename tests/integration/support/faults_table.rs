//! The table of faults: each test that injects some prints its line, where `CROSSFADE_TEST_FAULTS` is set.

use super::application::Report;
use std::{io::Write, time::Duration};

/// What was done to a run, and what came of it.
pub struct Line<'a> {
    pub fault: &'a str,
    pub injected: u64,
    /// Of the application.
    pub operations: u64,
    /// Rows that were not as they were written last.
    pub lost: u64,
    /// What the application saw.
    pub errors: &'a str,
    pub longest: Duration,
}

impl Line<'_> {
    /// Not by `eprintln!`, which nobody sees of a test that passes.
    pub fn print(&self) {
        if std::env::var_os("CROSSFADE_TEST_FAULTS").is_none() {
            return;
        }
        let _ = writeln!(
            std::io::stderr(),
            "| {} | {} | {} | {} | {} | {:.0} ms |",
            self.fault,
            self.injected,
            self.operations,
            self.lost,
            self.errors,
            self.longest.as_secs_f64() * 1_000.0
        );
    }
}

/// Of tests whose application is that of these tests, after they found nothing wrong.
pub fn print(fault: &str, injected: u64, reports: &[Report]) {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let lost_connections = sum(|report| report.connections_lost);
    let mut errors = match lost_connections {
        0 => "none".to_owned(),
        _ => format!("{lost_connections} connections lost"),
    };
    let with_the_server = sum(|report| report.transactions_lost);
    if with_the_server > 0 {
        errors.push_str(&format!(
            ", {with_the_server} transactions lost with the old primary"
        ));
    }
    Line {
        fault,
        injected,
        operations: sum(|report| report.operations),
        lost: 0,
        errors: &errors,
        longest: reports
            .iter()
            .map(|report| report.longest)
            .max()
            .unwrap_or_default(),
    }
    .print();
}
