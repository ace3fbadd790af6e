//! `sql`: the author's own statements, with what undoes them and a question that tells whether they have been run.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::{Cost, Loss};
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, How, Statement},
    script, session,
};
use crate::{compiled::Plan, document::PhaseName, scripts};
use crossfade_model::ident::TableName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    /// A name that is unique in the plan.
    pub name: String,
    /// Names without a schema are resolved as in the application's sessions, or by `settings.search_path`.
    pub forward: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<String>,
    /// A query of one value: true after `forward` has run, and false after `reverse` has run. It is evaluated before
    /// either of them.
    pub done_when: String,
    /// `false` for statements that cannot run in a transaction (CONCURRENTLY). Then `forward` and `reverse` are one
    /// statement each.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub transaction: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

fn yes() -> bool {
    true
}

impl Sql {
    fn part(&self, plan: &Plan, script: &str, answer: bool) -> DdlUnit {
        // A script that cannot be split is refused when the plan is compiled.
        let statements = script::statements(script).unwrap_or_default();
        DdlUnit {
            with_next: false,
            goal: Goal::Asked {
                path: session::path(plan),
                question: self.done_when.clone(),
                answer,
            },
            how: if self.transaction {
                How::Locking
            } else {
                How::Concurrently
            },
            statements: statements.into_iter().map(Statement::new).collect(),
        }
    }

    /// What is wrong with the statements themselves: the key, what, and what to do.
    pub fn faults(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut faults = Vec::new();
        if let Some(why) = script::unbalanced(&self.done_when) {
            let help =
                "write one query of one value, e.g. SELECT to_regclass('public.t') IS NOT NULL";
            faults.push(("done_when", format!("`done_when` {why}"), help));
        }
        let scripts = [
            ("forward", Some(&self.forward)),
            ("reverse", self.reverse.as_ref()),
        ];
        for (key, script) in scripts {
            let Some(script) = script else { continue };
            match script::statements(script) {
                Err(why) => faults.push((key, format!("`{key}` {why}"), "close it")),
                Ok(statements) => faults.extend(
                    self.misplaced(key, &statements)
                        .map(|(what, help)| (key, what, help)),
                ),
            }
        }
        if self.reverse.is_some() && self.irreversible {
            let what = "`reverse` and `irreversible: true` exclude each other".to_owned();
            faults.push(("irreversible", what, "leave one of them out"));
        }
        faults
    }

    fn misplaced(&self, key: &str, statements: &[String]) -> Option<(String, &'static str)> {
        if statements.is_empty() {
            return Some((format!("`{key}` has no statement"), "say what is to be run"));
        }
        if !self.transaction && statements.len() > 1 {
            return Some((
                format!(
                    "`{key}` has {} statements, and `transaction` is false",
                    statements.len()
                ),
                "a crash between two of them could not be told apart: make a step of each",
            ));
        }
        statements.iter().find_map(|statement| {
            let words = script::first_words(statement);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                [
                    "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint"
                    | "release",
                    ..,
                ]
                | ["prepare", "transaction", ..] => Some((
                    format!("`{key}` has a {} of its own", words[0].to_uppercase()),
                    "the statements share a transaction already, with the record of the lease",
                )),
                ["vacuum", ..]
                | ["create" | "drop", "database" | "tablespace", ..]
                | ["alter", "system", ..]
                    if self.transaction =>
                {
                    Some((
                        format!(
                            "`{key}`: {} cannot be in a transaction",
                            words[0].to_uppercase()
                        ),
                        "say `transaction: false`",
                    ))
                }
                _ if self.transaction && script::has_word(statement, "concurrently") => Some((
                    format!("`{key}`: CONCURRENTLY cannot be in a transaction"),
                    "say `transaction: false`",
                )),
                _ => None,
            }
        })
    }
}

impl Described for Sql {
    fn phases(&self) -> &'static [PhaseName] {
        &[
            PhaseName::Sql,
            PhaseName::Expand,
            PhaseName::Enforce,
            PhaseName::SwitchReads,
            PhaseName::Retire,
        ]
    }
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }
    fn subject(&self) -> String {
        self.name.clone()
    }
}

impl Ddl for Sql {
    fn parts(&self, plan: &Plan) -> Vec<DdlUnit> {
        vec![self.part(plan, &self.forward, true)]
    }

    fn undo(&self, plan: &Plan) -> Undo {
        match &self.reverse {
            Some(reverse) => Undo::Parts(vec![self.part(plan, reverse, false)]),
            None => Undo::Irreversible,
        }
    }

    fn irreversible(&self) -> bool {
        self.irreversible
    }

    /// Of what `reverse` does, the tables and columns that it drops or empties; what else it writes is its author's to know.
    fn cost(&self, plan: &Plan) -> Cost {
        let reverse = self.reverse.as_deref().unwrap_or_default();
        let dropped = scripts::dropped(reverse, plan.search_path.as_ref());
        let losses = dropped.into_iter().map(|(table, column)| match column {
            None => Loss::of_table(&table),
            Some(column) => {
                let condition = format!("t.{column} IS DISTINCT FROM NULL");
                Loss::of_column(&table, &column, "a value", &condition)
            }
        });
        Cost {
            losses: losses.collect(),
            obstacles: Vec::new(),
        }
    }
}
