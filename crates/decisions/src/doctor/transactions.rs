//! Long and prepared transactions: strong locks and index builds wait for them, and vacuum removes nothing that they may see.

use super::{Check, CheckFinding, Work, words::time};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transactions {
    /// The oldest first.
    pub long: Vec<LongTransaction>,
    /// Why sessions of others are not seen.
    pub hidden: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LongTransaction {
    /// The session `pid 7 (app, idle in transaction)`, or a prepared transaction by its name.
    pub what: String,
    pub age_seconds: f64,
    pub is_prepared: bool,
    /// The statement that ends it.
    pub ends: String,
}

/// From these ages on they are said, or from that on at which a backfill of the plan slows down. A prepared transaction ends by nobody's
/// session, and its owner may have forgotten it.
const LONG_SECONDS: f64 = 300.0;
const PREPARED_SECONDS: f64 = 60.0;
/// Nobody has a transaction prepared for so long who means to end it.
const FORGOTTEN_SECONDS: f64 = 86_400.0;

pub fn check(transactions: &Transactions, work: Option<&Work>) -> Vec<CheckFinding> {
    let check = Check::Transactions;
    let found: Vec<CheckFinding> = {
        let of_plan = work.and_then(|work| work.transaction_seconds_max);
        let all = transactions.long.iter();
        all.filter_map(|transaction| one(transaction, of_plan))
            .collect()
    };
    if !found.is_empty() {
        return found;
    }
    let finding = match &transactions.hidden {
        Some(why) => CheckFinding::unknown(check, format!("not known of other roles: {why}"))
            .remedy("GRANT pg_monitor TO this role"),
        None => CheckFinding::passed(check, "none is old"),
    };
    vec![finding]
}

fn one(transaction: &LongTransaction, of_plan: Option<f64>) -> Option<CheckFinding> {
    let check = Check::Transactions;
    let LongTransaction {
        what,
        age_seconds,
        is_prepared,
        ends,
    } = transaction;
    let age = time(*age_seconds);
    let finding = match (is_prepared, *age_seconds) {
        (true, age_seconds) if age_seconds >= FORGOTTEN_SECONDS => CheckFinding::failed(
            check,
            format!(
                "the prepared transaction {what} is {age} old, and no session ends it: an index build would wait for it without an end"
            ),
        ),
        (true, age_seconds) if age_seconds >= Work::or(PREPARED_SECONDS, of_plan) => {
            CheckFinding::warning(
                check,
                format!(
                    "the prepared transaction {what} is {age} old: locks and index builds wait until somebody ends it"
                ),
            )
        }
        (false, age_seconds) if age_seconds >= Work::or(LONG_SECONDS, of_plan) => {
            CheckFinding::warning(
                check,
                format!("{what} has been in its transaction for {age}: index builds wait for it"),
            )
        }
        _ => return None,
    };
    Some(finding.remedy(ends.clone()))
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn only_a_forgotten_prepared_transaction_fails() {
        let one = |is_prepared, age_seconds| Transactions {
            long: vec![LongTransaction {
                what: "x".to_owned(),
                age_seconds,
                is_prepared,
                ends: "ROLLBACK PREPARED 'x';".to_owned(),
            }],
            hidden: None,
        };
        for (is_prepared, age, verdict) in [
            (false, 299.0, Verdict::Passed),
            (false, 300.0, Verdict::Warning),
            (false, 1e6, Verdict::Warning),
            (true, 59.0, Verdict::Passed),
            (true, 60.0, Verdict::Warning),
            (true, 86_400.0, Verdict::Failed),
        ] {
            let found = &check(&one(is_prepared, age), None)[0];
            assert_eq!(found.verdict, verdict, "{is_prepared} {age}");
        }
        let strict = Work {
            transaction_seconds_max: Some(1.0),
            ..Work::default()
        };
        for is_prepared in [false, true] {
            let found = &check(&one(is_prepared, 2.0), Some(&strict))[0];
            assert_eq!(found.verdict, Verdict::Warning);
        }
        let hidden = Transactions {
            hidden: Some("no right".to_owned()),
            ..Transactions::default()
        };
        assert_eq!(check(&hidden, None)[0].verdict, Verdict::Unknown);
    }
}
