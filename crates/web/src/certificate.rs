//! The certificate of a server that speaks TLS itself, read again when its files change.

use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert, ServerConfig},
    sign::CertifiedKey,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const FILE_BYTES_MAX: u64 = 1 << 20;
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// PEM files: the chain, the server's own certificate first, and its private key.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    pub chain: PathBuf,
    pub key: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("cannot read {path}")]
    Read {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("{path} has more than {FILE_BYTES_MAX} bytes: this is no PEM file of a certificate")]
    TooLong { path: String },
    #[error(
        "{path} has no certificate in it: it must be a PEM file with the server's own certificate first"
    )]
    NoCertificate { path: String },
    #[error(
        "{path} has no private key in it: it must be a PEM file with a key that needs no password"
    )]
    NoKey { path: String },
    #[error("the certificate in {chain} and the key in {key} cannot be used together")]
    Pair {
        chain: String,
        key: String,
        #[source]
        source: rustls::Error,
    },
}

/// What the two files contain.
#[derive(PartialEq, Eq)]
struct Texts {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// What the files were found to be: their texts, or why they cannot be read.
type Seen = Result<Texts, String>;

#[derive(Debug)]
pub struct Certificate {
    files: CertificateFiles,
    current: Mutex<Arc<CertifiedKey>>,
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let shown = || path.display().to_string();
    let failed = |source: io::Error| CertificateError::Read {
        path: shown(),
        source,
    };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(CertificateError::TooLong { path: shown() });
    }
    fs::read(path).map_err(failed)
}

impl CertificateFiles {
    fn texts(&self) -> Result<Texts, CertificateError> {
        Ok(Texts {
            chain: read(&self.chain)?,
            key: read(&self.key)?,
        })
    }

    fn pair(&self, texts: &Texts) -> Result<CertifiedKey, CertificateError> {
        let (chain_path, key_path) = (self.chain.display(), self.key.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&texts.chain).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| CertificateError::NoCertificate {
            path: chain_path.to_string(),
        })?;
        let key = PrivateKeyDer::from_pem_slice(&texts.key);
        let key = key.map_err(|_no_key| CertificateError::NoKey {
            path: key_path.to_string(),
        })?;
        CertifiedKey::from_der(chain, key, &provider()).map_err(|source| CertificateError::Pair {
            chain: chain_path.to_string(),
            key: key_path.to_string(),
            source,
        })
    }
}

/// With the cause.
fn whole(error: &CertificateError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn provider() -> CryptoProvider {
    ring::default_provider()
}

impl Certificate {
    /// Errors: the files cannot be read, or are no certificate and its key.
    pub fn load(files: CertificateFiles) -> Result<Self, CertificateError> {
        let pair = files.pair(&files.texts()?)?;
        Ok(Self {
            files,
            current: Mutex::new(Arc::new(pair)),
        })
    }

    /// TLS 1.2 and 1.3, with whatever certificate is the current one.
    pub(crate) fn configuration(self: &Arc<Self>) -> Result<Arc<ServerConfig>, rustls::Error> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut configuration = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(configuration))
    }

    /// Takes a new pair when the files have changed, until `stop`. While they are no pair, the one before stays.
    pub(crate) async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let mut taken = self.look();
        let mut pending: Option<Seen> = None;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
            let seen = self.look();
            if seen == taken {
                pending = None;
                continue;
            }
            // Two files are not replaced at the same moment: what cannot be used is worth a warning when it stays so.
            let is_settled = pending.as_ref() == Some(&seen);
            match self.take(&seen) {
                Ok(()) => tracing::info!("the certificate was replaced"),
                Err(why) if is_settled => {
                    tracing::warn!(%why, "the new certificate cannot be used, and the one before stays in use");
                }
                Err(_) => {
                    pending = Some(seen);
                    continue;
                }
            }
            (taken, pending) = (seen, None);
        }
    }

    fn look(&self) -> Seen {
        self.files.texts().map_err(|error| whole(&error))
    }

    fn take(&self, seen: &Seen) -> Result<(), String> {
        let texts = seen.as_ref().map_err(Clone::clone)?;
        let pair = self.files.pair(texts).map_err(|error| whole(&error))?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}
