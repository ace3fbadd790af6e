//! Reads what planning may know of the user's tables.

mod dropping;
mod partitions;
mod sequences;
mod triggers;

use super::{Result, products, references};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{ddl_unit::ReplicaIdentity, sync::NOTES_WHILE_ACTIVE};
use crossfade_plan::{
    document::RunName,
    facts::{
        Column, Constraint, ConstraintKind, Dependent, Facts, Grant, Hanging, Holder, Identity,
        Inbound, Index, Partition, Table, TableKind, Unproven, UpdateRule,
    },
    key::Operator,
    leftover_triggers::Standing,
};
use crossfade_sql::lexer::significant;
pub use dropping::dependents_of_dropped;
pub use partitions::{Part, parts_of, settings_of_partitions};
use tokio_postgres::{Client, GenericClient, Row};
pub use triggers::changing_of as changing_triggers_of;

/// What the session may do is what its current role may, which `SET ROLE` has entered, or the one that logged in.
const IDENTITY: &str = "\
    SELECT current_setting('server_version_num')::integer, current_user::text, r.rolsuper, \
           r.rolsuper OR CASE WHEN current_setting('server_version_num')::integer >= 150000 \
               THEN pg_catalog.has_parameter_privilege(current_user, 'session_replication_role', 'SET') END, \
           session_user::text, r.rolinherit \
    FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user";

/// Before PostgreSQL 15 there is no such function to name, not even in a branch that is not taken.
const IDENTITY_14: &str = "\
    SELECT current_setting('server_version_num')::integer, current_user::text, r.rolsuper, r.rolsuper, session_user::text, r.rolinherit \
    FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user";

const TABLE: &str = "\
    SELECT c.oid, c.relkind::text, c.relpersistence::text, c.relispartition, pg_get_userbyid(c.relowner)::text, \
           pg_has_role(current_user, c.relowner, 'USAGE'), has_schema_privilege(c.relowner, n.oid, 'CREATE'), \
           NOT r.rolsuper AND NOT r.rolbypassrls AND EXISTS (SELECT 1 FROM pg_class AS s WHERE (s.oid = c.oid OR s.oid IN (SELECT relid FROM pg_partition_tree(c.oid))) \
               AND s.relrowsecurity AND (s.relforcerowsecurity OR NOT pg_has_role(current_user, s.relowner, 'USAGE'))), \
           (SELECT max(a.attnum) FROM pg_attribute AS a WHERE a.attrelid = c.oid OR a.attrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))::bigint, \
           CASE c.relkind WHEN 'p' THEN leaves.tuples ELSE c.reltuples END::float8, \
           CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) WHEN c.relkind = 'p' THEN leaves.bytes ELSE 0 END / current_setting('block_size')::bigint, \
           EXISTS (SELECT 1 FROM pg_inherits AS i WHERE i.inhparent = c.oid), \
           EXISTS (SELECT 1 FROM pg_inherits AS i WHERE i.inhrelid = c.oid), \
           obj_description(c.oid, 'pg_class'), c.relreplident::text, \
           CASE WHEN c.reltuples >= 0 AND c.relpages > 0 THEN c.reltuples / c.relpages END::float8, \
           CASE WHEN c.relkind IN ('r', 'm') THEN (SELECT a.amname::text FROM pg_am AS a \
               WHERE a.oid = c.relam AND a.amhandler <> 'pg_catalog.heap_tableam_handler'::regproc) END, \
           EXISTS (SELECT 1 FROM pg_roles AS o WHERE o.oid = c.relowner AND o.rolsuper), \
           pg_has_role(session_user, c.relowner, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END), \
           pg_has_role(current_user, c.relowner, 'MEMBER') \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, pg_roles AS r, \
         LATERAL (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0) AS tuples, coalesce(sum(pg_relation_size(l.oid)), 0)::bigint AS bytes \
                  FROM pg_partition_tree(c.oid) AS p JOIN pg_class AS l ON l.oid = p.relid WHERE p.isleaf AND c.relkind = 'p') AS leaves \
    WHERE n.nspname = $1 AND c.relname = $2 AND r.rolname = current_user AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')";

/// A column of one of these is checked in every row as it is added.
const CONSTRAINED_DOMAINS: &str = "\
    WITH RECURSIVE d AS ( \
        SELECT t.oid, t.typname FROM pg_type AS t WHERE t.typtype = 'd' \
               AND (t.typnotnull OR EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.contypid = t.oid)) \
        UNION SELECT t.oid, t.typname FROM pg_type AS t JOIN d ON t.typbasetype = d.oid WHERE t.typtype = 'd') \
    SELECT DISTINCT d.typname::text FROM d ORDER BY 1";

