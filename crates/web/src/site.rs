//! What every request shares, and the routes.

use crate::trust::Trust;
use crate::{
    act, api,
    certificate::Certificate,
    door::{Doorkeeper, Visitor},
    guard,
    live::Live,
    page,
};
use axum::{Router, extract::DefaultBodyLimit, middleware};
use crossfade_coordinator::service::{Looker, Service};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

/// The longest body of a request: a plan.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// So many requests are worked on at a time, each with a connection to the database or two.
const REQUESTS_MAX: usize = 8;
/// So many pages and listeners may be open.
pub const STREAMS_MAX: usize = 500;

/// What the operator of the server decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which database this is, without a password.
    pub database: String,
    /// Everybody may look.
    pub public_read: bool,
    /// Nobody may act.
    pub read_only: bool,
    /// Browsers come by TLS: this server's, or that of a proxy.
    pub is_secure: bool,
    /// A proxy that says who its users are.
    pub trust: Option<Trust>,
}

pub struct Site {
    pub settings: Settings,
    /// Where it listens.
    pub address: SocketAddr,
    /// Requests that are worked on at a time, and streams that are open.
    pub places: Semaphore,
    pub streams: Arc<Semaphore>,
    pub service: Service,
    pub looker: Looker,
    pub live: Live,
    pub attempts: guard::Attempts,
    pub stop: CancellationToken,
}

pub type Shared = Arc<Site>;

/// Answers requests until `stop`, by TLS if there is a certificate. Errors: the listener's.
pub async fn serve(
    listener: TcpListener,
    certificate: Option<Certificate>,
    settings: Settings,
    service: Service,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    let site = Arc::new(Site {
        address,
        places: Semaphore::new(REQUESTS_MAX),
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        looker: Looker::new(service.clone()),
        service,
        settings,
        live: Live::default(),
        attempts: guard::Attempts::default(),
        stop: stop.clone(),
    });
    let router = routes(site).into_make_service_with_connect_info::<Visitor>();
    let certificate = certificate.map(Arc::new);
    let tls = certificate.as_ref().map(Certificate::configuration);
    let tls = tls.transpose().map_err(std::io::Error::other)?;
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.keep(stop.clone()));
    }
    axum::serve(Doorkeeper::of(listener, tls), router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn routes(site: Shared) -> Router {
    Router::new()
        .merge(page::routes())
        .merge(act::routes())
        .merge(api::routes(&site))
        .fallback(page::missing)
        .layer(middleware::from_fn_with_state(site.clone(), guard::guard))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(site)
}
