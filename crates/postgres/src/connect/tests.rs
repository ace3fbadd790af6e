//! What resolving makes of flags, variables and files; nothing here connects.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

use super::endpoint::Place;
use super::tls::{Encryption, Trust};
use super::{ConnectError, Target, resolve};

fn with(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Target, ConnectError> {
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    resolve(url, &|name| variables.get(name).cloned())
}

fn url(text: &str) -> Target {
    with(Some(text), &[]).unwrap()
}

fn error(text: &str) -> String {
    let error = with(Some(text), &[]).unwrap_err();
    assert!(
        std::error::Error::source(&error).is_none(),
        "the message says it all"
    );
    error.to_string()
}

fn password(target: &Target) -> Option<&str> {
    target.settings.endpoints[0].password.as_deref()
}

fn trust(text: &str) -> (Encryption, Trust) {
    let tls = url(text).settings.tls.clone();
    (tls.encryption, tls.trust)
}

#[test]
fn what_a_session_begins_with_comes_last_and_a_space_is_no_end() {
    let target = url("postgres://u@h/d?options=-c%20search_path%3Dapp");
    let target = target.with_session(&[("search_path", "pg_catalog, pg_temp"), ("a", "\\")]);
    let options = target.settings.options.clone().unwrap();
    let (given, word) = options.rsplit_once(" -c crossfade.session=").unwrap();
    assert_eq!(
        given,
        r"-c search_path=app -c search_path=pg_catalog,\ pg_temp -c a=\\"
    );
    let again = target.with_session(&[]).settings.options.clone().unwrap();
    assert!(word.len() == 32 && !again.ends_with(word), "{again}");
}

#[test]
fn the_flag_then_ours_then_the_usual_variable() {
    let variables = [
        ("CROSSFADE_DATABASE_URL", "postgres://u@second/d"),
        ("DATABASE_URL", "postgres://u@third/d"),
        ("PGHOST", "fourth"),
        ("PGUSER", "u"),
        ("PGDATABASE", "d"),
    ];
    let describe = |flag, from| with(flag, &variables[from..]).unwrap().describe();
    assert_eq!(
        describe(Some("postgres://u@first/d"), 0),
        "postgresql://u@first:5432/d"
    );
    assert_eq!(describe(None, 0), "postgresql://u@second:5432/d");
    assert_eq!(describe(None, 1), "postgresql://u@third:5432/d");
    assert_eq!(describe(None, 2), "postgresql://u@fourth:5432/d");
}

#[test]
fn variables_fill_what_the_url_leaves_out() {
    let target = with(
        Some("postgresql://db.internal/fleet"),
        &[
            ("PGUSER", "app"),
            ("PGPASSWORD", "secret"),
            ("PGPORT", "6543"),
            ("PGDATABASE", "not this"),
            ("PGSSLMODE", "disable"),
            ("PGCONNECT_TIMEOUT", "3"),
            ("PGTARGETSESSIONATTRS", "read-write"),
            ("PGCHANNELBINDING", "require"),
            ("PGOPTIONS", "-c geqo=off"),
        ],
    )
    .unwrap();
    let settings = &target.settings;
    assert_eq!(target.describe(), "postgresql://app@db.internal:6543/fleet");
    assert_eq!(target.database(), "fleet");
    assert_eq!(password(&target), Some("secret"));
    assert_eq!(settings.tls.encryption, Encryption::Never);
    assert_eq!(settings.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(settings.session_attributes, TargetSessionAttrs::ReadWrite);
    assert_eq!(settings.channel_binding, ChannelBinding::Require);
    assert_eq!(settings.options.as_deref(), Some("-c geqo=off"));
    let shown = format!("{target:?}");
    assert_eq!(shown, "Target(\"postgresql://app@db.internal:6543/fleet\")");
}

#[test]
fn defaults() {
    let target = with(None, &[("PGUSER", "app")]).unwrap();
    assert_eq!(target.database(), "app");
    let settings = &target.settings;
    assert_eq!(settings.connect_timeout, Some(Duration::from_secs(10)));
    assert_eq!(settings.tls.encryption, Encryption::IfPossible);
    assert!(settings.keepalive.is_some());
    let places: Vec<&Place> = settings.endpoints.iter().map(|e| &e.place).collect();
    assert!(matches!(&places[..], [Place::Socket(_), Place::Host(host)] if host == "localhost"));
    // The operating system's name for the user.
    assert!(!url("postgres://host").settings.user.is_empty());
}

#[test]
fn urls() {
    let cases = [
        ("postgres://u@h", "postgresql://u@h:5432/u"),
        (
            "postgresql://u@h:1,i,j:3/d",
            "postgresql://u@h:1,i:5432,j:3/d",
        ),
        ("postgresql://u@h,i/d?port=7", "postgresql://u@h:7,i:7/d"),
        ("postgresql://u@[::1]:6/d", "postgresql://u@[::1]:6/d"),
        (
            "postgresql://u@%2Fvar%2Flib:7/d",
            "postgresql://u@%2Fvar%2Flib:7/d",
        ),
        (
            "postgresql:///d?user=u&host=/srv/pg",
            "postgresql://u@%2Fsrv%2Fpg:5432/d",
        ),
        (
            "postgresql://u%40x@h/my%20db",
            "postgresql://u%40x@h:5432/my%20db",
        ),
        (
            "postgresql://u@h/d?hostaddr=10.0.0.1",
            "postgresql://u@h:5432/d",
        ),
        (
            "postgresql://u@/d?hostaddr=10.0.0.1",
            "postgresql://u@10.0.0.1:5432/d",
        ),
        ("host=h user=u dbname='a b'", "postgresql://u@h:5432/a%20b"),
        (
            r"host = h user=u dbname='it\'s' password=a\ b",
            "postgresql://u@h:5432/it's",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(url(text).describe(), expected, "{text}");
    }
    let hidden = url("postgresql://u:p%2Fw%3Ax@h/d");
    assert_eq!(password(&hidden), Some("p/w:x"));
    assert_eq!(password(&url(r"host=h user=u password=a\ b")), Some("a b"));
}

#[test]
fn bad_strings_name_the_fault_and_show_no_password() {
    let cases = [
        ("postgres://u:hunter2/x@h/d", "port"),
        ("postgres://u:5/hunter2@h/d", "must be written %2F or %40"),
        ("postgres://u:x@hunter2@h/d", "must be written %40"),
        ("postgres://u:hunter2%zz@h/d", "hexadecimal"),
        ("postgres://u:hunter2@h/d?sslmode=sometimes", "sslmode"),
        ("postgres://u:hunter2@h/d?colour=red", "\"colour\""),
        ("postgres://u@h/d?password=x&hunter2=y", "not shown"),
        ("postgres://u:hunter2@h:99999/d", "port"),
        ("postgres://u:hunter2@h,i,j:1/d?port=1,2", "port"),
        ("postgres://u:hunter2@[::1/d", "]"),
        (
            "postgres://u:hunter2@h/d?connect_timeout=soon",
            "connect_timeout",
        ),
        ("postgres://u:hunter2@h/d?hostaddr=h", "hostaddr"),
        ("postgres://u:hunter2@h/d?sslcrl=x", "does not support it"),
        ("postgres://u:hunter2@h/d?gssencmode=require", "gssencmode"),
        (
            "postgres://u:hunter2@h/d?target_session_attrs=primary",
            "read-write",
        ),
        ("postgres://u:hunter2@h/d?sslmode=verify-ca", "sslrootcert"),
        (
            "postgres://u:hunter2@h/d?sslmode=require&sslrootcert=system",
            "verify-full",
        ),
        (
            "postgres://u:hunter2@h/d?sslnegotiation=direct",
            "sslnegotiation",
        ),
        ("host=h password=a hunter2", "word"),
        ("host=h password='hunter2", "quote"),
        ("hunter2", "word"),
        ("mysql://u:hunter2@h/d", "postgresql://"),
        ("  ", "empty"),
    ];
    for (text, expected) in cases {
        let shown = error(text);
        assert!(shown.contains(expected), "{text}: {shown}");
        assert!(!shown.contains("hunter2"), "{text}: {shown}");
        assert!(
            shown.contains("--database-url") || shown.contains("default"),
            "{shown}"
        );
    }
    let of_variable = with(Some("host=h"), &[("PGPORT", "x")])
        .unwrap_err()
        .to_string();
    assert!(of_variable.starts_with("PGPORT: the connection parameter port must be"));
}

#[test]
fn modes_of_tls() {
    let file = || PathBuf::from("/ca.crt");
    let expected = [
        ("", Encryption::IfPossible, Trust::Anything),
        ("sslmode=disable", Encryption::Never, Trust::Anything),
        ("sslmode=allow", Encryption::IfPossible, Trust::Anything),
        (
            "sslmode=prefer&sslrootcert=/ca.crt",
            Encryption::IfPossible,
            Trust::Anything,
        ),
        ("sslmode=require", Encryption::Always, Trust::Anything),
        ("ssl=true", Encryption::Always, Trust::Anything),
        (
            "sslmode=require&sslrootcert=/ca.crt",
            Encryption::Always,
            Trust::Authority(file()),
        ),
        (
            "sslmode=verify-ca&sslrootcert=/ca.crt",
            Encryption::Always,
            Trust::Authority(file()),
        ),
        (
            "sslmode=verify-full&sslrootcert=/ca.crt",
            Encryption::Always,
            Trust::AuthorityAndName(file()),
        ),
        ("sslmode=verify-full", Encryption::Always, Trust::Platform),
        (
            "sslmode=verify-full&sslrootcert=system",
            Encryption::Always,
            Trust::Platform,
        ),
        ("sslrootcert=system", Encryption::Always, Trust::Platform),
    ];
    for (query, encryption, expected) in expected {
        let found = trust(&format!("postgresql://u@h/d?{query}"));
        assert_eq!(found, (encryption, expected), "{query}");
    }
}

#[test]
fn the_usual_certificates_are_found() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".postgresql");
    std::fs::create_dir(&folder).unwrap();
    let resolve_at_home =
        |url| with(Some(url), &[("HOME", home.path().to_str().unwrap())]).unwrap();
    let require = "postgresql://u@h/d?sslmode=require";
    assert_eq!(resolve_at_home(require).settings.tls.client, None);
    for name in ["root.crt", "postgresql.crt", "postgresql.key"] {
        std::fs::write(folder.join(name), "").unwrap();
    }
    let tls = resolve_at_home(require).settings.tls.clone();
    assert_eq!(tls.trust, Trust::Authority(folder.join("root.crt")));
    assert_eq!(tls.client.unwrap().key, folder.join("postgresql.key"));
}

#[test]
fn timeouts_and_keepalives() {
    let target =
        url("host=h connect_timeout=0 tcp_user_timeout=1500 keepalives_idle=7 keepalives_count=2");
    let settings = &target.settings;
    assert_eq!(settings.connect_timeout, None);
    assert_eq!(settings.tcp_user_timeout, Duration::from_millis(1500));
    let keepalive = settings.keepalive.unwrap();
    assert_eq!(
        (keepalive.idle, keepalive.count),
        (Duration::from_secs(7), 2)
    );
    assert!(url("host=h keepalives=0").settings.keepalive.is_none());
}

fn private_file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn passwords_come_from_the_file_for_each_host() {
    let home = tempfile::tempdir().unwrap();
    private_file(
        &home.path().join(".pgpass"),
        "a:5432:d:u:for a\nb:*:*:*:for b\nlocalhost:*:*:*:for sockets\n",
    );
    let variables = [("HOME", home.path().to_str().unwrap())];
    let target = with(Some("postgresql://u@a,b,c/d"), &variables).unwrap();
    let passwords: Vec<_> = target
        .settings
        .endpoints
        .iter()
        .map(|e| e.password.as_deref())
        .collect();
    assert_eq!(passwords, [Some("for a"), Some("for b"), None]);
    let on_socket = |directory: &str| {
        let text = format!("postgresql:///d?user=u&host={directory}");
        password(&with(Some(&text), &variables).unwrap()).map(str::to_owned)
    };
    assert_eq!(on_socket("/tmp").as_deref(), Some("for sockets"));
    assert_eq!(on_socket("/srv/pg"), None);
    let stronger = with(Some("postgresql://u:own@a/d"), &variables).unwrap();
    assert_eq!(password(&stronger), Some("own"));
    let other = home.path().join("other");
    private_file(&other, "*:*:*:*:other");
    let named = [variables[0], ("PGPASSFILE", other.to_str().unwrap())];
    let target = with(Some("postgresql://u@a/d"), &named).unwrap();
    assert_eq!(password(&target), Some("other"));
}

#[test]
fn services_fill_before_variables() {
    let home = tempfile::tempdir().unwrap();
    let text = "[fleet]\nhost=db\nport=7\nuser=service\ndbname=fleet\n[bad]\ncolour=red\n";
    std::fs::write(home.path().join(".pg_service.conf"), text).unwrap();
    let variables = [
        ("HOME", home.path().to_str().unwrap()),
        ("PGPORT", "8"),
        ("PGUSER", "variable"),
    ];
    let by_url = with(Some("postgresql://url@/?service=fleet"), &variables).unwrap();
    assert_eq!(by_url.describe(), "postgresql://url@db:7/fleet");
    let by_variable = [&variables[..], &[("PGSERVICE", "fleet")]].concat();
    let target = with(None, &by_variable).unwrap();
    assert_eq!(target.describe(), "postgresql://service@db:7/fleet");
    let message = |service: &str| {
        with(Some(&format!("service={service}")), &variables)
            .unwrap_err()
            .to_string()
    };
    assert!(
        message("absent").contains(".pg_service.conf"),
        "{}",
        message("absent")
    );
    assert!(
        message("bad").contains("service \"bad\""),
        "{}",
        message("bad")
    );

    let system = tempfile::tempdir().unwrap();
    std::fs::write(system.path().join("pg_service.conf"), "[far]\nhost=far\n").unwrap();
    let by_system = [
        &variables[..],
        &[("PGSYSCONFDIR", system.path().to_str().unwrap())],
    ]
    .concat();
    let target = with(Some("service=far dbname=d"), &by_system).unwrap();
    assert_eq!(target.describe(), "postgresql://variable@far:8/d");
    let missing = [&variables[..], &[("PGSERVICEFILE", "/nowhere")]].concat();
    let error = with(Some("service=far"), &missing).unwrap_err();
    assert!(
        matches!(error, ConnectError::FileUnreadable { .. }),
        "{error}"
    );
}
