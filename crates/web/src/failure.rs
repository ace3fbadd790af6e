//! How a request fails: as a page, or as a problem document (RFC 9457), with the words of the command line.

use crate::page;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use crossfade_coordinator::service::{ErrorKind, ServiceError};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Debug)]
pub enum Failure {
    /// Whoever asks has to sign in first.
    SignIn,
    Forbidden(String),
    NotFound(String),
    /// What was sent cannot be read.
    Malformed(String),
    TooMany,
    /// Too many others are asking.
    Busy,
    Service(ServiceError),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error.kind() {
            ErrorKind::SignedOut => Self::SignIn,
            _ => Self::Service(error),
        }
    }
}

impl Failure {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Service(error) => match error.kind() {
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::SignedOut => StatusCode::UNAUTHORIZED,
                ErrorKind::Forbidden => StatusCode::FORBIDDEN,
                ErrorKind::Plan => StatusCode::UNPROCESSABLE_ENTITY,
                ErrorKind::Malformed => StatusCode::BAD_REQUEST,
                ErrorKind::Refused => StatusCode::CONFLICT,
                ErrorKind::Away | ErrorKind::NotReady => StatusCode::SERVICE_UNAVAILABLE,
                ErrorKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    pub fn title(&self) -> &'static str {
        match self {
            Self::SignIn => "Sign in first",
            Self::Forbidden(_) => "Not allowed",
            Self::NotFound(_) => "Not found",
            Self::Malformed(_) => "The request cannot be read",
            Self::TooMany => "Too many",
            Self::Busy => "The server is busy",
            Self::Service(error) => match error.kind() {
                ErrorKind::NotFound => "Not found",
                ErrorKind::SignedOut => "Sign in first",
                ErrorKind::Forbidden => "Not allowed",
                ErrorKind::Plan => "The plan has errors",
                ErrorKind::Malformed => "The request cannot be read",
                ErrorKind::Refused => "Refused",
                ErrorKind::Away => "The database is unavailable",
                ErrorKind::NotReady => "The database is not ready",
                ErrorKind::Failed => "Internal error",
            },
        }
    }

    pub fn detail(&self) -> String {
        match self {
            Self::SignIn => {
                "a token is needed: `crossfade token create` makes one, for a database role"
                    .to_owned()
            }
            Self::Forbidden(why) | Self::NotFound(why) | Self::Malformed(why) => why.clone(),
            Self::TooMany => "too many pages are open, or too many attempts to sign in failed: try again in a minute".to_owned(),
            Self::Busy => "too many requests are being worked on: try again in a moment".to_owned(),
            // Before anybody is known to have signed in: the error would tell the server's address and role.
            Self::Service(error) if error.kind() == ErrorKind::Away => {
                "the database does not answer, or not in time: the log of `crossfade serve` says why".to_owned()
            }
            Self::Service(error) => error.to_string(),
        }
    }

    pub fn is_away(&self) -> bool {
        matches!(self, Self::Service(error) if error.kind() == ErrorKind::Away)
    }
}

impl Failure {
    /// For the server's log: what is wrong with the server or the database, and not with the request.
    fn note(&self) {
        if self.status().is_server_error() {
            let why = match self {
                Self::Service(error) => error.to_string(),
                other => other.detail(),
            };
            tracing::warn!(%why, "{}", self.title());
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.note();
        if matches!(self, Self::SignIn) {
            return Redirect::to("/sign-in").into_response();
        }
        (self.status(), page::failed(&self)).into_response()
    }
}

/// A problem document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    /// The same as that of the answer.
    status: u16,
    /// What was refused or failed, why, and what to do.
    detail: String,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        failure.note();
        Self {
            kind: "about:blank",
            title: failure.title(),
            status: failure.status().as_u16(),
            detail: failure.detail(),
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Failure::from(error).into()
    }
}

impl Problem {
    pub fn set_status(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }

    pub fn token_over() -> Self {
        Self {
            detail: "the token is not valid: it was revoked, it has expired, or its role is gone"
                .to_owned(),
            ..Failure::SignIn.into()
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
