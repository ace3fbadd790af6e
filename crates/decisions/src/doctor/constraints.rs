//! Constraints that are NOT VALID: rows may break them, and a backfill writes those rows again.

use super::{Check, CheckFinding};

#[derive(Clone, Debug, PartialEq)]
pub struct Unvalidated {
    pub table: String,
    pub name: String,
}

pub fn check(constraints: &[Unvalidated]) -> Vec<CheckFinding> {
    let check = Check::Constraints;
    if constraints.is_empty() {
        return vec![CheckFinding::passed(check, "every constraint is validated")];
    }
    let each = constraints.iter().map(|Unvalidated { table, name }| {
        let found = format!(
            "the constraint {name} of {table} is NOT VALID: rows that break it cannot be written again"
        );
        CheckFinding::warning(check, found).remedy(format!(
            "ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
        ))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn each_is_named_with_its_statement() {
        let one = Unvalidated {
            table: "public.t".to_owned(),
            name: "positive".to_owned(),
        };
        let found = &check(&[one])[0];
        assert_eq!(found.verdict, Verdict::Warning);
        assert_eq!(
            found.remedy.as_deref(),
            Some("ALTER TABLE public.t VALIDATE CONSTRAINT positive;")
        );
        assert_eq!(check(&[])[0].verdict, Verdict::Passed);
    }
}