/// Equality that says the same as the bytes do: these types' and arrays' of none but them, in a deterministic collation.
/// The last column is what a default gives by itself: PostgreSQL makes a cast around it that brings it to the column's type, unless
/// it is of that already (`nextval('s')::integer`), or a constant.
const COLUMNS: &str = "\
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), \
           coalesce(b.typname IN ('bool', 'int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'name', 'uuid', 'date', 'time', 'timestamp', 'timestamptz', 'bytea', 'oid') \
               OR b.typtype = 'e', false) AND b.typname <> 'bpchar' AND coalesce(l.collisdeterministic, true), \
           CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(ln.nspname) || '.' || quote_ident(l.collname) END, \
           a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '', a.attidentity::text, \
           s.name, \
           col_description(a.attrelid, a.attnum), \
           nullif(coalesce(a.attstattarget::integer, -1), -1), \
           CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' \
                WHEN 'x' THEN 'extended' WHEN 'm' THEN 'main' END END, \
           CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END, \
           coalesce(a.attoptions, '{}')::text[], a.attnum, \
           ARRAY(SELECT DISTINCT l.provider FROM pg_seclabel AS l WHERE l.classoid = 'pg_class'::regclass \
               AND (l.objoid = a.attrelid AND l.objsubid = a.attnum OR a.attidentity <> '' AND l.objoid = s.objid) ORDER BY 1), \
           array_remove(ARRAY(SELECT DISTINCT pg_describe_object(o.classid, o.objid, o.objsubid) FROM pg_depend AS p \
               CROSS JOIN LATERAL (SELECT p.classid, p.objid, p.objsubid WHERE p.classid <> 'pg_rewrite'::regclass \
                   UNION ALL SELECT 'pg_class'::regclass, w.ev_class, 0 FROM pg_rewrite AS w WHERE p.classid = 'pg_rewrite'::regclass AND w.oid = p.objid) AS o \
               WHERE p.refclassid = 'pg_class'::regclass AND p.refobjid = s.objid AND p.deptype = 'n' \
                 AND NOT (p.classid = 'pg_attrdef'::regclass AND p.objid = coalesce(d.oid, 0)) ORDER BY 1), NULL), \
           coalesce(b.typtype = 'c', false), \
           CASE WHEN a.attgenerated <> '' OR d.adbin::text LIKE '{CONST %' THEN NULL \
                WHEN d.adbin::text ~ '^[{]FUNCEXPR :funcid [0-9]+ :funcresulttype [0-9]+ :funcretset false :funcvariadic false :funcformat 2 ' \
                THEN format_type((regexp_match(d.adbin::text, ':funcresulttype ([0-9]+) :funcretset false :funcvariadic false :funcformat 1 [^{]*:args [(][{]FUNCEXPR :funcid 1574 '))[1]::oid, NULL) \
                WHEN d.adbin IS NOT NULL THEN format_type(b.oid, NULL) END \
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid \
         LEFT JOIN pg_type AS b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid) \
         LEFT JOIN pg_collation AS l ON l.oid = a.attcollation LEFT JOIN pg_namespace AS ln ON ln.oid = l.collnamespace \
         LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         LEFT JOIN LATERAL (SELECT p.objid, quote_ident(sn.nspname) || '.' || quote_ident(s.relname) AS name FROM pg_depend AS p \
                JOIN pg_class AS s ON s.oid = p.objid AND s.relkind = 'S' JOIN pg_namespace AS sn ON sn.oid = s.relnamespace \
                WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjid = a.attrelid \
                  AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i') LIMIT 1) AS s ON true \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const GRANTS: &str = "\
    SELECT a.attnum, g.privilege_type, CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee)::text END, g.is_grantable, \
           pg_get_userbyid(g.grantor)::text \
    FROM pg_attribute AS a, aclexplode(a.attacl) AS g WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped";

/// What REINDEX CONCURRENTLY builds, or has left behind, is no index of the application's: it is INVALID, and its name ends so.
///
/// Every column that an index names: by key, inside an expression, included, or in its predicate. `pg_depend` knows.
/// The tablespace of an index that is in the database's own is named where a new one would come to another: `default_tablespace`.
const INDEXES: &str = "\
    WITH equal AS (SELECT i.indexrelid, k.n, o.oprname, o.oprnamespace FROM pg_index AS i CROSS JOIN unnest(i.indclass::oid[]) WITH ORDINALITY AS k (class, n) \
        JOIN pg_opclass AS s ON s.oid = k.class JOIN pg_amop AS p ON p.amopfamily = s.opcfamily AND p.amopstrategy = 3 \
            AND p.amoplefttype = s.opcintype AND p.amoprighttype = s.opcintype JOIN pg_operator AS o ON o.oid = p.amopopr \
        WHERE i.indrelid = $1 AND i.indisunique) \
    SELECT c.relname::text, pg_get_indexdef(i.indexrelid), i.indisunique, i.indisvalid AND i.indisready, \
           (SELECT array_agg(DISTINCT a.attname::text) FROM pg_attribute AS a WHERE a.attrelid = i.indrelid AND a.attnum > 0 AND \
               (a.attnum = ANY (i.indkey::smallint[]) OR EXISTS (SELECT 1 FROM pg_depend AS p WHERE p.classid = 'pg_class'::regclass \
                   AND p.objid = i.indexrelid AND p.refclassid = 'pg_class'::regclass AND p.refobjid = i.indrelid AND p.refobjsubid = a.attnum))), \
           k.conname::text, i.indisprimary, i.indisreplident, i.indisclustered, \
           coalesce(s.spcname, (SELECT w.spcname FROM pg_database AS b JOIN pg_tablespace AS w ON w.oid = b.dattablespace \
               WHERE b.datname = current_database() AND current_setting('default_tablespace') NOT IN ('', w.spcname::text)))::text, obj_description(i.indexrelid, 'pg_class'), \
           i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate AND i.indisvalid \
               AND NOT EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[]) AND NOT a.attnotnull), \
           (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n) \
               JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts), \
           pg_relation_filenode(i.indexrelid), \
           (SELECT count(DISTINCT k.attnum) FROM unnest(i.indkey::smallint[]) AS k (attnum) WHERE k.attnum > 0), \
           (SELECT p.relname::text FROM pg_inherits AS h JOIN pg_class AS p ON p.oid = h.inhparent WHERE h.inhrelid = i.indexrelid), \
           t.numbers, t.targets, \
           (SELECT array_agg(e.nspname::text ORDER BY k.n) FROM equal AS k JOIN pg_namespace AS e ON e.oid = k.oprnamespace WHERE k.indexrelid = i.indexrelid), \
           (SELECT array_agg(k.oprname::text ORDER BY k.n) FROM equal AS k WHERE k.indexrelid = i.indexrelid), \
           ARRAY(SELECT x.extname::text FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid WHERE d.classid = 'pg_class'::regclass \
               AND d.objid = i.indexrelid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x' ORDER BY 1) \
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace \
         LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x') \
         CROSS JOIN LATERAL (SELECT coalesce(array_agg(a.attnum ORDER BY a.attnum), '{}') AS numbers, \
             coalesce(array_agg(a.attstattarget::integer ORDER BY a.attnum), '{}') AS targets \
             FROM pg_attribute AS a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0 AND i.indkey[a.attnum - 1] = 0) AS t \
    WHERE i.indrelid = $1 AND NOT (NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$') ORDER BY i.indisprimary DESC, c.relname";

/// A foreign key to a partitioned table has further rows for its partitions, which are no constraints of their own. Foreign
/// keys come in the order in which they act: the server's triggers for them fire in that of their names, and have such
/// numbers in them. Successors that are made in this order act in it.
const CONSTRAINTS: &str = "\
    SELECT k.conname::text, k.contype::text, pg_get_constraintdef(k.oid), \
           coalesce((SELECT array_agg(a.attname::text) FROM pg_attribute AS a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)), '{}'), \
           k.convalidated, obj_description(k.oid, 'pg_constraint'), \
           CASE WHEN k.coninhcount > 0 THEN coalesce(p.conname, k.conname)::text END \
    FROM pg_constraint AS k LEFT JOIN pg_constraint AS p ON p.oid = k.conparentid \
    WHERE k.conrelid = $1 AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND p.conrelid IS DISTINCT FROM k.conrelid \
    ORDER BY CASE k.contype WHEN 'f' THEN k.oid::text END NULLS FIRST, k.conname";

