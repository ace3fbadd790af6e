//! Answers to requests that have an `Idempotency-Key`. The transaction says who acts: a key is its role's.

use super::StoreError;
use sha2::{Digest, Sha256};
use tokio_postgres::Transaction;

/// A request that is carried out once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    key: String,
    /// A hash of what is asked.
    request: String,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Answer {
        status: u16,
        body: String,
    },
    /// It was done a moment ago, and is being answered; or its answer was lost.
    NoAnswer,
    /// Something else was asked.
    Another,
}

impl Once {
    pub const KEY_BYTES_MAX: usize = 200;

    /// `None`: this is no key. A key is 1 to 200 printable ASCII characters without spaces.
    pub fn of(key: &str, asked: &[&[u8]]) -> Option<Self> {
        let is_key = (1..=Self::KEY_BYTES_MAX).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        let mut hash = Sha256::new();
        for part in asked {
            // With its length, so that no two lists of parts are the same text.
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let request = hash.finalize();
        is_key.then(|| Self {
            key: key.to_owned(),
            request: request.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

/// `false`: it was asked before.
pub async fn claim(transaction: &Transaction<'_>, once: &Once) -> Result<bool, StoreError> {
    let row = transaction
        .query_one(
            "SELECT crossfade.claim_key($1, $2)",
            &[&once.key, &once.request],
        )
        .await?;
    Ok(row.get(0))
}

pub async fn keep(
    transaction: &Transaction<'_>,
    once: &Once,
    status: u16,
    body: &str,
) -> Result<(), StoreError> {
    transaction
        .query_one(
            "SELECT crossfade.keep_answer($1, $2, $3, $4)",
            &[&once.key, &once.request, &i32::from(status), &body],
        )
        .await?;
    Ok(())
}

/// `None`: nothing was asked under this key within 24 hours.
pub async fn kept(transaction: &Transaction<'_>, once: &Once) -> Result<Option<Kept>, StoreError> {
    let row = transaction
        .query_opt(
            "SELECT request, status, body FROM crossfade.answer_under($1)",
            &[&once.key],
        )
        .await?;
    Ok(row.map(|row| {
        let status: Option<i32> = row.get("status");
        let status = status.and_then(|status| u16::try_from(status).ok());
        match (row.get::<_, String>("request") == once.request, status) {
            (false, _) => Kept::Another,
            (true, None) => Kept::NoAnswer,
            (true, Some(status)) => Kept::Answer {
                status,
                body: row.get("body"),
            },
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_is_told_from_another() {
        let of = |parts: &[&[u8]]| Once::of("k", parts).unwrap();
        assert_eq!(of(&[b"PUT", b"x"]), of(&[b"PUT", b"x"]));
        assert_ne!(of(&[b"PUT", b"x"]), of(&[b"PU", b"Tx"]));
        assert_ne!(of(&[b"PUT", b"x"]), of(&[b"PUT", b"y"]));
    }

    #[test]
    fn a_key_is_printable_and_short() {
        for (key, is_one) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", true),
            ("", false),
            ("a b", false),
            ("é", false),
            ("a\n", false),
        ] {
            assert_eq!(Once::of(key, &[]).is_some(), is_one, "{key:?}");
        }
        assert!(Once::of(&"x".repeat(200), &[]).is_some());
        assert!(Once::of(&"x".repeat(201), &[]).is_none());
    }
}
