//! Tells from a tokio-postgres error what went wrong while connecting.

use std::error::Error as _;
use std::io;

use rustls::CertificateError;
use tokio_postgres::Error;

use super::error::Failure;

/// What went wrong. tokio-postgres keeps the kind of its errors to itself, so the stage is read from
/// their text; the tests against a real server hold it to that.
pub(super) fn failure_of(error: &Error) -> Failure {
    if let Some(refusal) = error.as_db_error() {
        return of_refusal(refusal.code().code(), refusal.message());
    }
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    match error.to_string().as_str() {
        "error connecting to server" => io_cause(error).map_or(Failure::Unreachable, of_connecting),
        "error performing TLS handshake" if cause == "server does not support TLS" => {
            Failure::TlsRefused
        }
        "error performing TLS handshake" => of_tls(error),
        "invalid configuration" if cause == "password missing" => Failure::PasswordMissing,
        "authentication error" => Failure::AuthenticationFailed,
        "timeout waiting for server" => Failure::Unreachable,
        "error communicating with the server" if rustls_cause(error).is_some() => of_tls(error),
        "error communicating with the server" | "connection closed" => Failure::Dropped,
        _ => Failure::Other,
    }
}

/// SQLSTATEs: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_refusal(code: &str, message: &str) -> Failure {
    match code {
        "28P01" => Failure::PasswordRefused,
        // "no pg_hba.conf entry for host …, no encryption": translated messages are not recognised,
        // and then the advice is only less exact.
        "28000" if message.contains("no encryption") => Failure::TlsNeeded,
        "28000" => Failure::AccessRefused,
        // CONNECT on the database is refused with this.
        "42501" => Failure::AccessRefused,
        "3D000" => Failure::DatabaseMissing,
        "53300" => Failure::TooManyConnections,
        "57P01" | "57P02" | "57P03" => Failure::NotReady,
        // "unsupported startup parameter: options", as PgBouncer says, or "command-line options". A server knows `options`.
        _ if message.contains("startup parameter") || message.contains("command-line options") => {
            Failure::Pooled
        }
        _ => Failure::Other,
    }
}

fn of_connecting(cause: &io::Error) -> Failure {
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        io::ErrorKind::NotFound => Failure::SocketMissing,
        // tokio-postgres says so where target_session_attrs does not hold. The operating system's own
        // refusal has a code.
        io::ErrorKind::PermissionDenied if cause.raw_os_error().is_none() => {
            Failure::WrongServerRole
        }
        _ => Failure::Unreachable,
    }
}

fn of_tls(error: &Error) -> Failure {
    let Some(rustls::Error::InvalidCertificate(reason)) = rustls_cause(error) else {
        return Failure::TlsFailed;
    };
    match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            Failure::CertificateUntrusted
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Failure::CertificateWrongName
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Failure::CertificateExpired,
        _ => Failure::CertificateUnusable,
    }
}

fn io_cause(error: &Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

/// tokio-rustls wraps the errors of rustls in those of I/O, whose `source` skips them.
fn rustls_cause(error: &Error) -> Option<&rustls::Error> {
    io_cause(error)?.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_by_their_code() {
        let no_entry =
            "no pg_hba.conf entry for host \"::1\", user \"u\", database \"d\", no encryption";
        let table = [
            ("28P01", "", Failure::PasswordRefused),
            ("28000", "", Failure::AccessRefused),
            ("28000", no_entry, Failure::TlsNeeded),
            ("3D000", "", Failure::DatabaseMissing),
            ("53300", "", Failure::TooManyConnections),
            (
                "57P03",
                "the database system is starting up",
                Failure::NotReady,
            ),
            (
                "08P01",
                "unsupported startup parameter: options",
                Failure::Pooled,
            ),
            ("XX000", "", Failure::Other),
        ];
        for (code, message, expected) in table {
            assert_eq!(of_refusal(code, message), expected, "{code}");
        }
    }
}
