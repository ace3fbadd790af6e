//! Whether autovacuum keeps up: a backfill leaves a dead row for each that it writes.

use super::{Check, CheckFinding, words};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Autovacuum {
    pub is_on: bool,
    /// Without its counters it does nothing.
    pub counts: bool,
}

/// A table, or a partition of one, as its statistics have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VacuumedTable {
    pub table: String,
    /// By `autovacuum_enabled` of the table itself.
    pub is_on: bool,
    pub dead_rows: f64,
    /// At so many dead rows autovacuum begins.
    pub threshold: f64,
}

/// As many times its threshold, and at least so many rows, are far behind.
const TIMES_BEHIND: f64 = 5.0;
const ROWS_BEHIND: f64 = 10_000.0;

pub fn of_server(server: &Autovacuum) -> Vec<CheckFinding> {
    let check = Check::Autovacuum;
    let off = match (server.is_on, server.counts) {
        (true, true) => return vec![CheckFinding::passed(check, "autovacuum is on")],
        (false, _) => "autovacuum",
        (true, false) => "track_counts",
    };
    let found = format!(
        "{off} is off on this server: nothing removes the dead rows that a backfill leaves but its own vacuum"
    );
    vec![CheckFinding::warning(check, found).remedy(format!(
        "ALTER SYSTEM SET {off} = on; SELECT pg_reload_conf();"
    ))]
}

pub fn of_tables(tables: &[VacuumedTable]) -> Vec<CheckFinding> {
    let check = Check::Autovacuum;
    let off = tables.iter().filter(|table| !table.is_on).map(|table| {
        let table = &table.table;
        CheckFinding::warning(check, format!("autovacuum is off for {table}"))
            .remedy(format!("ALTER TABLE {table} RESET (autovacuum_enabled);"))
    });
    let is_behind = |table: &&VacuumedTable| {
        table.dead_rows > ROWS_BEHIND && table.dead_rows > TIMES_BEHIND * table.threshold
    };
    let behind = tables.iter().filter(is_behind).map(|table| {
        let found = format!(
            "{} has about {:.0} dead rows, and autovacuum should begin at {:.0}: it is far behind",
            table.table, table.dead_rows, table.threshold
        );
        CheckFinding::warning(check, found).remedy(format!("VACUUM (ANALYZE) {};", table.table))
    });
    let found: Vec<CheckFinding> = off.chain(behind).collect();
    if !found.is_empty() {
        return found;
    }
    let names: Vec<String> = tables.iter().map(|table| table.table.clone()).collect();
    let of = if names.is_empty() {
        "the plan has no table that is there yet".to_owned()
    } else {
        format!("it keeps up with {}", words::list(&names))
    };
    vec![CheckFinding::passed(check, of)]
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn few_dead_rows_are_no_news() {
        let table = |dead_rows, threshold| VacuumedTable {
            table: "public.t".to_owned(),
            is_on: true,
            dead_rows,
            threshold,
        };
        let verdict = |table: VacuumedTable| of_tables(&[table])[0].verdict;
        assert_eq!(verdict(table(9_000.0, 50.0)), Verdict::Passed);
        assert_eq!(verdict(table(90_000.0, 50.0)), Verdict::Warning);
        assert_eq!(verdict(table(90_000.0, 20_000.0)), Verdict::Passed);
        let off = VacuumedTable {
            is_on: false,
            ..table(0.0, 50.0)
        };
        let found = &of_tables(&[off])[0];
        assert_eq!(
            found.remedy.as_deref(),
            Some("ALTER TABLE public.t RESET (autovacuum_enabled);")
        );
        for (server, verdict) in [
            (
                Autovacuum {
                    is_on: true,
                    counts: true,
                },
                Verdict::Passed,
            ),
            (
                Autovacuum {
                    is_on: false,
                    counts: true,
                },
                Verdict::Warning,
            ),
            (
                Autovacuum {
                    is_on: true,
                    counts: false,
                },
                Verdict::Warning,
            ),
        ] {
            assert_eq!(of_server(&server)[0].verdict, verdict);
        }
    }
}
