//! Whether the archiver archives: what it cannot archive stays on the server's disk.

use super::{Check, CheckFinding, Work};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archiver {
    pub is_on: bool,
    /// The file of the last attempt, if that failed.
    pub failing: Option<String>,
}

pub fn check(archiver: &Archiver, work: Option<&Work>) -> Vec<CheckFinding> {
    let check = Check::Archiver;
    let Some(file) = archiver.failing.as_ref().filter(|_| archiver.is_on) else {
        let found = match archiver.is_on {
            true => "the archiver's last attempt did not fail",
            false => "archive_mode is off",
        };
        return vec![CheckFinding::passed(check, found)];
    };
    let found = format!(
        "the archiver's last attempt failed, at {file}: all log from there on is kept on the server's disk"
    );
    let finding = match work {
        Some(work) if work.fills => CheckFinding::failed(
            check,
            format!("{found}, and a backfill stops as long as this lasts"),
        ),
        _ => CheckFinding::warning(check, found),
    };
    vec![finding.remedy(
        "find the cause in the server's log and put archive_command or archive_library right; SELECT * FROM pg_stat_archiver; shows the next attempt",
    )]
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn a_failing_archiver_fails_only_where_much_is_written() {
        let failing = Archiver {
            is_on: true,
            failing: Some("000000010000000000000007".to_owned()),
        };
        let fills = Work {
            fills: true,
            ..Work::default()
        };
        let verdict = |archiver: &Archiver, work: Option<&Work>| check(archiver, work)[0].verdict;
        assert_eq!(verdict(&failing, Some(&fills)), Verdict::Failed);
        assert_eq!(verdict(&failing, Some(&Work::default())), Verdict::Warning);
        assert_eq!(verdict(&failing, None), Verdict::Warning);
        let off = Archiver {
            is_on: false,
            ..failing
        };
        assert_eq!(verdict(&off, Some(&fills)), Verdict::Passed);
    }
}
