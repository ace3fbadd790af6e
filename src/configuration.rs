//! `crossfade.yaml`: who is told, when nothing begins, what is checked before a run, where the page is, and who uses it through a proxy. As strict as a
//! plan: every error with its place.

use anyhow::Context as _;
use crossfade_coordinator::service::{
    BackupProof, OperatorChecks, ProvenBy, Receiver, Secret, ServiceError,
};
use crossfade_model::error::{Path as Place, PlanError, locate_all, render};
use crossfade_notify::{ReceiverConfig, ReceiverWords, Template};
use crossfade_plan::{
    calendar::{Occasion, OccasionWords},
    decode,
    span::Span,
};
use crossfade_web::UserName;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

const FILE: &str = "crossfade.yaml";
const BYTES_MAX: u64 = 1 << 20;

/// The configuration of `crossfade serve`, and of the checks of `doctor` and `start`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename = "configuration")]
pub struct Configuration {
    page: Option<String>,
    #[serde(default)]
    notify: BTreeMap<ReceiverName, ReceiverConfig>,
    #[serde(default)]
    freeze: Vec<Occasion>,
    backup: Option<BackupConfig>,
    free_disk: Option<CommandWords>,
    #[serde(default)]
    users: BTreeMap<String, Template>,
    #[serde(skip)]
    source: Source,
}

/// What `crossfade serve` reads from crossfade.yaml.
#[derive(JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Crossfade configuration")]
#[allow(dead_code, reason = "its shape is the schema")]
struct ConfigurationWords {
    /// Where people reach the page of `serve`: messages link to it.
    page: Option<String>,
    /// Who is told of what. The names are yours: lower-case letters, digits, `-` and `_`.
    notify: Option<BTreeMap<String, ReceiverWords>>,
    /// When nothing begins. A server freezes the database at these times.
    freeze: Option<Vec<OccasionWords>>,
    /// The users of the proxy that `--trust-header` trusts, each with the token by which he acts, such as `${ADA_TOKEN}`.
    users: Option<BTreeMap<String, Template>>,
    /// How `doctor` and `start` find out when the last backup ended, and how old it may be.
    backup: Option<BackupWords>,
    /// How `doctor` and `start` find out how much disk is free on the server.
    free_disk: Option<CommandWords>,
}

/// `{query: SELECT max(ended_at) FROM backups, younger_than: 24h}`
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "BackupWords")]
struct BackupConfig(BackupProof);

/// When the last backup ended, by exactly one of `query` and `command`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "backup")]
struct BackupWords {
    /// A query that gives the moment. It is asked in a read-only transaction as the role that is connected.
    query: Option<String>,
    /// A program and its arguments. The last line that it prints is the moment, with its time zone, or seconds since 1970.
    command: Option<Vec<String>>,
    /// An older backup fails the check.
    younger_than: Span,
}

impl TryFrom<BackupWords> for BackupConfig {
    type Error = String;

    fn try_from(words: BackupWords) -> Result<Self, String> {
        let by = match (words.query, words.command) {
            (Some(query), None) if query.trim().is_empty() => {
                return Err("`query` is empty".to_owned());
            }
            (Some(query), None) => ProvenBy::Query(query),
            (None, Some(command)) => ProvenBy::Command(named(command)?),
            _ => {
                return Err(
                    "say how it is found out when the last backup ended: by exactly one of `query` and `command`"
                        .to_owned(),
                );
            }
        };
        Ok(Self(BackupProof {
            by,
            younger_than: words.younger_than,
        }))
    }
}

/// `{command: [ssh, db1, df, --output=avail, -B1, /var/lib/postgresql]}`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "free_disk")]
struct CommandWords {
    /// A program and its arguments. The last line that it prints is the number of free bytes.
    #[serde(deserialize_with = "command")]
    command: Vec<String>,
}

fn named(command: Vec<String>) -> Result<Vec<String>, String> {
    match command.first().is_none_or(String::is_empty) {
        true => Err("`command` is empty: name a program".to_owned()),
        false => Ok(command),
    }
}

