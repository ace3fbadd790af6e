//! One client's connection and its prepared statements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::Error;
use super::meter::Meter;
use super::operation::{Found, InsertKind, Operation, Outcome};
use super::sql::{Commands, Sql};

/// How long a connection may take to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often, 10 ms apart, is looked whether the backend of a lost connection is gone.
const GONE_LOOKS_MAX: u32 = 500;
const GONE_PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug)]
struct Prepared {
    text: String,
    statement: Statement,
}

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    statement: String,
    error: tokio_postgres::Error,
}

impl Failure {
    /// Whether the connection is gone, and with it the knowledge of what became of the statement.
    pub fn lost_connection(&self) -> bool {
        self.error.as_db_error().is_none_or(|error| {
            matches!(
                error.parsed_severity(),
                Some(Severity::Fatal | Severity::Panic)
            )
        })
    }

    /// SQLSTATE, message, statement.
    pub fn describe(&self) -> String {
        format!("{}: {}", describe(&self.error), self.statement)
    }
}

/// SQLSTATE and message, or the whole chain of what is not the server's answer.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} {}", error.code().code(), error.message());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// The server's process of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backend {
    pid: i32,
}

/// A connection on which everything is prepared.
#[derive(Debug)]
pub(super) struct Session {
    sql: Arc<Sql>,
    client: Client,
    backend: Backend,
    connection: JoinHandle<Result<(), tokio_postgres::Error>>,
    commands: Commands<Prepared>,
}

