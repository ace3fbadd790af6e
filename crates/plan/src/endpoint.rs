//! An HTTP request that a gate makes, and the answer that opens it.

use super::span::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `{name, url, expect_status, timeout, headers}`: a GET, whose status is all that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "EndpointWords")]
pub struct Endpoint {
    pub name: String,
    pub url: String,
    /// The status that opens the gate. Redirections are not followed.
    pub expect_status: u16,
    /// From the first packet to the status line.
    pub timeout: Span,
    /// Part of the plan, which is stored with the run: who may read Crossfade's tables can read them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointWords {
    name: String,
    url: String,
    #[serde(default = "ok")]
    expect_status: u16,
    #[serde(default = "timeout")]
    timeout: Span,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

const fn ok() -> u16 {
    200
}

const fn timeout() -> Span {
    Span::from_millis(2_000)
}

const TIMEOUT_MAX: Span = Span::from_millis(60_000);

impl TryFrom<EndpointWords> for Endpoint {
    type Error = String;
    fn try_from(words: EndpointWords) -> Result<Self, String> {
        check(&words.url, words.timeout, &words.headers)?;
        if !(100..=599).contains(&words.expect_status) {
            return Err(format!("{} is not an HTTP status", words.expect_status));
        }
        Ok(Self {
            name: words.name,
            url: words.url,
            expect_status: words.expect_status,
            timeout: words.timeout,
            headers: words.headers,
        })
    }
}

/// What can be said of a request without making it.
pub(super) fn check(
    url: &str,
    timeout: Span,
    headers: &BTreeMap<String, String>,
) -> Result<(), String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(|| format!("`{}` is not an http:// or https:// address", url))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || url.contains(char::is_whitespace) {
        return Err(format!("`{}` is not an address", url));
    }
    if authority.contains('@') {
        return Err(
            "an address with a password would be shown in messages; use `headers`".to_owned(),
        );
    }
    if timeout.millis() == 0 || timeout > TIMEOUT_MAX {
        return Err(format!("`timeout` is from 1ms to {TIMEOUT_MAX}"));
    }
    for (name, value) in headers {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            return Err(format!("`{name}` is not the name of a header"));
        }
        if value.contains(|c: char| c.is_control() && c != '\t') {
            return Err(format!(
                "the value of the header {name} has a control character"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn what_is_not_said_is_a_get_that_answers_200_within_two_seconds() {
        let endpoint: Endpoint =
            serde_yaml::from_str("{name: health, url: 'http://localhost:8080/health'}").unwrap();
        assert_eq!(
            serde_json::to_value(&endpoint).unwrap(),
            serde_json::json!({"name": "health", "url": "http://localhost:8080/health", "expect_status": 200, "timeout": "2s"})
        );
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for (yaml, expected) in [
            ("{name: a, url: 'ftp://x'}", "not an http:// or https://"),
            ("{name: a, url: 'http://'}", "not an address"),
            ("{name: a, url: 'http://ab c/'}", "not an address"),
            (
                "{name: a, url: 'https://user:secret@host/'}",
                "use `headers`",
            ),
            (
                "{name: a, url: 'http://h', expect_status: 42}",
                "not an HTTP status",
            ),
            ("{name: a, url: 'http://h', timeout: 0s}", "from 1ms to 1m"),
            (
                "{name: a, url: 'http://h', headers: {'a b': c}}",
                "name of a header",
            ),
            (
                "{name: a, url: 'http://h', headers: {a: \"x\\ny\"}}",
                "control character",
            ),
            (
                "{name: a, url: 'http://h', method: POST}",
                "unknown field `method`",
            ),
        ] {
            let error = serde_yaml::from_str::<Endpoint>(yaml)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{yaml}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
