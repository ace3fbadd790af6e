//! Messages to people: what a configuration says of receivers, and how each kind of them is told.

// Reads secrets from files, starts commands, and needs to know what time it is.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod command;
mod http;
mod payload;
mod slack;
mod teams;
mod template;
mod webhook;

pub use template::Template;

use crossfade_coordinator::service::{Message, NotTaken, Receiver};
use crossfade_decisions::messages::Topic;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeSet, pin::Pin, sync::Arc};

/// `{slack: ${SLACK_URL}, events: [gate_open, finished]}`: who is told, and of what.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ReceiverWords")]
pub struct ReceiverConfig {
    way: WayConfig,
    /// `None`: the usual ones.
    events: Option<BTreeSet<Topic>>,
}

#[derive(Clone, Debug)]
enum WayConfig {
    Webhook {
        url: Template,
        secrets: Vec<Template>,
    },
    Slack(Template),
    Teams(Template),
    Command(Vec<String>),
}

/// Who is told, and of what. One of `webhook`, `slack`, `teams` and `command` says how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "receiver")]
pub struct ReceiverWords {
    /// The address that JSON is posted to, signed by the Standard Webhooks specification.
    webhook: Option<Template>,
    /// What a webhook is signed with: one secret, `whsec_…`, or two while you replace one.
    #[serde(default)]
    secrets: Vec<Template>,
    /// The address of an incoming webhook of Slack.
    slack: Option<Template>,
    /// The address of a workflow of Microsoft Teams that posts what a webhook request brings.
    teams: Option<Template>,
    /// A program and its arguments. It gets the message as JSON on its standard input.
    command: Option<Vec<String>>,
    /// What to tell. Without this, everything that somebody has to act on, and the end of a run.
    events: Option<BTreeSet<Topic>>,
}

impl TryFrom<ReceiverWords> for ReceiverConfig {
    type Error = String;

    fn try_from(words: ReceiverWords) -> Result<Self, String> {
        let has_secrets = !words.secrets.is_empty();
        let way = match (words.webhook, words.slack, words.teams, words.command) {
            (Some(_), None, None, None) if !(1..=2).contains(&words.secrets.len()) => {
                return Err(
                    "a webhook needs `secrets`, with one secret, or two while you replace one"
                        .to_owned(),
                );
            }
            (Some(url), None, None, None) => WayConfig::Webhook {
                url,
                secrets: words.secrets,
            },
            (None, Some(url), None, None) => WayConfig::Slack(url),
            (None, None, Some(url), None) => WayConfig::Teams(url),
            (None, None, None, Some(command)) if command.is_empty() => {
                return Err("`command` is empty: name a program".to_owned());
            }
            (None, None, None, Some(command)) => WayConfig::Command(command),
            _ => {
                return Err(
                    "say how it is told: by exactly one of `webhook`, `slack`, `teams` and `command`"
                        .to_owned(),
                );
            }
        };
        if has_secrets && !matches!(way, WayConfig::Webhook { .. }) {
            return Err("`secrets` are for a `webhook`".to_owned());
        }
        if words.events.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err("`events` is empty: leave it out, or name one".to_owned());
        }
        Ok(Self {
            way,
            events: words.events,
        })
    }
}

impl ReceiverConfig {
    /// The receiver, with its secrets. Errors name the variable or the file that is missing, and no secret.
    pub fn receiver(
        &self,
        name: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Arc<dyn Receiver>, String> {
        let way: Box<dyn Way> = match &self.way {
            WayConfig::Webhook { url, secrets } => {
                let secrets = secrets.iter().map(|one| one.resolve(environment));
                let secrets: Vec<String> = secrets.collect::<Result<_, _>>()?;
                Box::new(webhook::Webhook::new(
                    http::Address::new(url, environment)?,
                    &secrets,
                )?)
            }
            WayConfig::Slack(url) => Box::new(slack::Slack(http::Address::new(url, environment)?)),
            WayConfig::Teams(url) => Box::new(teams::Teams(http::Address::new(url, environment)?)),
            WayConfig::Command(words) => Box::new(command::Command(words.clone())),
        };
        Ok(Arc::new(Named {
            name: name.to_owned(),
            events: self.events.clone(),
            way,
        }))
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), NotTaken>> + Send + 'a>>;

/// How somebody is told.
trait Way: Send + Sync {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a>;
}

struct Named {
    name: String,
    events: Option<BTreeSet<Topic>>,
    way: Box<dyn Way>,
}

impl Receiver for Named {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants(&self, topic: Topic) -> bool {
        match &self.events {
            Some(events) => events.contains(&topic),
            None => topic.is_usual(),
        }
    }

    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        self.way.send(message)
    }
}

fn not_taken(why: String) -> NotTaken {
    NotTaken {
        why,
        asks: None,
        is_final: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<ReceiverConfig, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn no_environment(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_receiver_is_told_in_exactly_one_way() {
        let slack = "https://127.0.0.1/x";
        assert!(read(json!({"slack": slack})).is_ok());
        for (value, words) in [
            (json!({}), "exactly one"),
            (json!({"slack": slack, "teams": slack}), "exactly one"),
            (json!({"webhook": slack}), "needs `secrets`"),
            (
                json!({"webhook": slack, "secrets": ["a", "b", "c"]}),
                "needs `secrets`",
            ),
            (json!({"slack": slack, "secrets": ["a"]}), "for a `webhook`"),
            (json!({"command": []}), "name a program"),
            (json!({"slack": slack, "events": []}), "`events` is empty"),
            (json!({"slack": slack, "events": ["lunch"]}), "lunch"),
        ] {
            let error = read(value).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn who_chooses_nothing_is_told_what_needs_somebody() {
        let usual = read(json!({"command": ["true"]})).unwrap();
        let usual = usual.receiver("all", &no_environment).unwrap();
        assert!(usual.wants(Topic::GateOpen) && usual.wants(Topic::Finished));
        assert!(!usual.wants(Topic::PhaseStarted));
        let chosen = read(json!({"command": ["true"], "events": ["phase_started"]})).unwrap();
        let chosen = chosen.receiver("one", &no_environment).unwrap();
        assert!(chosen.wants(Topic::PhaseStarted) && !chosen.wants(Topic::GateOpen));
    }

    #[test]
    fn an_error_names_the_variable_and_not_what_is_in_the_others() {
        let config =
            read(json!({"webhook": "https://127.0.0.1/${TOKEN}", "secrets": ["${SECRET}"]}))
                .unwrap();
        let with = |name: &str| (name == "TOKEN").then(|| "hunter2".to_owned());
        let error = config.receiver("x", &with).err().unwrap();
        assert!(
            error.contains("SECRET") && !error.contains("hunter2"),
            "{error}"
        );
        let with = |name: &str| Some(format!("hunter2 of {name}"));
        let error = config.receiver("x", &with).err().unwrap();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
