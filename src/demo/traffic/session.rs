//! One client's connection and its prepared statements, as an application has them: every column is named.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::Error;
use super::meter::Meter;
use super::operation::{Found, InsertKind, Operation, Outcome};
use super::shape::{Shape, Version};
use super::table::Column;

/// How long a connection may take to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// One of each statement: its text, or prepared.
#[derive(Debug)]
struct Commands<T> {
    insert: T,
    insert_neither: T,
    upsert: T,
    upsert_initial: T,
    set: T,
    set_many: T,
    update_unrelated: T,
    update_note: T,
    delete: T,
    select: T,
    select_by_plate: T,
}

/// The statements of a version.
#[derive(Debug)]
pub(super) struct Sql {
    version: Version,
    commands: Commands<String>,
}

impl Sql {
    /// A text column is written and read as it is; any other through its text, so that one client serves every type.
    pub fn new(shape: &Shape, version: Version, definition: &Column) -> Sql {
        let (table, column) = (&shape.table, shape.column(version));
        let value = |number: u32| match definition.is_text {
            true => format!("${number}"),
            false => format!("${number}::text::{}", definition.type_name),
        };
        let shown = match definition.is_text {
            true => column.to_owned(),
            false => shape.rendered(column),
        };
        let insert = |plate: &str, value: &str| {
            format!(
                "INSERT INTO {table} (license_plate, {column}, mileage) VALUES ({plate}, {value}, $3)"
            )
        };
        let upsert =
            format!("ON CONFLICT (license_plate) DO UPDATE SET {column} = EXCLUDED.{column}");
        let plate_of_id = format!("(SELECT license_plate FROM {table} WHERE id = $1::bigint)");
        let select = format!("SELECT id::bigint, {shown}, mileage FROM {table}");
        let returning = "RETURNING id::bigint";
        let commands = Commands {
            insert: format!("{} {returning}", insert("$1", &value(2))),
            insert_neither: format!(
                "INSERT INTO {table} (license_plate, mileage) VALUES ($1, $2) {returning}"
            ),
            upsert: format!("{} {upsert} {returning}", insert("$1", &value(2))),
            upsert_initial: format!("{} {upsert} {returning}", insert(&plate_of_id, &value(2))),
            set: format!(
                "UPDATE {table} SET {column} = {} WHERE id = $1::bigint",
                value(2)
            ),
            set_many: format!(
                "UPDATE {table} SET {column} = {} WHERE id = ANY ($1::bigint[])",
                value(2)
            ),
            update_unrelated: format!(
                "UPDATE {table} SET mileage = $2, note = $3 WHERE id = $1::bigint"
            ),
            update_note: format!("UPDATE {table} SET note = $2 WHERE id = $1::bigint"),
            delete: format!("DELETE FROM {table} WHERE id = $1::bigint"),
            select: format!("{select} WHERE id = $1::bigint"),
            select_by_plate: format!("{select} WHERE license_plate = $1"),
        };
        Sql { version, commands }
    }
}

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

/// A connection on which everything is prepared.
#[derive(Debug)]
pub(super) struct Session {
    sql: Arc<Sql>,
    client: Client,
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
        let commands = prepare(&client, &sql).await?;
        Ok(Session {
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
