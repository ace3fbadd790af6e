//! Installing and upgrading Crossfade's tables, and telling whether they are the ones that this program knows.

use super::{StoreError, rights};
use std::time::Duration;
use tokio_postgres::{Client, GenericClient, error::SqlState};

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

const HISTORY: &str = "crossfade.schema_history";
/// "crossfade" as a number: the advisory lock under which two `init` take turns.
const LOCK_KEY: i64 = 0x0063_726f_7373_6661;
const LOCK_TRIES_MAX: u32 = 100;
const MIGRATION_TRIES_MAX: u32 = 240;
const MIGRATION_RETRY: Duration = Duration::from_millis(200);

#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("another `crossfade init` has been at work for {0:?}: wait for it to end")]
    Busy(Duration),
    #[error(
        "the role {role} may not create a schema in {database}: GRANT CREATE ON DATABASE {database} TO {role};"
    )]
    MayNotCreate { role: String, database: String },
    #[error(
        "a transaction or a dump has had Crossfade's tables open for a minute, and the migration that waited for it has changed nothing. Run `crossfade init` again when it has ended"
    )]
    Locked,
    #[error("the tables could not be installed")]
    Migration(#[source] Box<refinery::Error>),
}

impl From<tokio_postgres::Error> for InitError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The newest migration that this program has. Every command compares with it: a number of its own, as asking refinery
/// for it compiles a regular expression, which takes longer than the rest of a process's start.
pub const KNOWN_VERSION: i32 = 48;

/// The version that is installed; `None` where there is none.
pub async fn installed_version(client: &impl GenericClient) -> Result<Option<i32>, StoreError> {
    let row = client
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&HISTORY])
        .await?;
    if !row.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client
        .query_one(&format!("SELECT max(version) FROM {HISTORY}"), &[])
        .await?;
    Ok(row.get(0))
}

/// What a command wants with the tables: which rights it names where they are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Nobody who only looks or approves is told to let himself be granted more.
    Look,
    Drive,
}

/// The version that is installed, for a command that needs none. A role that may not look is told what it lacks.
pub async fn look(client: &Client) -> Result<Option<i32>, StoreError> {
    match installed_version(client).await {
        Err(StoreError::Privilege(_)) => Err(missing(client, Purpose::Look).await?),
        installed => installed,
    }
}

/// Every command but `init` and `check` begins here.
pub async fn require(client: &Client, purpose: Purpose) -> Result<(), StoreError> {
    let known = KNOWN_VERSION;
    let installed = match installed_version(client).await {
        Err(StoreError::Privilege(_)) => return Err(missing(client, purpose).await?),
        installed => installed?,
    };
    match installed {
        None => Err(StoreError::NotInstalled),
        Some(found) if found < known => Err(StoreError::Older { found, known }),
        Some(found) if found > known => Err(StoreError::Newer { found, known }),
        Some(_) if purpose == Purpose::Drive => {
            let row = client
                .query_one(
                    "SELECT has_table_privilege('crossfade.runs', 'UPDATE')",
                    &[],
                )
                .await?;
            if row.get(0) {
                Ok(())
            } else {
                Err(missing(client, purpose).await?)
            }
        }
        Some(_) => Ok(()),
    }
}

async fn missing(client: &Client, purpose: Purpose) -> Result<StoreError, StoreError> {
    let has_right = match purpose {
        Purpose::Look => "has_table_privilege(r.oid, c.oid, 'SELECT')",
        Purpose::Drive => "has_table_privilege(r.oid, c.oid, 'UPDATE')",
    };
    let has_right = format!(
        "EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'crossfade' AND c.relname = 'runs' AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND {has_right})"
    );
    if let Some(error) = not_entered(client, &has_right).await? {
        return Ok(error);
    }
    let role = client
        .query_one("SELECT quote_ident(current_user)", &[])
        .await?
        .get(0);
    Ok(match purpose {
        Purpose::Look => StoreError::NoRightsToLook { role },
        Purpose::Drive => StoreError::NoRights { role },
    })
}

