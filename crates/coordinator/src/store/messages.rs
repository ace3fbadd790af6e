//! Messages for people: events that a receiver wants, until it has taken them; and what was noticed of a run.

use super::{StoreError, history};
use crossfade_decisions::messages::{Condition, GIVEN_UP_AFTER, NOTICED, Topic};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};
use tokio_postgres::{GenericClient, Row, Transaction};

/// Events of one run that become messages in one transaction.
const EVENTS_MAX: u32 = 500;
/// Messages that were delivered, or given up, are kept so long.
const KEPT_FOR: &str = "interval '30 days'";

/// A message that is to be sent now.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: String,
    pub receiver: String,
    pub run_id: i64,
    pub number: i64,
    pub topic: String,
    /// This one included.
    pub attempts: i32,
    pub age: Duration,
}

/// How the messages of a receiver stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiverRecord {
    pub receiver: String,
    pub waiting: i64,
    pub delivered: i64,
    pub given_up: i64,
    /// Of the message that waits longest, or was given up last.
    pub error: Option<String>,
    pub last_delivered_at: Option<Timestamp>,
}

/// A receiver that is new hears of what happens from now on.
pub async fn register(transaction: &Transaction<'_>, receiver: &str) -> Result<(), StoreError> {
    let is_new = transaction
        .execute(
            "INSERT INTO crossfade.receivers (name) VALUES ($1) ON CONFLICT DO NOTHING",
            &[&receiver],
        )
        .await?;
    if is_new == 1 {
        transaction
            .execute(
                "INSERT INTO crossfade.receiver_places (receiver, run_id, number) SELECT $1, id, event_count FROM crossfade.runs",
                &[&receiver],
            )
            .await?;
    }
    Ok(())
}

/// The runs that have events which are not yet messages, or known not to be, for one of the receivers.
pub async fn behind(
    client: &impl GenericClient,
    receivers: &[&str],
) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = client
        .query(
            "SELECT w.name, r.id FROM unnest($1::text[]) AS w(name) CROSS JOIN crossfade.runs AS r \
             LEFT JOIN crossfade.receiver_places AS p ON p.receiver = w.name AND p.run_id = r.id \
             WHERE r.event_count > coalesce(p.number, 0) ORDER BY r.id, w.name",
            &[&receivers],
        )
        .await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Makes messages of the run's new events that the receiver wants. Another server that does the same waits, and finds nothing to do.
pub async fn queue(
    transaction: &Transaction<'_>,
    receiver: &str,
    run_id: i64,
    wants: impl Fn(Topic) -> bool,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "INSERT INTO crossfade.receiver_places (receiver, run_id, number) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
            &[&receiver, &run_id],
        )
        .await?;
    let place: i64 = transaction
        .query_one(
            "SELECT number FROM crossfade.receiver_places WHERE receiver = $1 AND run_id = $2 FOR UPDATE",
            &[&receiver, &run_id],
        )
        .await?
        .get(0);
    let events = history::after(transaction, run_id, place, EVENTS_MAX).await?;
    let Some(last) = events.last() else {
        return Ok(());
    };
    let topics = events.iter().filter_map(|event| {
        let topic = Topic::of_event(&event.kind, &event.detail)?;
        wants(topic).then_some((event.number, topic.as_str()))
    });
    let (numbers, topics): (Vec<i64>, Vec<&str>) = topics.unzip();
    transaction
        .execute(
            "INSERT INTO crossfade.messages (receiver, run_id, number, topic) SELECT $1, $2, e.number, e.topic \
             FROM unnest($3::bigint[], $4::text[]) AS e(number, topic) ON CONFLICT DO NOTHING",
            &[&receiver, &run_id, &numbers, &topics],
        )
        .await?;
    transaction
        .execute(
            "UPDATE crossfade.receiver_places SET number = $3 WHERE receiver = $1 AND run_id = $2",
            &[&receiver, &run_id, &last.number],
        )
        .await?;
    Ok(())
}

/// The receivers among these that have a message to be sent now.
pub async fn due(
    client: &impl GenericClient,
    receivers: &[&str],
) -> Result<BTreeSet<String>, StoreError> {
    let rows = client
        .query(
            "SELECT DISTINCT receiver FROM crossfade.messages WHERE state = 'waiting' AND due_at <= clock_timestamp() AND receiver = ANY ($1)",
            &[&receivers],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Takes the oldest message that is due, and puts it off by `hold`: within this time no other server sends it.
pub async fn take(
    client: &impl GenericClient,
    receiver: &str,
    hold: Duration,
) -> Result<Option<Due>, StoreError> {
    let row = client
        .query_opt(
            "UPDATE crossfade.messages AS m SET attempts = m.attempts + 1, due_at = clock_timestamp() + make_interval(secs => $2) \
             WHERE m.id = (SELECT id FROM crossfade.messages WHERE state = 'waiting' AND due_at <= clock_timestamp() AND receiver = $1 \
                           ORDER BY due_at, run_id, number LIMIT 1 FOR UPDATE SKIP LOCKED) \
             RETURNING m.id::text, m.receiver, m.run_id, m.number, m.topic, m.attempts, \
                       extract(epoch FROM clock_timestamp() - m.created_at)::double precision",
            &[&receiver, &hold.as_secs_f64()],
        )
        .await?;
    Ok(row.map(|row| Due {
        id: row.get(0),
        receiver: row.get(1),
        run_id: row.get(2),
        number: row.get(3),
        topic: row.get(4),
        attempts: row.get(5),
        age: Duration::from_secs_f64(row.get::<_, f64>(6).max(0.0)),
    }))
}

pub async fn delivered(client: &impl GenericClient, id: &str) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.messages SET state = 'delivered', ended_at = clock_timestamp(), error = NULL \
             WHERE id = $1::text::uuid AND state = 'waiting'",
            &[&id],
        )
        .await?;
    Ok(())
}

