//! The sequences that give columns their numbers.

use super::{DEFAULT_GRANTEES, Result, ident, table_grants};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::facts::{Column, Identity, Sequence, TakesNumbers};
use tokio_postgres::{GenericClient, Row};

/// What an identity column's sequence was created with. Limits that are its type's own, or the column's, are none.
const IDENTITY: &str = "\
    SELECT format('START WITH %s INCREMENT BY %s %s %s CACHE %s%s', s.seqstart, s.seqincrement, l.lowest, l.highest, \
               s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END), obj_description(s.seqrelid, 'pg_class'), s.seqrelid, \
           CASE WHEN s.seqincrement > 0 THEN nullif(l.highest, 'NO MAXVALUE') ELSE nullif(l.lowest, 'NO MINVALUE') END \
    FROM pg_sequence AS s JOIN (VALUES ('int2'::regtype, 32767::numeric), ('int4', 2147483647), ('int8', 9223372036854775807)) AS t (type, top) \
         ON t.type = s.seqtypid \
         CROSS JOIN LATERAL (SELECT CASE $2 WHEN 'smallint' THEN 32767::numeric WHEN 'integer' THEN 2147483647 ELSE t.top END AS top) AS c \
         CROSS JOIN LATERAL (SELECT \
             CASE WHEN CASE WHEN s.seqincrement > 0 THEN s.seqmin = 1 ELSE s.seqmin IN (-t.top - 1, -c.top - 1) END THEN 'NO MINVALUE' ELSE 'MINVALUE ' || s.seqmin END AS lowest, \
             CASE WHEN CASE WHEN s.seqincrement > 0 THEN s.seqmax IN (t.top, c.top) ELSE s.seqmax = -1 END THEN 'NO MAXVALUE' ELSE 'MAXVALUE ' || s.seqmax END AS highest) AS l \
    WHERE s.seqrelid = to_regclass($1)";

/// Those that the table's defaults name, and those that its columns own, each with the other columns that it is named for.
const SEQUENCES: &str = "\
    SELECT u.number, n.nspname::text, c.relname::text, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, \
           pg_get_userbyid(c.relowner)::text, pg_has_role(current_user, c.relowner, 'USAGE'), o.schemas, o.tables, o.columns, o.types \
    FROM (SELECT d.adnum AS number, p.refobjid AS oid FROM pg_attrdef AS d JOIN pg_depend AS p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid \
              AND p.refclassid = 'pg_class'::regclass WHERE d.adrelid = $1 \
          UNION SELECT p.refobjsubid, p.objid FROM pg_depend AS p WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass \
              AND p.refobjid = $1 AND p.refobjsubid > 0 AND p.deptype = 'a') AS u \
         JOIN pg_class AS c ON c.oid = u.oid AND c.relkind = 'S' JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_sequence AS s ON s.seqrelid = c.oid \
         CROSS JOIN LATERAL (SELECT coalesce(array_agg(on_.nspname::text ORDER BY oa.attrelid, oa.attnum), '{}') AS schemas, \
             coalesce(array_agg(oc.relname::text ORDER BY oa.attrelid, oa.attnum), '{}') AS tables, \
             coalesce(array_agg(oa.attname::text ORDER BY oa.attrelid, oa.attnum), '{}') AS columns, \
             coalesce(array_agg(format_type(oa.atttypid, oa.atttypmod) ORDER BY oa.attrelid, oa.attnum), '{}') AS types \
             FROM pg_depend AS p JOIN pg_attrdef AS d ON d.oid = p.objid JOIN pg_attribute AS oa ON oa.attrelid = d.adrelid AND oa.attnum = d.adnum \
                  JOIN pg_class AS oc ON oc.oid = oa.attrelid JOIN pg_namespace AS on_ ON on_.oid = oc.relnamespace \
             WHERE p.classid = 'pg_attrdef'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid \
               AND NOT (d.adrelid = $1 AND d.adnum = u.number)) AS o \
    ORDER BY 1, 2, 3";

/// What the sequence of an identity column is like.
pub(super) async fn read_identity(
    client: &impl GenericClient,
    identity: &mut Identity,
    type_name: &str,
) -> Result<()> {
    if identity.sequence.is_empty() {
        return Ok(()); // Dropped while it was looked for.
    }
    let found = client
        .query_opt(IDENTITY, &[&identity.sequence, &type_name])
        .await?;
    let Some(row) = found else {
        return Ok(());
    };
    identity.options = row.get(0);
    identity.comment = row.get(1);
    identity.limit = row.get(3);
    identity.grants = table_grants(client, row.get(2)).await?;
    let grantees = client.query(DEFAULT_GRANTEES, &[&"S"]).await?;
    identity.default_grantees = grantees.iter().map(|row| ident(row, 0)).collect();
    Ok(())
}

/// Of the table's columns, given to each.
pub(super) async fn read(
    client: &impl GenericClient,
    oid: u32,
    columns: &mut [Column],
) -> Result<()> {
    let numbers = "SELECT attname::text, attnum::integer FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped";
    let rows = client.query(SEQUENCES, &[&oid]).await?;
    if rows.is_empty() {
        return Ok(());
    }
    for named in client.query(numbers, &[&oid]).await? {
        let (name, number) = (ident(&named, 0), named.get::<_, i32>(1));
        let own = rows.iter().filter(|row| row.get::<_, i32>(0) == number);
        if let Some(column) = columns.iter_mut().find(|column| column.name == name) {
            column.sequences = own.map(sequence).collect();
        }
    }
    Ok(())
}

fn sequence(row: &Row) -> Sequence {
    let texts = |column: usize| row.get::<_, Vec<String>>(column).into_iter();
    let others = texts(10).zip(texts(11)).zip(texts(12)).zip(texts(13));
    let other = |(((schema, table), column), type_name): (((String, String), String), String)| {
        TakesNumbers {
            table: TableName {
                schema: Ident::from_catalog(schema),
                name: Ident::from_catalog(table),
            },
            column: Ident::from_catalog(column),
            type_name,
        }
    };
    Sequence {
        name: TableName {
            schema: ident(row, 1),
            name: ident(row, 2),
        },
        number_type: row.get(3),
        increment: row.get(4),
        min: row.get(5),
        max: row.get(6),
        cycle: row.get(7),
        owner: row.get(8),
        owned: row.get(9),
        others: others.map(other).collect(),
    }
}
