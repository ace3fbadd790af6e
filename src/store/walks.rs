//! Where a backfill or a verification stands: its segments and their checkpoints.

use super::{StoreError, lease::Lease};
use crate::progress::Point;
use tokio_postgres::GenericClient;

#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    pub table_name: String,
    pub relation: u32,
    pub filenode: u32,
    pub pass: i32,
    pub batch_blocks: i32,
    pub delay_ms: i32,
    pub reasons: Vec<String>,
    pub rows_before: i64,
    pub rows_quarantined: i64,
    pub snapshot_at: jiff::Timestamp,
    pub finished: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    pub blocks_total: i64,
    pub blocks_done: i64,
    pub rows_read: i64,
    pub rows_changed: i64,
    pub rows_different: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub number: i32,
    pub next_block: i64,
    pub end_block: i64,
}

/// What a batch did, to be noted in its own transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub rows_read: i64,
    pub rows_changed: i64,
    pub rows_different: i64,
}

const SEGMENT_BLOCKS_MIN: i64 = 8_192;
const SEGMENTS_MAX: i64 = 4_096;
/// Moments kept for the rate of a walk.
const POINTS_MAX: i64 = 120;

pub async fn load(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Option<Walk>, StoreError> {
    let row = client
        .query_opt(
            "SELECT table_name, relation, filenode, pass, batch_blocks, delay_ms, reasons, rows_before, \
                    rows_quarantined, snapshot_at, finished_at IS NOT NULL \
             FROM crossfade.walks WHERE run_id = $1 AND step = $2",
            &[&run_id, &step],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Walk {
        table_name: row.get(0),
        relation: row.get(1),
        filenode: row.get(2),
        pass: row.get(3),
        batch_blocks: row.get(4),
        delay_ms: row.get(5),
        reasons: serde_json::from_value(row.get(6))
            .map_err(|error| StoreError::Corrupt(format!("reasons of {step}: {error}")))?,
        rows_before: row.get(7),
        rows_quarantined: row.get(8),
        snapshot_at: row.get(9),
        finished: row.get(10),
    }))
}

pub struct NewWalk<'a> {
    pub step: &'a str,
    pub table_name: &'a str,
    pub relation: u32,
    pub filenode: u32,
    pub blocks: i64,
    pub batch_blocks: i32,
    pub pass: i32,
    pub rows_before: i64,
    pub rows_quarantined: i64,
}

/// Begins a pass over the whole table, in place of the one before.
pub async fn begin(
    client: &impl GenericClient,
    lease: Lease,
    walk: &NewWalk<'_>,
) -> Result<(), StoreError> {
    client
        .execute(
            "DELETE FROM crossfade.walks WHERE run_id = $1 AND step = $2",
            &[&lease.run_id, &walk.step],
        )
        .await?;
    client
        .execute(
            "INSERT INTO crossfade.walks (run_id, step, table_name, relation, filenode, batch_blocks, pass, rows_before, rows_quarantined) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            &[
                &lease.run_id,
                &walk.step,
                &walk.table_name,
                &walk.relation,
                &walk.filenode,
                &walk.batch_blocks,
                &walk.pass,
                &walk.rows_before,
                &walk.rows_quarantined,
            ],
        )
        .await?;
    let size = SEGMENT_BLOCKS_MIN.max(walk.blocks.div_euclid(SEGMENTS_MAX) + 1);
    client
        .execute(
            "INSERT INTO crossfade.segments (run_id, step, number, start_block, next_block, end_block) \
             SELECT $1, $2, (s / $4::bigint)::integer, s, s, least(s + $4::bigint, $3::bigint) FROM generate_series(0::bigint, $3::bigint - 1, $4::bigint) AS s",
            &[&lease.run_id, &walk.step, &walk.blocks, &size],
        )
        .await?;
    Ok(())
}

