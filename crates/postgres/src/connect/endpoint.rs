//! The places where the server may be: hosts and Unix sockets, each with its port and password.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::error::ConnectError;
use super::parameters::Parameters;
use super::passfile::Account;

const DEFAULT_PORT: u16 = 5432;
const LOCALHOST: &str = "localhost";
/// Debian's and Red Hat's place for sockets.
const SOCKET_DIRECTORY: &str = "/var/run/postgresql";
/// PostgreSQL's own default.
const SOCKET_DIRECTORY_FALLBACK: &str = "/tmp";

/// One place. No `Debug`: it holds a password.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) place: Place,
    pub(super) port: u16,
    pub(super) password: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The folder of a Unix socket.
    Socket(PathBuf),
    /// A name to look up.
    Host(String),
    /// An address to connect to, and the name that its certificate should carry.
    Address { name: String, address: IpAddr },
}

impl Endpoint {
    /// How the place is written in a URL.
    pub(super) fn in_url(&self) -> String {
        let name = match &self.place {
            Place::Socket(directory) => encode(&directory.to_string_lossy()),
            Place::Host(name) | Place::Address { name, .. } if name.contains(':') => {
                format!("[{name}]")
            }
            Place::Host(name) | Place::Address { name, .. } => name.clone(),
        };
        format!("{name}:{}", self.port)
    }

    /// How a password file may name this place.
    pub(super) fn account<'a>(&self, user: &'a str, database: &'a str) -> Account<'a> {
        let hosts = match &self.place {
            Place::Socket(directory) => {
                let mut hosts = vec![directory.to_string_lossy().into_owned()];
                if is_usual_socket_directory(directory) {
                    hosts.push(LOCALHOST.to_owned());
                }
                hosts
            }
            Place::Host(name) | Place::Address { name, .. } => vec![name.clone()],
        };
        Account {
            hosts,
            port: self.port,
            database,
            user,
        }
    }
}

fn is_usual_socket_directory(directory: &Path) -> bool {
    [
        SOCKET_DIRECTORY,
        SOCKET_DIRECTORY_FALLBACK,
        "/run/postgresql",
    ]
    .iter()
    .any(|usual| directory == Path::new(usual))
}

/// The endpoints that `host`, `hostaddr` and `port` give, matched by position as in libpq.
pub(super) fn endpoints(parameters: &Parameters) -> Result<Vec<Endpoint>, ConnectError> {
    let places = places(parameters)?;
    let ports = ports(parameters)?;
    if ports.len() > 1 && ports.len() != places.len() {
        return Err(parameters.bad(
            "port",
            format!(
                "holds {} ports for {} hosts; give one port, or one for each host",
                ports.len(),
                places.len()
            ),
        ));
    }
    let first_port = ports.first().copied().unwrap_or(DEFAULT_PORT);
    let endpoints = places
        .into_iter()
        .enumerate()
        .flat_map(|(index, places)| places.into_iter().map(move |place| (index, place)))
        .map(|(index, place)| Endpoint {
            place,
            port: ports.get(index).copied().unwrap_or(first_port),
            password: None,
        });
    Ok(endpoints.collect())
}

/// For each position the places to try: an empty host stands for the socket and then localhost.
fn places(parameters: &Parameters) -> Result<Vec<Vec<Place>>, ConnectError> {
    let hosts = list(parameters, "host");
    let addresses = list(parameters, "hostaddr");
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return Err(parameters.bad(
            "hostaddr",
            format!(
                "holds {} addresses for {} hosts",
                addresses.len(),
                hosts.len()
            ),
        ));
    }
    (0..hosts.len().max(addresses.len()).max(1))
        .map(|index| {
            let host = hosts.get(index).copied().unwrap_or("");
            let address = addresses.get(index).copied().unwrap_or("");
            places_at(parameters, host, address)
        })
        .collect()
}

fn places_at(
    parameters: &Parameters,
    host: &str,
    address: &str,
) -> Result<Vec<Place>, ConnectError> {
    if host.contains('@') {
        // Either an abstract socket or, more likely, a password with an @ that was not encoded.
        return Err(parameters.bad("host", "must not hold an @"));
    }
    if !address.is_empty() {
        let name = if host.is_empty() { address } else { host }.to_owned();
        let address = super::settings::address(parameters, address)?;
        return Ok(vec![Place::Address { name, address }]);
    }
    if host.is_empty() {
        return Ok(default_places());
    }
    if host.starts_with('/') {
        return Ok(vec![Place::Socket(PathBuf::from(host))]);
    }
    Ok(vec![Place::Host(host.to_owned())])
}

fn default_places() -> Vec<Place> {
    let usual = Path::new(SOCKET_DIRECTORY);
    let directory = match usual.is_dir() {
        true => usual,
        false => Path::new(SOCKET_DIRECTORY_FALLBACK),
    };
    vec![
        Place::Socket(directory.to_path_buf()),
        Place::Host(LOCALHOST.to_owned()),
    ]
}

fn ports(parameters: &Parameters) -> Result<Vec<u16>, ConnectError> {
    list(parameters, "port")
        .into_iter()
        .map(|text| match text.parse::<u16>() {
            _ if text.is_empty() => Ok(DEFAULT_PORT),
            Ok(port) if port > 0 => Ok(port),
            Ok(_) | Err(_) => Err(parameters.bad(
                "port",
                "must be a number from 1 to 65535 (in a URL, write a : or / of the password as %3A or %2F)",
            )),
        })
        .collect()
}

fn list<'p>(parameters: &'p Parameters, name: &str) -> Vec<&'p str> {
    parameters
        .text(name)
        .map(|text| text.split(',').map(str::trim).collect())
        .unwrap_or_default()
}

/// Percent-encodes what has a meaning in a URL.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ':' | '/' | '?' | '#' | '[' | ']' | '@' | '%' | ',' | '&' | '=' | ' ' => {
                encoded.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c if c.is_control() => encoded.push('?'),
            c => encoded.push(c),
        }
    }
    encoded
}
