//! Where the application's sessions look for names without a schema: what a new session of the tables' owner would begin with.

use super::Result;
use crossfade_model::ident::TableName;
use crossfade_plan::search_path::SearchPath;
use std::collections::BTreeSet;
use tokio_postgres::{Client, GenericClient};

/// The role's number, or 0 for all; the database's, or 0; and what is set.
const SETTINGS: &str = "\
    SELECT s.setrole, s.setdatabase <> 0, c.setting FROM pg_db_role_setting AS s CROSS JOIN unnest(s.setconfig) AS c (setting) \
    WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())) AND c.setting LIKE 'search\\_path=%'";

/// Roles that log in and may write to the table, also by a role that they can enter, which is whose it is that we look for. Superusers
/// may write to all.
const USERS: &str = "\
    SELECT r.oid, r.rolname::text FROM pg_roles AS r CROSS JOIN (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
        WHERE n.nspname = $1 AND c.relname = $2) AS t \
    WHERE r.rolcanlogin AND NOT r.rolsuper AND (has_table_privilege(r.oid, t.oid, 'INSERT, UPDATE, DELETE') OR EXISTS (SELECT FROM pg_catalog.pg_class AS k, \
        LATERAL (SELECT k.relowner UNION SELECT g.grantee FROM aclexplode(k.relacl) AS g WHERE g.privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND g.grantee <> 0) AS m (oid) \
        WHERE k.oid = t.oid AND pg_has_role(r.oid, m.oid, 'MEMBER'))) \
    ORDER BY r.rolname LIMIT 50";

/// As a value for SET.
pub async fn of_session(client: &Client) -> Result<String> {
    let row = client
        .query_one("SELECT pg_catalog.current_setting('search_path')", &[])
        .await?;
    let path: String = row.get(0);
    Ok(if path.trim().is_empty() {
        "''".to_owned()
    } else {
        path
    })
}

pub struct Settings {
    by_role: Vec<(u32, bool, String)>,
    database: String,
    schemas: BTreeSet<String>,
    /// Of the server, where neither the role nor the database has any.
    default: String,
}

/// What the server gives where nothing else is set. `plain`: a session that began with no settings of ours.
pub async fn server_default(plain: &Client, superuser: bool) -> Result<String> {
    let row = plain
        .query_one(
            "SELECT reset_val, boot_val, source IN ('default', 'configuration file', 'command line', 'environment variable') \
             FROM pg_catalog.pg_settings WHERE name = 'search_path'",
            &[],
        )
        .await?;
    if row.get(2) {
        return Ok(row.get(0));
    }
    // The session has one of its own, which hides the server's.
    if superuser {
        let file = "SELECT setting FROM pg_catalog.pg_file_settings WHERE name = 'search_path' AND applied ORDER BY seqno DESC LIMIT 1";
        if let Some(row) = plain.query_opt(file, &[]).await? {
            return Ok(row.get(0));
        }
    }
    Ok(row.get(1))
}

impl Settings {
    pub async fn read(client: &impl GenericClient, default: String) -> Result<Self> {
        let rows = client.query(SETTINGS, &[]).await?;
        let by_role = rows.iter().map(|row| {
            let setting: String = row.get(2);
            let value = setting.split_once('=').map_or("", |(_, value)| value);
            (row.get(0), row.get(1), value.to_owned())
        });
        let by_role = by_role.collect();
        let schemas = client
            .query("SELECT nspname::text FROM pg_namespace", &[])
            .await?;
        let row = client
            .query_one("SELECT quote_ident(current_database())", &[])
            .await?;
        Ok(Self {
            by_role,
            database: row.get(0),
            schemas: schemas.iter().map(|row| row.get(0)).collect(),
            default,
        })
    }

    /// The path of a role's new sessions, as the server decides it.
    pub fn of(&self, oid: u32, role: &str) -> SearchPath {
        let quoted = crossfade_model::ident::Ident::from_catalog(role);
        let database = &self.database;
        let ranks = [
            (
                oid,
                true,
                format!("ALTER ROLE {quoted} IN DATABASE {database}"),
            ),
            (oid, false, format!("ALTER ROLE {quoted}")),
            (0, true, format!("ALTER DATABASE {database}")),
            (0, false, "ALTER ROLE ALL".to_owned()),
        ];
        for (role_oid, in_database, from) in ranks {
            let mut set = self.by_role.iter();
            let found = set.find(|(of, within, _)| (*of, *within) == (role_oid, in_database));
            if let Some((_, _, value)) = found
                && let Some(path) = SearchPath::read(value, role, &from)
            {
                return path;
            }
        }
        let from = "the server's default";
        let path = SearchPath::read(&self.default, role, from);
        path.unwrap_or(SearchPath {
            schemas: Vec::new(),
            from: from.to_owned(),
        })
    }

    pub async fn of_role(&self, client: &impl GenericClient, role: &str) -> Result<SearchPath> {
        let row = client
            .query_opt("SELECT oid FROM pg_roles WHERE rolname = $1", &[&role])
            .await?;
        Ok(self.of(row.map_or(0, |row| row.get(0)), role))
    }

    /// Both find the same: schemas that are not there hold nothing.
    fn same(&self, one: &SearchPath, other: &SearchPath) -> bool {
        let there = |path: &SearchPath| -> Vec<String> {
            let names = path.schemas.iter().map(|name| name.as_str().to_owned());
            names.filter(|name| self.schemas.contains(name)).collect()
        };
        there(one) == there(other)
    }

    /// Roles that write to the table and look elsewhere: who, and where.
    pub async fn others(
        &self,
        client: &impl GenericClient,
        table: &TableName,
        path: &SearchPath,
    ) -> Result<Vec<String>> {
        let names: [&str; 2] = [table.schema.as_str(), table.name.as_str()];
        let rows = client.query(USERS, &[&names[0], &names[1]]).await?;
        let mut others = Vec::new();
        for row in &rows {
            let (oid, role): (u32, String) = (row.get(0), row.get(1));
            let own = self.of(oid, &role);
            if !self.same(&own, path) {
                others.push(format!("{role}: {own} ({})", own.from));
            }
        }
        Ok(others)
    }
}
