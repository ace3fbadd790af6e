//! What a service manager is told if it asks for it, as systemd does for `Type=notify`: that the server is ready, and that it
//! stops. The protocol is that of sd_notify(3): a datagram to the socket that NOTIFY_SOCKET names.

use std::{
    ffi::OsStr,
    io,
    os::unix::{
        ffi::OsStrExt,
        net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

/// A manager that does not read what it asked for keeps nobody longer.
const SENT_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    Stopping,
}

impl State {
    fn message(self) -> &'static [u8] {
        match self {
            Self::Ready => b"READY=1",
            Self::Stopping => b"STOPPING=1",
        }
    }
}

/// Tells the manager that started this process; nobody, where none asks.
pub fn tell(state: State) -> io::Result<()> {
    match std::env::var_os("NOTIFY_SOCKET") {
        Some(socket) if !socket.is_empty() => send(&socket, state),
        _ => Ok(()),
    }
}

fn send(socket: &OsStr, state: State) -> io::Result<()> {
    let address = address(socket)?;
    let from = UnixDatagram::unbound()?;
    from.set_write_timeout(Some(SENT_WITHIN))?;
    from.send_to_addr(state.message(), &address)?;
    Ok(())
}

/// A path, or with `@` before it a name of Linux that no file has.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(socket),
        [b'@', name @ ..] => abstract_address(name),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(by: &UnixDatagram) -> String {
        by.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut buffer = [0; 64];
        let length = by.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn a_socket_with_a_path_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), State::Ready).unwrap();
        assert_eq!(received(&manager), "READY=1");
        send(path.as_os_str(), State::Stopping).unwrap();
        assert_eq!(received(&manager), "STOPPING=1");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_without_a_path_is_told() {
        let name = format!("crossfade-test-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&abstract_address(name.as_bytes()).unwrap()).unwrap();
        send(OsStr::new(&format!("@{name}")), State::Ready).unwrap();
        assert_eq!(received(&manager), "READY=1");
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        let unknown = send(OsStr::new("vsock:2:1234"), State::Ready).unwrap_err();
        assert_eq!(unknown.kind(), io::ErrorKind::Unsupported);
        let folder = tempfile::tempdir().unwrap();
        let nobody = send(folder.path().join("notify").as_os_str(), State::Ready).unwrap_err();
        assert_eq!(nobody.kind(), io::ErrorKind::NotFound);
    }
}
