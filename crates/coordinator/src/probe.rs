//! Asks others than the database: HTTP endpoints that a gate or a pace names.

use crossfade_plan::endpoint::Endpoint;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Of an answer no more than so many bytes are read.
const BODY_BYTES_MAX: usize = 65_536;

/// An endpoint's answer to a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The status that the endpoint answers a GET with, or why there is no answer: in words that name neither its address
/// nor its headers.
pub async fn ask(endpoint: &Endpoint, timeout: Duration) -> Result<u16, String> {
    let answer = bounded(timeout, async {
        let sent = send(&endpoint.url, &endpoint.headers).await?;
        Ok(sent.status().as_u16())
    });
    answer.await
}

/// The whole answer of an endpoint, or why there is none, as with `ask`.
pub async fn read(
    url: &str,
    headers: &BTreeMap<String, String>,
    timeout: Duration,
) -> Result<Answer, String> {
    let answer = bounded(timeout, async {
        let mut sent = send(url, headers).await?;
        let (status, mut body) = (sent.status().as_u16(), Vec::new());
        while let Some(chunk) = sent.chunk().await.map_err(no_answer)? {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_BYTES_MAX {
                return Err(format!("the answer has more than {BODY_BYTES_MAX} bytes"));
            }
        }
        Ok(Answer { status, body })
    });
    answer.await
}

async fn bounded<T>(
    timeout: Duration,
    answer: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    if timeout.is_zero() {
        return Err("not asked: there was no time left".to_owned());
    }
    let asked = tokio::time::timeout(timeout, answer).await;
    asked.unwrap_or_else(|_| Err(format!("no answer within {} ms", timeout.as_millis())))
}

async fn send(url: &str, headers: &BTreeMap<String, String>) -> Result<reqwest::Response, String> {
    let mut request = client()?.get(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.map_err(no_answer)
}

fn no_answer(error: reqwest::Error) -> String {
    format!("no answer: {}", reason(&error.without_url()))
}

/// Made once, as it reads the certificates of the machine.
fn client() -> Result<&'static reqwest::Client, String> {
    static CLIENT: OnceLock<Result<reqwest::Client, String>> = OnceLock::new();
    let client =
        CLIENT.get_or_init(|| build().map_err(|error| format!("cannot be asked: {error}")));
    client.as_ref().map_err(Clone::clone)
}

fn build() -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    Ok(http_client()?
        // A proxy's answer would be taken for the endpoint's own, and so would a page that it sends us on to.
        .no_proxy()
        // A connection that is kept could be one to a machine that is no longer behind the name.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .build()?)
}

/// Trusts whom this machine trusts.
pub fn http_client() -> Result<reqwest::ClientBuilder, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("crossfade/", env!("CARGO_PKG_VERSION"))))
}

/// The innermost cause: "connection refused" says more than "error sending request".
fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
