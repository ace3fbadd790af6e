//! Posts JSON, and says what came of it without naming the address, which is a secret of many receivers.

use crate::{not_taken, template::Template};
use crossfade_coordinator::{http_client, service::NotTaken};
use reqwest::{StatusCode, header};
use std::{sync::OnceLock, time::Duration};

pub struct Address(reqwest::Url);

impl Address {
    pub fn new(
        template: &Template,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let text = template.resolve(environment)?;
        let url: reqwest::Url = text
            .parse()
            .map_err(|_| "the address is not a URL".to_owned())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err("the address is not an http:// or https:// URL".to_owned());
        }
        Ok(Self(url))
    }

    /// 2xx: it was taken.
    pub async fn post(
        &self,
        body: String,
        headers: &[(&'static str, String)],
    ) -> Result<(), NotTaken> {
        let mut request = client()?
            .post(self.0.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| not_taken(format!("no answer: {}", reason(&error.without_url()))))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let asks = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        Err(NotTaken {
            why: format!("it answered {status}"),
            asks,
            is_final: status == StatusCode::GONE,
        })
    }
}

/// Made once, as it reads the certificates of the machine. Proxies of the environment are used.
fn client() -> Result<&'static reqwest::Client, NotTaken> {
    static CLIENT: OnceLock<Result<reqwest::Client, String>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let builder = http_client().map_err(|error| error.to_string())?;
        builder
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())
    });
    client
        .as_ref()
        .map_err(|error| not_taken(format!("cannot be told: {error}")))
}

/// The innermost cause: "connection refused" says more than "error sending request".
fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