const INBOUND: &str = "\
    SELECT n.nspname::text, c.relname::text, k.conname::text, pg_get_constraintdef(k.oid), \
           (SELECT array_agg(a.attname::text) FROM pg_attribute AS a WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)), \
           pg_has_role(current_user, c.relowner, 'USAGE'), obj_description(k.oid, 'pg_constraint') \
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE k.confrelid = $1 AND k.contype = 'f' AND k.conparentid = 0 ORDER BY 1, 2, k.oid::text";

/// What names a column, of the table or of one of its partitions, and is neither part of them (index, constraint, default,
/// owned sequence) nor ours: a trigger of the run `$2`, or of any where that is NULL. What a partition has of its table, a
/// trigger or a generated column, is the table's. Before PostgreSQL 15 a generated column depends on the others by itself, and
/// not by its default.
const DEPENDENTS: &str = "\
    WITH tree AS (SELECT $1::oid AS oid UNION SELECT relid FROM pg_partition_tree($1::oid)) \
    SELECT DISTINCT a.attname::text, pg_describe_object(o.classid, o.objid, o.objsubid) \
    FROM tree JOIN pg_depend AS p ON p.refclassid = 'pg_class'::regclass AND p.refobjid = tree.oid AND p.refobjsubid > 0 \
         JOIN pg_attribute AS a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid \
         CROSS JOIN LATERAL (SELECT p.classid, p.objid, p.objsubid WHERE p.classid <> 'pg_rewrite'::regclass \
             UNION ALL SELECT CASE w.rulename WHEN '_RETURN' THEN 'pg_class'::regclass ELSE 'pg_rewrite'::regclass END, \
                 CASE w.rulename WHEN '_RETURN' THEN w.ev_class ELSE w.oid END, 0 FROM pg_rewrite AS w WHERE p.classid = 'pg_rewrite'::regclass AND w.oid = p.objid) AS o \
    WHERE NOT a.attisdropped \
      AND p.classid NOT IN ('pg_constraint'::regclass) \
      AND NOT (p.classid = 'pg_attrdef'::regclass AND NOT EXISTS (SELECT 1 FROM pg_attrdef AS d JOIN pg_attribute AS g \
               ON g.attrelid = d.adrelid AND g.attnum = d.adnum WHERE d.oid = p.objid AND g.attgenerated <> '' AND g.attnum <> a.attnum)) \
      AND NOT (p.classid = 'pg_class'::regclass AND EXISTS (SELECT 1 FROM pg_class AS x WHERE x.oid = p.objid AND x.relkind IN ('i', 'I', 'S'))) \
      AND NOT (p.classid = 'pg_trigger'::regclass AND EXISTS (SELECT 1 FROM pg_trigger AS g WHERE g.oid = p.objid \
               AND (g.tgname LIKE '%zz\\_crossfade\\_%' AND g.tgname ~ ('^[z~]*zz_crossfade_' || coalesce($2, '.*') || '_[a-z]+$') OR g.tgisinternal \
                    OR g.tgparentid <> 0 AND g.tgrelid <> $1))) \
      AND NOT (p.classid = 'pg_class'::regclass AND p.objid = p.refobjid AND p.objsubid = 0) \
      AND NOT (tree.oid <> $1 AND EXISTS (SELECT 1 FROM pg_attrdef AS d JOIN pg_attribute AS g ON g.attrelid = d.adrelid AND g.attnum = d.adnum \
               JOIN pg_attribute AS rg ON rg.attrelid = $1 AND rg.attname = g.attname JOIN pg_attrdef AS rd ON rd.adrelid = rg.attrelid AND rd.adnum = rg.attnum \
               WHERE d.adrelid = tree.oid AND g.attgenerated <> '' AND pg_get_expr(d.adbin, d.adrelid) = pg_get_expr(rd.adbin, rd.adrelid) \
                 AND (p.classid = 'pg_attrdef'::regclass AND d.oid = p.objid \
                      OR p.classid = 'pg_class'::regclass AND p.objid = p.refobjid AND g.attnum = p.objsubid))) \
    ORDER BY 1, 2";

/// What hangs on the table as a whole.
const WHOLE: &str = "\
    SELECT c.relrowsecurity, obj_description(c.oid, 'pg_class'), \
           ARRAY(SELECT r.rulename::text FROM pg_rewrite AS r WHERE r.ev_class = c.oid ORDER BY 1), \
           ARRAY(SELECT p.pubname::text FROM pg_publication AS p WHERE p.puballtables OR EXISTS (SELECT 1 FROM pg_publication_tables AS t \
               WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname) \
               OR EXISTS (SELECT 1 FROM pg_publication_rel AS r WHERE r.prpubid = p.oid AND r.prrelid = c.oid) ORDER BY 1), \
           array_remove(ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_type AS t JOIN pg_depend AS d \
               ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) WHERE t.oid = c.reltype AND d.deptype = 'n' ORDER BY 1), NULL), \
           ARRAY(SELECT g.tgname::text FROM pg_trigger AS g JOIN pg_proc AS f ON f.oid = g.tgfoid WHERE g.tgrelid = c.oid AND NOT g.tgisinternal \
               AND f.pronamespace IS DISTINCT FROM to_regnamespace('crossfade') AND f.prosrc ~* '\\m(tg_table_name|tg_relname|tg_relid)\\M' ORDER BY 1), \
           ARRAY(SELECT DISTINCT s.subname::text FROM pg_subscription AS s JOIN pg_subscription_rel AS r ON r.srsubid = s.oid \
               WHERE r.srrelid IN (SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid)) ORDER BY 1), \
           ARRAY(SELECT r.rulename || CASE WHEN r.ev_class <> c.oid THEN ' of ' || r.ev_class::regclass::text ELSE '' END FROM pg_rewrite AS r \
               WHERE r.ev_class IN (SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid)) AND r.ev_type = '2' AND r.ev_enabled IN ('O', 'A') ORDER BY 1), \
           ARRAY(SELECT r.rulename || CASE WHEN r.ev_class <> c.oid THEN ' of ' || r.ev_class::regclass::text ELSE '' END FROM pg_rewrite AS r \
               WHERE r.ev_class IN (SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid)) AND r.ev_type = '2' AND r.ev_enabled IN ('A', 'R') ORDER BY 1), \
           CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END, \
           ARRAY(SELECT l.provider FROM pg_seclabel AS l WHERE l.classoid = 'pg_class'::regclass AND l.objoid = c.oid AND l.objsubid = 0 ORDER BY 1), \
           ARRAY(SELECT p.pubname::text FROM pg_publication AS p JOIN pg_publication_rel AS r ON r.prpubid = p.oid \
               WHERE r.prrelid = c.oid AND to_jsonb(r) ->> 'prattrs' IS NOT NULL), \
           array_remove(ARRAY(WITH RECURSIVE types (oid) AS ( \
                   SELECT c.reltype \
                   UNION SELECT further.oid FROM types CROSS JOIN LATERAL ( \
                       SELECT t.oid FROM pg_type AS t WHERE t.typelem = types.oid AND t.typcategory = 'A' OR t.typbasetype = types.oid \
                       UNION ALL SELECT k.reltype FROM pg_attribute AS a JOIN pg_class AS k ON k.oid = a.attrelid \
                           WHERE a.atttypid = types.oid AND k.relkind = 'c' AND NOT a.attisdropped) AS further) \
               SELECT DISTINCT pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum) FROM types JOIN pg_attribute AS a ON a.atttypid = types.oid \
                   JOIN pg_class AS k ON k.oid = a.attrelid WHERE k.relkind IN ('r', 'p', 'm') AND NOT a.attisdropped ORDER BY 1), NULL) \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = $1";

