//! Indexes and constraints that name a column of a table or of its partitions, and what a partition has of its own.

use super::{Result, ident, oid_of, still_there};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::facts::{OwnOfPartition, OwnPart};
use tokio_postgres::{GenericClient, Row};

/// Indexes and constraints that name the column `$2`, or any where that is NULL; those of other tables and of partitions
/// among them. What a partition has of its table is the table's.
const PARTS: &str = "\
    WITH RECURSIVE tree AS (SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid) \
    SELECT DISTINCT pg_describe_object(p.classid, p.objid, 0), n.nspname::text, o.relname::text, coalesce(k.conname, c.relname)::text, \
           a.attname::text, tn.nspname::text, t.relname::text, tree.oid <> $1, \
           coalesce(k.contype IN ('c', 'x') OR x.indexprs IS NOT NULL OR x.indpred IS NOT NULL, false) \
    FROM tree JOIN pg_class AS t ON t.oid = tree.oid JOIN pg_namespace AS tn ON tn.oid = t.relnamespace \
         JOIN pg_attribute AS a ON a.attrelid = tree.oid AND ($2::text IS NULL OR a.attname = $2) AND a.attnum > 0 AND NOT a.attisdropped \
         JOIN pg_depend AS p ON p.refclassid = 'pg_class'::regclass AND p.refobjid = tree.oid AND p.refobjsubid = a.attnum \
         LEFT JOIN pg_constraint AS k ON p.classid = 'pg_constraint'::regclass AND k.oid = p.objid \
             AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0 AND k.coninhcount = 0 \
         LEFT JOIN pg_index AS x ON p.classid = 'pg_class'::regclass AND x.indexrelid = p.objid \
             AND NOT EXISTS (SELECT 1 FROM pg_inherits AS h WHERE h.inhrelid = x.indexrelid) \
         LEFT JOIN pg_class AS c ON c.oid = x.indexrelid \
         JOIN pg_class AS o ON o.oid = coalesce(k.conrelid, x.indrelid) JOIN pg_namespace AS n ON n.oid = o.relnamespace \
    ORDER BY 1";

/// What the partitions of `$1` have on the column `$2` (NULL: on any) besides what hangs on it, and the table has not. Where
/// `$3` is given, another column that takes its place: what that one has not alike there, its settings too. The table's
/// default goes down to that column in the end.
const OWN: &str = "\
    SELECT n.nspname::text, c.relname::text, a.attname::text, w.what \
    FROM pg_partition_tree($1::oid) AS p JOIN pg_class AS c ON c.oid = p.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_attribute AS a ON a.attrelid = p.relid AND a.attnum > 0 AND NOT a.attisdropped AND ($2::text IS NULL OR a.attname = $2) \
         JOIN pg_attribute AS r ON r.attrelid = $1 AND r.attname = a.attname JOIN pg_type AS t ON t.oid = a.atttypid \
         LEFT JOIN pg_attrdef AS ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum \
         LEFT JOIN pg_attrdef AS rd ON rd.adrelid = r.attrelid AND rd.adnum = r.attnum \
         LEFT JOIN pg_attribute AS b ON b.attrelid = p.relid AND b.attname = $3 AND NOT b.attisdropped \
         LEFT JOIN pg_attrdef AS bd ON bd.adrelid = b.attrelid AND bd.adnum = b.attnum \
         CROSS JOIN LATERAL (SELECT pg_get_expr(ad.adbin, ad.adrelid) AS own, pg_get_expr(rd.adbin, rd.adrelid) AS of_table, \
             pg_get_expr(bd.adbin, bd.adrelid) AS successor) AS e \
         CROSS JOIN LATERAL (VALUES \
             (CASE WHEN e.own IS DISTINCT FROM e.of_table AND (e.of_table IS NOT NULL OR e.own IS DISTINCT FROM e.successor) \
                 THEN 'its default ' || coalesce(e.own, 'none') END), \
             (CASE WHEN a.attnotnull AND NOT r.attnotnull AND NOT coalesce(b.attnotnull, false) THEN 'its NOT NULL' END), \
             (CASE WHEN a.attidentity <> r.attidentity THEN 'its identity' END), \
             (CASE WHEN a.attgenerated <> r.attgenerated THEN 'its generation expression' END), \
             ((SELECT 'its sequence ' || s.oid::regclass FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S' \
                 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid \
                   AND d.refobjsubid = a.attnum AND d.deptype = 'a' ORDER BY 1 LIMIT 1)), \
             ((SELECT 'its security label of ' || l.provider FROM pg_seclabel AS l WHERE l.classoid = 'pg_class'::regclass \
                 AND l.objoid = a.attrelid AND l.objsubid = a.attnum ORDER BY 1 LIMIT 1)), \
             ((SELECT 'its rights that were given by ' || pg_get_userbyid(g.grantor) || ', who does not own it' FROM aclexplode(a.attacl) AS g \
                 WHERE g.grantor <> c.relowner ORDER BY 1 LIMIT 1)), \
             (CASE WHEN b.attname IS NOT NULL AND col_description(a.attrelid, a.attnum) <> coalesce(col_description(b.attrelid, b.attnum), '') \
                 THEN 'its comment' END), \
             (CASE WHEN b.attname IS NOT NULL AND a.attstattarget >= 0 AND a.attstattarget IS DISTINCT FROM b.attstattarget THEN 'its statistics target' END), \
             (CASE WHEN a.atttypid = b.atttypid AND a.attstorage <> t.typstorage AND a.attstorage <> b.attstorage THEN 'its storage' END), \
             (CASE WHEN a.atttypid = b.atttypid AND a.attcompression <> '' AND a.attcompression <> b.attcompression THEN 'its compression' END), \
             (CASE WHEN b.attname IS NOT NULL AND a.attoptions IS NOT NULL AND a.attoptions IS DISTINCT FROM b.attoptions THEN 'its options' END), \
             (CASE WHEN b.attname IS NOT NULL AND EXISTS (SELECT g.privilege_type, g.grantee, g.is_grantable FROM aclexplode(a.attacl) AS g \
                 EXCEPT SELECT g.privilege_type, g.grantee, g.is_grantable FROM aclexplode(b.attacl) AS g) THEN 'its privileges' END) \
         ) AS w (what) \
    WHERE p.level > 0 AND w.what IS NOT NULL ORDER BY 1, 2, 3, 4";

