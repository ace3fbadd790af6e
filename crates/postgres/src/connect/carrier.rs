//! What carries a connection: a socket, with or without TLS, whose bytes are counted by a [`Watch`].

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::watch::Watch;

/// How a connection was made, so that another one like it can be.
#[derive(Clone)]
pub(super) struct Security {
    pub(super) tls: MakeRustlsConnect,
    pub(super) encrypted: bool,
}

/// Makes the carrier. tokio-postgres hands its socket out to whoever does TLS, and to nobody else: for a connection without
/// TLS this takes the socket as well, and leaves it as it is (`sslnegotiation` is direct then, so that nothing is negotiated).
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) security: Security,
    pub(super) watch: Watch,
}

pub(super) struct Connecting<T> {
    tls: Option<T>,
    watch: Watch,
}

impl<S> MakeTlsConnect<S> for Connector
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Carrier;
    type TlsConnect = Connecting<<MakeRustlsConnect as MakeTlsConnect<S>>::TlsConnect>;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Infallible> {
        let tls = match self.security.encrypted {
            true => Some(MakeTlsConnect::<S>::make_tls_connect(
                &mut self.security.tls,
                host,
            )?),
            false => None,
        };
        let watch = self.watch.clone();
        Ok(Connecting { tls, watch })
    }
}

impl<S, T> TlsConnect<S> for Connecting<T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: TlsConnect<S, Error = io::Error> + Send + 'static,
    T::Stream: Send + 'static,
    T::Future: Send,
{
    type Stream = Carrier;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Carrier>> + Send>>;

    fn connect(self, socket: S) -> Self::Future {
        Box::pin(async move {
            let stream: Box<dyn TlsStream + Unpin + Send> = match self.tls {
                Some(tls) => Box::new(tls.connect(socket).await?),
                None => Box::new(Plain(socket)),
            };
            let watch = self.watch;
            Ok(Carrier { stream, watch })
        })
    }
}

/// A stream that is counted, and that ends once it is given up.
pub(super) struct Carrier {
    stream: Box<dyn TlsStream + Unpin + Send>,
    watch: Watch,
}

impl TlsStream for Carrier {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

impl AsyncRead for Carrier {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(words) = self.watch.last_words(buffer.remaining()) {
            buffer.put_slice(&words);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(bytes @ [_, ..]) = buffer.filled().get(before..) {
            self.watch.received(bytes);
        }
        read
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(size)) = written {
            self.watch.sent(bytes.get(..size).unwrap_or_default());
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A socket without TLS.
struct Plain<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Plain<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
