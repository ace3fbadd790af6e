//! `Idempotency-Key`: a request that is sent again, perhaps to another server, does nothing, and is answered as it was before.

use crate::{
    failure::{Failure, Problem},
    site::{BODY_BYTES_MAX, Shared},
    visitor::{identify, of_header},
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use crossfade_coordinator::service::{Kept, Once, Service, ServiceError};
use std::time::Duration;

pub const KEY: &str = "idempotency-key";
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest answer that is kept; the table has the same limit.
const KEPT_BYTES_MAX: usize = 16_384;
/// For the answer of a request that was carried out a moment ago.
const WAIT_TIMES_MAX: u32 = 20;
const WAIT_EACH: Duration = Duration::from_millis(100);

pub async fn once(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let changes = ![Method::GET, Method::HEAD].contains(request.method());
    if !changes || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match answer(&site, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn answer(site: &Shared, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let key = key_in(&parts.headers)?;
    let body = to_bytes(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|_too_long| too_long())?;
    let uri = parts.uri.to_string();
    let asked = [parts.method.as_str().as_bytes(), uri.as_bytes(), &body];
    let once = Once::of(&key, &asked).ok_or_else(no_key)?;
    let visitor = identify(site, of_header(&parts.headers)).await?;
    // Who may not act is told so, and nothing is kept of it.
    let may_act = |holder: &crossfade_coordinator::service::Holder| {
        holder.may_look && (holder.may_operate || holder.may_approve)
    };
    if site.settings.read_only || !visitor.holder.as_ref().is_some_and(may_act) {
        return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
    }
    let service = visitor.service(site)?.once(once.clone());
    if let Some(kept) = service.kept_answer().await? {
        return replay(&service, kept).await;
    }
    parts.extensions.insert(once);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(&service, response).await
}

fn key_in(headers: &HeaderMap) -> Result<String, Problem> {
    let mut keys = headers.get_all(KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(Failure::Malformed("there are several `Idempotency-Key`".to_owned()).into());
    };
    key.to_str()
        .map(str::to_owned)
        .map_err(|_not_ascii| no_key())
}

fn no_key() -> Problem {
    let why = format!(
        "`Idempotency-Key` is 1 to {} printable ASCII characters without spaces",
        Once::KEY_BYTES_MAX
    );
    Failure::Malformed(why).into()
}

fn too_long() -> Problem {
    let why = format!("the body has more than {BODY_BYTES_MAX} bytes");
    let mut problem: Problem = Failure::Malformed(why).into();
    problem.set_status(StatusCode::PAYLOAD_TOO_LARGE);
    problem
}

/// Keeps what follows from the request and from how things stood: what was done, and what was refused. A request that could not be
/// read, or came from somebody who may not do it, or met a database that was away, is worth another try.
async fn keep(service: &Service, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    let is_final =
        status.is_success() || [StatusCode::NOT_FOUND, StatusCode::CONFLICT].contains(&status);
    if !is_final {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let text = std::str::from_utf8(&body).ok();
    if let Some(text) = text.filter(|text| text.len() <= KEPT_BYTES_MAX)
        && let Err(error) = service.keep_answer(status.as_u16(), text).await
    {
        tracing::warn!(%error, "the answer to a request with an Idempotency-Key was not kept");
    }
    if status.is_success() {
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    // Perhaps it was refused because the same request has just been carried out: by another server, say.
    match service.kept_answer().await? {
        Some(kept) => settle(service, kept, Response::from_parts(parts, Body::from(body))).await,
        None => Ok(Response::from_parts(parts, Body::from(body))),
    }
}

async fn settle(service: &Service, kept: Kept, refused: Response) -> Result<Response, Problem> {
    match &kept {
        // Its own, which was kept a moment ago.
        Kept::Answer { status, .. } if *status == refused.status().as_u16() => Ok(refused),
        Kept::Answer { .. } | Kept::NoAnswer | Kept::Another => replay(service, kept).await,
    }
}

async fn replay(service: &Service, mut kept: Kept) -> Result<Response, Problem> {
    for _ in 0..WAIT_TIMES_MAX {
        if kept != Kept::NoAnswer {
            break;
        }
        tokio::time::sleep(WAIT_EACH).await;
        kept = service.kept_answer().await?.unwrap_or(Kept::NoAnswer);
    }
    match kept {
        Kept::Answer { status, body } => Ok(given_before(status, body.into())),
        Kept::NoAnswer => {
            let why = "a request with this `Idempotency-Key` was carried out, and its answer was lost. Look at the state of the run, and use another key if you want it again";
            Err(ServiceError::Refused(why.to_owned()).into())
        }
        Kept::Another => {
            let why = "another request had this `Idempotency-Key` within 24 hours: use a key of its own for each request";
            let mut problem: Problem = Failure::Malformed(why.to_owned()).into();
            problem.set_status(StatusCode::UNPROCESSABLE_ENTITY);
            Err(problem)
        }
    }
}

fn given_before(status: u16, body: Bytes) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match status.is_success() {
        true => "application/json",
        false => "application/problem+json",
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (REPLAYED, HeaderValue::from_static("true")),
    ];
    (status, headers, body).into_response()
}
