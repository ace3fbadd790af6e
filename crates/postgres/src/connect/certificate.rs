//! Checks a server's certificate as far as sslmode asks: not at all, its authority, or its name too.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Nothing,
    Chain,
    ChainAndName,
}

/// The checks of one connector. In every depth the server must prove that it has the certificate's
/// key: channel binding relies on it.
#[derive(Debug)]
pub(super) struct CertificateCheck {
    depth: Depth,
    roots: RootCertStore,
    trusted: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl CertificateCheck {
    /// libpq's `require`.
    pub(super) fn of_nothing(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            depth: Depth::Nothing,
            roots: RootCertStore::empty(),
            trusted: Vec::new(),
            algorithms,
        }
    }

    pub(super) fn new(
        depth: Depth,
        trusted: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in &trusted {
            roots.add(certificate.clone())?;
        }
        Ok(Self {
            depth,
            roots,
            trusted,
            algorithms,
        })
    }

    fn check_chain(
        &self,
        certificate: &ParsedCertificate<'_>,
        der: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let checked = verify_server_cert_signed_by_trust_anchor(
            certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        );
        match checked {
            // `openssl req -x509`, as PostgreSQL's manual has it, makes the server's certificate an
            // authority too. webpki refuses that, after it has checked the dates. If the very
            // certificate is in sslrootcert, libpq takes it, and nothing is left to find out.
            Err(error) if is_own_authority(&error) && self.is_trusted_itself(der) => Ok(()),
            other => other,
        }
    }

    fn is_trusted_itself(&self, der: &CertificateDer<'_>) -> bool {
        self.trusted
            .iter()
            .any(|trusted| trusted.as_ref() == der.as_ref())
    }
}

/// rustls hands webpki's reason on without its type; were it worded anew, we would refuse, not accept.
fn is_own_authority(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::Other(reason)) => {
            reason.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

impl ServerCertVerifier for CertificateCheck {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.depth != Depth::Nothing {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            self.check_chain(&certificate, end_entity, intermediates, now)?;
            if self.depth == Depth::ChainAndName {
                verify_server_name(&certificate, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let checked = verify_tls13_signature(message, certificate, signed, &self.algorithms);
        match (checked, self.depth) {
            // `openssl x509 -req`, as PostgreSQL's manual has it, makes certificates of X.509
            // version 1, which webpki does not read. Where nothing of it is checked, its key is enough.
            (Err(Error::InvalidCertificate(reason)), Depth::Nothing) => {
                match public_key(certificate) {
                    Some(key) => {
                        let key = SubjectPublicKeyInfoDer::from(key);
                        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
                    }
                    None => Err(Error::InvalidCertificate(reason)),
                }
            }
            (checked, _) => checked,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The SubjectPublicKeyInfo of a certificate: RFC 5280, 4.1. The seventh field of the inner
/// sequence, or the sixth where the version is left out (which means version 1).
fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    const VERSION_TAG: u8 = 0xa0;
    const FIELDS_BEFORE: usize = 5; // serial number, algorithm, issuer, validity, subject
    let (certificate, _) = element(certificate)?;
    let (body, _) = element(certificate.content)?;
    let mut rest = body.content;
    if rest.first() == Some(&VERSION_TAG) {
        rest = element(rest)?.1;
    }
    for _ in 0..FIELDS_BEFORE {
        rest = element(rest)?.1;
    }
    element(rest).map(|(key, _)| key.whole)
}

struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// The first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    const LONG_FORM: u8 = 0x80;
    let first = *der.get(1)?;
    let (header, length) = if first < LONG_FORM {
        (2, usize::from(first))
    } else {
        let digits = usize::from(first & !LONG_FORM);
        // Four bytes hold any length that a handshake can carry.
        if digits == 0 || digits > 4 {
            return None;
        }
        let bytes = der.get(2..2 + digits)?;
        let length = bytes
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        (2 + digits, length)
    };
    let end = header.checked_add(length)?;
    let element = Element {
        whole: der.get(..end)?,
        content: der.get(header..end)?,
    };
    Some((element, der.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_bounded() {
        assert!(element(&[]).is_none());
        assert!(element(&[0x30, 0x02, 0x00]).is_none());
        assert!(element(&[0x30, 0x80]).is_none());
        assert!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_none());
        let (first, rest) = element(&[0x02, 0x81, 0x01, 0x07, 0x05]).unwrap();
        assert_eq!((first.content, rest), (&[7][..], &[5][..]));
    }

    #[test]
    fn public_key_with_and_without_a_version() {
        let fields = [
            0x02, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 2, 5, 0,
        ];
        let key = &[0x30, 2, 5, 0][..];
        let wrap = |version: &[u8]| {
            let body = [version, &fields].concat();
            let length = u8::try_from(body.len()).unwrap();
            [&[0x30, length + 2, 0x30, length][..], &body].concat()
        };
        assert_eq!(public_key(&wrap(&[])), Some(key));
        assert_eq!(public_key(&wrap(&[0xa0, 3, 2, 1, 2])), Some(key));
        assert_eq!(public_key(&[0x30, 0]), None);
    }
}
