//! Event triggers: the application's functions that run with every statement of ours that they are for.

use super::{Check, CheckFinding, Work};

#[derive(Clone, Debug, PartialEq)]
pub struct EventTrigger {
    pub name: String,
    /// `ddl_command_start`, `sql_drop`
    pub event: String,
    pub function: String,
    /// `ALTER TABLE`; empty: it is for all statements.
    pub tags: Vec<String>,
}

impl EventTrigger {
    /// As far as the statement's beginning says so.
    fn fires_on(&self, statement: &str) -> bool {
        let words: Vec<String> = statement
            .split_whitespace()
            .map(str::to_uppercase)
            // What a tag leaves out.
            .filter(|word| !matches!(word.as_str(), "OR" | "REPLACE" | "UNIQUE"))
            .take(8)
            .collect();
        let begins = |tag: &str| {
            let tag: Vec<&str> = tag.split_whitespace().collect();
            words.len() >= tag.len() && tag.iter().zip(&words).all(|(one, other)| one == other)
        };
        let is_ddl = [
            "CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "REINDEX",
        ]
        .iter()
        .any(|word| begins(word));
        let drops = || words.iter().any(|word| word == "DROP");
        let is_of_event = match self.event.as_str() {
            "ddl_command_start" | "ddl_command_end" => is_ddl,
            "sql_drop" => is_ddl && drops(),
            "table_rewrite" => begins("ALTER TABLE"),
            _ => false,
        };
        is_of_event && (self.tags.is_empty() || self.tags.iter().any(|tag| begins(tag)))
    }
}

pub fn check(triggers: &[EventTrigger], work: Option<&Work>) -> Vec<CheckFinding> {
    let check = Check::EventTriggers;
    if triggers.is_empty() {
        return vec![CheckFinding::passed(check, "there is no event trigger")];
    }
    let work = work.filter(|work| !work.is_partly_unknown);
    let fires = |trigger: &EventTrigger| match work {
        Some(work) => {
            let mut statements = work.statements.iter();
            statements.any(|statement| trigger.fires_on(statement))
        }
        None => true,
    };
    let firing = triggers.iter().filter(|trigger| fires(trigger));
    let found: Vec<CheckFinding> = firing
        .map(|trigger| {
            let EventTrigger {
                name,
                event,
                function,
                ..
            } = trigger;
            let when = match work {
                Some(_) => "would run with statements of the plan",
                None => "may run with statements of a plan",
            };
            CheckFinding::warning(
                check,
                format!("the event trigger {name} ({event}) {when}: {function}"),
            )
            .remedy(format!(
                "read the function: it must not refuse what the plan does. To keep it out: ALTER EVENT TRIGGER {name} DISABLE;"
            ))
        })
        .collect();
    match found.is_empty() {
        true => vec![CheckFinding::passed(
            check,
            "no event trigger is for a statement of the plan",
        )],
        false => found,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    fn trigger(event: &str, tags: &[&str]) -> EventTrigger {
        EventTrigger {
            name: "guard".to_owned(),
            event: event.to_owned(),
            function: "public.guard()".to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    #[test]
    fn it_fires_on_what_its_tags_and_its_event_say() {
        for (event, tags, statement, fires) in [
            (
                "ddl_command_start",
                &[][..],
                "ALTER TABLE t ADD COLUMN c int",
                true,
            ),
            (
                "ddl_command_start",
                &["CREATE TABLE"][..],
                "ALTER TABLE t",
                false,
            ),
            (
                "ddl_command_end",
                &["CREATE INDEX"][..],
                "CREATE UNIQUE INDEX i ON t (c)",
                true,
            ),
            (
                "ddl_command_end",
                &["CREATE FUNCTION"][..],
                "CREATE OR REPLACE FUNCTION f()",
                true,
            ),
            ("ddl_command_end", &[][..], "UPDATE t SET c = 1", false),
            ("sql_drop", &[][..], "ALTER TABLE t ADD COLUMN c int", false),
            ("sql_drop", &[][..], "ALTER TABLE t DROP COLUMN c", true),
            ("table_rewrite", &[][..], "CREATE TABLE t ()", false),
            ("login", &[][..], "CREATE TABLE t ()", false),
        ] {
            let found = trigger(event, tags).fires_on(statement);
            assert_eq!(found, fires, "{event} {tags:?} {statement}");
        }
    }

    #[test]
    fn one_that_does_not_fire_is_no_news() {
        let work = Work {
            statements: vec!["ALTER TABLE t ADD COLUMN c int".to_owned()],
            ..Work::default()
        };
        let of_tables = trigger("ddl_command_end", &["CREATE TABLE"]);
        let verdict = |work| check(std::slice::from_ref(&of_tables), work)[0].verdict;
        assert_eq!(verdict(Some(&work)), Verdict::Passed);
        assert_eq!(verdict(None), Verdict::Warning);
        let broken = Work {
            is_partly_unknown: true,
            ..work.clone()
        };
        assert_eq!(verdict(Some(&broken)), Verdict::Warning);
        let of_all = trigger("ddl_command_end", &[]);
        assert_eq!(check(&[of_all], Some(&work))[0].verdict, Verdict::Warning);
    }
}
