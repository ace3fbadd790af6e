//! Reads what may name a column: objects that depend on it, functions with bodies of text, and the statements that
//! `pg_stat_statements` counts.

use super::{Result, catalog};
use crossfade_decisions::lifecycle::references::{Counters, StatementId, Statistics};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::{document::RunName, facts::RowReader};
use crossfade_sql::{
    lexer::{Class, significant},
    references::{self, Column, Naming, Routine, Subject, Table},
};
use tokio_postgres::GenericClient;

/// More functions or statements than this are not looked through: then it is not known what they name.
const READ_MAX: i64 = 5_000;

const COLUMNS: &str = "\
    SELECT a.attname::text FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
        JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped";

const NAMESAKES: &str = "\
    SELECT n.nspname::text, c.relname::text FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
        JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE a.attname = $1 AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
      AND NOT (n.nspname = $2 AND c.relname = $3)";

/// Indexes and constraints of the table, and foreign keys to it, but those that the plan has carried over.
const PARTS: &str = "\
    SELECT pg_describe_object(p.classid, p.objid, 0) FROM pg_depend AS p JOIN pg_attribute AS a \
        ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid JOIN pg_class AS c ON c.oid = p.refobjid \
        JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_constraint AS k ON p.classid = 'pg_constraint'::regclass AND k.oid = p.objid \
        LEFT JOIN pg_class AS i ON p.classid = 'pg_class'::regclass AND i.oid = p.objid \
    WHERE p.refclassid = 'pg_class'::regclass AND n.nspname = $1 AND c.relname = $2 AND a.attname = $3 \
      AND (k.contype IN ('c', 'f', 'p', 'u', 'x') OR i.relkind IN ('i', 'I')) \
      AND coalesce(k.conname, i.relname) <> ALL ($4::text[]) ORDER BY 1";

/// Bodies that are text; those that are not (BEGIN ATOMIC) depend on the column itself. Of extensions' functions the
/// extension's author takes care. A trigger of a partition fires for the table's rows.
const ROUTINES: &str = "\
    WITH own AS (SELECT t.* FROM pg_trigger AS t WHERE t.tgrelid IN (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
            WHERE n.nspname = $1 AND c.relname = $2 UNION SELECT l.relid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, \
            LATERAL pg_partition_tree(c.oid) AS l WHERE n.nspname = $1 AND c.relname = $2)) \
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END || p.oid::regprocedure::text, l.lanname::text, \
           CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN pg_get_functiondef(p.oid) ELSE p.prosrc END, \
           EXISTS (SELECT 1 FROM own WHERE own.tgfoid = p.oid), \
           ARRAY(SELECT DISTINCT x.name::text FROM own, unnest(ARRAY[own.tgoldtable, own.tgnewtable]) AS x (name) WHERE own.tgfoid = p.oid AND x.name IS NOT NULL) \
    FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang JOIN pg_namespace AS n ON n.oid = p.pronamespace \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'crossfade') \
      AND p.prokind IN ('f', 'p', 'w') AND p.prosqlbody IS NULL \
      AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') \
    ORDER BY 1 LIMIT $3";

/// The application's triggers on the table: their functions may be told names of columns.
const TRIGGERS: &str = "\
    SELECT pg_describe_object('pg_trigger'::regclass, t.oid, 0), pg_get_triggerdef(t.oid) \
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2 AND NOT t.tgisinternal AND t.tgnargs > 0 AND t.tgparentid = 0 ORDER BY 1";

