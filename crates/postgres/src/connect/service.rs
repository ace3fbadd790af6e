//! Reads libpq's service files: named groups of parameters, in `~/.pg_service.conf` or where told.

use std::path::{Path, PathBuf};

use super::error::{ConnectError, Origin};
use super::parameters::Parameters;
use super::resolve::Surroundings;

const PURPOSE: &str = "service file";

/// Fills what the connection string leaves out from the service that it (or PGSERVICE) names.
pub(super) fn fill(
    parameters: &mut Parameters,
    surroundings: &Surroundings<'_>,
) -> Result<(), ConnectError> {
    let service = match parameters.text("service") {
        Some(service) => service.to_owned(),
        None => match surroundings.variable("PGSERVICE") {
            Some(service) => service,
            None => return Ok(()),
        },
    };
    let mut searched = Vec::new();
    for (path, necessity) in candidates(parameters, surroundings) {
        searched.push(path.display().to_string());
        let Some(text) = read(&path, necessity)? else {
            continue;
        };
        if let Some(settings) = section(&text, &service, &path)? {
            let origin = Origin::Service { service, path };
            for (name, value) in settings {
                parameters.fill(&name, value, &origin)?;
            }
            return Ok(());
        }
    }
    Err(ConnectError::ServiceNotFound {
        service,
        searched: match searched.is_empty() {
            true => "any service file (HOME and PGSERVICEFILE are not set)".to_owned(),
            false => searched.join(" or "),
        },
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Necessity {
    /// Somebody named this file.
    Required,
    /// A usual place.
    Optional,
}

fn candidates(
    parameters: &Parameters,
    surroundings: &Surroundings<'_>,
) -> Vec<(PathBuf, Necessity)> {
    let mut candidates = Vec::new();
    let named = parameters
        .text("servicefile")
        .map(str::to_owned)
        .or_else(|| surroundings.variable("PGSERVICEFILE"));
    match named {
        Some(path) => candidates.push((PathBuf::from(path), Necessity::Required)),
        None => candidates.extend(
            surroundings
                .in_home(".pg_service.conf")
                .map(|path| (path, Necessity::Optional)),
        ),
    }
    if let Some(directory) = surroundings.variable("PGSYSCONFDIR") {
        let path = Path::new(&directory).join("pg_service.conf");
        candidates.push((path, Necessity::Optional));
    }
    candidates
}

fn read(path: &Path, necessity: Necessity) -> Result<Option<String>, ConnectError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error)
            if necessity == Necessity::Optional && error.kind() == std::io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(source) => Err(ConnectError::FileUnreadable {
            purpose: PURPOSE,
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// The parameters of one section, or nothing if the file has no such section.
fn section(
    text: &str,
    service: &str,
    path: &Path,
) -> Result<Option<Vec<(String, String)>>, ConnectError> {
    let bad = |number: usize, problem: &str| ConnectError::BadFile {
        purpose: PURPOSE,
        path: path.to_path_buf(),
        problem: format!("line {number} {problem}"),
    };
    let mut found: Option<Vec<(String, String)>> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found.is_some() {
                return Ok(found);
            }
            let name = header
                .strip_suffix(']')
                .ok_or_else(|| bad(index + 1, "opens a section without the closing ]"))?;
            if name == service {
                found = Some(Vec::new());
            }
            continue;
        }
        let Some(settings) = found.as_mut() else {
            continue;
        };
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| bad(index + 1, "is neither a section nor name=value"))?;
        // libpq refuses these too: a service that names another would have no end.
        if matches!(name.trim(), "service" | "servicefile") {
            return Err(bad(
                index + 1,
                "names another service, which is not allowed",
            ));
        }
        settings.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# ours\n[fleet]\nhost=db.internal\n port = 6432 \n\n[other]\nhost=elsewhere\n[broken]\nhost\n[nested]\nservice=fleet\n";

    fn read_section(service: &str) -> Result<Option<Vec<(String, String)>>, ConnectError> {
        section(TEXT, service, Path::new("/etc/pg_service.conf"))
    }

    #[test]
    fn takes_only_the_named_section() {
        let fleet = read_section("fleet").unwrap().unwrap();
        let expected = [("host", "db.internal"), ("port", "6432")];
        assert_eq!(
            fleet,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(read_section("absent").unwrap().is_none());
    }

    #[test]
    fn names_the_line_at_fault() {
        let broken = read_section("broken").unwrap_err().to_string();
        assert!(broken.contains("line 9"), "{broken}");
        let nested = read_section("nested").unwrap_err().to_string();
        assert!(nested.contains("another service"), "{nested}");
    }
}
