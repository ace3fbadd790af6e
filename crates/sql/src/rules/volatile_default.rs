//! Defaults that differ from row to row.

use super::{Found, Rule, When};
use crate::{
    lint::Site,
    statement::{ChangeKind, DefaultValue},
};
use crossfade_model::error::Severity;

pub const RULE: Rule = Rule {
    name: "volatile-default",
    summary: "a column is added with a default that every row must be written for",
    severity: Severity::Error,
    when: When::Always,
    check,
};

fn check(site: &Site<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (table, change) in site.changes() {
        if let ChangeKind::AddColumn(column) = &change.kind
            && let Some(DefaultValue::EveryRow(by)) = &column.default
            && !site.is_foreign(table)
        {
            found.push(Found {
                severity: None,
                range: change.range.clone(),
                message: format!(
                    "the default of {} calls {by}, which is or may be volatile: every row of {table} is rewritten while the application can neither read nor write",
                    column.name
                ),
                help: "add the column without a default, ALTER COLUMN … SET DEFAULT for new rows, and fill the old ones in batches".to_owned(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::lines;

    #[test]
    fn what_is_evaluated_for_every_row_is_found() {
        let rule = "volatile-default";
        let bad = "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid();\nALTER TABLE t ADD b int DEFAULT 1 + floor(random() * 9);\n\
                   ALTER TABLE t ADD c text DEFAULT app.code();\nALTER TABLE t ADD d timestamptz DEFAULT clock_timestamp();\n\
                   ALTER TABLE t ADD e float DEFAULT coalesce(pg_catalog.random(), 0);\nALTER TABLE t ADD f text DEFAULT public.lower('A');\n\
                   ALTER TABLE t ADD g bigint DEFAULT nextval('s');\nALTER TABLE t ADD h uuid DEFAULT uuid_generate_v4();";
        assert_eq!(lines(rule, bad), [1, 2, 3, 4, 5, 6, 7, 8]);
        let good = "ALTER TABLE t ADD a timestamptz NOT NULL DEFAULT now();\nALTER TABLE t ADD b jsonb DEFAULT '{}'::jsonb;\n\
                    ALTER TABLE t ADD c int DEFAULT 0;\nALTER TABLE t ADD d timestamptz DEFAULT CURRENT_TIMESTAMP;\n\
                    ALTER TABLE t ADD f text DEFAULT coalesce(current_setting('x', true), lower('A'));\nALTER TABLE t ADD g int DEFAULT greatest(1, least(2, 3));\n\
                    ALTER TABLE t ADD h bytea DEFAULT decode('', 'hex');\nALTER TABLE t ADD i timestamp DEFAULT timezone('utc', now());\n\
                    ALTER TABLE t ADD j inet DEFAULT inet_client_addr();\nALTER TABLE t ADD k uuid DEFAULT uuid_nil();\nALTER TABLE t ADD l text DEFAULT concat('a', pg_catalog.upper('b'));\n\
                    ALTER TABLE t ADD m int DEFAULT extract(year from now());\nALTER TABLE t ADD n text DEFAULT nullif(trim('a'), 'b');\n\
                    ALTER TABLE t ADD e text[] DEFAULT ARRAY[]::text[];\nALTER TABLE t ALTER a SET DEFAULT random();";
        assert_eq!(lines(rule, good), [0; 0]);
    }
}
