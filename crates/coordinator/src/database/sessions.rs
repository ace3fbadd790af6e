//! Sessions of others whose writes fire no triggers, as far as settings say so: `session_replication_role`.

use super::Result;
use crossfade_model::ident::TableName;
use tokio_postgres::GenericClient;

/// What an ordinary session, in which triggers fire, is set to.
pub const ORIGIN: (&str, &str) = ("session_replication_role", "origin");

/// Whether triggers fire in this session as it began.
pub async fn is_origin(client: &impl GenericClient) -> Result<bool> {
    let row = client
        .query_one(
            "SELECT current_setting('session_replication_role') = 'origin'",
            &[],
        )
        .await?;
    Ok(row.get(0))
}

/// The defaults of the server, of the database, and of roles that may write these tables (by a role that they can enter, too), under which no trigger fires, each with
/// what ends it. What the server's files say is seen by those who may read them, and by a session that nothing else is set for.
const REPLICAS: &str = "
    WITH given AS (
        SELECT s.setdatabase, s.setrole FROM pg_catalog.pg_db_role_setting AS s
        WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()))
          AND EXISTS (SELECT FROM unnest(s.setconfig) AS one WHERE lower(one) = 'session_replication_role=replica')
    )
    SELECT format('the database %I has the default session_replication_role = replica (`ALTER DATABASE %1$I RESET session_replication_role`)', current_database())
        FROM given WHERE setrole = 0
    UNION ALL
    SELECT format('the role %I has the default session_replication_role = replica (`ALTER ROLE %1$I %sRESET session_replication_role`)', r.rolname,
            CASE WHEN given.setdatabase = 0 THEN '' ELSE format('IN DATABASE %I ', current_database()) END)
        FROM given JOIN pg_catalog.pg_roles AS r ON r.oid = given.setrole
        WHERE r.rolcanlogin AND EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS t (schema_name, table_name)
            JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schema_name JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.table_name
            WHERE (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE') OR EXISTS (SELECT FROM pg_catalog.pg_class AS k,
            LATERAL (SELECT k.relowner UNION SELECT g.grantee FROM aclexplode(k.relacl) AS g WHERE g.privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND g.grantee <> 0) AS m (oid)
            WHERE k.oid = c.oid AND pg_has_role(r.oid, m.oid, 'MEMBER'))))
    UNION ALL
    SELECT 'the server has the default session_replication_role = replica (`ALTER SYSTEM RESET session_replication_role`, or its configuration file, then `SELECT pg_reload_conf()`)'
        FROM pg_catalog.pg_settings AS s WHERE s.name = 'session_replication_role' AND s.reset_val = 'replica'
          AND s.source NOT IN ('database', 'user', 'database user', 'client', 'session')";

const FILES: &str = "
    SELECT 'the server has the default session_replication_role = replica (`ALTER SYSTEM RESET session_replication_role`, or its configuration file, then `SELECT pg_reload_conf()`)'
    FROM (SELECT f.setting FROM pg_catalog.pg_file_settings AS f WHERE f.name = 'session_replication_role' AND f.error IS NULL
          ORDER BY f.seqno DESC LIMIT 1) AS last WHERE last.setting = 'replica'";

/// Whose writes to these tables would come past the triggers, in words.
pub async fn past_triggers(
    client: &impl GenericClient,
    tables: &[&TableName],
) -> Result<Vec<String>> {
    let schemas: Vec<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let rows = client.query(REPLICAS, &[&schemas, &names]).await?;
    let mut found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let may_read_files = client
        .query_one(
            "SELECT has_table_privilege('pg_catalog.pg_file_settings', 'SELECT') \
                AND has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')",
            &[],
        )
        .await?;
    if may_read_files.get(0) {
        let rows = client.query(FILES, &[]).await?;
        found.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
