//! What a request carries: JSON, path and query, whose errors are problem documents.

use crate::failure::{Failure, Problem};
use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

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

const LIMIT_MAX: u32 = 1_000;

/// A page of a list.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub struct Paging {
    /// Those before are not shown.
    #[serde(default)]
    pub skip: u32,
    /// At most so many.
    #[serde(default = "limit_max")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: u32,
}

fn limit_max() -> u32 {
    LIMIT_MAX
}

impl Paging {
    pub fn checked(self) -> Result<Self, Problem> {
        if (1..=LIMIT_MAX).contains(&self.limit) {
            return Ok(self);
        }
        Err(Failure::Malformed(format!("`limit` is from 1 to {LIMIT_MAX}")).into())
    }

    /// Where the next page begins, if this one is full.
    pub fn next(self, shown: usize) -> Option<u32> {
        let is_full = u32::try_from(shown).is_ok_and(|shown| shown == self.limit);
        self.skip.checked_add(self.limit).filter(|_| is_full)
    }
}