/// Who publishes updates or deletes of the table or a part of it, and for whom of them a part has no replica identity. A part is
/// published with what it is a part of. `FOR ALL TABLES` leaves out what is not logged.
const PUBLISHED: &str = "\
    WITH parts AS (SELECT c.oid, c.relpersistence = 'p' AS logged, \
            CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false \
                WHEN 'd' THEN EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid) \
                ELSE EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid) END AS identified \
        FROM pg_class AS c WHERE c.relkind = 'r' AND (c.oid = $1 OR c.oid IN (SELECT relid FROM pg_partition_tree($1::oid)))), \
    published AS (SELECT p.pubname::text AS name, bool_and(a.identified) AS identified FROM pg_publication AS p CROSS JOIN parts AS a \
        WHERE (p.pubupdate OR p.pubdelete) AND a.logged AND (p.puballtables OR EXISTS (SELECT 1 FROM pg_publication_tables AS t \
            JOIN pg_namespace AS n ON n.nspname = t.schemaname JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.tablename \
            WHERE t.pubname = p.pubname AND (c.oid = a.oid OR c.oid IN (SELECT relid FROM pg_partition_ancestors(a.oid))))) \
        GROUP BY p.pubname) \
    SELECT ARRAY(SELECT name FROM published ORDER BY 1), ARRAY(SELECT name FROM published WHERE NOT identified ORDER BY 1)";

/// What has a name in a schema. PostgreSQL renames an array's type if its name is wanted.
const HOLDERS: &str = "\
    SELECT CASE c.relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a table' WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' \
               WHEN 'S' THEN 'a sequence' WHEN 'f' THEN 'a foreign table' WHEN 'c' THEN 'a type' \
               WHEN 'i' THEN 'an index of ' || xn.nspname || '.' || x.relname WHEN 'I' THEN 'an index of ' || xn.nspname || '.' || x.relname \
               ELSE 'something called' END, \
           true, c.relkind NOT IN ('i', 'I', 'S', 't'), c.relkind IN ('r', 'p'), false, xn.nspname::text, x.relname::text \
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         LEFT JOIN pg_index AS i ON i.indexrelid = c.oid LEFT JOIN pg_class AS x ON x.oid = i.indrelid LEFT JOIN pg_namespace AS xn ON xn.oid = x.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2 \
    UNION ALL SELECT 'a type', false, true, false, t.typtype = 'e', NULL, NULL FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace \
    WHERE n.nspname = $1 AND t.typname = $2 AND t.typrelid = 0 AND NOT EXISTS (SELECT 1 FROM pg_type AS e WHERE e.typarray = t.oid)";

const TABLE_GRANTS: &str = "\
    SELECT g.privilege_type, CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee)::text END, g.is_grantable, pg_get_userbyid(g.grantor)::text \
    FROM pg_class AS c, aclexplode(c.relacl) AS g WHERE c.oid = $1 ORDER BY 1, 2";

/// On what is made new, of this kind: `r` for tables and views, `S` for sequences.
const DEFAULT_GRANTEES: &str = "\
    SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee)::text END FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS g \
    WHERE d.defaclobjtype = $1::text::\"char\" AND g.grantee <> d.defaclrole ORDER BY 1";

/// What would have to go with the table and is not part of it: views over it, functions of its row type, policies of
/// other tables. Publications are left out, from which a table goes by itself.
const TABLE_DEPENDENTS: &str = "\
    SELECT DISTINCT pg_describe_object(o.classid, o.objid, o.objsubid) \
    FROM pg_depend AS p CROSS JOIN LATERAL (SELECT p.classid, p.objid, p.objsubid WHERE p.classid <> 'pg_rewrite'::regclass \
             UNION ALL SELECT 'pg_class'::regclass, w.ev_class, 0 FROM pg_rewrite AS w WHERE p.classid = 'pg_rewrite'::regclass AND w.oid = p.objid) AS o \
    WHERE p.deptype = 'n' AND o.objid <> $1 \
      AND (p.refclassid = 'pg_class'::regclass AND (p.refobjid = $1 OR p.refobjid IN (SELECT s.objid FROM pg_depend AS s \
               WHERE s.classid = 'pg_class'::regclass AND s.refclassid = 'pg_class'::regclass AND s.refobjid = $1 AND s.refobjsubid > 0 AND s.deptype IN ('a', 'i'))) \
           OR p.refclassid = 'pg_type'::regclass AND p.refobjid = (SELECT c.reltype FROM pg_class AS c WHERE c.oid = $1)) \
      AND NOT (p.classid = 'pg_constraint'::regclass) \
      AND NOT (p.classid = 'pg_policy'::regclass AND EXISTS (SELECT 1 FROM pg_policy AS y WHERE y.oid = p.objid AND y.polrelid = $1)) \
      AND NOT (p.classid = 'pg_trigger'::regclass AND EXISTS (SELECT 1 FROM pg_trigger AS g WHERE g.oid = p.objid AND g.tgrelid = $1)) \
      AND NOT (p.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT 1 FROM pg_attrdef AS d WHERE d.oid = p.objid \
               AND (d.adrelid = $1 OR d.adrelid IN (SELECT relid FROM pg_partition_tree($1))))) \
    ORDER BY 1";

