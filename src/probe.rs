//! Asks others than the database: HTTP endpoints that a gate names.

use crate::plan::endpoint::Endpoint;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use std::{sync::Arc, time::Duration};

/// The status that the endpoint answers a GET with, or why there is no answer: in words that name neither its address
/// nor its headers.
pub async fn ask(endpoint: &Endpoint, timeout: Duration) -> Result<u16, String> {
    if timeout.is_zero() {
        return Err("not asked: there was no time left".to_owned());
    }
    let asked = tokio::time::timeout(timeout, get(endpoint)).await;
    asked.unwrap_or_else(|_| Err(format!("no answer within {} ms", timeout.as_millis())))
}

async fn get(endpoint: &Endpoint) -> Result<u16, String> {
    let client = client().map_err(|error| format!("cannot be asked: {error}"))?;
    let mut request = client.get(&endpoint.url);
    for (name, value) in &endpoint.headers {
        request = request.header(name, value);
    }
    let answer = request
        .send()
        .await
        .map_err(|error| format!("no answer: {}", reason(&error.without_url())))?;
    Ok(answer.status().as_u16())
}

fn client() -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // A proxy's answer would be taken for the endpoint's own, and so would a page that it sends us on to.
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("crossfade/", env!("CARGO_PKG_VERSION")))
        .build()?)
}

/// The innermost cause: "connection refused" says more than "error sending request".
fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