/// Functions that get a row of the table, or of one of its partitions, as a whole: those of its triggers, and those in an expression
/// over the whole row (`WHEN (f(NEW.*))`, `CHECK (f(t.*))`). Of the second kind also the text of the object itself, which may name
/// a column in quotes: `to_jsonb(NEW.*) ->> 'status'`. The server notes of neither which columns they read. In stored
/// expressions a whole row is the column 0; those of generated columns and statistics cannot have one. A function counts if a row of
/// the table fits one of its parameters; of one that takes any row, in a view or beside a sub-select, it may be another table's.
const OVER_ROWS: &str = "\
    WITH RECURSIVE tree AS (SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid), \
    stored (class, oid, expression, text) AS ( \
        SELECT 'pg_trigger'::regclass, t.oid, t.tgqual::text, pg_get_triggerdef(t.oid) FROM tree JOIN pg_trigger AS t ON t.tgrelid = tree.oid \
            WHERE t.tgqual IS NOT NULL AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgname NOT LIKE '%zz\\_crossfade\\_%' \
        UNION ALL SELECT 'pg_policy'::regclass, p.oid, concat(p.polqual::text, p.polwithcheck::text), \
            concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid)) FROM tree JOIN pg_policy AS p ON p.polrelid = tree.oid \
        UNION ALL SELECT 'pg_constraint'::regclass, k.oid, k.conbin::text, pg_get_constraintdef(k.oid) FROM tree JOIN pg_constraint AS k ON k.conrelid = tree.oid \
            WHERE k.contype = 'c' AND (k.coninhcount = 0 OR k.conrelid = $1) \
        UNION ALL SELECT 'pg_class'::regclass, i.indexrelid, concat(i.indexprs::text, i.indpred::text), pg_get_indexdef(i.indexrelid) \
            FROM tree JOIN pg_index AS i ON i.indrelid = tree.oid \
            WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid) \
        UNION ALL SELECT 'pg_rewrite'::regclass, w.oid, concat(w.ev_qual::text, w.ev_action::text), pg_get_ruledef(w.oid) FROM pg_rewrite AS w \
            WHERE EXISTS (SELECT 1 FROM tree JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = tree.oid \
                WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid)), \
    over_row AS (SELECT * FROM stored WHERE expression LIKE '%:varattno 0 %'), \
    called AS ( \
        SELECT o.class, o.oid, m[1]::oid AS function, false AS fires, \
               o.class <> 'pg_rewrite'::regclass AND o.expression NOT LIKE '%{QUERY %' AS is_alone FROM over_row AS o, regexp_matches(o.expression, ':(?:op)?funcid ([0-9]+)', 'g') AS m \
        UNION SELECT 'pg_trigger'::regclass, t.oid, t.tgfoid, true, true FROM tree JOIN pg_trigger AS t ON t.tgrelid = tree.oid \
            WHERE NOT t.tgisinternal AND t.tgparentid = 0), \
    above (oid) AS (SELECT oid FROM tree UNION SELECT i.inhparent FROM above JOIN pg_inherits AS i ON i.inhrelid = above.oid), \
    fitting (oid) AS (SELECT r.reltype FROM above JOIN pg_class AS r ON r.oid = above.oid \
        UNION SELECT t.oid FROM fitting JOIN pg_type AS t ON t.typelem = fitting.oid AND t.typcategory = 'A' OR t.typbasetype = fitting.oid), \
    takes (own, any_row) AS (SELECT array_agg(oid), '{2249,2276,2277,2283,2776,5077,5078,5079}'::oid[] FROM fitting) \
    SELECT pg_describe_object(c.class, c.oid, 0), \
           CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END || p.oid::regprocedure::text, l.lanname::text, \
           CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN pg_get_functiondef(p.oid) ELSE p.prosrc END, c.fires, \
           coalesce((SELECT array_remove(ARRAY[t.tgoldtable, t.tgnewtable]::text[], NULL) FROM pg_trigger AS t WHERE c.fires AND t.oid = c.oid), '{}'), \
           c.is_alone OR p.proargtypes::oid[] && takes.own \
    FROM takes CROSS JOIN called AS c JOIN pg_proc AS p ON p.oid = c.function JOIN pg_language AS l ON l.oid = p.prolang JOIN pg_namespace AS n ON n.oid = p.pronamespace \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'crossfade') AND p.prosqlbody IS NULL \
      AND (c.fires OR p.proargtypes::oid[] && takes.own OR p.proargtypes::oid[] && takes.any_row) \
    UNION ALL SELECT pg_describe_object(o.class, o.oid, 0), NULL, 'sql', o.text, false, '{}', false FROM over_row AS o \
    ORDER BY 1, 2";

