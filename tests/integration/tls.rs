//! Connecting with TLS: whatever the server has and the client asks for, it goes as with libpq, which is asked in the same
//! test.

use crate::support::{
    certificates::{self, Certificates},
    tools,
};
use crossfade_postgres::{
    connect::resolve,
    launch::{LaunchOptions, Listen, Server},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    process::Command,
};

const PASSWORD: &str = "a secret";
const MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];
const BY_PASSWORD: &str = "host all all 127.0.0.1/32 scram-sha-256";
const TLS_ONLY: &str = "hostssl all all 127.0.0.1/32 scram-sha-256";
const NO_TLS: &str = "hostnossl all all 127.0.0.1/32 scram-sha-256";
const BY_CERTIFICATE: &str = "hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-full";

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Outcome {
    Plain,
    Encrypted,
    Refused,
}

struct Subject {
    server: Server,
    certificates: Certificates,
    runtime: tokio::runtime::Runtime,
    /// A home without any files of libpq's.
    home: tempfile::TempDir,
}

impl Subject {
    fn launch() -> Option<Self> {
        let openssl = tools::program("openssl")?;
        let certificates = Certificates::make(&openssl);
        let server = Server::launch(&LaunchOptions {
            listen: Listen::Tcp {
                password: PASSWORD.to_owned(),
            },
            ..LaunchOptions::default()
        });
        let server = server.expect("a PostgreSQL");
        if !tools::server_program(&server.program("psql")) {
            return None;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        Some(Self {
            server,
            certificates,
            runtime: runtime.expect("a runtime"),
            home: tempfile::tempdir().expect("a home"),
        })
    }

    /// The server presents this certificate, or has no TLS, and lets in whom these lines do.
    fn set(&self, certificate: Option<&str>, access: &str) {
        let data = self.server.data_directory();
        let owner = fs::metadata(data).expect("the server's folder");
        let put = |name: &str, text: &str| {
            let path = data.join(name);
            fs::write(&path, text).expect("written");
            chown(&path, Some(owner.uid()), Some(owner.gid())).expect("the server's user's");
            certificates::make_private(&path);
        };
        put("pg_hba.conf", &format!("local all all trust\n{access}\n"));
        put("root.crt", &self.certificates.text("ca.crt"));
        let name = certificate.unwrap_or("right");
        put(
            "server.crt",
            &self.certificates.text(&format!("{name}.crt")),
        );
        put(
            "server.key",
            &self.certificates.text(&format!("{name}.key")),
        );
        let on = if certificate.is_some() { "on" } else { "off" };
        // A setting that differs each time shows when the server has read its files again.
        let mark = fastrand::u32(1..10_000).to_string();
        self.runtime.block_on(async {
            let admin = crate::support::connect(&self.server.url("postgres")).await;
            for sql in [
                "ALTER SYSTEM SET ssl_ca_file = 'root.crt'",
                &format!("ALTER SYSTEM SET ssl = {on}"),
                &format!("ALTER SYSTEM SET vacuum_cost_page_miss = {mark}"),
                "SELECT pg_reload_conf()",
            ] {
                admin.batch_execute(sql).await.expect(sql);
            }
            for _ in 0..1_000 {
                let client = crate::support::connect(&self.server.url("postgres")).await;
                let sql =
                    "SELECT current_setting('vacuum_cost_page_miss') || current_setting('ssl')";
                let row = client.query_one(sql, &[]).await.expect(sql);
                if row.get::<_, Option<String>>(0) == Some(format!("{mark}{on}")) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            panic!("the server never read its configuration again");
        });
    }

    fn url(&self, parameters: &str) -> String {
        let url = self.server.tcp_url("postgres").expect("by TCP");
        let url = url.replacen("127.0.0.1", "localhost", 1);
        format!("{url}?{parameters}")
    }

    fn libpq(&self, url: &str) -> (Outcome, String) {
        let mut command = Command::new(self.server.program("psql"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        command.args(["-XAtq", "-d", url, "-c", sql]);
        command
            .env("HOME", self.home.path())
            .env("PGGSSENCMODE", "disable");
        let output = command.output().expect("psql runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match String::from_utf8_lossy(&output.stdout).trim() {
            "t" => (Outcome::Encrypted, said),
            "f" => (Outcome::Plain, said),
            _ => (Outcome::Refused, said),
        }
    }

    fn ours(&self, url: &str) -> (Outcome, String) {
        let home = self.home.path().to_str().map(str::to_owned);
        let environment = |name: &str| (name == "HOME").then(|| home.clone()).flatten();
        let connected = self.runtime.block_on(async {
            let target = resolve(Some(url), &environment)?;
            let session = target.connect("tls").await?;
            let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            let row = session.client.query_one(sql, &[]).await.expect(sql);
            Ok::<bool, crossfade_postgres::connect::ConnectError>(row.get(0))
        });
        match connected {
            Ok(true) => (Outcome::Encrypted, String::new()),
            Ok(false) => (Outcome::Plain, String::new()),
            Err(error) => {
                let said = error.to_string();
                assert!(!said.contains(PASSWORD), "the password is shown: {said}");
                (Outcome::Refused, said)
            }
        }
    }

    /// Asks both, and notes where they differ.
    fn compare(&self, at: &str, parameters: &str, differences: &mut Vec<String>) -> Outcome {
        let url = self.url(parameters);
        let (libpq, its) = self.libpq(&url);
        let (ours, said) = self.ours(&url);
        if libpq != ours && !is_known(parameters, libpq, ours) {
            differences.push(format!(
                "{at} {parameters}: libpq {libpq:?} ({}), ours {ours:?} ({said})",
                its.trim()
            ));
        }
        ours
    }
}

/// Where the two differ, and why: only in modes that ask for no safety.
fn is_known(parameters: &str, libpq: Outcome, ours: Outcome) -> bool {
    let mode = |mode: &str| parameters.starts_with(&format!("sslmode={mode}"));
    match (libpq, ours) {
        // `allow` asks for TLS first here, where libpq asks for it last. And a server that cannot prove itself makes libpq
        // go on without TLS in `prefer`, where TLS with that server is no less safe.
        (Outcome::Plain, Outcome::Encrypted) => mode("allow") || mode("prefer"),
        // A server that lets in only who comes without TLS, and refuses a certificate before it says so: libpq ends there.
        (Outcome::Refused, Outcome::Plain) => mode("prefer") && parameters.contains("wrong-client"),
        _ => false,
    }
}

#[test]
fn every_sslmode_meets_every_server_as_libpq_does() {
    let Some(subject) = Subject::launch() else {
        return;
    };
    let roots = ["", "ca.crt", "self-signed.crt"];
    let mut differences = Vec::new();
    let mut encrypted = 0;
    for certificate in [
        None,
        Some("self-signed"),
        Some("right"),
        Some("wrong-host"),
        Some("wrong-ca"),
        Some("by-address"),
    ] {
        subject.set(certificate, BY_PASSWORD);
        for mode in MODES {
            for root in roots {
                let parameters = subject.certificates.parameters(mode, root, "");
                let at = format!("{certificate:?}");
                let outcome = subject.compare(&at, &parameters, &mut differences);
                encrypted += u32::from(outcome == Outcome::Encrypted);
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(encrypted > 20, "{encrypted}");
}

#[test]
fn client_certificates_and_rules_for_or_against_tls_work_as_with_libpq() {
    let Some(subject) = Subject::launch() else {
        return;
    };
    let mut differences = Vec::new();
    for access in [TLS_ONLY, NO_TLS, BY_CERTIFICATE] {
        subject.set(Some("right"), access);
        for mode in MODES {
            for client in ["", "client", "other-client", "wrong-client"] {
                let parameters = subject.certificates.parameters(mode, "ca.crt", client);
                subject.compare(access, &parameters, &mut differences);
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn channel_binding_is_had_with_tls_and_refused_without_as_with_libpq() {
    let Some(subject) = Subject::launch() else {
        return;
    };
    let mut differences = Vec::new();
    let mut outcomes = Vec::new();
    for certificate in [None, Some("right"), Some("self-signed")] {
        subject.set(certificate, BY_PASSWORD);
        for mode in ["disable", "prefer", "require"] {
            for binding in ["disable", "prefer", "require"] {
                let parameters = format!("sslmode={mode}&channel_binding={binding}");
                let at = format!("{certificate:?}");
                outcomes.push(subject.compare(&at, &parameters, &mut differences));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for outcome in [Outcome::Plain, Outcome::Encrypted, Outcome::Refused] {
        assert!(outcomes.contains(&outcome), "{outcomes:?}");
    }
}
