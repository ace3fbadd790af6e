//! Invalid indexes: every write keeps them, and no query uses them.

use super::{Check, CheckFinding};

#[derive(Clone, Debug, PartialEq)]
pub struct InvalidIndex {
    pub table: String,
    /// With its schema.
    pub index: String,
}

pub fn check(indexes: &[InvalidIndex]) -> Vec<CheckFinding> {
    let check = Check::Indexes;
    if indexes.is_empty() {
        return vec![CheckFinding::passed(check, "every index is valid")];
    }
    let each = indexes.iter().map(|InvalidIndex { table, index }| {
        let found = format!(
            "the index {index} of {table} is invalid: a build that failed has left it, and every write keeps it"
        );
        CheckFinding::warning(check, found).remedy(format!(
            "REINDEX INDEX CONCURRENTLY {index}; or DROP INDEX CONCURRENTLY {index};"
        ))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn each_is_named_with_its_statement() {
        let one = InvalidIndex {
            table: "public.t".to_owned(),
            index: "public.half".to_owned(),
        };
        let found = &check(&[one])[0];
        assert_eq!(found.verdict, Verdict::Warning);
        assert!(found.found.contains("public.half"));
        assert_eq!(check(&[])[0].verdict, Verdict::Passed);
    }
}
