//! What the gate `no_references` remembers between two looks.

use super::StoreError;
use crossfade_decisions::lifecycle::references::{Counters, Named, StatementId, Watch, Watched};
use crossfade_sql::references::Naming;
use jiff::Timestamp;
use std::collections::BTreeMap;
use tokio_postgres::{Client, GenericClient, Row};

pub async fn load(client: &impl GenericClient, run_id: i64) -> Result<Option<Watch>, StoreError> {
    let row = client
        .query_opt(
            "SELECT since, looked_at, stats_reset, dealloc, calls_total, unknown_at, unknown_why, objects_at \
             FROM crossfade.reference_watches WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let statements = client
        .query(
            "SELECT role_oid, query_id, top_level, calls, calls_naming, called_at, naming, query \
             FROM crossfade.reference_statements WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    let counters = match (row.get(3), row.get(4)) {
        (Some(dealloc), Some(calls_total)) => Some(Counters {
            stats_reset: row.get(2),
            dealloc,
            calls_total,
        }),
        _ => None,
    };
    let unknown: (Option<Timestamp>, Option<String>) = (row.get(5), row.get(6));
    Ok(Some(Watch {
        since: row.get(0),
        looked_at: row.get(1),
        counters,
        unknown: unknown.0.zip(unknown.1),
        objects_at: row.get(7),
        statements: statements
            .iter()
            .map(watched)
            .collect::<Result<BTreeMap<_, _>, _>>()?,
    }))
}

fn watched(row: &Row) -> Result<(StatementId, Watched), StoreError> {
    let id = StatementId {
        role_oid: row.get(0),
        query_id: row.get(1),
        top_level: row.get(2),
    };
    let named = match (row.get(5), row.get::<_, Option<String>>(6), row.get(7)) {
        (Some(at), Some(naming), Some(query)) => Some(Named {
            calls: row.get(4),
            at,
            naming: serde_json::from_value::<Naming>(naming.into())
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            query,
        }),
        _ => None,
    };
    let calls = row.get(3);
    Ok((id, Watched { calls, named }))
}

/// Remembers a look, unless somebody else has looked since `before` was read: then theirs stands, and the next look
/// goes on from it.
pub async fn save(
    client: &mut Client,
    run_id: i64,
    before: Option<Timestamp>,
    watch: &Watch,
) -> Result<(), StoreError> {
    let transaction = client.transaction().await?;
    let counters = watch.counters;
    let (unknown_at, unknown_why) = watch.unknown.clone().unzip();
    let written = transaction
        .execute(
            "INSERT INTO crossfade.reference_watches AS w \
                 (run_id, since, looked_at, stats_reset, dealloc, calls_total, unknown_at, unknown_why, objects_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (run_id) DO UPDATE SET looked_at = excluded.looked_at, stats_reset = excluded.stats_reset, \
                 dealloc = excluded.dealloc, calls_total = excluded.calls_total, unknown_at = excluded.unknown_at, \
                 unknown_why = excluded.unknown_why, objects_at = excluded.objects_at \
             WHERE w.looked_at = $10",
            &[
                &run_id,
                &watch.since,
                &watch.looked_at,
                &counters.and_then(|counters| counters.stats_reset),
                &counters.map(|counters| counters.dealloc),
                &counters.map(|counters| counters.calls_total),
                &unknown_at,
                &unknown_why,
                &watch.objects_at,
                &before,
            ],
        )
        .await?;
    if written == 1 {
        save_statements(&transaction, run_id, watch).await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn save_statements(
    client: &impl GenericClient,
    run_id: i64,
    watch: &Watch,
) -> Result<(), StoreError> {
    client
        .execute(
            "DELETE FROM crossfade.reference_statements WHERE run_id = $1",
            &[&run_id],
        )
        .await?;
    let all = &watch.statements;
    let named = |one: &Watched| one.named.clone();
    let naming = |naming: Naming| -> Option<String> {
        let value = serde_json::to_value(naming).ok()?;
        value.as_str().map(str::to_owned)
    };
    let roles: Vec<u32> = all.keys().map(|id| id.role_oid).collect();
    let queries: Vec<i64> = all.keys().map(|id| id.query_id).collect();
    let levels: Vec<bool> = all.keys().map(|id| id.top_level).collect();
    let calls: Vec<i64> = all.values().map(|one| one.calls).collect();
    let calls_naming: Vec<i64> = all
        .values()
        .map(|one| named(one).map_or(0, |named| named.calls))
        .collect();
    let called: Vec<Option<Timestamp>> = all
        .values()
        .map(|one| named(one).map(|named| named.at))
        .collect();
    let namings: Vec<Option<String>> = all
        .values()
        .map(|one| named(one).and_then(|named| naming(named.naming)))
        .collect();
    let texts: Vec<Option<String>> = all
        .values()
        .map(|one| named(one).map(|named| named.query))
        .collect();
    client
        .execute(
            "INSERT INTO crossfade.reference_statements \
                 (run_id, role_oid, query_id, top_level, calls, calls_naming, called_at, naming, query) \
             SELECT $1, * FROM unnest($2::oid[], $3::bigint[], $4::boolean[], $5::bigint[], $6::bigint[], $7::timestamptz[], \
                 $8::text[], $9::text[])",
            &[&run_id, &roles, &queries, &levels, &calls, &calls_naming, &called, &namings, &texts],
        )
        .await?;
    Ok(())
}
