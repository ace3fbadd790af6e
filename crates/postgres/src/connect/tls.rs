//! libpq's sslmode in terms of rustls: what to check of a server's certificate, and what to show of ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_postgres::config::SslNegotiation;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::certificate::{CertificateCheck, Depth};
use super::error::ConnectError;
use super::parameters::Parameters;
use super::resolve::Surroundings;

/// Whether to use TLS. What is checked then is `Trust`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    Never,
    IfPossible,
    Always,
}

/// What must hold for the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trust {
    /// Protects from listeners, not from somebody who pretends to be the server.
    Anything,
    /// An authority of this file signed it.
    Authority(PathBuf),
    /// And it is for the host's name.
    AuthorityAndName(PathBuf),
    /// The operating system trusts it for the host's name.
    Platform,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientCertificate {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// The TLS part of the settings.
#[derive(Debug, Clone)]
pub(super) struct TlsSettings {
    pub(super) encryption: Encryption,
    pub(super) trust: Trust,
    pub(super) client: Option<ClientCertificate>,
    pub(super) negotiation: SslNegotiation,
}

impl TlsSettings {
    pub(super) fn new(
        parameters: &Parameters,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, ConnectError> {
        let (encryption, trust) = mode(parameters, surroundings)?;
        let negotiation = match parameters.text("sslnegotiation") {
            None | Some("postgres") => SslNegotiation::Postgres,
            Some("direct") if encryption == Encryption::Always => SslNegotiation::Direct,
            Some("direct") => {
                return Err(parameters.bad(
                    "sslnegotiation",
                    "may be direct with sslmode require, verify-ca or verify-full only",
                ));
            }
            Some(_) => return Err(parameters.bad("sslnegotiation", "must be postgres or direct")),
        };
        Ok(Self {
            encryption,
            trust,
            client: client_certificate(parameters, surroundings),
            negotiation,
        })
    }

    /// Reads the certificates and builds what tokio-postgres makes its TLS connections with.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, ConnectError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = self.trust.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| setup("protocol versions", source))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(client) => builder
                .with_client_auth_cert(certificates(&client.certificate)?, key(&client.key)?)
                .map_err(|source| setup("client certificate", source))?,
        };
        if self.negotiation == SslNegotiation::Direct {
            // Without it the server takes the handshake for something else and hangs up.
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(MakeRustlsConnect::new(config))
    }
}

impl Trust {
    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, ConnectError> {
        let algorithms = provider.signature_verification_algorithms;
        let (depth, path) = match self {
            Self::Anything => {
                return Ok(Arc::new(CertificateCheck::of_nothing(algorithms)));
            }
            Self::Platform => {
                let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(provider))
                    .map_err(|source| setup("the system's certificates", source))?;
                return Ok(Arc::new(verifier));
            }
            Self::Authority(path) => (Depth::Chain, path),
            Self::AuthorityAndName(path) => (Depth::ChainAndName, path),
        };
        let check = CertificateCheck::new(depth, certificates(path)?, algorithms)
            .map_err(|error| bad_file(ROOTS, path, &error.to_string()))?;
        Ok(Arc::new(check))
    }
}

const ROOTS: &str = "certificate file";
const KEY: &str = "private key file";

/// `sslmode` and `sslrootcert`. tokio-postgres' parser refuses most of it, and with rustls its
/// `require` would check everything.
fn mode(
    parameters: &Parameters,
    surroundings: &Surroundings<'_>,
) -> Result<(Encryption, Trust), ConnectError> {
    let given = parameters.text("sslrootcert");
    let mode = parameters.text("sslmode");
    if given == Some("system") {
        // Any public authority signs for anyone: without the name the check would be worth nothing.
        return match mode {
            None | Some("verify-full") => Ok((Encryption::Always, Trust::Platform)),
            Some(_) => {
                Err(parameters.bad("sslrootcert", "may be system with sslmode=verify-full only"))
            }
        };
    }
    let roots = given.map(PathBuf::from).or_else(|| {
        surroundings
            .in_home(".postgresql/root.crt")
            .filter(|path| path.is_file())
    });
    match (mode, roots) {
        (Some("disable"), _) => Ok((Encryption::Never, Trust::Anything)),
        // A server that cannot prove itself would only make us fall back to plain text.
        (None | Some("prefer" | "allow"), _) => Ok((Encryption::IfPossible, Trust::Anything)),
        (Some("require"), None) => Ok((Encryption::Always, Trust::Anything)),
        (Some("require" | "verify-ca"), Some(path)) => {
            Ok((Encryption::Always, Trust::Authority(path)))
        }
        (Some("verify-ca"), None) => Err(parameters.bad(
            "sslmode",
            "is verify-ca, which needs sslrootcert; or use verify-full with the system's certificates",
        )),
        (Some("verify-full"), Some(path)) => {
            Ok((Encryption::Always, Trust::AuthorityAndName(path)))
        }
        (Some("verify-full"), None) => Ok((Encryption::Always, Trust::Platform)),
        (Some(_), _) => Err(parameters.bad(
            "sslmode",
            "must be disable, allow, prefer, require, verify-ca or verify-full",
        )),
    }
}

/// `sslcert` and `sslkey`, or libpq's usual files where both are there.
fn client_certificate(
    parameters: &Parameters,
    surroundings: &Surroundings<'_>,
) -> Option<ClientCertificate> {
    let usual = |name: &str| surroundings.in_home(&format!(".postgresql/{name}"));
    let given = parameters.text("sslcert").map(PathBuf::from);
    let is_given = given.is_some();
    let certificate = given.or_else(|| usual("postgresql.crt"))?;
    let key = parameters
        .text("sslkey")
        .map(PathBuf::from)
        .or_else(|| usual("postgresql.key"))?;
    let is_there = certificate.is_file() && key.is_file();
    (is_given || is_there).then_some(ClientCertificate { certificate, key })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let text = read(ROOTS, path)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| bad_file(ROOTS, path, &error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad_file(ROOTS, path, "it holds no PEM certificate"));
    }
    Ok(certificates)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, ConnectError> {
    check_private(path)?;
    let text = read(KEY, path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        bad_file(
            KEY,
            path,
            "it holds no PEM private key without a passphrase",
        )
    })
}

/// libpq's rule: nobody else's to read, but a key of root's may be readable by its group.
fn check_private(path: &Path) -> Result<(), ConnectError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).map_err(|source| unreadable(KEY, path, source))?;
    let forbidden = if metadata.uid() == 0 { 0o027 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(bad_file(
            KEY,
            path,
            "others can access it; run chmod 600 on it",
        ));
    }
    Ok(())
}

fn read(purpose: &'static str, path: &Path) -> Result<Vec<u8>, ConnectError> {
    std::fs::read(path).map_err(|source| unreadable(purpose, path, source))
}

fn unreadable(purpose: &'static str, path: &Path, source: std::io::Error) -> ConnectError {
    let path = path.to_path_buf();
    ConnectError::FileUnreadable {
        purpose,
        path,
        source,
    }
}

fn bad_file(purpose: &'static str, path: &Path, problem: &str) -> ConnectError {
    ConnectError::BadFile {
        purpose,
        path: path.to_path_buf(),
        problem: problem.to_owned(),
    }
}

fn setup(purpose: &'static str, source: rustls::Error) -> ConnectError {
    ConnectError::TlsSetup { purpose, source }
}