/// Which of these columns such functions read, by the names that they have now: those that are sure, and those that may be.
pub async fn row_readers(
    client: &impl GenericClient,
    name: &TableName,
    columns: &[Ident],
) -> Result<Vec<RowReader>> {
    let Some(oid) = catalog::oid_of(client, name).await? else {
        return Ok(Vec::new());
    };
    let rows = client.query(OVER_ROWS, &[&oid]).await?;
    let mut readers = Vec::new();
    for one in columns {
        let mut described = None;
        for row in &rows {
            let (Some(object), Some(definition)) = (
                row.get::<_, Option<String>>(0),
                row.get::<_, Option<String>>(3),
            ) else {
                continue; // Dropped since the statement began.
            };
            if !references::mentions(&definition, one.as_str()) {
                continue;
            }
            let Some(object_of_routine) = row.get::<_, Option<String>>(1) else {
                if has_as_text(&definition, one) {
                    readers.push(RowReader {
                        column: one.clone(),
                        object,
                        routine: None,
                        is_sure: false,
                    });
                }
                continue;
            };
            let transition_tables: Vec<String> = row.get(5);
            let routine = Routine {
                object: object_of_routine,
                language: row.get(2),
                definition,
                fires_on_table: row.get(4),
                transition_tables: transition_tables
                    .into_iter()
                    .map(Ident::from_catalog)
                    .collect(),
            };
            let subject = match &mut described {
                Some(subject) => &*subject,
                None => &*described.insert(Subject::Column(column(client, name, one).await?)),
            };
            let naming = subject.in_routine(&routine);
            let is_sure = match naming {
                Some(Naming::ByName) => !references::asks_for_table(&routine),
                Some(Naming::NotParsed | Naming::NotResolved | Naming::DynamicSql) => false,
                // As a whole, by all functions that a row is given to.
                Some(Naming::Row | Naming::Positions | Naming::Star) | None
                    if routine.fires_on_table =>
                {
                    continue;
                }
                // A parameter may have any name and any type that takes a row.
                Some(Naming::Row | Naming::Positions | Naming::Star) | None => {
                    let is_of_table: bool = row.get(6);
                    is_of_table && is_field(&routine.definition, one)
                }
            };
            readers.push(RowReader {
                column: one.clone(),
                object,
                routine: Some(routine.object),
                is_sure,
            });
        }
    }
    Ok(readers)
}

/// A text in quotes that is the column's name.
fn has_as_text(definition: &str, column: &Ident) -> bool {
    let literal = crossfade_plan::sqlgen::literal::text(column.as_str());
    let mut tokens = significant(definition).into_iter();
    tokens.any(|token| token.class == Class::String && token.text(definition) == literal)
}

/// `r.status`, `$1.status`, `(r).status`.
fn is_field(definition: &str, column: &Ident) -> bool {
    // The body is one token.
    let body = significant(definition)
        .into_iter()
        .filter(|token| token.class == Class::DollarString)
        .map(|token| token.text(definition).trim_matches('$').to_owned())
        .next_back();
    let body = body
        .as_deref()
        .and_then(|body| body.split_once('$'))
        .and_then(|(_, body)| body.rsplit_once('$'))
        .map(|(body, _)| body);
    let Some(body) = body else { return false };
    let tokens = significant(body);
    tokens.windows(2).any(|pair| {
        let named = pair[1].name(body);
        pair[0].text(body).ends_with('.') && named.as_deref() == Some(column.as_str())
    })
}

/// What the resolver has to know to tell the column from others.
pub async fn column(
    client: &impl GenericClient,
    table: &TableName,
    column: &Ident,
) -> Result<Column> {
    let (schema, name) = (table.schema.as_str(), table.name.as_str());
    let columns = client.query(COLUMNS, &[&schema, &name]).await?;
    let namesakes = client
        .query(NAMESAKES, &[&column.as_str(), &schema, &name])
        .await?;
    let ident = |name: String| Ident::from_catalog(name);
    Ok(Column {
        table: table.clone(),
        column: column.clone(),
        of_table: columns.iter().map(|row| ident(row.get(0))).collect(),
        also_in: namesakes
            .iter()
            .map(|row| TableName {
                schema: ident(row.get(0)),
                name: ident(row.get(1)),
            })
            .collect(),
    })
}