fn command<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    named(words).map_err(serde::de::Error::custom)
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct ReceiverName(String);

impl TryFrom<String> for ReceiverName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let is_inner = |letter: char| is_letter(letter) || matches!(letter, '-' | '_');
        let is_name = name.starts_with(is_letter) && name.chars().all(is_inner) && name.len() <= 40;
        match is_name {
            true => Ok(Self(name)),
            false => Err(
                "a receiver's name has 1 to 40 characters: lower-case letters, digits, `-` and `_`, beginning with a letter or a digit"
                    .to_owned(),
            ),
        }
    }
}

/// For errors that are found later.
#[derive(Clone, Debug, Default)]
struct Source {
    file: String,
    text: String,
}

impl Source {
    /// With places, as errors of plans are. Lines of receivers and users are not shown: secrets may stand in them.
    fn refused(&self, errors: &[PlanError]) -> ServiceError {
        let secrets = ["notify", "users"].map(|word| Place::root().key(word));
        let (secret, plain): (Vec<_>, Vec<_>) = errors
            .iter()
            .cloned()
            .partition(|error| secrets.iter().any(|place| place.holds(&error.path)));
        let mut text = render(&self.file, &self.text, &plain);
        for error in locate_all(&self.file, &self.text, &secret) {
            let at = match (error.line, error.column) {
                (Some(line), Some(column)) => format!("{}:{line}:{column}", error.file),
                _ => error.file,
            };
            let help = error
                .help
                .map_or(String::new(), |help| format!("  = help: {help}\n"));
            let gap = if text.is_empty() { "" } else { "\n" };
            text += &format!(
                "{gap}error: {}: {}\n --> {at}\n{help}",
                error.path, error.message
            );
        }
        ServiceError::Plan(text)
    }
}

impl Configuration {
    /// The file that is named, or `crossfade.yaml` here or in a folder above; without one, nothing is configured.
    pub fn load(named: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = named.map(Path::to_owned).or_else(nearest) else {
            return Ok(Self::default());
        };
        let name = file.display().to_string();
        let size = std::fs::metadata(&file)
            .with_context(|| format!("cannot read the configuration {name}"))?
            .len();
        anyhow::ensure!(size <= BYTES_MAX, "{name} has more than {BYTES_MAX} bytes");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read the configuration {name}"))?;
        let source = Source { file: name, text };
        let mut configuration =
            Self::read(&source.text).map_err(|errors| source.refused(&errors))?;
        if named.is_none() && configuration.checks() != OperatorChecks::default() {
            require_own(&file)?;
        }
        configuration.source = source;
        Ok(configuration)
    }

    fn read(text: &str) -> Result<Self, Vec<PlanError>> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let value = decode::read(text)?;
        let mut errors = Vec::new();
        let read = decode::decode::<Self>(value, &Place::root(), &mut errors);
        let read = read.filter(|_| errors.is_empty()).ok_or(errors)?;
        match &read.page {
            Some(page) if !page.starts_with("https://") && !page.starts_with("http://") => {
                Err(vec![PlanError::at(
                    Place::root().key("page"),
                    "this is not an http:// or https:// address",
                )])
            }
            _ => Ok(read),
        }
    }

    /// What `doctor` and `start` ask besides the database.
    pub fn checks(&self) -> OperatorChecks {
        OperatorChecks {
            backup: self.backup.as_ref().map(|backup| backup.0.clone()),
            free_disk: self.free_disk.as_ref().map(|words| words.command.clone()),
        }
    }

    pub fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    pub fn freezes(&self) -> &[Occasion] {
        &self.freeze
    }

    /// The receivers, with their secrets.
    pub fn receivers(&self) -> anyhow::Result<Vec<Arc<dyn Receiver>>> {
        let environment = |name: &str| std::env::var(name).ok();
        let mut errors = Vec::new();
        let mut receivers = Vec::new();
        for (name, config) in &self.notify {
            match config.receiver(&name.0, &environment) {
                Ok(receiver) => receivers.push(receiver),
                Err(why) => {
                    let place = Place::root().key("notify").key(&name.0);
                    errors.push(PlanError::at(place, why));
                }
            }
        }
        if errors.is_empty() {
            return Ok(receivers);
        }
        Err(self.source.refused(&errors).into())
    }
}

