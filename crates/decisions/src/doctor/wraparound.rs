//! How far transaction numbers are from their end. A backfill uses up one for each batch, and a vacuum against wraparound does not give
//! way to strong locks.

use super::{Check, CheckFinding};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wraparound {
    /// Of the databases of the server, the oldest first.
    pub databases: Vec<Horizon>,
}

/// The age of the oldest transaction number, or group of numbers (multixact), that is in use.
#[derive(Clone, Debug, PartialEq)]
pub struct Horizon {
    pub name: String,
    pub age: i64,
    /// At this age a vacuum against wraparound begins.
    pub vacuum_age: i64,
    pub of: Numbers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Transactions,
    Multixacts,
}

impl Numbers {
    const fn words(self) -> &'static str {
        match self {
            Self::Transactions => "transaction numbers",
            Self::Multixacts => "multixact numbers",
        }
    }
}

/// PostgreSQL gives no more numbers than these without a vacuum.
const NUMBERS: i64 = 1 << 31;
/// From here on PostgreSQL itself warns with every transaction.
const WARNED_LEFT: i64 = 40_000_000;
/// So much later than a vacuum against wraparound should have begun, it is held up by something.
const OVERDUE: f64 = 1.5;
/// From this part of the way on, such a vacuum is near.
const NEAR: f64 = 0.9;

pub fn check(wraparound: &Wraparound) -> Vec<CheckFinding> {
    let check = Check::Wraparound;
    let found: Vec<CheckFinding> = wraparound
        .databases
        .iter()
        .filter_map(of_database)
        .collect();
    if !found.is_empty() {
        return found;
    }
    let oldest = wraparound.databases.iter().map(|one| one.age).max();
    let left = NUMBERS - oldest.unwrap_or(0);
    vec![CheckFinding::passed(
        check,
        format!("{} million transaction numbers are left", left / 1_000_000),
    )]
}

fn of_database(database: &Horizon) -> Option<CheckFinding> {
    let check = Check::Wraparound;
    let Horizon {
        name,
        age,
        vacuum_age,
        of,
    } = database;
    let left = NUMBERS - age;
    let numbers = of.words();
    let remedy = format!(
        "connect to {name} and run VACUUM (FREEZE); and see what holds it back: old or prepared transactions, replication slots"
    );
    if left < WARNED_LEFT {
        let found = format!(
            "the database {name} has {left} {numbers} left: the server is about to refuse every write"
        );
        return Some(CheckFinding::failed(check, found).remedy(remedy));
    }
    let is_overdue = *vacuum_age > 0 && *age as f64 > *vacuum_age as f64 * OVERDUE;
    is_overdue.then(|| {
        let found = format!(
            "in the database {name} {numbers} go back {age}, and a vacuum against wraparound should have begun at {vacuum_age}"
        );
        CheckFinding::warning(check, found).remedy(remedy)
    })
}

pub fn of_tables(tables: &[Horizon]) -> Vec<CheckFinding> {
    let check = Check::Wraparound;
    let is_near = |table: &&Horizon| {
        table.vacuum_age > 0 && table.age as f64 >= table.vacuum_age as f64 * NEAR
    };
    let near = tables.iter().filter(is_near).map(|table| {
        let Horizon {
            name,
            age,
            vacuum_age,
            of,
        } = table;
        let found = format!(
            "{} of {name} go back {age}: from {vacuum_age} on a vacuum against wraparound works on it, which does not give way to locks",
            of.words()
        );
        CheckFinding::warning(check, found).remedy(format!("VACUUM (FREEZE) {name};"))
    });
    let found: Vec<CheckFinding> = near.collect();
    match found.is_empty() {
        true => vec![CheckFinding::passed(
            check,
            "no vacuum against wraparound is near on the plan's tables",
        )],
        false => found,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    fn horizon(age: i64) -> Horizon {
        Horizon {
            name: "app".to_owned(),
            age,
            vacuum_age: 200_000_000,
            of: Numbers::Transactions,
        }
    }

    #[test]
    fn a_server_that_is_about_to_refuse_writes_fails() {
        let verdict = |age| {
            let wraparound = Wraparound {
                databases: vec![horizon(age)],
            };
            check(&wraparound)[0].verdict
        };
        assert_eq!(verdict(250_000_000), Verdict::Passed);
        assert_eq!(verdict(310_000_000), Verdict::Warning);
        assert_eq!(verdict(2_107_483_648), Verdict::Warning);
        assert_eq!(verdict(2_107_483_649), Verdict::Failed);
    }

    #[test]
    fn a_vacuum_that_is_near_is_said() {
        let verdict = |age| of_tables(&[horizon(age)])[0].verdict;
        assert_eq!(verdict(179_999_999), Verdict::Passed);
        assert_eq!(verdict(180_000_000), Verdict::Warning);
        assert_eq!(of_tables(&[])[0].verdict, Verdict::Passed);
    }
}