/// Objects that depend on the column by its present name, except indexes and constraints called as in `carried`.
pub async fn dependents(
    client: &impl GenericClient,
    run: &RunName,
    table: &TableName,
    column: &Ident,
    carried: &[&str],
) -> Result<Vec<String>> {
    let mut found = catalog::dependents_of(client, run, table, column).await?;
    let parts = client
        .query(
            PARTS,
            &[
                &table.schema.as_str(),
                &table.name.as_str(),
                &column.as_str(),
                &carried,
            ],
        )
        .await?;
    found.extend(
        parts
            .iter()
            .filter_map(|row| row.get::<_, Option<String>>(0)),
    );
    Ok(found)
}

/// What the resolver has to know of a table.
pub async fn table(client: &impl GenericClient, table: &TableName) -> Result<Table> {
    let (schema, name) = (table.schema.as_str(), table.name.as_str());
    let columns = client.query(COLUMNS, &[&schema, &name]).await?;
    let columns = columns
        .iter()
        .map(|row| Ident::from_catalog(row.get::<_, String>(0)));
    Ok(Table {
        name: table.clone(),
        columns: columns.collect(),
    })
}

/// Functions and procedures whose bodies name it, or may, and triggers that tell their functions its name.
pub async fn routines(client: &impl GenericClient, subject: &Subject) -> Result<Vec<String>> {
    let table = subject.table();
    let (schema, name) = (table.schema.as_str(), table.name.as_str());
    let rows = client
        .query(ROUTINES, &[&schema, &name, &(READ_MAX + 1)])
        .await?;
    let is_hidden = client
        .query_one(
            "SELECT current_setting('pg_stat_statements.track', true) = 'top'",
            &[],
        )
        .await?
        .get::<_, Option<bool>>(0)
        == Some(true);
    let mut found: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let routine = Routine {
                object: row.get(0),
                language: row.get(1),
                // NULL once another session has dropped it; and so below.
                definition: row.get::<_, Option<String>>(2)?,
                fires_on_table: row.get(3),
                transition_tables: row
                    .get::<_, Vec<String>>(4)
                    .into_iter()
                    .map(Ident::from_catalog)
                    .collect(),
            };
            if let Some(naming) = subject.in_routine(&routine) {
                return Some(format!("{} ({naming})", routine.object));
            }
            (is_hidden && references::is_dynamic(&routine))
                .then(|| format!("{} ({HIDDEN_INSIDE})", routine.object))
        })
        .collect();
    let triggers = client.query(TRIGGERS, &[&schema, &name]).await?;
    found.extend(triggers.iter().filter_map(|row| {
        let naming = subject.in_trigger(row.get::<_, Option<&str>>(1)?)?;
        Some(format!("{} ({naming})", row.get::<_, Option<&str>>(0)?))
    }));
    if i64::try_from(rows.len()).is_ok_and(|count| count > READ_MAX) {
        found.push(format!("functions beyond the first {READ_MAX} (not read)"));
    }
    Ok(found)
}

/// The statements that may be about the table, or why it is not known what is called. The outer error is the connection's.
pub async fn statistics(
    client: &impl GenericClient,
    subjects: &[Subject],
) -> Result<std::result::Result<Statistics, String>> {
    let schema = match readable(client).await? {
        Ok(schema) => schema,
        Err(why) => return Ok(Err(why)),
    };
    let totals = client
        .query_one(
            &format!(
                "SELECT i.dealloc, i.stats_reset, coalesce(sum(s.calls), 0)::bigint, \
                     coalesce(bool_or(s.queryid IS NULL OR s.query = '<insufficient privilege>'), false), \
                     coalesce(bool_or(s.query IS NULL), false) \
                 FROM {schema}.pg_stat_statements_info AS i LEFT JOIN {schema}.pg_stat_statements AS s \
                     ON s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 1, 2"
            ),
            &[],
        )
        .await?;
    if totals.get(3) {
        return Ok(Err(HIDDEN.to_owned()));
    }
    if totals.get(4) {
        return Ok(Err(
            "pg_stat_statements has lost the texts of statements: pg_stat_statements_reset() empties it".to_owned(),
        ));
    }
    let mut names: Vec<String> = subjects
        .iter()
        .flat_map(Subject::words)
        .map(str::to_lowercase)
        .collect();
    names.push("u&\"".to_owned());
    let rows = client
        .query(
            &format!(
                "SELECT s.userid, s.queryid, s.toplevel, s.calls, s.query FROM {schema}.pg_stat_statements AS s \
                 WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                   AND EXISTS (SELECT 1 FROM unnest($1::text[]) AS n (name) WHERE strpos(lower(s.query), n.name) > 0) LIMIT $2"
            ),
            &[&names, &(READ_MAX + 1)],
        )
        .await?;
    if i64::try_from(rows.len()).is_ok_and(|count| count > READ_MAX) {
        return Ok(Err(format!(
            "there are more than {READ_MAX} statements about the table: pg_stat_statements_reset() empties it"
        )));
    }
    Ok(Ok(Statistics {
        counters: Counters {
            dealloc: totals.get(0),
            stats_reset: totals.get(1),
            calls_total: totals.get(2),
        },
        statements: rows
            .iter()
            .map(|row| {
                let id = StatementId {
                    role_oid: row.get(0),
                    query_id: row.get(1),
                    top_level: row.get(2),
                };
                (id, row.get(3), row.get(4))
            })
            .collect(),
    }))
}

