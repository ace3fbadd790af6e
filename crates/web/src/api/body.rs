//! What a request carries: JSON, path and query, whose errors are problem documents.

use crate::failure::{Failure, Problem};
use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(body) => Ok(Self(body.0)),
            Err(rejection) => {
                let mut problem: Problem = Failure::Malformed(rejection.body_text()).into();
                problem.set_status(rejection.status());
                Err(problem)
            }
        }
    }
}

/// The name of a run.
pub struct Run(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Run {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(run)) => Ok(Self(run)),
            Err(rejection) => Err(Failure::Malformed(rejection.body_text()).into()),
        }
    }
}

pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Failure::Malformed(rejection.body_text()).into()),
        }
    }
}
