//! Tokens and sign-ins: who a request of the page or the API acts for.

use super::{StoreError, os_user};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;
use tokio_postgres::{GenericClient, Transaction};

/// What every token begins with, so that one that has leaked is recognised.
const PREFIX: &str = "crossfade_";
const SECRET_BYTES: usize = 32;

/// A token or the secret of a sign-in, as its holder has it. It is shown once, and never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new one, from the operating system's source of randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", hex(&bytes))))
    }

    /// `None`: this cannot be one, and the database need not be asked.
    pub fn of(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_one = digits.len() == 2 * SECRET_BYTES
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_one.then(|| Self(text.to_owned()))
    }

    /// For the one time that it is shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is sent to the database: a hash, so that one who reads its log does not have the token. With a login, the hash is enough to act
    /// (docs/guides/page.md).
    pub(super) fn presented(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }

    /// What the database keeps.
    fn kept(&self) -> String {
        hex(&Sha256::digest(self.presented().as_bytes()))
    }

    /// A value that only the holder can know, for one purpose.
    pub fn derived(&self, purpose: &str) -> String {
        hex(&Sha256::digest(format!("{purpose}\n{}", self.0)))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Can {
    View,
    Operate,
    Approve,
}

impl Can {
    pub const ALL: [Self; 3] = [Self::View, Self::Operate, Self::Approve];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Approve => "approve",
        }
    }
}

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenRecord {
    pub id: i64,
    pub role: String,
    pub can: Vec<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_by: Option<String>,
    pub revoked_at: Option<Timestamp>,
    /// By the database's clock.
    pub is_valid: bool,
}

/// Who a request acts for, and what both the token and the role's rights let it do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub token: i64,
    pub role: String,
    pub may_look: bool,
    pub may_operate: bool,
    /// What a plan says is evaluated as the role that the server is connected as.
    pub may_start: bool,
    pub may_approve: bool,
    /// Rows of the application's tables, as they are in quarantine.
    pub may_see_rows: bool,
}

/// Errors: the role may not make a token for that one, or there is no such role.
pub async fn create(
    client: &impl GenericClient,
    role: Option<&str>,
    can: &[Can],
    secret: &Secret,
    expires_at: Option<Timestamp>,
) -> Result<i64, StoreError> {
    let can: Vec<&str> = can.iter().map(|can| can.as_str()).collect();
    let row = client
        .query_one(
            "SELECT crossfade.create_token(coalesce($1, session_user::text), $2, $3, $4, $5)",
            &[&role, &can, &secret.kept(), &expires_at, &os_user()],
        )
        .await
        .map_err(StoreError::refusal)?;
    Ok(row.get(0))
}

/// All tokens, the newest first.
pub async fn list(client: &impl GenericClient) -> Result<Vec<TokenRecord>, StoreError> {
    let rows = client
        .query(
            "SELECT id, role, can, created_by || ' (' || created_by_os || ')' AS created_by, created_at, expires_at, \
                    revoked_by || ' (' || revoked_by_os || ')' AS revoked_by, revoked_at, \
                    revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()) \
                        AND EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = role_oid AND r.rolname = role) AS is_valid \
             FROM crossfade.tokens ORDER BY id DESC",
            &[],
        )
        .await?;
    let record = |row: &tokio_postgres::Row| TokenRecord {
        id: row.get("id"),
        role: row.get("role"),
        can: row.get("can"),
        created_by: row.get("created_by"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        revoked_by: row.get("revoked_by"),
        revoked_at: row.get("revoked_at"),
        is_valid: row.get("is_valid"),
    };
    Ok(rows.iter().map(record).collect())
}

/// `false`: it had been revoked.
pub async fn revoke(client: &impl GenericClient, token: i64) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT crossfade.revoke_token($1, $2)",
            &[&token, &os_user()],
        )
        .await
        .map_err(StoreError::refusal)?;
    Ok(row.get(0))
}