/// Of a function that runs statements which are not in its text.
const HIDDEN_INSIDE: &str = "may name it: it puts statements together, and pg_stat_statements.track is top, which does not count them: set it to all";
const HIDDEN: &str =
    "statements of other roles are hidden from this one: GRANT pg_read_all_stats TO it";
const ASK_FOR_IT: &str = "or leave out `no_references` and ask for `old_writes_quiet`";

/// The schema of the extension, as SQL; or why its view shows nothing or not all.
async fn readable(client: &impl GenericClient) -> Result<std::result::Result<String, String>> {
    let row = client
        .query_one(
            "SELECT (SELECT quote_ident(n.nspname) FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace \
                        WHERE e.extname = 'pg_stat_statements'), \
                    current_setting('pg_stat_statements.track', true), current_setting('pg_stat_statements.track_utility', true), \
                    current_setting('compute_query_id'), \
                    (SELECT string_agg(DISTINCT split_part(c, '=', 1), ', ') FROM pg_db_role_setting AS s, unnest(s.setconfig) AS c \
                        WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND c ~ '^(pg_stat_statements\\.track(_utility)?|compute_query_id)='), \
                    (SELECT count(*) FROM pg_class AS c JOIN pg_extension AS e ON c.relnamespace = e.extnamespace \
                        WHERE e.extname = 'pg_stat_statements' AND c.relname = 'pg_stat_statements_info'), \
                    pg_has_role('pg_read_all_stats', 'USAGE')",
            &[],
        )
        .await?;
    let setting = |column: usize| row.get::<_, Option<String>>(column);
    let Some(schema) = setting(0) else {
        return Ok(Err(format!(
            "the extension pg_stat_statements is not in this database: CREATE EXTENSION pg_stat_statements (it must be in shared_preload_libraries), {ASK_FOR_IT}"
        )));
    };
    let why = match (setting(1).as_deref(), setting(2).as_deref()) {
        (None, _) => Some(
            "pg_stat_statements is not in shared_preload_libraries: add it there and restart the server",
        ),
        (Some("none"), _) => Some("pg_stat_statements.track is none: set it to top or all"),
        (_, Some("off")) => {
            Some("pg_stat_statements.track_utility is off, which hides COPY: set it to on")
        }
        _ if setting(3).as_deref() == Some("off") => {
            Some("compute_query_id is off: set it to auto")
        }
        _ if row.get::<_, i64>(5) == 0 => Some(
            "pg_stat_statements is of an old version: ALTER EXTENSION pg_stat_statements UPDATE",
        ),
        _ => None,
    };
    // Told even where nothing is hidden at the moment: the next statement would be.
    if !row.get::<_, bool>(6) {
        return Ok(Err(HIDDEN.to_owned()));
    }
    if let Some(why) = why {
        return Ok(Err(format!("{why}, {ASK_FOR_IT}")));
    }
    if let Some(settings) = setting(4) {
        return Ok(Err(format!(
            "{settings} is set for a role or a database, so that statements may not be counted: ALTER ROLE or DATABASE … RESET it, {ASK_FOR_IT}"
        )));
    }
    Ok(Ok(schema))
}
