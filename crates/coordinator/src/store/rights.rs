//! Who may do what in the schema `crossfade`: closes what default privileges opened, and carries grants on to new tables.

use super::StoreError;
use tokio_postgres::{Client, GenericClient, Transaction};

/// Rights that nobody has but who was granted them here on purpose: PUBLIC writes nothing, and what default privileges gave
/// goes, but for a role that may create in the schema and so drives runs. To read stays, except where the tables are new ($1):
/// USAGE on the schema decides. So it does for `crossfade.approve`, which PUBLIC may execute unless somebody has revoked that.
const REVOKE: &str = "
    WITH ours AS (
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END AS class,
               c.oid::regclass::text AS name, c.relowner AS owner, c.relacl AS acl, false AS of_a_run
            FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('crossfade') AND c.relkind IN ('r', 'p', 'v', 'S')
        UNION ALL
        SELECT 'FUNCTION', 'f', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)), p.prosecdef AND p.prorettype = 'trigger'::regtype
            FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('crossfade')
              AND (p.prorettype = 'trigger'::regtype OR p.proname IN ('record', 'approve', 'amend'))
        UNION ALL
        SELECT 'SCHEMA', 'n', 'crossfade', n.nspowner, n.nspacl, false FROM pg_namespace AS n WHERE n.oid = to_regnamespace('crossfade')
    )
    SELECT DISTINCT format('REVOKE %s ON %s %s FROM %s', a.privilege_type, o.kind, o.name,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
    FROM ours AS o, aclexplode(o.acl) AS a
    WHERE a.grantee <> o.owner AND a.grantor = o.owner AND pg_has_role(o.owner, 'USAGE')
      AND (o.name NOT LIKE 'crossfade.approve(%' OR $1 AND a.grantee <> 0)
      AND a.privilege_type <> CASE o.kind WHEN 'SCHEMA' THEN 'USAGE' WHEN 'FUNCTION' THEN '' ELSE CASE WHEN $1 THEN '' ELSE 'SELECT' END END
      AND (a.grantee = 0 AND a.privilege_type <> 'SELECT'
        OR o.kind <> 'SCHEMA' AND NOT o.of_a_run AND NOT has_schema_privilege(a.grantee, to_regnamespace('crossfade'), 'CREATE')
           AND EXISTS (SELECT 1 FROM pg_default_acl AS d, aclexplode(d.defaclacl) AS g
               WHERE d.defaclnamespace = 0 AND d.defaclrole = o.owner AND d.defaclobjtype = o.class::\"char\"
                 AND g.grantee = a.grantee AND g.privilege_type = a.privilege_type))
    ORDER BY 1";

/// A schema that was made a moment ago has what default privileges gave: nobody was granted anything on it.
const REVOKE_SCHEMA: &str = "
    SELECT DISTINCT format('REVOKE ALL ON SCHEMA crossfade FROM %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
    FROM pg_namespace AS n, aclexplode(n.nspacl) AS a WHERE n.oid = to_regnamespace('crossfade') AND a.grantee <> n.nspowner
    ORDER BY 1";

/// A table that an upgrade brings is for those who have the others: as the runs, so the new one.
const CARRY_ON: &str = "
    SELECT DISTINCT format('GRANT %s ON TABLE %s TO %s', a.privilege_type, n.oid::regclass, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
    FROM pg_class AS r, aclexplode(r.relacl) AS a, pg_class AS n
    WHERE r.oid = to_regclass('crossfade.runs') AND a.grantee <> r.relowner AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
      AND n.relnamespace = r.relnamespace AND n.relkind = 'r' AND NOT n.oid = ANY ($1)
    ORDER BY 1";

/// The tables that are there before an upgrade.
pub async fn tables(client: &impl GenericClient) -> Result<Vec<u32>, StoreError> {
    let rows = client
        .query(
            "SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('crossfade') AND relkind = 'r'",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Makes the schema; nobody but its owner has a right on it. `false`: it was there.
pub async fn create_schema(client: &mut Client) -> Result<bool, StoreError> {
    let transaction = client.transaction().await?;
    let row = transaction
        .query_one("SELECT to_regnamespace('crossfade') IS NULL", &[])
        .await?;
    if !row.get::<_, bool>(0) {
        return Ok(false);
    }
    transaction.batch_execute("CREATE SCHEMA crossfade").await?;
    run_all(&transaction, REVOKE_SCHEMA, &[]).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Brings the rights in order after an installation or an upgrade; `before`: the tables that were there, none in a new
/// installation. Touches only what this role owns.
pub async fn put_in_order(client: &mut Client, before: &[u32]) -> Result<(), StoreError> {
    let transaction = client.transaction().await?;
    let is_new = before.is_empty();
    if !is_new {
        run_all(&transaction, CARRY_ON, &[&before]).await?;
    }
    run_all(&transaction, REVOKE, &[&is_new]).await?;
    transaction.commit().await?;
    Ok(())
}

/// The statements are the server's own, with its quoting.
async fn run_all(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<(), StoreError> {
    for row in transaction.query(query, parameters).await? {
        transaction.batch_execute(row.get(0)).await?;
    }
    Ok(())
}
