//! Connections of visitors: so many at a time, so that they leave room for the connections of the drivers in this process.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// Below the 1,024 open files that a process has on most machines. Others wait to be let in.
const VISITORS_MAX: usize = 700;

pub struct Doorkeeper {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Doorkeeper {
    pub fn of(listener: TcpListener) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(VISITORS_MAX)),
        }
    }
}

/// A connection, which gives its place back when it is closed.
pub struct Let {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl axum::serve::Listener for Doorkeeper {
    type Io = Let;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Let, SocketAddr) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
        let let_in = Let {
            stream,
            _place: place,
        };
        (let_in, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl axum::extract::connect_info::Connected<axum::serve::IncomingStream<'_, Doorkeeper>>
    for Visitor
{
    fn connect_info(stream: axum::serve::IncomingStream<'_, Doorkeeper>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Visitor(pub SocketAddr);

impl AsyncRead for Let {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Let {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
