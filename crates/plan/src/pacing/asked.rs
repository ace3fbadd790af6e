//! Signals of the plan's author: a query that gives a number, and an endpoint that says how fast to go.

use super::{Limit, READING_AGE_MAX, WhenStale, limit::fits};
use crate::{endpoint, span::Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `{sql, slow, stop}`: one number, asked in a read-only transaction of at most two seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "NumberQueryWords")]
pub struct NumberQuery {
    pub sql: String,
    #[serde(flatten)]
    pub limit: Limit<f64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberQueryWords {
    sql: String,
    slow: f64,
    stop: f64,
    #[serde(default)]
    when_stale: WhenStale,
}

impl TryFrom<NumberQueryWords> for NumberQuery {
    type Error = String;
    fn try_from(words: NumberQueryWords) -> Result<Self, String> {
        if words.sql.trim().is_empty() {
            return Err("`sql` is empty".to_owned());
        }
        fits(words.slow, words.stop)?;
        Ok(Self {
            sql: words.sql,
            limit: Limit {
                slow: words.slow,
                stop: words.stop,
                when_stale: words.when_stale,
            },
        })
    }
}

/// `{url, timeout, headers}`: a GET that is answered with 2xx for go, 429 for slow, 503 for stop; with
/// `{value, slow, stop}` a 2xx carries JSON with a number at that place, which counts too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HttpProbeWords")]
pub struct HttpProbe {
    pub url: String,
    pub timeout: Span,
    /// Part of the plan, which is stored with the run: who may read Crossfade's tables can read them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A JSON pointer, such as `/load`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<f64>,
    pub when_stale: WhenStale,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpProbeWords {
    url: String,
    #[serde(default = "timeout")]
    timeout: Span,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    value: Option<String>,
    slow: Option<f64>,
    stop: Option<f64>,
    #[serde(default)]
    when_stale: WhenStale,
}

const TIMEOUT_MAX: Span = Span::from_millis(10_000);

const fn timeout() -> Span {
    Span::from_millis(2_000)
}

impl HttpProbe {
    /// Of the number, where there is one.
    pub fn limit(&self) -> Option<Limit<f64>> {
        Some(Limit {
            slow: self.slow?,
            stop: self.stop?,
            when_stale: self.when_stale,
        })
    }
}

impl TryFrom<HttpProbeWords> for HttpProbe {
    type Error = String;
    fn try_from(words: HttpProbeWords) -> Result<Self, String> {
        endpoint::check(&words.url, words.timeout, &words.headers)?;
        if words.timeout > TIMEOUT_MAX {
            return Err(format!(
                "`timeout` is at most {TIMEOUT_MAX}: a reading of {READING_AGE_MAX} ago is too old"
            ));
        }
        match (&words.value, words.slow, words.stop) {
            (None, None, None) => {}
            (Some(pointer), Some(slow), Some(stop)) => {
                if !pointer.starts_with('/') {
                    return Err(format!(
                        "`{pointer}` is not a JSON pointer; write e.g. /load or /queue/0/length"
                    ));
                }
                fits(slow, stop)?;
            }
            _ => return Err("`value`, `slow` and `stop` go together".to_owned()),
        }
        Ok(Self {
            url: words.url,
            timeout: words.timeout,
            headers: words.headers,
            value: words.value,
            slow: words.slow,
            stop: words.stop,
            when_stale: words.when_stale,
        })
    }
}