/// A role `r` that has the right and that the login role can enter. Not a superuser: nobody is told to become one for this.
async fn not_entered(client: &Client, has_right: &str) -> Result<Option<StoreError>, StoreError> {
    let row = client
        .query_opt(
            &format!(
                "SELECT quote_ident(current_user), quote_ident(session_user), quote_ident(r.rolname) FROM pg_roles AS r \
                 WHERE NOT r.rolsuper AND r.rolname NOT LIKE 'pg\\_%' AND r.rolname NOT IN (current_user, session_user) AND pg_has_role(session_user, r.oid, \
                     CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END) AND {has_right} \
                 ORDER BY r.rolname LIMIT 1"
            ),
            &[],
        )
        .await?;
    Ok(row.map(|row| StoreError::NotEntered {
        role: row.get(0),
        login: row.get(1),
        enter: row.get(2),
    }))
}

/// Installs or upgrades; the versions before and after. refinery takes no lock, so this takes one.
pub async fn install(client: &mut Client) -> Result<(Option<i32>, i32), InitError> {
    let mut tries = 0;
    // `pg_try…` in a loop: waiting inside the server would hold a snapshot, which stops CREATE INDEX CONCURRENTLY.
    while !client
        .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY])
        .await?
        .get::<_, bool>(0)
    {
        tries += 1;
        let waited = Duration::from_millis(100) * tries;
        if tries >= LOCK_TRIES_MAX {
            return Err(InitError::Busy(waited));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let installed = install_locked(client).await;
    client
        .query_one("SELECT pg_advisory_unlock($1)", &[&LOCK_KEY])
        .await?;
    installed
}

async fn install_locked(client: &mut Client) -> Result<(Option<i32>, i32), InitError> {
    let before = installed_version(client).await?;
    let known = KNOWN_VERSION;
    match before {
        Some(found) if found > known => return Err(StoreError::Newer { found, known }.into()),
        Some(found) if found == known => {
            let tables = rights::tables(client).await?;
            rights::put_in_order(client, &tables).await?;
            return Ok((before, known));
        }
        _ => {}
    }
    let row = client
        .query_one(
            "SELECT quote_ident(current_user), quote_ident(current_database()), \
                    has_database_privilege(current_database(), 'CREATE') OR to_regnamespace('crossfade') IS NOT NULL",
            &[],
        )
        .await?;
    if !row.get::<_, bool>(2) {
        let has_right = "has_database_privilege(r.oid, current_database(), 'CREATE')";
        if let Some(error) = not_entered(client, has_right).await? {
            return Err(error.into());
        }
        return Err(InitError::MayNotCreate {
            role: row.get(0),
            database: row.get(1),
        });
    }
    rights::create_schema(client).await?;
    let tables = rights::tables(client).await?;
    migrate(client).await?;
    rights::put_in_order(client, &tables).await?;
    Ok((before, known))
}

/// Each migration is a transaction of its own. A lock that is not had at once is asked for again: the application's triggers
/// read these tables, and must not queue behind us while somebody else looks at them for long.
async fn migrate(client: &mut Client) -> Result<(), InitError> {
    client.batch_execute("SET lock_timeout = '50ms'").await?;
    let mut tries = 0;
    loop {
        let migrated = embedded::migrations::runner()
            .set_migration_table_name(HISTORY)
            .run_async(client)
            .await;
        match migrated {
            Ok(_) => return Ok(()),
            Err(error) if is_lock_timeout(&error) && tries < MIGRATION_TRIES_MAX => {
                tries += 1;
                tokio::time::sleep(MIGRATION_RETRY).await;
            }
            Err(error) if is_lock_timeout(&error) => return Err(InitError::Locked),
            Err(error) => return Err(InitError::Migration(Box::new(error))),
        }
    }
}

fn is_lock_timeout(error: &refinery::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            return error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_version_is_that_of_the_newest_migration() {
        let runner = embedded::migrations::runner();
        let versions = runner.get_migrations().iter().map(|one| one.version());
        assert_eq!(versions.max(), Some(KNOWN_VERSION));
    }
}
