//! What each partition has set on a column by itself is set on the new one there, too.

use crate::sqlgen::{ddl_unit::Statement, literal};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;

/// Read when the column is added, with the table and its partitions locked by that: they may have come or gone since the plan
/// was compiled.
pub(super) fn settings(table: &TableName, column: &Ident, like: &Ident) -> Statement {
    let text = |name: &str| literal::text(name);
    let (table_text, new, old) = (
        text(&table.to_string()),
        text(column.as_str()),
        text(like.as_str()),
    );
    Statement::new(format!(
        "DO $crossfade$ DECLARE part record; given record; BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; \
         FOR part IN SELECT p.relid::pg_catalog.regclass AS name, a.attstattarget::integer AS target, pg_catalog.array_to_string(a.attoptions, ', ') AS options, \
         CASE WHEN a.atttypid = b.atttypid AND a.attstorage <> t.typstorage THEN \
         CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' WHEN 'm' THEN 'MAIN' END END AS storage, \
         CASE WHEN a.atttypid = b.atttypid THEN CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END END AS compression, \
         pg_catalog.col_description(p.relid, a.attnum) AS comment, a.attacl AS acl \
         FROM pg_catalog.pg_partition_tree({table_text}::pg_catalog.regclass) AS p JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.relid \
         JOIN pg_catalog.pg_attribute AS b ON b.attrelid = p.relid JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid \
         WHERE p.level > 0 AND a.attname = {old} AND b.attname = {new} ORDER BY p.level LOOP \
         IF part.storage IS NOT NULL THEN EXECUTE pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STORAGE %s', part.name, {new}, part.storage); END IF; \
         IF part.compression IS NOT NULL THEN EXECUTE pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I SET COMPRESSION %s', part.name, {new}, part.compression); END IF; \
         IF part.target >= 0 THEN EXECUTE pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s', part.name, {new}, part.target); END IF; \
         IF part.options <> '' THEN EXECUTE pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I SET (%s)', part.name, {new}, part.options); END IF; \
         IF part.comment IS NOT NULL THEN EXECUTE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', part.name, {new}, part.comment); END IF; \
         FOR given IN SELECT g.privilege_type AS privilege, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS grantee, \
         CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option FROM pg_catalog.aclexplode(part.acl) AS g LOOP \
         EXECUTE pg_catalog.format('GRANT %s (%I) ON TABLE %s TO %s%s', given.privilege, {new}, part.name, given.grantee, given.option); END LOOP; \
         END LOOP; END $crossfade$"
    ))
    .lock(table, Lock::AccessExclusiveLock)
}
