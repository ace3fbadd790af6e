//! Certificates of two authorities, made by openssl for each test.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

pub struct Certificates(tempfile::TempDir);

/// Name, subject, subjectAltName, and the authority that signs it: `None` signs itself.
const MADE: [(&str, &str, &str, Option<&str>); 8] = [
    ("self-signed", "localhost", "DNS:localhost", None),
    ("right", "localhost", "DNS:localhost", Some("ca")),
    (
        "wrong-host",
        "elsewhere",
        "DNS:elsewhere.example",
        Some("ca"),
    ),
    ("by-address", "address", "IP:127.0.0.1", Some("ca")),
    ("wrong-ca", "localhost", "DNS:localhost", Some("other-ca")),
    ("client", "postgres", "DNS:postgres", Some("ca")),
    ("other-client", "somebody", "DNS:somebody", Some("ca")),
    ("wrong-client", "postgres", "DNS:postgres", Some("other-ca")),
];

impl Certificates {
    pub fn make(openssl: &Path) -> Self {
        let made = Self(tempfile::tempdir().expect("a folder"));
        let run = |arguments: &[&str]| {
            let mut command = Command::new(openssl);
            let output = command.args(arguments).current_dir(made.0.path()).output();
            let output = output.expect("openssl runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "openssl {arguments:?}: {said}");
        };
        let request = |name: &str, subject: &str, further: &[&str]| {
            let (key, subject) = (format!("{name}.key"), format!("/CN={subject}"));
            let fixed = [
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ];
            let named = ["-nodes", "-keyout", &key, "-subj", &subject];
            run(&[&fixed[..], &named[..], further].concat());
            make_private(&made.0.path().join(&key));
        };
        for name in ["ca", "other-ca"] {
            let certificate = format!("{name}.crt");
            request(name, name, &["-x509", "-days", "2", "-out", &certificate]);
        }
        for (name, subject, alternative, authority) in MADE {
            let (certificate, wish) = (format!("{name}.crt"), format!("{name}.csr"));
            let alternative = format!("subjectAltName={alternative}");
            let Some(authority) = authority else {
                let further = [
                    "-x509",
                    "-days",
                    "2",
                    "-addext",
                    &alternative,
                    "-out",
                    &certificate,
                ];
                request(name, subject, &further);
                continue;
            };
            request(name, subject, &["-out", &wish]);
            let extensions = format!("{name}.ext");
            let text = format!("{alternative}\nbasicConstraints=CA:FALSE\n");
            fs::write(made.0.path().join(&extensions), text).expect("written");
            let (by, key) = (format!("{authority}.crt"), format!("{authority}.key"));
            let signed = ["x509", "-req", "-in", &wish, "-CA", &by, "-CAkey", &key];
            let how = [
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                &extensions,
                "-out",
                &certificate,
            ];
            run(&[&signed[..], &how[..]].concat());
        }
        made
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).expect("it was made")
    }

    /// Of a URL. Empty names: none.
    pub fn parameters(&self, mode: &str, root: &str, client: &str) -> String {
        let path = |file: &str| self.0.path().join(file).display().to_string();
        let mut parameters = format!("sslmode={mode}");
        if !root.is_empty() {
            parameters.push_str(&format!("&sslrootcert={}", path(root)));
        }
        if !client.is_empty() {
            let (certificate, key) = (format!("{client}.crt"), format!("{client}.key"));
            parameters.push_str(&format!(
                "&sslcert={}&sslkey={}",
                path(&certificate),
                path(&key)
            ));
        }
        parameters
    }
}

/// Both libpq and the server refuse a key that others can read.
pub fn make_private(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode is set");
}
