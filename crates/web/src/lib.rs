//! The page and the API: they look at runs and place orders, as the command line does, for people who hold a token.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod act;
mod api;
mod certificate;
mod door;
mod failure;
mod guard;
mod live;
mod metrics;
mod offer;
mod page;
mod sight;
mod site;
mod trust;
mod visitor;

pub use certificate::{Certificate, CertificateError, CertificateFiles};
pub use site::{Settings, serve};
pub use trust::{Network, Trust, UserName};
