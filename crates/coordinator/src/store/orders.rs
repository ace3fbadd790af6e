//! Orders: what somebody wants done with a run, for a server to do; and the servers.

use super::{StoreError, history, os_user};
use crossfade_decisions::{
    keeper::{Asked, AtGate, OpenOrder, Wish},
    lifecycle::snapshot::RollbackTarget,
};
use crossfade_plan::document::PhaseName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio_postgres::{GenericClient, Row, Transaction};

/// A server whose heartbeat is older than this, by the database's clock, is gone.
const SERVER_GONE_AFTER: &str = "interval '15 s'";

/// An order as `status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrderRecord {
    pub id: i64,
    pub action: String,
    /// The last phase to run, or the last that stays.
    pub phase: Option<String>,
    pub waits_at_gates: bool,
    pub by: String,
    pub placed_at: Timestamp,
    pub state: String,
    pub taken_by: Option<String>,
    pub taken_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// Why it stopped or failed.
    pub outcome: Option<String>,
}

/// A program that carries out orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ServerRecord {
    pub holder: String,
    pub is_alive: bool,
    pub last_seen: Timestamp,
}

/// How an order ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    /// People have to decide what comes next.
    Stopped,
    Failed,
    Cancelled,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

fn action(wish: &Wish) -> &'static str {
    match wish {
        Wish::Advance { .. } => "advance",
        Wish::RollBack { .. } => "rollback",
        Wish::Verify => "verify",
        Wish::Repair => "repair",
    }
}

fn wish(row: &Row) -> Result<Wish, StoreError> {
    let (action, phase): (String, Option<String>) = (row.get("action"), row.get("phase"));
    let phase = phase
        .map(|name| name.parse::<PhaseName>())
        .transpose()
        .map_err(StoreError::Corrupt)?;
    Ok(match (action.as_str(), phase) {
        ("advance", Some(to)) => Wish::Advance {
            to,
            at_gate: if row.get("waits") {
                AtGate::Wait
            } else {
                AtGate::Return
            },
        },
        ("rollback", to) => Wish::RollBack {
            to: to.map_or(RollbackTarget::Start, RollbackTarget::Phase),
            discards: row.get::<_, Vec<String>>("discards").into_iter().collect(),
        },
        ("verify", _) => Wish::Verify,
        ("repair", _) => Wish::Repair,
        (other, _) => {
            return Err(StoreError::Corrupt(format!("an order to {other}")));
        }
    })
}

/// Who wants an order carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Somebody,
    /// A server that does what the plan says.
    Server,
}

