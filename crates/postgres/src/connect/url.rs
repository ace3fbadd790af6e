//! Reads `postgresql://user:password@host:port,host:port/database?parameter=value` as libpq does.

use super::error::{ConnectError, Origin};
use super::parameters::Parameters;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Whether the text is a URL of ours; otherwise it is read as key=value pairs.
pub(super) fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// Reads a URL. Errors name the part at fault and never quote it.
pub(super) fn parse(url: &str, origin: &Origin) -> Result<Parameters, ConnectError> {
    let rest = SCHEMES
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .ok_or_else(|| bad(origin, "it does not begin with postgresql://"))?;
    let mut reader = Reader {
        origin,
        parameters: Parameters::default(),
    };
    let rest = reader.user_and_password(rest)?;
    let hosts_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (hosts, rest) = rest.split_at(hosts_end);
    reader.hosts(hosts)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    reader.database(path.strip_prefix('/').unwrap_or(path))?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        reader.query_parameter(pair)?;
    }
    Ok(reader.parameters)
}

fn bad(origin: &Origin, problem: &str) -> ConnectError {
    ConnectError::BadUrl {
        origin: origin.clone(),
        problem: problem.to_owned(),
    }
}

struct Reader<'a> {
    origin: &'a Origin,
    parameters: Parameters,
}

impl Reader<'_> {
    fn user_and_password<'t>(&mut self, rest: &'t str) -> Result<&'t str, ConnectError> {
        let Some(end) = rest.find(['@', '/']) else {
            return Ok(rest);
        };
        if !rest[end..].starts_with('@') {
            return Ok(rest);
        }
        let (user, password) = match rest[..end].split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (&rest[..end], None),
        };
        self.set("user", user)?;
        if let Some(password) = password {
            self.set("password", password)?;
        }
        Ok(&rest[end + 1..])
    }

    fn hosts(&mut self, hosts: &str) -> Result<(), ConnectError> {
        // A second @, or one behind the path's slash, means a password that was not encoded: read
        // on, and a piece of it would be shown as the host or the database.
        if hosts.contains('@') {
            return Err(bad(
                self.origin,
                "an @ in the user or password must be written %40",
            ));
        }
        let mut names = Vec::new();
        let mut ports = Vec::new();
        for entry in hosts.split(',') {
            let (name, port) = self.host_and_port(entry)?;
            names.push(name);
            ports.push(port);
        }
        let (names, ports) = (names.join(","), ports.join(","));
        if !names.is_empty() {
            self.set("host", &names)?;
        }
        if !ports.is_empty() {
            self.set("port", &ports)?;
        }
        Ok(())
    }

    fn host_and_port<'t>(&self, entry: &'t str) -> Result<(&'t str, &'t str), ConnectError> {
        let Some(bracketed) = entry.strip_prefix('[') else {
            return Ok(entry.split_once(':').unwrap_or((entry, "")));
        };
        let (address, port) = bracketed
            .split_once(']')
            .ok_or_else(|| bad(self.origin, "an IPv6 address lacks its closing ]"))?;
        match port.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if port.is_empty() => Ok((address, "")),
            None => Err(bad(
                self.origin,
                "after an IPv6 address only :port may follow",
            )),
        }
    }

    fn database(&mut self, database: &str) -> Result<(), ConnectError> {
        if database.contains(['@', '/']) {
            return Err(bad(
                self.origin,
                "a / or @ in the user, password or database must be written %2F or %40",
            ));
        }
        if database.is_empty() {
            return Ok(());
        }
        self.set("dbname", database)
    }

    fn query_parameter(&mut self, pair: &str) -> Result<(), ConnectError> {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(bad(self.origin, "a parameter behind ? lacks its ="));
        };
        // JDBC's way to write it; libpq takes it too.
        if (name, value) == ("ssl", "true") {
            return self.set("sslmode", "require");
        }
        let name = decode(name).map_err(|problem| bad(self.origin, problem))?;
        self.set(&name, value)
    }

    fn set(&mut self, name: &str, encoded: &str) -> Result<(), ConnectError> {
        let value = decode(encoded).map_err(|problem| bad(self.origin, problem))?;
        self.parameters.set(name, value, self.origin)
    }
}

fn decode(encoded: &str) -> Result<String, &'static str> {
    const BROKEN: &str = "a % is not followed by two hexadecimal digits (a % itself is %25)";
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = (bytes.next(), bytes.next());
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let value = digit(high)
            .zip(digit(low))
            .and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            .ok_or(BROKEN)?;
        if value == 0 {
            return Err("%00 is not allowed");
        }
        decoded.push(value);
    }
    String::from_utf8(decoded).map_err(|_| "the percent-encoded text is not UTF-8")
}
