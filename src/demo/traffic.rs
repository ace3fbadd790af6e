//! The application of a team in the middle of a rename: an old and a new version that write all the time, and a ledger
//! of what must be in the table.
//!
//! The table has `id` (an integer that the database gives), `license_plate` (text of at least 20 characters, unique),
//! `mileage` (integer), `note` (text) and the synced column; whatever else it has needs a default. Every row is written
//! by one client only (save for its `note`), so that what must be there is known without asking the database.

mod choice;
mod client;
mod error;
mod ledger;
mod meter;
mod operation;
mod recovery;
mod rows;
mod session;
mod shape;
mod sql;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_postgres::{Config, NoTls};
use tokio_util::sync::{CancellationToken, DropGuard};

use client::{Client, Setting};
pub use error::Error;
pub use ledger::{Difference, Ledger};
use meter::Meter;
use rows::KeySpace;
use session::Session;
pub use shape::{Pair, Shape, Values, Version};
use sql::Sql;
pub use table::create_table;

/// A server that does not answer must not hold a client, or a test, for ever.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How much traffic, and of whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of the clients' generators, and of the keys they insert: two traffics on one table need different seeds.
    pub seed: u64,
    /// How many clients each version has: at least one, at most 2,047.
    pub clients_per_version: usize,
    /// Between two statements of a client, also within its transactions. Zero: as fast as it goes.
    pub pause: Duration,
    /// The rows with an id from 1 to this are the clients' from the start, divided among them. All others that are in
    /// the table at the start are nobody's: not written and not compared.
    pub initial_rows: u64,
    /// How many rows inserted by one client are in the table at the same time at most, which bounds the ledger.
    pub inserted_rows_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            clients_per_version: 4,
            pause: Duration::ZERO,
            initial_rows: 0,
            inserted_rows_max: 5_000,
        }
    }
}

/// What came of the traffic.
#[derive(Debug, Clone)]
pub struct Report {
    /// Statements sent that read or write rows, whether or not they failed.
    pub operations: u64,
    /// The first 50 of what failed: client, SQLSTATE, message, statement.
    pub errors: Vec<String>,
    pub error_count: u64,
    /// Of all statements, COMMIT too; to the next upper bound of a bucket at most 6.25 % wide.
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Exact, to the microsecond.
    pub max_ms: f64,
    pub ledger: Ledger,
}

/// Clients of both versions. Dropping it without [`Traffic::stop`] ends the clients, each after what it is doing.
#[derive(Debug)]
pub struct Traffic {
    setting: Arc<Setting>,
    old: Mutex<Service>,
    new: Mutex<Service>,
}

/// One version's clients.
#[derive(Debug)]
enum Service {
    /// Out of service, with what they know of their rows.
    Idle(Vec<Client>),
    Running {
        stop: CancellationToken,
        /// So that nothing goes on writing once nobody can stop it.
        _stop_when_dropped: DropGuard,
        tasks: Vec<JoinHandle<Client>>,
    },
}

impl Traffic {
    /// Reads the table as it is and starts the old version's clients. Returns once all of them are connected.
    pub async fn start(url: &str, shape: Shape, options: Options) -> Result<Traffic, Error> {
        let max = rows::CLIENTS_MAX / 2;
        let clients = options.clients_per_version;
        if !(1..=max).contains(&clients) {
            return Err(Error::Clients { clients, max });
        }
        let mut config: Config = url.parse().map_err(|source| Error::Url { source })?;
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .application_name("vehicles");
        let reader = connect(&config).await?;
        let keys = KeySpace::of(options.seed, options.initial_rows);
        table::check_keys_free(&reader, &shape, &keys).await?;
        let default = table::default(&reader, &shape).await?;
        let shares = table::divide_rows(&reader, &shape, &keys, 2 * clients).await?;

        let setting = Arc::new(Setting {
            shape,
            options,
            config,
            keys,
            default,
            meter: Arc::new(Meter::new()),
        });
        let mut old: Vec<Client> = shares
            .into_iter()
            .enumerate()
            .map(|(number, rows)| {
                let version = if number < clients {
                    Version::Old
                } else {
                    Version::New
                };
                Client::new(setting.clone(), version, number, rows)
            })
            .collect();
        let new = old.split_off(clients);
        let traffic = Traffic {
            setting,
            old: Mutex::new(Service::Idle(old)),
            new: Mutex::new(Service::Idle(new)),
        };
        traffic.start_version(Version::Old).await?;
        Ok(traffic)
    }

