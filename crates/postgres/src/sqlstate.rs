//! What an error of PostgreSQL means to us, by its SQLSTATE, and how it reads on one line.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Kinds of errors that are answered differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// A lock could not be acquired in time, or this transaction lost to another: try again later.
    LockNotHad,
    /// The session is gone, or is not the one it was: connect anew.
    ConnectionLost,
    /// A value does not fit: the row is at fault.
    Conversion,
    /// The role may not do this.
    Privilege,
    /// The server or the transaction takes no writes: a standby, after a failover.
    ReadOnly,
    /// Cancelled by us, by statement_timeout, or by an administrator.
    Cancelled,
    /// The server is short of memory, disk or connections: slow down.
    Resources,
    /// A schema or table that should be there is not.
    MissingSchema,
    Other,
}

/// The class of an error, whether the server sent it or the connection failed.
#[must_use]
pub fn classify(error: &Error) -> ErrorClass {
    if let Some(state) = error.code() {
        return classify_state(state);
    }
    // tokio-postgres does not tell kinds of errors apart but by their text. A handshake that failed
    // (a certificate, say) fails the next time too, though its cause is wrapped as an I/O error.
    let is_handshake = error.to_string() == "error performing TLS handshake";
    let is_timeout = error.to_string() == "timeout waiting for server";
    let is_io = error.source().is_some_and(|cause| cause.is::<io::Error>());
    if error.is_closed() || is_timeout || (is_io && !is_handshake) {
        ErrorClass::ConnectionLost
    } else {
        ErrorClass::Other
    }
}

/// The class of a SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
#[must_use]
pub fn classify_state(state: &SqlState) -> ErrorClass {
    let code = state.code();
    match code {
        "55P03" | "40P01" | "40001" => ErrorClass::LockNotHad,
        // 25P03, 25P04 and 57P05 are the server's timeouts that end the session. 26000: the prepared
        // statement is unknown, because a pooler gave us another server connection.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" | "26000" => {
            ErrorClass::ConnectionLost
        }
        "P0001" => ErrorClass::Conversion,
        "42501" => ErrorClass::Privilege,
        "25006" => ErrorClass::ReadOnly,
        "57014" => ErrorClass::Cancelled,
        "3F000" | "42P01" => ErrorClass::MissingSchema,
        _ => match code.get(..2) {
            Some("08") => ErrorClass::ConnectionLost,
            Some("22" | "23") => ErrorClass::Conversion,
            Some("53") => ErrorClass::Resources,
            Some(_) | None => ErrorClass::Other,
        },
    }
}

/// The server's message with its DETAIL and HINT, or the chain of causes of any other error, on one line.
#[must_use]
pub fn message(error: &Error) -> String {
    match error.as_db_error() {
        Some(error) => server_message(error),
        None => chain(error),
    }
}

fn server_message(error: &DbError) -> String {
    let code = error.code().code();
    let mut text = format!("{} (SQLSTATE {code})", one_line(error.message()));
    for (label, part) in [("Detail", error.detail()), ("Hint", error.hint())] {
        if let Some(part) = part {
            text.push_str(&format!(". {label}: {}", one_line(part)));
        }
    }
    text
}

fn chain(error: &Error) -> String {
    let mut text = one_line(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = one_line(&error.to_string());
        // Wrappers often repeat what they wrap.
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

fn one_line(text: &str) -> String {
    // Spaces within a line stay: DETAIL shows values.
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ").trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(code: &str) -> ErrorClass {
        classify_state(&SqlState::from_code(code))
    }

    #[test]
    fn every_class_has_its_codes() {
        let table: [(ErrorClass, &[&str]); 9] = [
            (ErrorClass::LockNotHad, &["55P03", "40P01", "40001"]),
            (
                ErrorClass::ConnectionLost,
                &[
                    "08000", "08006", "08P01", "57P01", "57P02", "57P03", "57P05", "25P03",
                    "25P04", "26000",
                ],
            ),
            (
                ErrorClass::Conversion,
                &["22001", "22P02", "23502", "23505", "P0001"],
            ),
            (ErrorClass::Privilege, &["42501"]),
            (ErrorClass::ReadOnly, &["25006"]),
            (ErrorClass::Cancelled, &["57014"]),
            (ErrorClass::Resources, &["53000", "53100", "53200", "53300"]),
            (ErrorClass::MissingSchema, &["3F000", "42P01"]),
            (
                ErrorClass::Other,
                &["42601", "25P02", "P0002", "57P04", "XX000", "é", ""],
            ),
        ];
        for (class, codes) in table {
            for code in codes {
                assert_eq!(class_of(code), class, "{code}");
            }
        }
    }

    #[test]
    fn errors_of_the_connection() {
        let timeout = Error::__private_api_timeout();
        assert_eq!(classify(&timeout), ErrorClass::ConnectionLost);
        assert_eq!(message(&timeout), "timeout waiting for server");
        let configuration = "host=a connect_timeout=x"
            .parse::<tokio_postgres::Config>()
            .unwrap_err();
        assert_eq!(classify(&configuration), ErrorClass::Other);
        assert_eq!(
            message(&configuration),
            "invalid connection string: invalid value for option `connect_timeout`"
        );
    }

    #[test]
    fn lines_are_joined() {
        assert_eq!(
            one_line("Key (a)=(b  c)\n  exists."),
            "Key (a)=(b  c) exists"
        );
    }
}