/// It was not taken. `again_in`: when it is sent again; `None`: it is given up.
pub async fn not_delivered(
    client: &impl GenericClient,
    id: &str,
    error: &str,
    again_in: Option<Duration>,
) -> Result<(), StoreError> {
    let seconds = again_in.map(|pause| pause.as_secs_f64());
    client
        .execute(
            "UPDATE crossfade.messages SET error = $2, due_at = clock_timestamp() + make_interval(secs => coalesce($3::double precision, 0)), \
             state = CASE WHEN $3 IS NULL THEN 'given_up' ELSE 'waiting' END, \
             ended_at = CASE WHEN $3 IS NULL THEN clock_timestamp() END \
             WHERE id = $1::text::uuid AND state = 'waiting'",
            &[&id, &error, &seconds],
        )
        .await?;
    Ok(())
}

/// Gives up what nobody has tried to send for too long, as of a receiver that is not in the configuration any more, and forgets
/// what has ended long ago.
pub async fn clean(client: &impl GenericClient) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.messages SET state = 'given_up', ended_at = clock_timestamp(), error = coalesce(error, 'no server had this receiver') \
             WHERE state = 'waiting' AND due_at < clock_timestamp() - make_interval(secs => $1)",
            &[&GIVEN_UP_AFTER.as_secs_f64()],
        )
        .await?;
    client
        .execute(
            &format!(
                "DELETE FROM crossfade.messages WHERE ended_at < clock_timestamp() - {KEPT_FOR}"
            ),
            &[],
        )
        .await?;
    Ok(())
}

pub async fn receivers(client: &impl GenericClient) -> Result<Vec<ReceiverRecord>, StoreError> {
    let rows = client
        .query(
            "SELECT r.name, count(*) FILTER (WHERE m.state = 'waiting'), count(*) FILTER (WHERE m.state = 'delivered'), \
                    count(*) FILTER (WHERE m.state = 'given_up'), \
                    (array_agg(m.error ORDER BY m.state = 'waiting' DESC, m.number) FILTER (WHERE m.error IS NOT NULL))[1], \
                    max(m.ended_at) FILTER (WHERE m.state = 'delivered') \
             FROM crossfade.receivers AS r LEFT JOIN crossfade.messages AS m ON m.receiver = r.name GROUP BY r.name ORDER BY r.name",
            &[],
        )
        .await?;
    let record = |row: &Row| ReceiverRecord {
        receiver: row.get(0),
        waiting: row.get(1),
        delivered: row.get(2),
        given_up: row.get(3),
        error: row.get(4),
        last_delivered_at: row.get(5),
    };
    Ok(rows.iter().map(record).collect())
}

/// Notes how a run stands. What has lasted long enough becomes an event, once; what is over is forgotten.
pub async fn notice(
    transaction: &Transaction<'_>,
    run_id: i64,
    conditions: &[Condition],
) -> Result<(), StoreError> {
    let there: Vec<&str> = conditions.iter().map(|one| one.topic.as_str()).collect();
    transaction
        .execute(
            "DELETE FROM crossfade.noticed WHERE run_id = $1 AND what <> ALL ($2)",
            &[&run_id, &there],
        )
        .await?;
    for condition in conditions {
        let what = condition.topic.as_str();
        transaction
            .execute(
                "INSERT INTO crossfade.noticed AS n (run_id, what, about) VALUES ($1, $2, $3) \
                 ON CONFLICT (run_id, what) DO UPDATE SET about = excluded.about, since = clock_timestamp(), is_told = false \
                 WHERE n.about <> excluded.about",
                &[&run_id, &what, &condition.about],
            )
            .await?;
        let told_after = Condition::told_after(condition.topic).as_secs_f64();
        let is_news = transaction
            .execute(
                "UPDATE crossfade.noticed SET is_told = true WHERE run_id = $1 AND what = $2 AND NOT is_told \
                 AND since <= clock_timestamp() - make_interval(secs => $3)",
                &[&run_id, &what, &told_after],
            )
            .await?;
        if is_news == 1 {
            let detail =
                json!({"what": what, "about": condition.about, "detail": condition.detail});
            history::record(transaction, run_id, NOTICED, &detail).await?;
        }
    }
    Ok(())
}

/// What was noticed of a run, to see without writing whether there is news.
pub async fn noticed(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Vec<(String, String, bool)>, StoreError> {
    let rows = client
        .query(
            "SELECT what, about, is_told FROM crossfade.noticed WHERE run_id = $1 ORDER BY what",
            &[&run_id],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect())
}