/// What stands in a file that was only found is run as whoever runs the program: it has to be his.
fn require_own(file: &Path) -> anyhow::Result<()> {
    let name = file.display();
    let found =
        std::fs::metadata(file).with_context(|| format!("cannot read the configuration {name}"))?;
    let own = nix::unistd::geteuid().as_raw();
    let is_own = found.uid() == own || found.uid() == 0;
    anyhow::ensure!(
        is_own && found.mode() & 0o002 == 0,
        "{name} has `backup` or `free_disk`, and another user can change it: what these name would run as you. If you trust the file, name it with --config"
    );
    Ok(())
}

impl Configuration {
    /// The users of a proxy, each with the token by which he acts.
    pub fn users(&self) -> anyhow::Result<BTreeMap<UserName, Secret>> {
        let environment = |name: &str| std::env::var(name).ok();
        let mut errors = Vec::new();
        let mut users = BTreeMap::new();
        for (name, token) in &self.users {
            let place = Place::root().key("users").key(name);
            match (user(name), token_of(token, &environment)) {
                (Ok(user), Ok(token)) => drop(users.insert(user, token)),
                (Err(why), _) | (_, Err(why)) => errors.push(PlanError::at(place, why)),
            }
        }
        if errors.is_empty() {
            return Ok(users);
        }
        Err(self.source.refused(&errors).into())
    }
}

fn user(name: &str) -> Result<UserName, String> {
    UserName::of(name).ok_or_else(|| {
        format!(
            "the name of a user is 1 to {} printable ASCII characters without spaces, as the proxy says it",
            UserName::CHARACTERS_MAX
        )
    })
}

fn token_of(
    token: &Template,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Secret, String> {
    let text = token.resolve(environment)?;
    Secret::of(text.trim())
        .ok_or_else(|| "this is no token: `crossfade token create` makes one".to_owned())
}

fn nearest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .map(|folder| folder.join(FILE))
        .find(|file| file.is_file())
}

/// For editors.
pub fn schema() -> serde_json::Value {
    SchemaSettings::default()
        .into_generator()
        .into_root_schema_for::<ConfigurationWords>()
        .to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_told_with_its_place() {
        let text = "page: here\nnotify:\n  Releases: {slack: x}\n  pager: {slack: hunter2, teams: y}\n  desk: {command: [true], at: noon}\nlunch: noon\n";
        let errors = Configuration::read(text).unwrap_err();
        let source = Source {
            file: "crossfade.yaml".to_owned(),
            text: text.to_owned(),
        };
        let shown = source.refused(&errors).to_string();
        for words in ["lunch", "exactly one", "`at`", "--> crossfade.yaml:4:"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(Configuration::read("page: here\n").is_err());
        assert!(Configuration::read("").is_ok());
    }

    #[test]
    fn a_backup_is_proven_in_exactly_one_way() {
        for (text, words) in [
            ("backup: {younger_than: 24h}", "exactly one"),
            (
                "backup: {query: SELECT 1, command: [x], younger_than: 24h}",
                "exactly one",
            ),
            ("backup: {command: [], younger_than: 24h}", "name a program"),
            ("backup: {query: SELECT 1}", "younger_than"),
            ("free_disk: {command: []}", "name a program"),
        ] {
            let errors = Configuration::read(text).unwrap_err();
            let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert!(messages.concat().contains(words), "{text}: {messages:?}");
        }
        let text = "backup: {command: [stat, -c, '%Y', /backups/last], younger_than: 1d}
free_disk: {command: [df]}
";
        let checks = Configuration::read(text).unwrap().checks();
        assert!(checks.backup.is_some() && checks.free_disk.is_some());
        assert_eq!(Configuration::default().checks(), OperatorChecks::default());
    }

    #[test]
    fn the_schema_has_every_word_that_is_read() {
        let schema = schema();
        let words: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(
            words,
            ["page", "notify", "freeze", "users", "backup", "free_disk"]
        );
    }
}