const HANGING: &str = "\
    SELECT h.name::text, pg_describe_object(h.class, h.oid, 0) FROM ( \
        SELECT g.tgname, 'pg_trigger'::regclass, g.oid FROM pg_trigger AS g WHERE g.tgrelid = $1 AND NOT g.tgisinternal AND g.tgname NOT LIKE '%zz\\_crossfade\\_%' \
        UNION ALL SELECT p.polname, 'pg_policy'::regclass, p.oid FROM pg_policy AS p WHERE p.polrelid = $1 \
        UNION ALL SELECT r.rulename, 'pg_rewrite'::regclass, r.oid FROM pg_rewrite AS r WHERE r.ev_class = $1 AND r.rulename <> '_RETURN' \
        UNION ALL SELECT s.stxname, 'pg_statistic_ext'::regclass, s.oid FROM pg_statistic_ext AS s WHERE s.stxrelid = $1) AS h (name, class, oid) ORDER BY 2";

const PARTITIONS: &str = "\
    SELECT n.nspname::text, c.relname::text, pn.nspname::text, pc.relname::text, t.isleaf, c.relkind = 'f', \
           CASE WHEN c.relkind = 'r' THEN (SELECT a.amname::text FROM pg_am AS a \
               WHERE a.oid = c.relam AND a.amhandler <> 'pg_catalog.heap_tableam_handler'::regproc) END \
    FROM pg_partition_tree($1::oid) AS t JOIN pg_class AS c ON c.oid = t.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_class AS pc ON pc.oid = t.parentrelid JOIN pg_namespace AS pn ON pn.oid = pc.relnamespace \
    WHERE t.level > 0 ORDER BY t.level, 1, 2";

/// The server notes what a partition key reads, as it may not be dropped: of a table and its own columns it is the column
/// that depends on the table. The keys of all levels, with whether one is computed.
const PARTITION_KEY: &str = "\
    SELECT DISTINCT a.attname::text, 0 = ANY (p.partattrs) FROM pg_partitioned_table AS p JOIN pg_attribute AS a ON a.attrelid = p.partrelid \
    WHERE p.partrelid IN (SELECT relid FROM pg_partition_tree($1::oid)) AND (a.attnum = ANY (p.partattrs) OR EXISTS (SELECT 1 FROM pg_depend AS d \
      WHERE d.classid = 'pg_class'::regclass AND d.objid = p.partrelid AND d.objsubid = a.attnum \
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.partrelid AND d.refobjsubid = 0)) ORDER BY 1";

/// CHECKs that are not validated, of the table and of what inherits from it. What a table has of its parent is the parent's, and one
/// that is NOT ENFORCED (PostgreSQL 18) is not looked at.
const UNPROVEN: &str = "\
    WITH RECURSIVE tree AS (SELECT $1::oid AS oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits AS i ON i.inhparent = tree.oid) \
    SELECT n.nspname::text, c.relname::text, k.conname::text, pg_get_expr(k.conbin, k.conrelid) \
    FROM tree JOIN pg_constraint AS k ON k.conrelid = tree.oid JOIN pg_class AS c ON c.oid = tree.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    WHERE k.contype = 'c' AND NOT k.convalidated AND coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true' AND (k.coninhcount = 0 OR k.conrelid = $1) ORDER BY 1, 2, 3";

const OID: &str = "\
    SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";

fn ident(row: &Row, column: usize) -> Ident {
    Ident::from_catalog(row.get::<_, String>(column))
}

fn idents(names: Option<Vec<String>>) -> Vec<Ident> {
    names
        .unwrap_or_default()
        .into_iter()
        .map(Ident::from_catalog)
        .collect()
}