/// The next segment with blocks to do.
pub async fn next_segment(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Option<Segment>, StoreError> {
    let row = client
        .query_opt(
            "SELECT number, next_block, end_block FROM crossfade.segments \
             WHERE run_id = $1 AND step = $2 AND next_block < end_block ORDER BY number LIMIT 1",
            &[&run_id, &step],
        )
        .await?;
    Ok(row.map(|row| Segment {
        number: row.get(0),
        next_block: row.get(1),
        end_block: row.get(2),
    }))
}

/// Moves a segment's checkpoint in the batch's own transaction. `false`: the table was rewritten, or the checkpoint is
/// not where the batch began; the batch must be rolled back.
pub async fn checkpoint(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    segment: Segment,
    next_block: i64,
    done: Done,
) -> Result<bool, StoreError> {
    let updated = client
        .execute(
            "UPDATE crossfade.segments AS s SET next_block = $5, rows_read = rows_read + $6, \
                    rows_changed = rows_changed + $7, rows_different = rows_different + $8 \
             FROM crossfade.walks AS w \
             WHERE s.run_id = $1 AND s.step = $2 AND s.number = $3 AND s.next_block = $4 \
               AND w.run_id = s.run_id AND w.step = s.step AND w.filenode = pg_relation_filenode(w.relation)",
            &[
                &lease.run_id,
                &step,
                &segment.number,
                &segment.next_block,
                &next_block,
                &done.rows_read,
                &done.rows_changed,
                &done.rows_different,
            ],
        )
        .await?;
    Ok(updated == 1)
}

/// Where the pace stands, for `status` and for the next start. Its own statement: it may be lost without harm.
pub async fn note_pace(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    batch_blocks: i32,
    delay_ms: i32,
    reasons: &[String],
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.walks SET batch_blocks = $3, delay_ms = $4, reasons = $5 WHERE run_id = $1 AND step = $2 \
               AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $6)",
            &[
                &lease.run_id,
                &step,
                &batch_blocks,
                &delay_ms,
                &serde_json::Value::from(reasons.to_vec()),
                &lease.epoch,
            ],
        )
        .await?;
    Ok(())
}

pub async fn add_quarantined(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    rows: i64,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.walks SET rows_quarantined = rows_quarantined + $3 WHERE run_id = $1 AND step = $2",
            &[&lease.run_id, &step, &rows],
        )
        .await?;
    Ok(())
}

pub async fn note_point(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "WITH totals AS (SELECT sum(next_block - start_block)::bigint AS done, sum(rows_changed)::bigint AS changed \
                             FROM crossfade.segments WHERE run_id = $1 AND step = $2), \
                  old AS (DELETE FROM crossfade.walk_points WHERE run_id = $1 AND step = $2 AND at <= \
                             (SELECT at FROM crossfade.walk_points WHERE run_id = $1 AND step = $2 \
                              ORDER BY at DESC OFFSET $3::bigint LIMIT 1)) \
             INSERT INTO crossfade.walk_points (run_id, step, blocks_done, rows_changed) \
             SELECT $1, $2, done, changed FROM totals WHERE done IS NOT NULL \
               AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $4)",
            &[&lease.run_id, &step, &(POINTS_MAX - 2), &lease.epoch],
        )
        .await?;
    Ok(())
}

pub async fn finish(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.walks SET finished_at = now(), delay_ms = 0, reasons = '[]' WHERE run_id = $1 AND step = $2",
            &[&lease.run_id, &step],
        )
        .await?;
    Ok(())
}

pub async fn forget(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "DELETE FROM crossfade.walks WHERE run_id = $1 AND step = $2",
            &[&lease.run_id, &step],
        )
        .await?;
    Ok(())
}

pub async fn totals(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Totals, StoreError> {
    let row = client
        .query_one(
            "SELECT coalesce(sum(end_block - start_block), 0)::bigint, coalesce(sum(next_block - start_block), 0)::bigint, \
                    coalesce(sum(rows_read), 0)::bigint, coalesce(sum(rows_changed), 0)::bigint, \
                    coalesce(sum(rows_different), 0)::bigint \
             FROM crossfade.segments WHERE run_id = $1 AND step = $2",
            &[&run_id, &step],
        )
        .await?;
    Ok(Totals {
        blocks_total: row.get(0),
        blocks_done: row.get(1),
        rows_read: row.get(2),
        rows_changed: row.get(3),
        rows_different: row.get(4),
    })
}

/// The moments of the last five minutes, oldest first.
pub async fn points(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Vec<Point>, StoreError> {
    let rows = client
        .query(
            "SELECT extract(epoch FROM clock_timestamp() - at)::float8, blocks_done, rows_changed FROM crossfade.walk_points \
             WHERE run_id = $1 AND step = $2 AND at > clock_timestamp() - interval '5 minutes' ORDER BY at",
            &[&run_id, &step],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Point {
            age_seconds: row.get(0),
            blocks_done: row.get(1),
            rows_changed: row.get(2),
        })
        .collect())
}
