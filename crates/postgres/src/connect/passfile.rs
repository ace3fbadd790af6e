//! Looks passwords up in libpq's password file, `~/.pgpass`.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Whose password is looked for.
pub(super) struct Account<'a> {
    /// Names that the file may use for the host: a socket in a usual place is also `localhost`.
    pub(super) hosts: Vec<String>,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// A password file's text, read once for all hosts.
pub(super) struct Passfile {
    text: String,
}

impl Passfile {
    /// Reads the file. As in libpq, one that is absent or not private is ignored, the latter with a warning:
    /// a password that others can read must not become the habit.
    pub(super) fn read(path: Option<PathBuf>) -> Self {
        let text = path.and_then(|path| match read_private(&path) {
            Ok(text) => Some(text),
            Err(Ignored::Absent) => None,
            Err(Ignored::Because(reason)) => {
                tracing::warn!(path = %path.display(), "password file ignored: {reason}");
                None
            }
        });
        Self {
            text: text.unwrap_or_default(),
        }
    }

    /// The password of the first line that fits.
    pub(super) fn password(&self, account: &Account<'_>) -> Option<String> {
        self.text
            .lines()
            .find_map(|line| password_in(line, account))
    }
}

enum Ignored {
    Absent,
    Because(String),
}

fn read_private(path: &Path) -> Result<String, Ignored> {
    let metadata = std::fs::metadata(path).map_err(|_| Ignored::Absent)?;
    check_private(&metadata)?;
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| Ignored::Because(error.to_string()))
}

fn check_private(metadata: &Metadata) -> Result<(), Ignored> {
    if !metadata.is_file() {
        return Err(Ignored::Because("it is not a plain file".to_owned()));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(Ignored::Because(
            "group or others can access it; run chmod 600 on it".to_owned(),
        ));
    }
    Ok(())
}

/// `host:port:database:user:password`
fn password_in(line: &str, account: &Account<'_>) -> Option<String> {
    let line = line.trim_end_matches('\r');
    if line.starts_with('#') {
        return None;
    }
    let (host, rest) = field(line)?;
    let (port, rest) = field(rest)?;
    let (database, rest) = field(rest)?;
    let (user, rest) = field(rest)?;
    let fits = account.hosts.iter().any(|name| matches(&host, name))
        && matches(&port, &account.port.to_string())
        && matches(&database, account.database)
        && matches(&user, account.user);
    let password = match field(rest) {
        Some((password, _)) => password.text,
        None => unescape(rest),
    };
    (fits && !password.is_empty()).then_some(password)
}

struct Field {
    text: String,
    is_wildcard: bool,
}

fn matches(field: &Field, value: &str) -> bool {
    field.is_wildcard || field.text == value
}

/// Splits at the first colon that no backslash protects.
fn field(text: &str) -> Option<(Field, &str)> {
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == ':' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let field = Field {
        text: unescape(&text[..end]),
        is_wildcard: &text[..end] == "*",
    };
    Some((field, &text[end + 1..]))
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.push(characters.next().unwrap_or('\\')),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(host: &str) -> Account<'static> {
        Account {
            hosts: vec![host.to_owned()],
            port: 5432,
            database: "fleet",
            user: "app:one",
        }
    }

    fn find(text: &str, host: &str) -> Option<String> {
        let text = text.to_owned();
        Passfile { text }.password(&account(host))
    }

    #[test]
    fn first_fitting_line_wins() {
        let text = "# db:5432:fleet:app\\:one:comment\nother:*:*:*:no\ndb:5433:*:*:no\n\
                    db:5432:fleet:app\\:one:first\n*:*:*:*:second";
        assert_eq!(find(text, "db").as_deref(), Some("first"));
        assert_eq!(find(text, "elsewhere").as_deref(), Some("second"));
    }

    #[test]
    fn escapes_and_odd_lines() {
        assert_eq!(find("*:*:*:*:a\\:b\\\\c", "db").as_deref(), Some("a:b\\c"));
        assert_eq!(find("*:*:*:*:a:ignored", "db").as_deref(), Some("a"));
        assert_eq!(find("\\*:*:*:*:escaped star", "db"), None);
        assert_eq!(find("db:5432\n\n:::::", "db"), None);
        assert_eq!(find("*:*:*:*:", "db"), None);
        assert_eq!(find("*:*:*:*:dos\r\n", "db").as_deref(), Some("dos"));
    }

    #[test]
    fn only_private_plain_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        std::fs::write(&path, "*:*:*:*:secret").unwrap();
        let with_mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Passfile::read(Some(path.clone())).password(&account("db"))
        };
        assert_eq!(with_mode(0o600).as_deref(), Some("secret"));
        assert_eq!(with_mode(0o640), None);
        assert_eq!(with_mode(0o604), None);
        let absent = Passfile::read(Some(directory.path().join("absent")));
        assert_eq!(absent.password(&account("db")), None);
        let not_a_file = Passfile::read(Some(directory.path().to_path_buf()));
        assert_eq!(not_a_file.password(&account("db")), None);
    }
}