/// A role has the rights to operate that it was granted on these tables, or those of the server, if it could become the server.
const HOLDER: &str = "
    SELECT h.token, h.role,
        r.may_enter AND (r.is_server OR r.may_read) AS may_look,
        'operate' = ANY (h.can) AND r.may_enter AND (r.is_server OR r.may_read
            AND has_table_privilege(h.role_oid, 'crossfade.runs', 'UPDATE') AND has_table_privilege(h.role_oid, 'crossfade.tunings', 'INSERT')
            AND has_table_privilege(h.role_oid, 'crossfade.orders', 'INSERT') AND has_table_privilege(h.role_oid, 'crossfade.orders', 'UPDATE')
            AND has_table_privilege(h.role_oid, 'crossfade.quarantine', 'UPDATE')) AS may_operate,
        'operate' = ANY (h.can) AND r.may_enter AND r.is_server AS may_start,
        'approve' = ANY (h.can) AND r.may_enter
            AND has_function_privilege(h.role_oid, 'crossfade.approve(bigint, text, text, text)', 'EXECUTE') AS may_approve,
        r.may_enter AND (r.is_server OR r.may_read AND has_table_privilege(h.role_oid, 'crossfade.quarantine', 'SELECT')) AS may_see_rows
    FROM crossfade.holder_of($1) AS h, pg_roles AS me,
        LATERAL (SELECT crossfade.can_become(h.role_oid, me.oid) AS is_server,
            has_database_privilege(h.role_oid, current_database(), 'CONNECT')
                AND (crossfade.can_become(h.role_oid, me.oid) OR has_schema_privilege(h.role_oid, 'crossfade', 'USAGE'))
                AND EXISTS (SELECT FROM pg_roles AS v WHERE v.oid = h.role_oid AND (v.rolvaliduntil IS NULL OR v.rolvaliduntil > clock_timestamp())) AS may_enter,
            NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = 'crossfade'::regnamespace AND c.relkind = 'r'
                AND c.relname NOT IN ('tokens', 'sign_ins', 'answers', 'quarantine', 'schema_history') AND NOT has_table_privilege(h.role_oid, c.oid, 'SELECT')) AS may_read) AS r
    WHERE me.rolname = session_user";

/// Whose secret this is; `None`: nobody's, or it is over.
pub async fn holder(
    client: &impl GenericClient,
    secret: &Secret,
) -> Result<Option<Holder>, StoreError> {
    let row = client.query_opt(HOLDER, &[&secret.presented()]).await?;
    Ok(row.map(|row| Holder {
        token: row.get("token"),
        role: row.get("role"),
        may_look: row.get("may_look"),
        may_operate: row.get("may_operate"),
        may_start: row.get("may_start"),
        may_approve: row.get("may_approve"),
        may_see_rows: row.get("may_see_rows"),
    }))
}

/// Until the transaction ends, it acts for the secret's holder: what is recorded names the holder's role and the token, and the
/// user of a proxy beside it.
pub async fn act_for(
    transaction: &Transaction<'_>,
    secret: &Secret,
    proxy_user: Option<&str>,
) -> Result<(), StoreError> {
    transaction
        .query_one(
            "SELECT set_config('crossfade.token', $1, true), set_config('crossfade.proxy_user', $2, true)",
            &[&secret.presented(), &proxy_user.unwrap_or_default()],
        )
        .await?;
    Ok(())
}

/// `false`: the token is not valid.
pub async fn sign_in(
    client: &impl GenericClient,
    token: &Secret,
    sign_in: &Secret,
    hours: i32,
) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT crossfade.sign_in($1, $2, clock_timestamp() + $3 * interval '1 hour')",
            &[&token.presented(), &sign_in.kept(), &f64::from(hours)],
        )
        .await?;
    Ok(row.get(0))
}

pub async fn sign_out(client: &impl GenericClient, sign_in: &Secret) -> Result<(), StoreError> {
    client
        .query_one("SELECT crossfade.sign_out($1)", &[&sign_in.presented()])
        .await?;
    Ok(())
}
