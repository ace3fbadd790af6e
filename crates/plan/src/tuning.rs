//! Limits changed while a run goes on: the words of `settings.pacing`, each with another value.

use super::document::Pacing;
use serde_yaml::{Mapping, Value};

/// One limit that is changed, as it was typed: `workers` and `4`, `replica_lag` and `{slow: 2s, stop: 20s}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    pub key: String,
    pub value: String,
}

/// The limits with the changes applied, in their order. The error says which change cannot be, and why.
pub fn tuned(limits: &Pacing, tunings: &[Tuning]) -> Result<Pacing, String> {
    let mut limits = limits.clone();
    for tuning in tunings {
        limits = tuned_by(&limits, tuning)
            .map_err(|why| format!("{}={}: {why}", tuning.key, tuning.value))?;
    }
    Ok(limits)
}

fn tuned_by(limits: &Pacing, tuning: &Tuning) -> Result<Pacing, String> {
    let value: Value = serde_yaml::from_str(&tuning.value).map_err(|error| error.to_string())?;
    let words = serde_yaml::to_value(limits).map_err(|error| error.to_string())?;
    let mut words = match words {
        Value::Mapping(words) => words,
        _ => Mapping::new(),
    };
    words.insert(Value::String(tuning.key.clone()), value);
    serde_yaml::from_value(Value::Mapping(words)).map_err(|error| error.to_string())
}

/// Whether the changes leave limits that mean something. Those of a run that goes on are not asked: it keeps what it has.
pub fn check_ranges(limits: &Pacing, changes: &[Tuning]) -> Result<(), String> {
    for Tuning { key, value } in changes {
        if let Some((_, range)) = limits.out_of_range().find(|(word, _)| word == key) {
            return Err(format!("{key}={value}: `{key}` is {range}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuning(key: &str, value: &str) -> Tuning {
        Tuning {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn each_change_outweighs_the_plan_and_the_changes_before_it() {
        let changes = [
            tuning("workers", "4"),
            tuning("batch_target", "50ms"),
            tuning("workers", "3"),
        ];
        let limits = tuned(&Pacing::default(), &changes).unwrap();
        assert_eq!(limits.workers, 3);
        assert_eq!(limits.batch_target.millis(), 50);
        assert_eq!(limits.batch_rows_max, Pacing::default().batch_rows_max);
    }

    #[test]
    fn a_number_that_means_nothing_is_refused_with_its_range() {
        for (key, value) in [
            ("workers", "0"),
            ("workers", "65"),
            ("batch_target", "0s"),
            ("batch_rows_max", "0"),
            ("batch_wal_mib_max", "0"),
            ("vacuum_percent", "1000"),
            ("failed_batches_percent", "200"),
        ] {
            let changes = [tuning(key, value)];
            let limits = tuned(&Pacing::default(), &changes).unwrap();
            let error = check_ranges(&limits, &changes).unwrap_err();
            assert!(
                error.starts_with(&format!("{key}={value}: `{key}` is ")),
                "{error}"
            );
        }
        let changes = [tuning("vacuum_percent", "0"), tuning("workers", "64")];
        let limits = tuned(&Pacing::default(), &changes).unwrap();
        check_ranges(&limits, &changes).unwrap();
    }

    #[test]
    fn what_is_no_limit_or_no_value_of_one_is_refused_by_name() {
        for (key, value) in [
            ("worker", "4"),
            ("workers", "many"),
            ("batch_target", "-1"),
            ("replica_lag", "{slow: 1s}"),
            ("workers", "{{"),
        ] {
            let error = tuned(&Pacing::default(), &[tuning(key, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{key}={value}: ")), "{error}");
        }
    }
}