/// Places an order in the caller's transaction, with its event. `None`: an order of the run is open already.
pub async fn place(
    client: &impl GenericClient,
    run_id: i64,
    wish: &Wish,
    by: By,
) -> Result<Option<i64>, StoreError> {
    let (phase, waits, discards) = match wish {
        Wish::Advance { to, at_gate } => (Some(to.as_str()), *at_gate == AtGate::Wait, Vec::new()),
        Wish::RollBack { to, discards } => {
            let phase = match to {
                RollbackTarget::Phase(phase) => Some(phase.as_str()),
                RollbackTarget::Start => None,
            };
            (phase, false, discards.iter().collect())
        }
        Wish::Verify | Wish::Repair => (None, false, Vec::new()),
    };
    let row = client
        .query_opt(
            "INSERT INTO crossfade.orders (run_id, action, phase, waits, discards, os_user, automatic) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (run_id) WHERE state = 'open' DO NOTHING RETURNING id",
            &[
                &run_id,
                &action(wish),
                &phase,
                &waits,
                &discards,
                &os_user(),
                &(by == By::Server),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let id: i64 = row.get(0);
    let mut detail = json!({"order": id, "action": action(wish), "phase": phase, "waits_at_gates": waits, "discards": discards});
    if by == By::Server {
        detail["automatic"] = json!(true);
    }
    history::record(client, run_id, "ordered", &detail).await?;
    Ok(Some(id))
}

/// The newest order of the run, open or not.
pub async fn newest(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Option<OrderRecord>, StoreError> {
    let row = client
        .query_opt(
            "SELECT id, action, phase, waits, role || ' (' || os_user || ')' AS by, placed_at, state, taken_by, taken_at, ended_at, outcome \
             FROM crossfade.orders WHERE run_id = $1 ORDER BY id DESC LIMIT 1",
            &[&run_id],
        )
        .await?;
    Ok(row.map(|row| OrderRecord {
        id: row.get("id"),
        action: row.get("action"),
        phase: row.get("phase"),
        waits_at_gates: row.get("waits"),
        by: row.get("by"),
        placed_at: row.get("placed_at"),
        state: row.get("state"),
        taken_by: row.get("taken_by"),
        taken_at: row.get("taken_at"),
        ended_at: row.get("ended_at"),
        outcome: row.get("outcome"),
    }))
}

/// What was ordered of a run, as far as it matters for what a server orders by itself.
pub async fn asked(
    client: &impl GenericClient,
    run_id: i64,
    phase: Option<PhaseName>,
) -> Result<Asked, StoreError> {
    let row = client
        .query_one(
            "SELECT coalesce(bool_or(state = 'open'), false), max(placed_at) FILTER (WHERE action = 'advance' AND phase = $2), \
                    max(placed_at) FILTER (WHERE action IN ('verify', 'repair')) \
             FROM crossfade.orders WHERE run_id = $1",
            &[&run_id, &phase.map(PhaseName::as_str)],
        )
        .await?;
    Ok(Asked {
        is_open: row.get(0),
        advance_at: row.get(1),
        verify_at: row.get(2),
    })
}

/// The active runs, and how many events each has.
pub async fn active(client: &impl GenericClient) -> Result<Vec<(i64, i64)>, StoreError> {
    let rows = client
        .query(
            "SELECT id, event_count FROM crossfade.runs WHERE state = 'active' ORDER BY id",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Every open order of the database, the oldest first.
pub async fn open(client: &impl GenericClient) -> Result<Vec<OpenOrder>, StoreError> {
    let rows = client
        .query(
            "SELECT o.id, o.run_id, r.name, o.action, o.phase, o.waits, o.discards, \
                    r.paused_at IS NOT NULL AND (o.action <> 'rollback' OR r.paused_at > o.placed_at) AND (r.paused_until IS NULL OR r.paused_until > clock_timestamp()) \
                        OR o.action <> 'rollback' AND EXISTS (SELECT FROM crossfade.freezes AS f WHERE f.ended_at IS NULL AND (f.until IS NULL OR f.until > clock_timestamp())) AS is_held, \
                    EXISTS (SELECT FROM crossfade.leases AS l WHERE l.run_id = r.id AND l.holder IS NOT NULL \
                        AND l.heartbeat > clock_timestamp() - $1::bigint * interval '1 ms' \
                        AND EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = l.backend_pid \
                            AND coalesce(a.backend_start = l.backend_start, true))) AS is_driven \
             FROM crossfade.orders AS o JOIN crossfade.runs AS r ON r.id = o.run_id WHERE o.state = 'open' ORDER BY o.id",
            &[&super::lease::STALE_AFTER_MS],
        )
        .await?;
    let order = |row: &Row| {
        Ok(OpenOrder {
            id: row.get("id"),
            run_id: row.get("run_id"),
            run: row.get("name"),
            wish: wish(row)?,
            is_held: row.get("is_held"),
            is_driven: row.get("is_driven"),
        })
    };
    rows.iter().map(order).collect()
}

/// How many orders there are, by their state.
pub async fn counts(client: &impl GenericClient) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = client
        .query(
            "SELECT s.state, count(o.id) FROM unnest(ARRAY['open', 'done', 'stopped', 'failed', 'cancelled']) AS s (state) \
             LEFT JOIN crossfade.orders AS o ON o.state = s.state GROUP BY 1 ORDER BY 1",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Notes who carries the order out. `false`: it is not open any more.
pub async fn take(
    client: &impl GenericClient,
    order: i64,
    holder: &str,
) -> Result<bool, StoreError> {
    let taken = client
        .execute(
            "UPDATE crossfade.orders SET taken_by = $2, taken_at = clock_timestamp() WHERE id = $1 AND state = 'open'",
            &[&order, &holder],
        )
        .await?;
    Ok(taken == 1)
}

/// Ends an open order in the caller's transaction, with its event. `false`: it has ended already.
pub async fn end(
    transaction: &Transaction<'_>,
    order: i64,
    end: End,
    outcome: Option<&str>,
) -> Result<bool, StoreError> {
    let row = transaction
        .query_opt(
            "UPDATE crossfade.orders SET state = $2, outcome = $3, ended_at = clock_timestamp() \
             WHERE id = $1 AND state = 'open' RETURNING run_id",
            &[&order, &end.as_str(), &outcome],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    let detail = json!({"order": order, "state": end.as_str(), "why": outcome});
    history::record(transaction, row.get(0), "order ended", &detail).await?;
    Ok(true)
}

/// Why this session may not act for the role that placed the order: a role that could not become this one would make it do what it
/// may not do itself. That is asked of the role that logged in, and of the one that it acted as: each has to be able to become what
/// this session is.
pub async fn not_allowed(
    client: &impl GenericClient,
    order: i64,
) -> Result<Option<String>, StoreError> {
    // From PostgreSQL 16 on, one may be a member of a role and have nothing of it.
    let row = client
        .query_one(
            "SELECT quote_ident(o.role), a.gone, coalesce(a.may, false), quote_ident(session_user), me.rolsuper \
             FROM crossfade.orders AS o, pg_roles AS me, LATERAL ( \
                 SELECT bool_or(r.oid IS NULL) AS gone, \
                        bool_and(pg_has_role(r.oid, w.as_whom, 'USAGE') OR pg_has_role(r.oid, w.as_whom, \
                            CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)) AS may \
                 FROM (VALUES (o.role_oid, session_user), (o.acting_oid, current_user)) AS w (oid, as_whom) \
                 LEFT JOIN pg_roles AS r ON r.oid = w.oid) AS a \
             WHERE o.id = $1 AND me.rolname = session_user",
            &[&order],
        )
        .await?;
    let (role, is_gone, may): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
    let (own, own_is_superuser): (String, bool) = (row.get(3), row.get(4));
    Ok(if is_gone {
        Some(format!("the role {role}, which placed it, does not exist"))
    } else if may {
        None
    } else {
        // To be a member of a superuser is more than anybody should be given for this.
        let help = match own_is_superuser {
            true => "run the server as a role that is no superuser, and grant that one".to_owned(),
            false => format!("GRANT {own} TO {role}; lets it act as {own}"),
        };
        Some(format!(
            "{role}, which placed it, is not a member of {own}, as which the server is connected: {help}"
        ))
    })
}

/// Ends what is open of the run's but the order `own`, since `why`.
pub async fn supersede(
    transaction: &Transaction<'_>,
    run_id: i64,
    own: Option<i64>,
    why: &str,
) -> Result<(), StoreError> {
    let ended = transaction
        .query_opt(
            "UPDATE crossfade.orders SET state = 'stopped', outcome = $3, ended_at = clock_timestamp() \
             WHERE run_id = $1 AND state = 'open' AND id IS DISTINCT FROM $2 RETURNING id",
            &[&run_id, &own, &why],
        )
        .await?;
    if let Some(row) = ended {
        let detail = json!({"order": row.get::<_, i64>(0), "state": "stopped", "why": why});
        history::record(transaction, run_id, "order ended", &detail).await?;
    }
    Ok(())
}

/// Ends a comparison that a server ordered by itself: what somebody orders does not wait for it.
pub async fn supersede_comparison(
    transaction: &Transaction<'_>,
    run_id: i64,
) -> Result<(), StoreError> {
    let open = transaction
        .query_opt(
            "SELECT id FROM crossfade.orders WHERE run_id = $1 AND state = 'open' AND automatic AND action = 'verify'",
            &[&run_id],
        )
        .await?;
    if let Some(order) = open {
        let why = "somebody ordered something else";
        end(transaction, order.get(0), End::Cancelled, Some(why)).await?;
    }
    Ok(())
}

/// This server is there.
pub async fn beat(client: &impl GenericClient, holder: &str) -> Result<(), StoreError> {
    client
        .execute(
            "INSERT INTO crossfade.servers AS s (holder) VALUES ($1) \
             ON CONFLICT (holder) DO UPDATE SET heartbeat = clock_timestamp(), ended_at = NULL, \
                 started_at = CASE WHEN s.ended_at IS NULL THEN s.started_at ELSE clock_timestamp() END",
            &[&holder],
        )
        .await?;
    Ok(())
}

/// This server ends by itself.
pub async fn leave(client: &impl GenericClient, holder: &str) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.servers SET heartbeat = clock_timestamp(), ended_at = clock_timestamp() WHERE holder = $1",
            &[&holder],
        )
        .await?;
    Ok(())
}

/// The server that was seen last; a living one first.
pub async fn last_server(client: &impl GenericClient) -> Result<Option<ServerRecord>, StoreError> {
    let row = client
        .query_opt(
            &format!(
                "SELECT holder, ended_at IS NULL AND heartbeat > clock_timestamp() - {SERVER_GONE_AFTER} AS is_alive, heartbeat \
                 FROM crossfade.servers ORDER BY 2 DESC, heartbeat DESC LIMIT 1"
            ),
            &[],
        )
        .await?;
    Ok(row.map(|row| ServerRecord {
        holder: row.get(0),
        is_alive: row.get(1),
        last_seen: row.get(2),
    }))
}

impl OrderRecord {
    pub fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// `advance to verify, placed by alice (alice@host)`.
    pub fn in_words(&self) -> String {
        let what = match (self.action.as_str(), &self.phase) {
            ("advance", Some(phase)) => format!("advance to {phase}"),
            ("rollback", Some(phase)) => format!("roll back to the end of {phase}"),
            ("rollback", None) => "roll back to the start".to_owned(),
            ("repair", _) => "verify and repair".to_owned(),
            (other, _) => other.to_owned(),
        };
        let waits = if self.waits_at_gates {
            ", waiting at gates"
        } else {
            ""
        };
        format!("{what}{waits}, placed by {}", self.by)
    }
}
