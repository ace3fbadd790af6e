//! What holds for every request: strict headers, no request from another site, few failed attempts to sign in.

use crate::{
    failure::Failure,
    site::{Shared, Site},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Nothing comes from elsewhere, nothing is inline, and no other page shows this one in a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub async fn guard(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    let is_of_elsewhere = changes && comes_from_elsewhere(request.headers());
    let path = request.uri().path();
    let is_live = path.ends_with("/live");
    let is_cheap = path.starts_with("/assets/") || path == "/healthz";
    let mut response = if is_of_elsewhere {
        Failure::Forbidden("this request came from another site".to_owned()).into_response()
    } else if !is_meant(&site, request.headers()) {
        let why = "this server is reached as localhost or 127.0.0.1; behind a proxy, start it with --behind-proxy";
        Failure::Forbidden(why.to_owned()).into_response()
    } else if is_cheap {
        next.run(request).await
    } else {
        match tokio::time::timeout(WAIT_AT_MOST, site.places.acquire()).await {
            Ok(_place) => next.run(request).await,
            Err(_elapsed) => Failure::Busy.into_response(),
        }
    };
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    if site.settings.is_secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if is_live {
        // A proxy must not wait for the end of it.
        set(header::HeaderName::from_static("x-accel-buffering"), "no");
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// For a place among the requests that are worked on.
const WAIT_AT_MOST: Duration = Duration::from_secs(5);

/// Without a proxy the server is reached on this machine, by one of its own names. A page elsewhere whose name leads here, which a
/// browser takes for the same site, is not meant.
fn is_meant(site: &Site, headers: &HeaderMap) -> bool {
    if site.settings.is_secure {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    host.is_none_or(is_of_this_machine)
}

fn is_of_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// By what browsers say of where a request comes from. A program that is no browser says nothing.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), ..) => site != "same-origin" && site != "none",
        (None, Some(origin), Some(host)) => {
            let of_origin = origin.split_once("://").map(|(_, rest)| rest);
            of_origin != Some(host)
        }
        (None, Some(_), None) => true,
        (None, None, _) => false,
    }
}

/// Failed attempts to sign in, by address and in all.
#[derive(Debug, Default)]
pub struct Attempts {
    failed: Mutex<BTreeMap<IpAddr, Vec<Instant>>>,
}

const WITHIN: Duration = Duration::from_secs(60);
const BY_ADDRESS_MAX: usize = 10;
/// Behind a proxy all come from one address, and an attacker may have many.
const ADDRESSES_MAX: usize = 1_000;

impl Attempts {
    pub fn may_try(&self, address: IpAddr) -> bool {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.retain(|_, times| {
            times.retain(|time| time.elapsed() < WITHIN);
            !times.is_empty()
        });
        let by_address = failed.get(&address).map_or(0, Vec::len);
        by_address < BY_ADDRESS_MAX && (by_address > 0 || failed.len() < ADDRESSES_MAX)
    }

    pub fn failed(&self, address: IpAddr) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.entry(address).or_default().push(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_request_of_another_site_is_told_from_one_of_the_page_and_of_a_program() {
        for (pairs, is_of_elsewhere) in [
            (&[("host", "ops:8080")][..], false),
            (
                &[("host", "ops:8080"), ("origin", "http://ops:8080")],
                false,
            ),
            (
                &[("host", "ops:8080"), ("origin", "http://evil:8080")],
                true,
            ),
            (&[("host", "ops:8080"), ("origin", "null")], true),
            (&[("origin", "http://ops:8080")], true),
            (
                &[("sec-fetch-site", "same-origin"), ("origin", "null")],
                false,
            ),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("sec-fetch-site", "cross-site")], true),
        ] {
            assert_eq!(
                comes_from_elsewhere(&headers(pairs)),
                is_of_elsewhere,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn only_names_of_this_machine_are_meant() {
        for host in [
            "localhost:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]:8080",
            "LOCALHOST",
        ] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "10.0.0.1:80",
            "",
            "localhost.evil.example",
        ] {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }

    #[test]
    fn ten_failed_attempts_of_an_address_are_enough_for_a_minute() {
        let attempts = Attempts::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        for _ in 0..BY_ADDRESS_MAX {
            assert!(attempts.may_try(one));
            attempts.failed(one);
        }
        assert!(!attempts.may_try(one));
        assert!(attempts.may_try(other));
    }
}
