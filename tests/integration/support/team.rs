//! People of a database who may do different things, and a server of it.

use super::{
    Database,
    page::{Page, encoded},
    plan_file,
};

pub const RUN: &str = "rename-status";
pub const PLAN: &str = "version: 1\nname: rename-status\nchange:\n  rename_column: {table: public.vehicles, from: status, to: vehicle_status}\ngates:\n  contract: {approvals: 1}\n";
pub const ON_A_FREE_PORT: &str = "--listen=127.0.0.1:0";

/// A database whose owner is no superuser, with people who may do different things.
pub struct Team<'a> {
    pub database: &'a Database,
    /// Owns the table and Crossfade's schema; the server is connected as this role.
    pub deployer: String,
    /// A member of `deployer`.
    pub operator: String,
    /// May look and approve. Its name has capitals and a space.
    pub approver: String,
    /// May log in, and nothing else.
    pub stranger: String,
}

impl<'a> Team<'a> {
    pub async fn of(database: &'a Database) -> Self {
        let name = |role: &str| format!("{role}_{}", database.name);
        let team = Self {
            database,
            deployer: name("deployer"),
            operator: name("operator"),
            approver: format!("Ada L. {}", database.name),
            stranger: name("stranger"),
        };
        let Self {
            deployer,
            operator,
            approver,
            stranger,
            ..
        } = &team;
        database
            .execute(&format!(
                "CREATE ROLE {deployer} LOGIN; CREATE ROLE {operator} LOGIN IN ROLE {deployer}; CREATE ROLE \"{approver}\" LOGIN; CREATE ROLE {stranger} LOGIN; \
                 GRANT CREATE ON DATABASE {} TO {deployer}; GRANT ALL ON SCHEMA public TO {deployer}; \
                 CREATE TABLE vehicles (id bigint PRIMARY KEY, status text NOT NULL); ALTER TABLE vehicles OWNER TO {deployer}; \
                 INSERT INTO vehicles SELECT i, 'status ' || i % 7 FROM generate_series(1, 2000) AS i",
                database.name
            ))
            .await;
        team.run(&team.deployer, &["init"]);
        database
            .execute(&format!(
                "GRANT USAGE ON SCHEMA crossfade TO \"{approver}\"; GRANT SELECT ON ALL TABLES IN SCHEMA crossfade TO \"{approver}\""
            ))
            .await;
        team
    }

    pub fn url(&self, role: &str) -> String {
        self.database
            .url
            .replacen("postgres@", &format!("{}@", encoded(role)), 1)
    }

    /// A command as this role; what it wrote.
    pub fn run(&self, role: &str, arguments: &[&str]) -> String {
        self.tried(role, arguments).exits(0).stdout
    }

    pub fn tried(&self, role: &str, arguments: &[&str]) -> super::Ran {
        let mut command = super::command(&self.url(role), arguments);
        super::Ran::of(command.output().expect("the program runs"))
    }

    pub fn token(&self, role: &str, can: &str) -> String {
        self.run(role, &["token", "create", "--can", can])
            .trim()
            .to_owned()
    }

    pub fn serve(&self, arguments: &[&str]) -> Page {
        let all: Vec<&str> = ["serve", ON_A_FREE_PORT]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        Page::start(super::command(&self.url(&self.deployer), &all))
    }

    pub fn start(&self) {
        let file = plan_file(PLAN);
        self.run(&self.deployer, &["start", file.path().to_str().unwrap()]);
    }

    pub async fn until_ended(&self) -> String {
        self.database
            .wait_until("SELECT NOT EXISTS (SELECT FROM crossfade.orders WHERE state = 'open')")
            .await;
        self.database
            .value("SELECT concat_ws(': ', state, outcome) FROM crossfade.orders ORDER BY id DESC LIMIT 1")
            .await
    }
}
