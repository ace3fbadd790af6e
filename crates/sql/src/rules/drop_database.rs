//! Databases that go.

use super::{Found, Rule, When};
use crate::{lint::Site, statement::Kind};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "drop-database",
    summary: "a database is dropped with everything in it",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let Kind::DropDatabase { database } = &site.statement.kind else {
        return Vec::new();
    };
    vec![site.found(
        format!("the database {database} and everything in it are gone for good, and only a backup brings them back"),
        "ALTER DATABASE … ALLOW_CONNECTIONS false first, and drop it by hand once you know that nothing needs it".to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn each_database_is_found() {
        let sql = "DROP DATABASE shop;\nDROP DATABASE IF EXISTS \"Shop\" WITH (FORCE);\nCREATE DATABASE shop;\nDROP TABLESPACE fast;";
        assert_eq!(lines("drop-database", sql), [1, 2]);
        assert_eq!(
            lines("concurrently-in-transaction", &format!("BEGIN;\n{sql}")),
            [2, 3, 4, 5]
        );
    }
}