/// What `one` makes of the rows whose objects are still there. The server describes and defines objects as they are now,
/// also for a statement that began before: of an object that another session has dropped since, `described` is NULL.
fn still_there<T>(rows: &[Row], described: usize, one: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter()
        .filter(|row| row.get::<_, Option<&str>>(described).is_some())
        .map(one)
        .collect()
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Who we are and what we may, with no table yet.
pub async fn identity(client: &Client) -> Result<Facts> {
    let version: i32 = client
        .query_one("SELECT current_setting('server_version_num')::integer", &[])
        .await?
        .get(0);
    let query = if version >= 150_000 {
        IDENTITY
    } else {
        IDENTITY_14
    };
    let row = client.query_one(query, &[]).await?;
    let session = client
        .query(
            "SELECT name, setting FROM pg_settings WHERE name IN ('TimeZone', 'DateStyle', 'IntervalStyle') ORDER BY name",
            &[],
        )
        .await?;
    let mut session: Vec<(String, String)> =
        session.iter().map(|row| (row.get(0), row.get(1))).collect();
    // As text, values are noted and compared in full, whatever the application's sessions show.
    session.extend([("bytea_output", "hex"), ("extra_float_digits", "1")].map(own));
    let locale = client
        .query(
            "SELECT name, setting FROM pg_settings \
             WHERE name IN ('lc_monetary', 'lc_numeric', 'lc_time', 'default_text_search_config', 'timezone_abbreviations', 'xmlbinary', 'xmloption')",
            &[],
        )
        .await?;
    let default_grantees = client.query(DEFAULT_GRANTEES, &[&"r"]).await?;
    let domains = client.query(CONSTRAINED_DOMAINS, &[]).await?;
    Ok(Facts {
        constrained_domains: Some(domains.iter().map(|row| row.get(0)).collect()),
        default_grantees: default_grantees.iter().map(|row| ident(row, 0)).collect(),
        session: session.into_iter().collect(),
        locale: locale.iter().map(|row| (row.get(0), row.get(1))).collect(),
        server_version: version.unsigned_abs(),
        role: row.get(1),
        superuser: row.get(2),
        can_skip_triggers: row.get(3),
        login: row.get(4),
        role_inherits: row.get(5),
        ..Facts::default()
    })
}

/// All that is known of a table; `None` where there is none of that name.
pub async fn table(client: &impl GenericClient, name: &TableName) -> Result<Option<Table>> {
    let row = client
        .query_opt(TABLE, &[&name.schema.as_str(), &name.name.as_str()])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let oid: u32 = row.get(0);
    let (mut indexes, key, key_operators) = indexes(client, oid).await?;
    indexes.sort_by(|a, b| a.name.cmp(&b.name));
    let Some(whole) = client.query_opt(WHOLE, &[&oid]).await? else {
        return Ok(None);
    };
    let published = client.query_one(PUBLISHED, &[&oid]).await?;
    let replica_identity = match row.get::<_, &str>(14) {
        "f" => ReplicaIdentity::Full,
        "n" => ReplicaIdentity::Nothing,
        "i" => indexes
            .iter()
            .find(|index| index.replica_identity)
            .map_or(ReplicaIdentity::Nothing, |index| {
                ReplicaIdentity::Index(index.name.clone())
            }),
        _ => ReplicaIdentity::Default,
    };
    let columns = columns(client, oid).await?;
    let column_names: Vec<Ident> = columns.iter().map(|one| one.name.clone()).collect();
    let keys = client.query(PARTITION_KEY, &[&oid]).await?;
    let mut partition_key: Vec<Ident> = keys.iter().map(|row| ident(row, 0)).collect();
    partition_key.dedup();
    Ok(Some(Table {
        replica_identity,
        partitions: partitions(client, oid).await?,
        own_of_partitions: match row.get::<_, &str>(1) {
            "p" => partitions::own(client, oid).await?,
            _ => Vec::new(),
        },
        partition_key_computed: keys.iter().any(|row| row.get(1)),
        partition_key,
        table_dependents: table_dependents(client, oid).await?,
        oid,
        grants: table_grants(client, oid).await?,
        row_security: whole.get(0),
        comment: whole.get(1),
        rules: whole.get(2),
        publications: whole.get(3),
        publications_by_column: whole.get(11),
        published_changes: published.get(0),
        published_without_identity: published.get(1),
        products: products::of(client, oid).await?,
        row_type_users: whole.get(4),
        rows_stored_in: whole.get(12),
        triggers_by_name: whole.get(5),
        subscriptions: whole.get(6),
        hanging: hanging(client, oid).await?,
        update_rules: update_rules(&whole),
        of_type: whole.get(9),
        labels: whole.get(10),
        kind: kind(&row),
        access_method: row.get::<_, Option<&str>>(16).map(Ident::from_catalog),
        owner: row.get(4),
        owner_is_superuser: row.get(17),
        can_enter_owner: row.get(18),
        is_member_of_owner: row.get(19),
        owned: row.get(5),
        can_create: row.get(6),
        rows_hidden: row.get(7),
        columns_ever: u32::try_from(row.get::<_, Option<i64>>(8).unwrap_or(0).max(0)).unwrap_or(0),
        rows_estimated: row.get::<_, f64>(9).max(0.0),
        rows_per_block: row.get(15),
        blocks: u32::try_from(row.get::<_, i64>(10)).unwrap_or(u32::MAX),
        has_children: row.get(11),
        is_partition: row.get(3),
        columns,
        indexes,
        key,
        key_operators,
        constraints: constraints(client, oid).await?,
        referenced_by: inbound(client, oid).await?,
        dependents: dependents(client, oid, None).await?,
        row_readers: references::row_readers(client, name, &column_names).await?,
        unproven: unproven(client, oid).await?,
        changing_triggers: triggers::changing(client, oid).await?,
        update_triggers: triggers::updating(client, oid).await?,
    }))
}

/// What has this name.
pub async fn holders(client: &impl GenericClient, name: &TableName) -> Result<Vec<Holder>> {
    let rows = client
        .query(HOLDERS, &[&name.schema.as_str(), &name.name.as_str()])
        .await?;
    let holder = |row: &Row| Holder {
        what: row.get(0),
        is_relation: row.get(1),
        is_type: row.get(2),
        is_table: row.get(3),
        is_enum: row.get(4),
        index_of: row.get::<_, Option<String>>(5).map(|schema| TableName {
            schema: Ident::from_catalog(schema),
            name: ident(row, 6),
        }),
    };
    Ok(rows.iter().map(holder).collect())
}

async fn table_dependents(client: &impl GenericClient, oid: u32) -> Result<Vec<String>> {
    let rows = client.query(TABLE_DEPENDENTS, &[&oid]).await?;
    Ok(still_there(&rows, 0, |row| row.get(0)))
}

async fn hanging(client: &impl GenericClient, oid: u32) -> Result<Vec<Hanging>> {
    let rows = client.query(HANGING, &[&oid]).await?;
    let one = |row: &Row| Hanging {
        name: ident(row, 0),
        object: row.get(1),
    };
    Ok(still_there(&rows, 1, one))
}

fn update_rules(whole: &Row) -> Vec<UpdateRule> {
    let (all, always): (Vec<String>, Vec<String>) = (whole.get(7), whole.get(8));
    let rule = |name: String| UpdateRule {
        always: always.contains(&name),
        name,
    };
    all.into_iter().map(rule).collect()
}

fn kind(row: &Row) -> TableKind {
    let (relkind, persistence): (String, String) = (row.get(1), row.get(2));
    let (is_partition, inherits): (bool, bool) = (row.get(3), row.get(12));
    match relkind.as_str() {
        _ if persistence == "t" => TableKind::Temporary,
        "r" if is_partition => TableKind::Partition,
        // A child of classic inheritance: its columns may be its parent's.
        "r" if inherits => TableKind::Other,
        "r" => TableKind::Table,
        "p" => TableKind::Partitioned,
        "v" => TableKind::View,
        "m" => TableKind::MaterializedView,
        "f" => TableKind::Foreign,
        _ => TableKind::Other,
    }
}

async fn table_grants(client: &impl GenericClient, oid: u32) -> Result<Vec<Grant>> {
    let rows = client.query(TABLE_GRANTS, &[&oid]).await?;
    let grant = |row: &Row| Grant {
        privilege: row.get(0),
        to: row.get::<_, Option<String>>(1).map(Ident::from_catalog),
        grantable: row.get(2),
        by: ident(row, 3),
    };
    Ok(rows.iter().map(grant).collect())
}

async fn partitions(client: &impl GenericClient, oid: u32) -> Result<Vec<Partition>> {
    let name = |row: &Row, at| TableName {
        schema: ident(row, at),
        name: ident(row, at + 1),
    };
    let rows = client.query(PARTITIONS, &[&oid]).await?;
    let partition = |row: &Row| Partition {
        table: name(row, 0),
        of: name(row, 2),
        leaf: row.get(4),
        foreign: row.get(5),
        access_method: row.get::<_, Option<&str>>(6).map(Ident::from_catalog),
    };
    Ok(rows.iter().map(partition).collect())
}

async fn columns(client: &impl GenericClient, oid: u32) -> Result<Vec<Column>> {
    let grants = client.query(GRANTS, &[&oid]).await?;
    let rows = client.query(COLUMNS, &[&oid]).await?;
    let column = |row: &Row| {
        let number: i16 = row.get(14);
        let sequence: Option<String> = row.get(8);
        let identity: String = row.get(7);
        Column {
            name: ident(row, 0),
            type_name: row.get(1),
            exact: row.get(2),
            composite: row.get(17),
            collation: row.get(3),
            not_null: row.get(4),
            default: row.get(5),
            default_type: row.get(18),
            generated: row.get(6),
            identity: (!identity.is_empty()).then(|| Identity {
                always: identity == "a",
                sequence: sequence.clone().unwrap_or_default(),
                options: String::new(),
                limit: None,
                grants: Vec::new(),
                default_grantees: Vec::new(),
                comment: None,
            }),
            owned_sequence: sequence.filter(|_| identity.is_empty()),
            comment: row.get(9),
            statistics: row.get(10),
            storage: row.get(11),
            compression: row.get(12),
            options: row.get(13),
            labels: row.get(15),
            sequence_dependents: row.get(16),
            sequences: Vec::new(),
            grants: grants
                .iter()
                .filter(|grant| grant.get::<_, i16>(0) == number)
                .map(|grant| Grant {
                    privilege: grant.get(1),
                    to: grant.get::<_, Option<String>>(2).map(Ident::from_catalog),
                    grantable: grant.get(3),
                    by: ident(grant, 4),
                })
                .collect(),
        }
    };
    let mut columns: Vec<Column> = rows.iter().map(column).collect();
    for column in &mut columns {
        let type_name = column.type_name.clone();
        if let Some(identity) = &mut column.identity {
            sequences::read_identity(client, identity, &type_name).await?;
        }
    }
    sequences::read(client, oid, &mut columns).await?;
    Ok(columns)
}

/// The indexes, and the columns that tell rows apart: the primary key's, or a unique index's over NOT NULL columns.
async fn indexes(
    client: &impl GenericClient,
    oid: u32,
) -> Result<(Vec<Index>, Vec<Ident>, Vec<Operator>)> {
    let rows = client.query(INDEXES, &[&oid]).await?;
    let (mut key, mut operators) = (Vec::new(), Vec::new());
    let mut indexes = Vec::new();
    for row in &rows {
        let Some(definition) = row.get::<_, Option<String>>(1) else {
            continue; // Dropped since the statement began.
        };
        let index = Index {
            name: ident(row, 0),
            using: using(&definition),
            unique: row.get(2),
            valid: row.get(3),
            columns: idents(row.get(4)),
            constraint: row.get::<_, Option<String>>(5).map(Ident::from_catalog),
            primary: row.get(6),
            replica_identity: row.get(7),
            clustered: row.get(8),
            tablespace: row.get::<_, Option<String>>(9).map(Ident::from_catalog),
            comment: row.get(10),
            statistics: row
                .get::<_, Vec<i16>>(16)
                .into_iter()
                .zip(row.get::<_, Vec<i32>>(17))
                .collect(),
            filenode: row.get(13),
            plain_columns: usize::try_from(row.get::<_, i64>(14)).unwrap_or(0),
            of: row.get::<_, Option<String>>(15).map(Ident::from_catalog),
            extensions: idents(row.get(20)),
        };
        // The primary key comes first.
        if key.is_empty() && index.unique && row.get::<_, bool>(11) {
            key = idents(row.get(12));
            let names: Option<Vec<String>> = row.get(19);
            let schemas = idents(row.get(18));
            let names = names.into_iter().flatten().zip(&schemas);
            operators = names
                .map(|(name, schema)| Operator::of(schema, &name))
                .collect();
        }
        indexes.push(index);
    }
    Ok((indexes, key, operators))
}

/// What follows USING.
pub(super) fn using(definition: &str) -> String {
    let mut tokens = significant(definition).into_iter();
    let using = tokens.find(|token| token.is_word(definition, "using"));
    let after = using.and_then(|using| definition.get(using.range.end..));
    after.unwrap_or_default().trim_start().to_owned()
}

async fn constraints(client: &impl GenericClient, oid: u32) -> Result<Vec<Constraint>> {
    let rows = client.query(CONSTRAINTS, &[&oid]).await?;
    let constraint = |row: &Row| Constraint {
        name: ident(row, 0),
        kind: match row.get::<_, String>(1).as_str() {
            "c" => ConstraintKind::Check,
            "f" => ConstraintKind::ForeignKey,
            "p" => ConstraintKind::PrimaryKey,
            "u" => ConstraintKind::Unique,
            "x" => ConstraintKind::Exclusion,
            _ => ConstraintKind::Other,
        },
        definition: row.get(2),
        columns: idents(row.get(3)),
        validated: row.get(4),
        comment: row.get(5),
        of: row.get::<_, Option<String>>(6).map(Ident::from_catalog),
    };
    Ok(still_there(&rows, 2, constraint))
}

async fn unproven(client: &impl GenericClient, oid: u32) -> Result<Vec<Unproven>> {
    let rows = client.query(UNPROVEN, &[&oid]).await?;
    let unproven = |row: &Row| Unproven {
        table: TableName {
            schema: ident(row, 0),
            name: ident(row, 1),
        },
        name: ident(row, 2),
        condition: row.get(3),
    };
    Ok(still_there(&rows, 3, unproven))
}

async fn inbound(client: &impl GenericClient, oid: u32) -> Result<Vec<Inbound>> {
    let rows = client.query(INBOUND, &[&oid]).await?;
    let inbound = |row: &Row| Inbound {
        table: TableName {
            schema: ident(row, 0),
            name: ident(row, 1),
        },
        name: ident(row, 2),
        definition: row.get(3),
        columns: idents(row.get(4)),
        owned: row.get(5),
        comment: row.get(6),
    };
    Ok(still_there(&rows, 3, inbound))
}

async fn dependents(
    client: &impl GenericClient,
    oid: u32,
    run: Option<&str>,
) -> Result<Vec<Dependent>> {
    let rows = client.query(DEPENDENTS, &[&oid, &run]).await?;
    let dependent = |row: &Row| Dependent {
        column: ident(row, 0),
        object: row.get(1),
    };
    Ok(still_there(&rows, 1, dependent))
}

pub(super) async fn oid_of(client: &impl GenericClient, name: &TableName) -> Result<Option<u32>> {
    let row = client
        .query_opt(OID, &[&name.schema.as_str(), &name.name.as_str()])
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// What still names one of these columns, under the name that it has now, but for the triggers of this run.
pub async fn dependents_of(
    client: &impl GenericClient,
    run: &RunName,
    name: &TableName,
    column: &Ident,
) -> Result<Vec<String>> {
    let Some(oid) = oid_of(client, name).await? else {
        return Ok(Vec::new());
    };
    let found = dependents(client, oid, Some(run.as_str())).await?;
    Ok(found
        .into_iter()
        .filter(|dependent| dependent.column == *column)
        .map(|dependent| dependent.object)
        .collect())
}

/// The columns of the table of this name; none where there is no such table.
pub async fn columns_of(client: &impl GenericClient, name: &TableName) -> Result<Vec<Column>> {
    match oid_of(client, name).await? {
        Some(oid) => columns(client, oid).await,
        None => Ok(Vec::new()),
    }
}

/// The columns of the primary key, or of another unique index that tells every row apart; none where there is none.
pub async fn key_of(client: &impl GenericClient, name: &TableName) -> Result<Vec<Ident>> {
    let Some(oid) = oid_of(client, name).await? else {
        return Ok(Vec::new());
    };
    let rows = client
        .query(
            "SELECT array_agg(a.attname::text ORDER BY k.place) FROM pg_index AS i \
             CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place) \
             JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number \
             WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts \
             GROUP BY i.indexrelid, i.indisprimary HAVING bool_and(a.attnotnull) ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1",
            &[&oid],
        )
        .await?;
    Ok(rows.first().map_or_else(Vec::new, |row| idents(row.get(0))))
}

/// What would have to go with the table of this name.
pub async fn objects_over(client: &impl GenericClient, name: &TableName) -> Result<Vec<String>> {
    let Some(oid) = oid_of(client, name).await? else {
        return Ok(Vec::new());
    };
    table_dependents(client, oid).await
}

/// The same, and the foreign keys of other tables that refer to it.
pub async fn table_dependents_of(
    client: &impl GenericClient,
    name: &TableName,
) -> Result<Vec<String>> {
    let mut found = objects_over(client, name).await?;
    if let Some(oid) = oid_of(client, name).await? {
        let inbound = inbound(client, oid).await?.into_iter();
        let others = inbound.filter(|one| one.table != *name);
        found.extend(others.map(|one| format!("foreign key {} of {}", one.name, one.table)));
    }
    Ok(found)
}

pub async fn is_relation(client: &impl GenericClient, name: &TableName) -> Result<bool> {
    Ok(oid_of(client, name).await?.is_some())
}

pub async fn has_index(
    client: &impl GenericClient,
    table: &TableName,
    index: &Ident,
) -> Result<bool> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_class AS c ON c.oid = i.indrelid \
             JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND x.relname = $3)",
            &[&table.schema.as_str(), &table.name.as_str(), &index.as_str()],
        )
        .await?;
    Ok(row.get(0))
}

