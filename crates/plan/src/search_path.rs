//! The schemas in which a name without one is looked for, as in the application's sessions: read once, and kept with the plan.

use crossfade_model::ident::Ident;
use serde::{Deserialize, Serialize};

/// Where the server keeps temporary objects.
const TEMPORARY: &str = "pg_temp";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchPath {
    pub schemas: Vec<Ident>,
    /// Who says so: `ALTER ROLE fleet`, `settings.search_path`.
    pub from: String,
}

impl SearchPath {
    /// `setting` is a value of `search_path`; `"$user"` in it is the schema of `user`. `None`: it is not a list of names.
    pub fn read(setting: &str, user: &str, from: &str) -> Option<Self> {
        let names = names(setting)?.into_iter();
        let schemas = names.map(|name| match name.as_str() {
            "$user" => Ident::from_catalog(user),
            _ => Ident::from_catalog(name),
        });
        Some(Self {
            schemas: schemas.collect(),
            from: from.to_owned(),
        })
    }

    /// As a value for SET. Temporary objects come last where they are not named: nobody is to shadow a table with one.
    pub fn setting(&self) -> String {
        let named = self.schemas.iter().map(Ident::quoted);
        let has_temporary = self.schemas.iter().any(|name| name.as_str() == TEMPORARY);
        let last = (!has_temporary).then(|| Ident::from_catalog(TEMPORARY).quoted());
        let all: Vec<String> = named.chain(last).collect();
        all.join(", ")
    }
}

/// As people write it.
impl std::fmt::Display for SearchPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.schemas.iter().map(Ident::to_string).collect();
        match names.is_empty() {
            true => f.write_str("\"\""),
            false => f.write_str(&names.join(", ")),
        }
    }
}

/// `"$user", Public` → `$user`, `public`. An empty name (`''`) names nothing.
fn names(setting: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = setting.trim();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let name = rest[..end].trim();
                if name.contains(|c: char| c.is_whitespace() || c == '"') {
                    return None;
                }
                (name.to_ascii_lowercase(), &rest[end..])
            }
        };
        if !name.is_empty() {
            names.push(name);
        }
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            Some(_) => return None,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(names)
}

/// What stands before the closing quote, doubled ones undone, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, letters.peek()) {
            ('"', Some((_, '"'))) => {
                letters.next();
                name.push('"');
            }
            ('"', _) => return Some((name, &text[at + 1..])),
            _ => name.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::SearchPath;

    #[test]
    fn a_setting_is_read_as_the_server_reads_it() {
        let read = |setting: &str| {
            let path = SearchPath::read(setting, "fleet", "a test");
            path.map(|path| (path.to_string(), path.setting()))
        };
        let expected = |shown: &str, set: &str| Some((shown.to_owned(), set.to_owned()));
        assert_eq!(
            read("\"$user\", public"),
            expected("fleet, public", "\"fleet\", \"public\", \"pg_temp\"")
        );
        assert_eq!(
            read("App,\"My \"\"App\"\"\" , pg_temp"),
            expected(
                "app, \"My \"\"App\"\"\", pg_temp",
                "\"app\", \"My \"\"App\"\"\", \"pg_temp\""
            )
        );
        assert_eq!(read("\"\""), expected("\"\"", "\"pg_temp\""));
        assert_eq!(read(""), expected("\"\"", "\"pg_temp\""));
        for wrong in ["a b", "\"a", "a,", "a\"b\"", "\"a\" b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
