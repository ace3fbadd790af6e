//! Connections of visitors: so many at a time, so that they leave room for the connections of the drivers in this process.

use rustls::ServerConfig;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Sleep,
};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

/// Below the 1,024 open files that a process has on most machines. Others wait to be let in.
const VISITORS_MAX: usize = 700;
/// A connection on which no agreement about TLS comes about gives its place back.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

pub struct Doorkeeper {
    listener: TcpListener,
    places: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

impl Doorkeeper {
    pub fn of(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(VISITORS_MAX)),
            tls: tls.map(TlsAcceptor::from),
        }
    }
}

/// A connection, which gives its place back when it is closed.
pub struct Let {
    stream: Stream,
    _place: Option<OwnedSemaphorePermit>,
}

enum Stream {
    Plain(TcpStream),
    /// Before the first byte is read, so that a slow visitor keeps nobody else from being let in.
    Hello(Box<Accept<TcpStream>>, Pin<Box<Sleep>>),
    Tls(Box<TlsStream<TcpStream>>),
}

trait Bytes: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Bytes for T {}

impl Stream {
    fn of(stream: TcpStream, tls: Option<&TlsAcceptor>) -> Self {
        match tls {
            None => Self::Plain(stream),
            Some(tls) => {
                let until = tokio::time::sleep(HELLO_WITHIN);
                Self::Hello(Box::new(tls.accept(stream)), Box::pin(until))
            }
        }
    }

    /// The bytes behind the agreement about TLS, if there has to be one.
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        if let Self::Hello(accept, until) = self {
            match Pin::new(accept).poll(context) {
                Poll::Ready(stream) => *self = Self::Tls(Box::new(stream?)),
                Poll::Pending => {
                    ready!(until.as_mut().poll(context));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        match self {
            Self::Plain(stream) => Poll::Ready(Ok(Pin::new(stream))),
            Self::Tls(stream) => Poll::Ready(Ok(Pin::new(stream.as_mut()))),
            Self::Hello(..) => Poll::Pending,
        }
    }
}

impl axum::serve::Listener for Doorkeeper {
    type Io = Let;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Let, SocketAddr) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
        let let_in = Let {
            stream: Stream::of(stream, self.tls.as_ref()),
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
        ready!(self.stream.poll_open(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Let {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.stream.poll_open(context))?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            // Nothing has been written.
            Stream::Hello(..) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Stream::Hello(..) => Poll::Ready(Ok(())),
        }
    }
}