/// What keeps the server from taking NOT NULL off a column, in words: the first of it. `undone`: the names of constraints and indexes
/// that will not do so any more.
pub async fn needs_not_null(
    client: &impl GenericClient,
    table: &TableName,
    column: &Ident,
    undone: &[String],
) -> Result<Option<String>> {
    let row = client
        .query_opt(
            "SELECT coalesce( \
                (SELECT 'is in the primary key ' || quote_ident(k.conname) FROM pg_constraint AS k \
                    WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey) AND k.conname <> ALL ($4::text[])), \
                CASE WHEN a.attidentity <> '' THEN 'is an identity column' END, \
                (SELECT 'is in the replica identity ' || i.indexrelid::regclass::text FROM pg_index AS i \
                    WHERE i.indrelid = c.oid AND i.indisreplident AND a.attnum = ANY (i.indkey::int2[]) \
                        AND (SELECT x.relname FROM pg_class AS x WHERE x.oid = i.indexrelid) <> ALL ($4::text[]))) \
             FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid \
             WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND NOT a.attisdropped",
            &[&table.schema.as_str(), &table.name.as_str(), &column.as_str(), &undone],
        )
        .await?;
    Ok(row.and_then(|row| row.get(0)))
}

/// The triggers that call functions of Crossfade's, by function and table.
pub async fn standing(client: &impl GenericClient) -> Result<Vec<Standing>> {
    let rows = client
        .query(
            "SELECT f.proname::text, n.nspname::text, c.relname::text, array_agg(g.tgname::text ORDER BY g.tgname), \
                 ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend AS d JOIN pg_trigger AS w ON w.oid = d.objid \
                     JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND NOT a.attisdropped \
                     WHERE d.classid = 'pg_trigger'::regclass AND w.tgfoid = f.oid AND d.refobjid = c.oid AND d.refobjsubid > 0), \
                 f.prosrc LIKE '%crossfade.runs%' AND strpos(f.prosrc, $1) = 0 \
             FROM pg_trigger AS g JOIN pg_proc AS f ON f.oid = g.tgfoid JOIN pg_namespace AS o ON o.oid = f.pronamespace \
                  JOIN pg_class AS c ON c.oid = g.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE o.nspname = 'crossfade' AND g.tgparentid = 0 \
             GROUP BY f.oid, f.proname, f.prosrc, c.oid, n.nspname, c.relname ORDER BY 1, 2, 3",
            &[&NOTES_WHILE_ACTIVE],
        )
        .await?;
    let standing = |row: &Row| Standing {
        function: ident(row, 0),
        table: TableName {
            schema: ident(row, 1),
            name: ident(row, 2),
        },
        triggers: idents(row.get(3)),
        conditions: idents(row.get(4)),
        names_table: row.get(5),
    };
    Ok(rows.iter().map(standing).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_behind_using_is_found_whatever_the_names_are() {
        let definition = r#"CREATE INDEX "a USING b" ON public."x "" USING y" USING btree (status) WHERE (a > 1)"#;
        assert_eq!(super::using(definition), "btree (status) WHERE (a > 1)");
    }
}
