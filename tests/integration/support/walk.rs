//! A run of a case from its start to its end, with the application deployed as the phases ask.

use super::{
    Database, Ran,
    application::{Application, Options, Report},
    cases::Case,
    command, plan, plan_file,
};

/// How the server is reached, by whom.
#[derive(Clone)]
pub struct Ways {
    pub program: String,
    pub application: String,
    /// By the test, which is not disturbed.
    pub test: String,
}

impl Ways {
    /// All by the same.
    pub fn direct(url: &str) -> Self {
        Self {
            program: url.to_owned(),
            application: url.to_owned(),
            test: url.to_owned(),
        }
    }
}

/// A started run, and the application in service around it.
pub struct Walk {
    pub case: Case,
    pub run: String,
    pub phases: Vec<String>,
    pub application: Application,
    pub ways: Ways,
    before: Vec<(i64, String)>,
}

const NOTHING: &str = "";

/// Rows that are nobody's stay as they are.
const NOBODYS: std::ops::RangeInclusive<i64> = 81..=100;

impl Walk {
    pub async fn start(case: Case, ways: Ways, options: Options) -> Self {
        let file = match case.plan.ends_with(".yaml") {
            true => plan_file(&std::fs::read_to_string(plan(case.plan)).expect("the plan")),
            false => plan_file(case.plan),
        };
        let text = std::fs::read_to_string(file.path()).expect("the plan");
        let name = text.lines().find_map(|line| line.strip_prefix("name: "));
        let run = name.expect("a name").to_owned();
        let path = file.path().to_str().expect("a path");
        let ran = |arguments: &[&str]| {
            let output = command(&ways.test, arguments).output();
            Ran::of(output.expect("the program runs")).exits(0)
        };
        ran(&["start", path]);
        let status = ran(&["status", &run, "--format", "json"]).json();
        let phases = status["phases"].as_array().expect("phases").iter();
        let phases = phases.map(|phase| phase["name"].as_str().expect("a name").to_owned());
        let options = Options {
            keys: 1..case.keys + 1,
            truth: vec![case.old.read, case.last.read],
            ..options
        };
        let application = Application::start(&ways.application, case.old, options).await;
        let walk = Self {
            phases: phases.collect(),
            before: read(&ways.test, case, case.old.read).await,
            case,
            run,
            application,
            ways,
        };
        if case.new_from == "start" {
            walk.application.deploy(1, Some(case.new)).await;
        }
        walk
    }

    /// What the plan says that cannot be taken back.
    pub fn is_irreversible(&self) -> bool {
        let text = match self.case.plan.ends_with(".yaml") {
            true => std::fs::read_to_string(plan(self.case.plan)).expect("the plan"),
            false => self.case.plan.to_owned(),
        };
        text.contains("irreversible: true")
    }

    /// Whether a slot has a release now.
    pub fn serves(&self, slot: usize) -> bool {
        self.application.serves(slot)
    }

    /// Takes out of service what cannot serve in this phase.
    pub async fn before(&self, phase: &str) {
        if self.case.old_until == phase {
            self.application.deploy(0, None).await;
        }
        if self.case.new_until == phase {
            self.application.deploy(1, None).await;
        }
    }

    /// Puts into service what can serve after this phase.
    pub async fn after(&self, phase: &str) {
        let is_last = self.phases.last().is_some_and(|last| last == phase);
        if phase == "retire" || is_last {
            self.application.deploy(0, Some(self.case.last)).await;
            self.application.deploy(1, Some(self.case.last)).await;
        } else if self.case.new_from == phase {
            self.application.deploy(1, Some(self.case.new)).await;
        }
    }

    pub fn forward<'a>(&'a self, phase: &'a str) -> [&'a str; 5] {
        ["advance", &self.run, "--to", phase, "--yes"]
    }

    pub fn crossfade(&self, arguments: &[&str]) -> Ran {
        let output = command(&self.ways.program, arguments).output();
        Ran::of(output.expect("the program runs"))
    }

    /// What is wrong in the end, and what came of the application.
    pub async fn ends(self) -> (Vec<String>, Report) {
        self.ends_after(NOTHING).await
    }

    /// The same, with something done to the database that nobody should do, once the application has stopped.
    pub async fn ends_after(self, planted: &str) -> (Vec<String>, Report) {
        self.application.work(0, 10).await;
        self.application.work(1, 10).await;
        let report = self.application.stop().await;
        let client = super::connect(&self.ways.test).await;
        client.batch_execute(planted).await.expect(planted);
        let mut wrong = report.failures.clone();
        wrong.extend(report.differences(&self.ways.test, self.case.last).await);
        let after = read(&self.ways.test, self.case, self.case.last.read).await;
        if after != self.before {
            wrong.push(format!("nobody's: {:?} became {after:?}", self.before));
        }
        let output = command(&self.ways.test, &["status", &self.run, "--format", "json"]).output();
        let status = Ran::of(output.expect("the program runs")).exits(0).json();
        if status["state"] != "completed" {
            wrong.push(format!("the run has not completed: {status}"));
        }
        let output = command(&self.ways.test, &["history", &self.run, "--verify"]).output();
        let history = Ran::of(output.expect("the program runs"));
        if history.code != Some(0) {
            wrong.push(format!("the history: {}{}", history.stdout, history.stderr));
        }
        (wrong, report)
    }
}

/// The rows that are nobody's, as a release shows them.
async fn read(url: &str, case: Case, sql: &str) -> Vec<(i64, String)> {
    let client = super::connect(url).await;
    let mut rows = Vec::new();
    for key in NOBODYS.filter(|_| case.keys > 0) {
        let text = key.to_string();
        let kind = tokio_postgres::types::Type::TEXT;
        let found = client.query_typed(sql, &[(&text, kind)]).await.expect(sql);
        for row in found {
            let values: Vec<Option<String>> = (0..row.len()).map(|place| row.get(place)).collect();
            rows.push((key, format!("{values:?}")));
        }
    }
    rows
}

/// The tables of `plans/`.
pub async fn tables(database: &Database) {
    let tables = std::fs::read_to_string(plan("tables.sql")).expect("the tables");
    database.execute(&tables).await;
}
