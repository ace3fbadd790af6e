//! How the functions and triggers of a run stand, as SQL: the run keeps it (`lifecycle::standing`), to tell what somebody
//! changed by hand. A statement of ours that changes them keeps it in its own transaction.

use super::{ddl_unit::Statement, literal};
use crate::document::RunName;
use crossfade_model::ident::Ident;

const KEPT: &str = "UPDATE crossfade.runs SET sync_stood = ";

/// The functions whose names are `names`, an SQL array, as a JSON object. Everything is named in full, as the search path may be
/// another's. A partition's trigger is of one transaction with its table if the entry of a system column is too: nothing changes
/// such an entry.
pub fn of(names: &str) -> String {
    format!(
        "SELECT coalesce(pg_catalog.jsonb_object_agg(p.proname, pg_catalog.jsonb_build_object('oid', p.oid::pg_catalog.int8, 'xmin', p.xmin::pg_catalog.text, \
            'text', pg_catalog.md5(p.prosrc), 'rights', p.proacl::pg_catalog.text, 'crossfade', {}, \
            'triggers', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('oid', t.oid::pg_catalog.int8, 'xmin', t.xmin::pg_catalog.text, \
                'name', t.tgname, 'table', pg_catalog.concat(pg_catalog.quote_ident(s.nspname), '.', pg_catalog.quote_ident(c.relname)), \
                'enabled', t.tgenabled, 'cloned', t.tgparentid <> 0, \
                'with_table', t.tgparentid <> 0 AND t.xmin = (SELECT a.xmin FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = -1)) ORDER BY t.oid), '[]') \
              FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid \
              JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace WHERE t.tgfoid = p.oid))), '{{}}') \
         FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
         WHERE n.nspname = 'crossfade' AND p.proname = ANY ({names})",
        literal::text(env!("CARGO_PKG_VERSION")),
    )
}

fn array(functions: &[Ident]) -> String {
    let names: Vec<String> = functions
        .iter()
        .map(|function| literal::text(function.as_str()))
        .collect();
    format!("ARRAY[{}]::pg_catalog.text[]", names.join(", "))
}

fn kept(run: &RunName, value: &str) -> Statement {
    Statement::new(format!(
        "{KEPT}{value} WHERE name = {} AND state = 'active'",
        literal::text(run.as_str())
    ))
}

/// Keeps how these functions, which this transaction has made or changed, stand.
pub fn keep(run: &RunName, functions: &[Ident]) -> Statement {
    let now = of(&array(functions));
    kept(run, &format!("coalesce(sync_stood, '{{}}') || ({now})"))
}

/// This transaction has dropped them.
pub fn forget(run: &RunName, functions: &[Ident]) -> Statement {
    kept(run, &format!("sync_stood - {}", array(functions)))
}

/// A statement that only keeps the record: no part of what a step does to the database.
pub fn is_record(statement: &Statement) -> bool {
    statement.sql.starts_with(KEPT)
}
