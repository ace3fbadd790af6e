//! How an object stands, as text that is the same as long as nobody has changed it. Our sessions have a `search_path` of their own,
//! so names in it are written out.

use super::{Observer, Result, comment, partitions};
use crate::database::catalog::using;
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::objects::{Object, Touched, ViewAspect};
use tokio_postgres::GenericClient;

/// `$1` is the schema, `$3` the index, whatever table it is on; `$2` the table that it should be on.
const INDEX: &str = "SELECT ARRAY[pg_get_indexdef(i.indexrelid), CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, \
        CASE WHEN c.relname = $2 AND t.nspname = $1 THEN '' ELSE 'ON ' || i.indrelid::regclass::text || ' USING ' END] \
    FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = x.relnamespace \
         JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS t ON t.oid = c.relnamespace \
    WHERE n.nspname = $1 AND x.relname = $3";

/// Whether it is validated says nothing of what it is.
const CONSTRAINT: &str = "SELECT regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') FROM pg_constraint AS k \
    WHERE k.conrelid = %RELATION% AND k.conname = $3";

const COLUMN: &str = "SELECT format_type(a.atttypid, a.atttypmod) \
        || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END \
        || CASE WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')' ELSE '' END \
        || CASE WHEN a.attidentity <> '' THEN ' GENERATED AS IDENTITY' ELSE '' END \
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = %RELATION% AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped";

const VIEW_QUERY: &str = "SELECT pg_get_viewdef(c.oid) || coalesce(' ' || array_to_string(c.reloptions, ', '), '') \
    FROM pg_class AS c WHERE c.oid = %RELATION% AND c.relkind = 'v'";

const VIEW_OWNER: &str = "SELECT pg_get_userbyid(c.relowner)::text FROM pg_class AS c WHERE c.oid = %RELATION% AND c.relkind = 'v'";

/// Without what its owner has of itself.
const VIEW_PRIVILEGES: &str = "SELECT (SELECT string_agg(line, ', ' ORDER BY line) FROM ( \
        SELECT format('%s%s to %s%s', g.privilege_type, ' (' || p.name || ')', CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee)::text END, \
            CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS line \
        FROM (SELECT NULL::text AS name, c.relacl AS acl UNION ALL SELECT quote_ident(a.attname), a.attacl FROM pg_attribute AS a \
                WHERE a.attrelid = c.oid AND a.attnum > 0) AS p, aclexplode(p.acl) AS g WHERE g.grantee <> c.relowner) AS lines) \
    FROM pg_class AS c WHERE c.oid = %RELATION% AND c.relkind = 'v'";

const VIEW_COMMENTS: &str = "SELECT (SELECT string_agg(coalesce(quote_ident(a.attname) || ': ', '') || quote_literal(d.description), ', ' ORDER BY d.objsubid) \
        FROM pg_description AS d LEFT JOIN pg_attribute AS a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0 \
        WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid) \
    FROM pg_class AS c WHERE c.oid = %RELATION% AND c.relkind = 'v'";

const VIEW_DEFAULTS: &str = "SELECT (SELECT string_agg(quote_ident(a.attname) || ' = ' || pg_get_expr(d.adbin, d.adrelid), ', ' ORDER BY d.adnum) \
        FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = c.oid) \
    FROM pg_class AS c WHERE c.oid = %RELATION% AND c.relkind = 'v'";

/// `None`: it is not there, or has nothing of this kind. `now`: what a column of the plan is called by now.
pub async fn definition<C: GenericClient>(
    client: &C,
    touched: &Touched,
    now: impl Fn(&Ident) -> Ident,
) -> Result<Option<String>> {
    if let Some((partition, of)) = &touched.partition
        && !partitions::is_partition(client, partition, of).await?
    {
        return Ok(None);
    }
    let observer = |table| Observer { client, table };
    Ok(match &touched.object {
        Object::Index(table, name) => {
            let found: Option<Vec<String>> = observer(table).look(INDEX, &[&name.as_str()]).await?;
            found.and_then(|found| match found.as_slice() {
                [definition, unique, on] => Some(format!("{unique}{on}{}", using(definition))),
                _ => None,
            })
        }
        Object::Constraint(table, name) => {
            observer(table).look(CONSTRAINT, &[&name.as_str()]).await?
        }
        Object::Default(table, column) => observer(table).default(&now(column)).await?,
        Object::Comment(on) => comment(client, on).await?,
        Object::ReplicaIdentity(table) => {
            let identity = observer(table).replica_identity().await?;
            identity.map(|identity| identity.to_string())
        }
        Object::Column(table, column) => {
            let found: Option<Option<String>> = observer(table)
                .look(COLUMN, &[&now(column).as_str()])
                .await?;
            found.flatten()
        }
        Object::View(aspect, table, _) => view(client, *aspect, table).await?,
    })
}

async fn view<C: GenericClient>(
    client: &C,
    aspect: ViewAspect,
    table: &TableName,
) -> Result<Option<String>> {
    let query = match aspect {
        ViewAspect::Query => VIEW_QUERY,
        ViewAspect::Owner => VIEW_OWNER,
        ViewAspect::Privileges => VIEW_PRIVILEGES,
        ViewAspect::Comments => VIEW_COMMENTS,
        ViewAspect::Defaults => VIEW_DEFAULTS,
    };
    let found: Option<Option<String>> = Observer { client, table }.look(query, &[]).await?;
    Ok(found.flatten())
}