    /// Deploys a version: returns once all its clients are connected and have prepared their statements. Nothing
    /// happens where it is in service already; where one client fails, none is started.
    pub async fn start_version(&self, version: Version) -> Result<(), Error> {
        let mut service = self.service(version).lock().await;
        let Service::Idle(clients) = &mut *service else {
            return Ok(());
        };
        let reader = connect(&self.setting.config).await?;
        let column = table::column(&reader, &self.setting.shape, version).await?;
        let sql = Arc::new(Sql::new(&self.setting.shape, version, &column));
        let mut sessions = Vec::with_capacity(clients.len());
        for _ in clients.iter() {
            sessions.push(Session::open(&self.setting.config, sql.clone()).await?);
        }
        let stop = CancellationToken::new();
        let tasks = clients
            .drain(..)
            .zip(sessions)
            .map(|(client, session)| {
                // Counted before it first runs: a wait that begins now is not to find nobody.
                let running = self.setting.meter.running();
                tokio::spawn(client.run(session, stop.clone(), running))
            })
            .collect();
        *service = Service::Running {
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
            tasks,
        };
        Ok(())
    }

    /// Takes a version out of service: every statement and transaction under way ends first. Its rows stay as they are.
    pub async fn stop_version(&self, version: Version) {
        let mut service = self.service(version).lock().await;
        let Service::Running { stop, tasks, .. } = &mut *service else {
            return;
        };
        stop.cancel();
        let mut clients = Vec::with_capacity(tasks.len());
        for task in tasks.drain(..) {
            match task.await {
                Ok(client) => clients.push(client),
                // Its rows are gone from the ledger: this must not look like a good run.
                Err(error) => {
                    self.setting
                        .meter
                        .failed(format!("{version} version: a client was lost: {error}"));
                }
            }
        }
        *service = Service::Idle(clients);
    }

    /// Statements so far.
    pub fn operations(&self) -> u64 {
        self.setting.meter.operations()
    }

    /// What failed so far: the first 50, then one line with the count of the others.
    pub fn errors(&self) -> Vec<String> {
        let (mut errors, count) = self.setting.meter.errors();
        let others = count.saturating_sub(errors.len() as u64);
        if others > 0 {
            errors.push(format!("and {others} more"));
        }
        errors
    }

    /// How many failed so far.
    pub fn error_count(&self) -> u64 {
        self.setting.meter.error_count()
    }

    /// Waits until this many more operations have been made; not longer than any client is in service.
    pub async fn wait_for_operations(&self, more: u64) {
        let goal = self.operations().saturating_add(more);
        self.setting.meter.wait_for(goal).await;
    }

    /// Takes both versions out of service and says what came of it.
    pub async fn stop(self) -> Report {
        let mut parts = Vec::new();
        for version in [Version::Old, Version::New] {
            self.stop_version(version).await;
            if let Service::Idle(clients) = &mut *self.service(version).lock().await {
                parts.extend(clients.drain(..).map(Client::into_rows));
            }
        }
        let setting = &self.setting;
        let (errors, error_count) = setting.meter.errors();
        Report {
            operations: setting.meter.operations(),
            errors,
            error_count,
            p50_ms: setting.meter.quantile_ms(0.50),
            p99_ms: setting.meter.quantile_ms(0.99),
            max_ms: setting.meter.max_ms(),
            ledger: Ledger::new(setting.shape.clone(), setting.keys.clone(), parts),
        }
    }

    fn service(&self, version: Version) -> &Mutex<Service> {
        match version {
            Version::Old => &self.old,
            Version::New => &self.new,
        }
    }
}

async fn connect(config: &Config) -> Result<tokio_postgres::Client, Error> {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|source| Error::Connect { source })?;
    // Ends when the client is dropped; its error is also the client's.
    tokio::spawn(connection);
    Ok(client)
}
