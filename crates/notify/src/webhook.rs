//! Webhooks by the Standard Webhooks specification, so that receivers can check whom a message is from with a library that exists.

use crate::{Sending, Way, http::Address, payload::payload};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use crossfade_coordinator::service::Message;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2_of_hmac::Sha256;

const PREFIX: &str = "whsec_";
/// What the specification asks for, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

pub struct Webhook {
    address: Address,
    keys: Vec<Hmac<Sha256>>,
}

impl Webhook {
    pub fn new(address: Address, secrets: &[String]) -> Result<Self, String> {
        let keys = secrets.iter().map(|secret| key(secret));
        Ok(Self {
            address,
            keys: keys.collect::<Result<_, _>>()?,
        })
    }
}

fn key(secret: &str) -> Result<Hmac<Sha256>, String> {
    let wrong = || {
        format!(
            "a secret of a webhook is not `{PREFIX}` and the base64 of {} to {} bytes: make one with `openssl rand -base64 32`, and put `{PREFIX}` in front",
            SECRET_BYTES.start(),
            SECRET_BYTES.end()
        )
    };
    let text = secret.strip_prefix(PREFIX).ok_or_else(wrong)?;
    let bytes = STANDARD.decode(text).map_err(|_| wrong())?;
    if !SECRET_BYTES.contains(&bytes.len()) {
        return Err(wrong());
    }
    Hmac::new_from_slice(&bytes).map_err(|_| wrong())
}

/// One signature for each secret, so that receivers with either take it.
fn signatures(keys: &[Hmac<Sha256>], id: &str, seconds: i64, body: &str) -> String {
    let signed = keys.iter().map(|key| {
        let mut mac = key.clone();
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    signed.collect::<Vec<_>>().join(" ")
}

impl Way for Webhook {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async move {
            let body = payload(message).to_string();
            // Of the attempt: receivers refuse what is old.
            let seconds = Timestamp::now().as_second();
            let headers = [
                ("webhook-id", message.id.clone()),
                ("webhook-timestamp", seconds.to_string()),
                (
                    "webhook-signature",
                    signatures(&self.keys, &message.id, seconds, &body),
                ),
            ];
            self.address.post(body, &headers).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use standardwebhooks::Webhook as Theirs;

    fn secret(byte: u8) -> String {
        format!("{PREFIX}{}", STANDARD.encode([byte; 32]))
    }

    #[test]
    fn a_signature_is_what_the_specifications_own_library_expects_of_either_secret() {
        let secrets = [secret(1), secret(2)];
        let keys: Vec<_> = secrets.iter().map(|one| key(one).unwrap()).collect();
        let (id, seconds, body) = ("msg_1", Timestamp::now().as_second(), r#"{"a": "ä"}"#);
        let signatures = signatures(&keys, id, seconds, body);
        for secret in &secrets {
            let theirs = Theirs::new(secret).unwrap();
            let expected = theirs.sign(id, seconds, body.as_bytes()).unwrap();
            assert!(
                signatures.split(' ').any(|one| one == expected),
                "{signatures}"
            );
        }
        let stranger = Theirs::new(&secret(3)).unwrap();
        let other = stranger.sign(id, seconds, body.as_bytes()).unwrap();
        assert!(!signatures.contains(&other));
    }

    #[test]
    fn a_secret_that_is_none_is_refused_without_being_named() {
        for wrong in ["hunter2", "whsec_hunter2!", "whsec_aGk="] {
            let error = key(wrong).err().unwrap();
            assert!(
                !error.contains("hunter2") && !error.contains("aGk"),
                "{error}"
            );
        }
    }
}