/// An index or a constraint.
pub struct Part {
    /// As the server describes it: `constraint positive on table public.users`.
    pub object: String,
    pub table: TableName,
    pub name: Ident,
    /// The partition whose column it names, and whose own it is.
    pub partition: Option<TableName>,
    column: Ident,
    proved_again: bool,
}

fn table_name(row: &Row, at: usize) -> TableName {
    TableName {
        schema: ident(row, at),
        name: ident(row, at + 1),
    }
}

async fn parts(client: &impl GenericClient, oid: u32, column: Option<&str>) -> Result<Vec<Part>> {
    let rows = client.query(PARTS, &[&oid, &column]).await?;
    let part = |row: &Row| Part {
        object: row.get(0),
        table: table_name(row, 1),
        name: ident(row, 3),
        column: ident(row, 4),
        partition: row.get::<_, bool>(7).then(|| table_name(row, 5)),
        proved_again: row.get(8),
    };
    Ok(still_there(&rows, 0, part))
}

/// The indexes and constraints that name the column, under the names that both have now.
pub async fn parts_of(
    client: &impl GenericClient,
    name: &TableName,
    column: &Ident,
) -> Result<Vec<Part>> {
    match oid_of(client, name).await? {
        Some(oid) => parts(client, oid, Some(column.as_str())).await,
        None => Ok(Vec::new()),
    }
}

async fn settings(
    client: &impl GenericClient,
    oid: u32,
    (column, successor): (Option<&str>, Option<&str>),
) -> Result<Vec<OwnOfPartition>> {
    let rows = client.query(OWN, &[&oid, &column, &successor]).await?;
    let own = |row: &Row| OwnOfPartition {
        partition: table_name(row, 0),
        column: ident(row, 2),
        what: row.get(3),
        part: None,
    };
    Ok(rows.iter().map(own).collect())
}

/// All that partitions have of their own and the table's columns do not have.
pub(super) async fn own(client: &impl GenericClient, oid: u32) -> Result<Vec<OwnOfPartition>> {
    let mut own = settings(client, oid, (None, None)).await?;
    let parts = parts(client, oid, None).await?.into_iter();
    own.extend(parts.filter_map(|part| {
        Some(OwnOfPartition {
            partition: part.partition?,
            column: part.column,
            what: format!("its {}", part.object),
            part: Some(OwnPart {
                table: part.table,
                name: part.name,
                proved_again: part.proved_again,
            }),
        })
    }));
    Ok(own)
}

/// What partitions have set on the column and not alike on the one that takes its place.
pub async fn settings_of_partitions(
    client: &impl GenericClient,
    name: &TableName,
    column: &Ident,
    successor: &Ident,
) -> Result<Vec<OwnOfPartition>> {
    let names = (Some(column.as_str()), Some(successor.as_str()));
    match oid_of(client, name).await? {
        Some(oid) => settings(client, oid, names).await,
        None => Ok(Vec::new()),
    }
}