impl Session {
    pub async fn open(config: &Config, sql: Arc<Sql>) -> Result<Session, Error> {
        let mut config = config.clone();
        config.application_name(format!("vehicles {}", sql.version));
        let (client, connection) = config
            .connect(NoTls)
            .await
            .map_err(|source| Error::Connect { source })?;
        let connection = tokio::spawn(connection);
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).await;
        let pid = pid
            .and_then(|row| row.try_get(0))
            .map_err(|source| Error::Connect { source })?;
        let commands = prepare(&client, &sql).await?;
        Ok(Session {
            backend: Backend { pid },
            sql,
            client,
            connection,
            commands,
        })
    }

    pub fn sql(&self) -> Arc<Sql> {
        self.sql.clone()
    }

    /// Says goodbye, so that the server's backend is gone when this returns, or nearly so.
    pub async fn close(self) {
        drop(self.client);
        // An error of a connection is also the error of the statement that met it.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.connection).await;
    }

    /// BEGIN, COMMIT or ROLLBACK.
    pub async fn control(&self, statement: &str, meter: &Meter) -> Result<(), Failure> {
        let began = Instant::now();
        let result = self.client.batch_execute(statement).await;
        meter.took(began.elapsed());
        result.map_err(|error| Failure {
            statement: statement.to_owned(),
            error,
        })
    }

    /// The statement of an operation. One exchange with the server.
    pub async fn send(&self, operation: &Operation, meter: &Meter) -> Result<Outcome, Failure> {
        let commands = &self.commands;
        let (prepared, parameters) = self.statement(operation);
        let began = Instant::now();
        let result = match operation {
            Operation::Insert { .. } | Operation::Upsert { .. } => {
                let row = self
                    .client
                    .query_opt(&prepared.statement, &parameters)
                    .await;
                row.and_then(|row| row.map(|row| row.try_get(0)).transpose())
                    .map(Outcome::Id)
            }
            Operation::Read { .. } => {
                let row = self
                    .client
                    .query_opt(&commands.select.statement, &parameters)
                    .await;
                row.and_then(|row| row.map(|row| found(&row)).transpose())
                    .map(Outcome::Found)
            }
            Operation::Set { .. }
            | Operation::UpdateUnrelated { .. }
            | Operation::UpdateNote { .. }
            | Operation::Delete { .. } => self
                .client
                .execute(&prepared.statement, &parameters)
                .await
                .map(Outcome::Rows),
        };
        meter.took(began.elapsed());
        meter.operation();
        result.map_err(|error| Failure {
            statement: prepared.text.clone(),
            error,
        })
    }

    fn statement<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> (&'a Prepared, Vec<&'a (dyn ToSql + Sync)>) {
        let commands = &self.commands;
        match operation {
            Operation::Insert {
                kind,
                license_plate,
                row,
                value,
            } => match kind {
                InsertKind::Naming => (&commands.insert, vec![license_plate, value, &row.mileage]),
                InsertKind::NamingNeither => {
                    (&commands.insert_neither, vec![license_plate, &row.mileage])
                }
                InsertKind::OnConflict => {
                    (&commands.upsert, vec![license_plate, value, &row.mileage])
                }
            },
            Operation::Upsert {
                id,
                license_plate,
                value,
                mileage,
                ..
            } => match license_plate {
                Some(license_plate) => (&commands.upsert, vec![license_plate, value, mileage]),
                None => (&commands.upsert_initial, vec![id, value, mileage]),
            },
            Operation::Set { ids, value, .. } => match ids.as_slice() {
                [id] => (&commands.set, vec![id, value]),
                _ => (&commands.set_many, vec![ids, value]),
            },
            Operation::UpdateUnrelated { id, mileage, note } => {
                (&commands.update_unrelated, vec![id, mileage, note])
            }
            Operation::UpdateNote { id, note } => (&commands.update_note, vec![id, note]),
            Operation::Delete { id } => (&commands.delete, vec![id]),
            Operation::Read { id } => (&commands.select, vec![id]),
        }
    }

    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// A statement whose client is gone may still be under way. Waits until its backend is gone too, up to a bound.
    pub async fn wait_until_gone(&self, backend: Backend) -> Result<(), Failure> {
        const SQL: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE pid = $1)";
        for _ in 0..GONE_LOOKS_MAX {
            let row = self.client.query_one(SQL, &[&backend.pid]).await;
            let is_there = row.and_then(|row| row.try_get(0));
            let failure = |error| Failure {
                statement: SQL.to_owned(),
                error,
            };
            if !is_there.map_err(failure)? {
                break;
            }
            tokio::time::sleep(GONE_PAUSE).await;
        }
        Ok(())
    }

    /// What became of a row whose write was under way when the connection was lost. Not an operation.
    pub async fn find_by_id(&self, id: i64) -> Result<Option<Found>, Failure> {
        self.find(&self.commands.select, &id).await
    }

    pub async fn find_by_plate(&self, license_plate: &str) -> Result<Option<Found>, Failure> {
        self.find(&self.commands.select_by_plate, &license_plate)
            .await
    }

    async fn find(
        &self,
        prepared: &Prepared,
        key: &(dyn ToSql + Sync),
    ) -> Result<Option<Found>, Failure> {
        let row = self.client.query_opt(&prepared.statement, &[key]).await;
        row.and_then(|row| row.map(|row| found(&row)).transpose())
            .map_err(|error| Failure {
                statement: prepared.text.clone(),
                error,
            })
    }
}

fn found(row: &tokio_postgres::Row) -> Result<Found, tokio_postgres::Error> {
    Ok(Found {
        id: row.try_get(0)?,
        value: row.try_get(1)?,
        mileage: row.try_get(2)?,
    })
}

async fn prepare(client: &Client, sql: &Sql) -> Result<Commands<Prepared>, Error> {
    let one = |text: &String| {
        let text = text.clone();
        async move {
            match client.prepare(&text).await {
                Ok(statement) => Ok(Prepared { text, statement }),
                Err(source) => Err(Error::Prepare {
                    version: sql.version,
                    statement: text,
                    source,
                }),
            }
        }
    };
    let texts = &sql.commands;
    Ok(Commands {
        insert: one(&texts.insert).await?,
        insert_neither: one(&texts.insert_neither).await?,
        upsert: one(&texts.upsert).await?,
        upsert_initial: one(&texts.upsert_initial).await?,
        set: one(&texts.set).await?,
        set_many: one(&texts.set_many).await?,
        update_unrelated: one(&texts.update_unrelated).await?,
        update_note: one(&texts.update_note).await?,
        delete: one(&texts.delete).await?,
        select: one(&texts.select).await?,
        select_by_plate: one(&texts.select_by_plate).await?,
    })
}
