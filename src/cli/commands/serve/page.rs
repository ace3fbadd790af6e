//! What the words of `serve` and its configuration say of the page: where it listens, by what certificate, and whom it trusts.

use crate::{
    cli::{args::Serve, exit::UsageError},
    configuration::Configuration,
};
use anyhow::Context as _;
use crossfade_web::{Certificate, CertificateFiles, Settings, Trust};
use std::net::SocketAddr;

/// The page, before anybody asks for it.
pub struct Page {
    pub listener: tokio::net::TcpListener,
    pub certificate: Option<Certificate>,
    pub settings: Settings,
}

impl Page {
    /// Errors: the words contradict each other, or what they name cannot be used.
    pub async fn open(
        address: SocketAddr,
        serve: &Serve,
        configuration: &Configuration,
        database: String,
    ) -> anyhow::Result<Self> {
        let certificate = certificate(serve)?;
        let is_secure = certificate.is_some() || serve.behind_proxy;
        if !(address.ip().is_loopback() || is_secure) {
            let why = format!(
                "{address} can be reached from other machines, and tokens would go there unencrypted: listen on 127.0.0.1, give a certificate with --tls-cert and --tls-key, or add --behind-proxy if a proxy in front terminates TLS"
            );
            return Err(UsageError(why).into());
        }
        let trust = trust(serve, configuration)?;
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        let settings = Settings {
            database,
            public_read: serve.public_read,
            read_only: serve.read_only,
            is_secure,
            trust,
        };
        Ok(Self {
            listener,
            certificate,
            settings,
        })
    }

    /// Where a browser on this machine finds it.
    pub fn address(&self) -> std::io::Result<String> {
        let scheme = match &self.certificate {
            Some(_) => "https",
            None => "http",
        };
        Ok(format!("{scheme}://{}", self.listener.local_addr()?))
    }
}

fn certificate(serve: &Serve) -> anyhow::Result<Option<Certificate>> {
    let Some((chain, key)) = serve.tls_cert.clone().zip(serve.tls_key.clone()) else {
        return Ok(None);
    };
    Ok(Some(Certificate::load(CertificateFiles { chain, key })?))
}

fn trust(serve: &Serve, configuration: &Configuration) -> anyhow::Result<Option<Trust>> {
    let Some(header) = &serve.trust_header else {
        return Ok(None);
    };
    let header = header.parse().map_err(|_no_name| {
        UsageError(format!(
            "--trust-header: `{header}` is not the name of a header"
        ))
    })?;
    if let Some(every) = serve.trusted_proxy.iter().find(|one| one.is_everything()) {
        let why = format!(
            "--trusted-proxy: {every} is every address, so that anybody could say who he is. Name the addresses of the proxy"
        );
        return Err(UsageError(why).into());
    }
    let users = configuration.users()?;
    if users.is_empty() {
        let why = "--trust-header: no user is named. Name those of the proxy under `users` in crossfade.yaml, each with a token";
        return Err(UsageError(why.to_owned()).into());
    }
    Ok(Some(Trust {
        header,
        proxies: serve.trusted_proxy.clone(),
        users,
    }))
}
