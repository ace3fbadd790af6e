//! Where a backfill or a verification stands: its segments and their checkpoints.

use super::{
    StoreError,
    lease::Lease,
    moved,
    workers::{self, ALIVE},
};
use crossfade_decisions::{
    pacing::{
        Pace, Signal,
        losses::{ALONE_FROM, Losses, ROWS_FROM},
    },
    progress::{Moment, Point, Tally},
};
use crossfade_model::ident::{Ident, TableName};
use deadpool_postgres::{Object, Transaction};
use serde_json::Value;
use tokio_postgres::{Error, GenericClient, Statement};

#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    pub run_id: i64,
    pub step: String,
    pub table_name: String,
    pub relation: u32,
    pub pass: i32,
    pub batch_blocks: i32,
    pub delay_ms: i32,
    /// How many workers the pace allows.
    pub workers: i32,
    pub reasons: Vec<String>,
    pub rows_before: i64,
    pub rows_quarantined: i64,
    /// The side that a verification makes differing rows agree with: `old` or `new`.
    pub repair: Option<String>,
    /// The table's size when the first pass began.
    pub blocks_before: i64,
    pub vacuums: i32,
    /// Rows of the table that other runs had moved when this pass began.
    pub moved_before: i64,
    /// When this pass began: what tells it from another one of the same step.
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
    /// Left for the next pass, as somebody held their rows.
    pub blocks_skipped: i64,
}

/// A segment and the worker that has claimed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The table that the blocks are of; `None` where it has been dropped.
    pub storage: Option<TableName>,
    pub worker: i64,
    pub number: i32,
    pub next_block: i64,
    pub end_block: i64,
    pub losses: Losses,
}

/// What a batch did, to be noted in its own transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    pub rows_read: i64,
    pub rows_changed: i64,
    pub rows_different: i64,
    pub blocks_skipped: i64,
    /// Rows that differ, as many as are worth showing.
    pub examples: Vec<Value>,
}

const SEGMENTS_MAX: i64 = 4_096;
/// Moments kept for the rate of a walk.
const POINTS_MAX: i64 = 120;
/// Differing rows that are kept of a segment, and shown of a walk.
pub const EXAMPLES_MAX: usize = 10;

pub async fn load(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Option<Walk>, StoreError> {
    let row = client
        .query_opt(
            "SELECT table_name, relation, pass, batch_blocks, delay_ms, reasons, rows_before, \
                    rows_quarantined, snapshot_at, finished_at IS NOT NULL, workers, repair, blocks_before, vacuums, moved_before \
             FROM crossfade.walks WHERE run_id = $1 AND step = $2",
            &[&run_id, &step],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Walk {
        run_id,
        step: step.to_owned(),
        table_name: row.get(0),
        relation: row.get(1),
        pass: row.get(2),
        batch_blocks: row.get(3),
        delay_ms: row.get(4),
        reasons: serde_json::from_value(row.get(5))
            .map_err(|error| StoreError::Corrupt(format!("reasons of {step}: {error}")))?,
        rows_before: row.get(6),
        rows_quarantined: row.get(7),
        snapshot_at: row.get(8),
        finished: row.get(9),
        workers: row.get(10),
        repair: row.get(11),
        blocks_before: row.get(12),
        vacuums: row.get(13),
        moved_before: row.get(14),
    }))
}

/// The walk of the run that has not ended, the newest if several were left.
pub async fn under_way(
    client: &impl GenericClient,
    run_id: i64,
) -> Result<Option<Walk>, StoreError> {
    let row = client
        .query_opt(
            "SELECT step FROM crossfade.walks WHERE run_id = $1 AND finished_at IS NULL ORDER BY started_at DESC LIMIT 1",
            &[&run_id],
        )
        .await?;
    match row {
        None => Ok(None),
        Some(row) => load(client, run_id, row.get(0)).await,
    }
}

pub struct NewWalk<'a> {
    pub step: &'a str,
    pub table_name: &'a str,
    pub relation: u32,
    /// Of each table that has blocks of its own: its id, its storage's, and its size in blocks.
    pub storages: &'a [(u32, u32, i64)],
    /// No segment is smaller but the last of each table.
    pub segment_blocks_min: i64,
    pub batch_blocks: i32,
    pub pass: i32,
    pub rows_before: i64,
    pub rows_quarantined: i64,
    pub repair: Option<&'a str>,
    pub blocks_before: i64,
    pub vacuums: i32,
    pub moved_before: i64,
}

/// Begins a pass over the whole table, in place of the one before.
pub async fn begin(
    client: &impl GenericClient,
    lease: Lease,
    walk: &NewWalk<'_>,
) -> Result<(), StoreError> {
    workers::count_losses(client, lease.run_id).await?;
    let lost = client
        .query(
            "SELECT relation, filenode, losses, losses_from, losses_to, lost_row FROM crossfade.segments \
             WHERE run_id = $1 AND step = $2 AND losses > 0",
            &[&lease.run_id, &walk.step],
        )
        .await?;
    forget(client, lease, walk.step).await?;
    client
        .execute(
            "INSERT INTO crossfade.walks (run_id, step, table_name, relation, batch_blocks, pass, rows_before, rows_quarantined, \
                                          repair, blocks_before, vacuums, moved_before) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            &[
                &lease.run_id,
                &walk.step,
                &walk.table_name,
                &walk.relation,
                &walk.batch_blocks,
                &walk.pass,
                &walk.rows_before,
                &walk.rows_quarantined,
                &walk.repair,
                &walk.blocks_before,
                &walk.vacuums,
                &walk.moved_before,
            ],
        )
        .await?;
    let blocks: i64 = walk.storages.iter().map(|(_, _, blocks)| blocks).sum();
    let size = walk
        .segment_blocks_min
        .max(blocks.div_euclid(SEGMENTS_MAX) + 1);
    let mut first = 0_i32;
    for (relation, filenode, blocks) in walk.storages {
        let added = client
            .execute(
                "INSERT INTO crossfade.segments (run_id, step, number, relation, filenode, start_block, next_block, end_block) \
                 SELECT $1, $2, $5::integer + (s / $4::bigint)::integer, $6, $7, s, s, least(s + $4::bigint, $3::bigint) \
                 FROM generate_series(0::bigint, $3::bigint - 1, $4::bigint) AS s",
                &[&lease.run_id, &walk.step, blocks, &size, &first, relation, filenode],
            )
            .await?;
        first = first.saturating_add(i32::try_from(added).unwrap_or(i32::MAX));
    }
    // What ended sessions in the pass before may do so in this one.
    for row in lost {
        client
            .execute(
                "UPDATE crossfade.segments SET losses = $5, losses_from = $6, losses_to = $7, lost_row = $8 \
                 WHERE run_id = $1 AND step = $2 AND relation = $3 AND filenode = $4 AND start_block <= $6 AND end_block > $6",
                &[
                    &lease.run_id,
                    &walk.step,
                    &row.get::<_, u32>(0),
                    &row.get::<_, u32>(1),
                    &row.get::<_, i32>(2),
                    &row.get::<_, Option<i64>>(3),
                    &row.get::<_, Option<i64>>(4),
                    &row.get::<_, Option<String>>(5),
                ],
            )
            .await?;
    }
    Ok(())
}

/// Blocks that the walk's tables have by now beyond those that it has.
const GROWN: &str = "grown AS (SELECT s.relation, s.filenode, max(s.end_block) AS known, \
      pg_relation_size(s.relation) / current_setting('block_size')::bigint AS blocks \
    FROM crossfade.segments AS s WHERE s.run_id = $1 AND s.step = $2 GROUP BY s.relation, s.filenode)";

pub async fn has_grown(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            &format!("WITH {GROWN} SELECT EXISTS (SELECT 1 FROM grown WHERE blocks > known)"),
            &[&run_id, &step],
        )
        .await?;
    Ok(row.get(0))
}

/// Adds to the pass what its tables have grown by.
pub async fn extend(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            &format!(
                "WITH {GROWN} INSERT INTO crossfade.segments (run_id, step, number, relation, filenode, start_block, next_block, end_block) \
                 SELECT $1, $2, last.number + row_number() OVER ()::integer, g.relation, g.filenode, g.known, g.known, g.blocks \
                 FROM grown AS g, (SELECT max(number) AS number FROM crossfade.segments WHERE run_id = $1 AND step = $2) AS last \
                 WHERE g.blocks > g.known"
            ),
            &[&lease.run_id, &step],
        )
        .await?;
    Ok(())
}

/// Whether what is left of the walk is still where it was: no table of it was rewritten, dropped or detached.
pub async fn is_current(client: &impl GenericClient, walk: &Walk) -> Result<bool, StoreError> {
    let row = client
        .query_one(
            "SELECT NOT EXISTS (SELECT 1 FROM crossfade.segments AS s WHERE s.run_id = $1 AND s.step = $2 AND s.next_block < s.end_block \
               AND (s.filenode IS DISTINCT FROM pg_relation_filenode(s.relation) \
                    OR s.relation <> $3 AND NOT EXISTS (SELECT 1 FROM pg_partition_ancestors(s.relation) AS p WHERE p.relid = $3)))",
            &[&walk.run_id, &walk.step, &walk.relation],
        )
        .await?;
    Ok(row.get(0))
}

/// Claims a segment of this very walk that has blocks to do and that no living worker has; where sessions were lost again and
/// again, only that segment, so that it is known what does it. `None`: there is none.
pub async fn claim(
    client: &Object,
    lease: Lease,
    walk: &Walk,
    worker: i64,
) -> Result<Option<Segment>, StoreError> {
    let claim = client
        .prepare_cached(
            &format!(
                // MATERIALIZED: joined as a subquery it could be run once for each row, and lock another one each time.
                "WITH free AS MATERIALIZED (SELECT s.number FROM crossfade.segments AS s JOIN crossfade.walks AS k USING (run_id, step) \
                  WHERE s.run_id = $1 AND s.step = $2 AND k.snapshot_at = $4 AND s.next_block < s.end_block \
                    AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $5) \
                    AND NOT EXISTS (SELECT 1 FROM crossfade.workers AS w WHERE w.id = s.worker AND {ALIVE}) \
                    AND s.number = coalesce((SELECT min(o.number) FROM crossfade.segments AS o \
                        WHERE o.run_id = $1 AND o.step = $2 AND o.next_block < o.end_block AND o.losses >= {ALONE_FROM}), s.number) \
                  ORDER BY s.number LIMIT 1 FOR NO KEY UPDATE OF s SKIP LOCKED) \
                 UPDATE crossfade.segments AS t SET worker = $3 FROM free WHERE t.run_id = $1 AND t.step = $2 AND t.number = free.number \
                 RETURNING t.number, t.next_block, t.end_block, \
                    (SELECT n.nspname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = t.relation), \
                    (SELECT c.relname::text FROM pg_class AS c WHERE c.oid = t.relation), t.losses, t.losses_from, t.losses_to, t.lost_row"
            ),
        )
        .await?;
    let row = client
        .query_opt(
            &claim,
            &[
                &walk.run_id,
                &walk.step,
                &worker,
                &walk.snapshot_at,
                &lease.epoch,
            ],
        )
        .await?;
    Ok(row.map(|row| Segment {
        worker,
        number: row.get(0),
        next_block: row.get(1),
        end_block: row.get(2),
        storage: storage(row.get(3), row.get(4)),
        losses: Losses {
            count: row.get(5),
            from: row.get::<_, Option<i64>>(6).unwrap_or(0),
            to: row.get::<_, Option<i64>>(7).unwrap_or(0),
            row: row.get(8),
        },
    }))
}

fn storage(schema: Option<&str>, name: Option<&str>) -> Option<TableName> {
    Some(TableName {
        schema: Ident::from_catalog(schema?),
        name: Ident::from_catalog(name?),
    })
}

/// Gives a segment back before its end.
pub async fn release(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
    segment: &Segment,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.segments SET worker = NULL WHERE run_id = $1 AND step = $2 AND number = $3 AND worker = $4",
            &[&run_id, &step, &segment.number, &segment.worker],
        )
        .await?;
    Ok(())
}

/// How many segments of this very walk are not done, and how many of these no living worker has.
pub async fn left(client: &impl GenericClient, walk: &Walk) -> Result<(i64, i64), StoreError> {
    let row = client
        .query_one(
            &format!(
                "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM crossfade.workers AS w WHERE w.id = s.worker AND {ALIVE})) \
                 FROM crossfade.segments AS s JOIN crossfade.walks AS k USING (run_id, step) \
                 WHERE s.run_id = $1 AND s.step = $2 AND k.snapshot_at = $3 AND s.next_block < s.end_block"
            ),
            &[&walk.run_id, &walk.step, &walk.snapshot_at],
        )
        .await?;
    Ok((row.get(0), row.get(1)))
}

/// The fence of a batch: until its transaction ends nobody takes the lease, and nobody the segment. Where the server's log
/// stands, in bytes; or a `Refusal`, by its SQLSTATE.
const ENTER: &str = "SELECT crossfade.enter_batch($1, $2, $3, $4, $5, $6)";

pub async fn prepare_enter(client: &Object) -> Result<Statement, Error> {
    client.prepare_cached(ENTER).await
}

/// Prepared, so that it can be sent together with what comes after it.
pub async fn enter(
    client: &impl GenericClient,
    enter: &Statement,
    lease: Lease,
    step: &str,
    segment: &Segment,
) -> Result<i64, Error> {
    let row = client
        .query_one(
            enter,
            &[
                &lease.run_id,
                &lease.epoch,
                &step,
                &segment.number,
                &segment.next_block,
                &segment.worker,
            ],
        )
        .await?;
    Ok(row.get(0))
}

/// `s` of the walk `k` is where it was: not rewritten, and still of the walk's table.
const CURRENT: &str = "\
    k.run_id = s.run_id AND k.step = s.step AND s.filenode = pg_catalog.pg_relation_filenode(s.relation) \
    AND (s.relation = k.relation OR EXISTS (SELECT 1 FROM pg_catalog.pg_partition_ancestors(s.relation) AS p WHERE p.relid = k.relation))";

/// `write`, which takes two parameters, and the checkpoint's move in one statement. Then `$3` the run, `$4` the step, `$5` the
/// segment, `$6` its checkpoint, `$7` the next one, and `$8` whether the rows count: 1 or 0. Its rows, and where the log stands; a
/// `Refusal` where the checkpoint cannot be moved.
pub fn with_checkpoint(write: &str) -> String {
    moving_checkpoint(&format!("({write}\nRETURNING 1)"), "pg_catalog.count(*)")
}

/// The same where the table has rules: `$9` is what to write.
pub fn with_checkpoint_past_rules() -> String {
    let write = "MATERIALIZED (SELECT crossfade.write_rows($9, $1, $2) AS rows)";
    moving_checkpoint(write, "pg_catalog.max(rows)")
}

fn moving_checkpoint(write: &str, rows: &str) -> String {
    format!(
        "WITH crossfade_batch AS {write}, \
         crossfade_moved AS (UPDATE crossfade.segments AS s SET next_block = $7, \
            rows_changed = s.rows_changed + $8::bigint * (SELECT {rows} FROM crossfade_batch), {} \
            FROM crossfade.walks AS k WHERE s.run_id = $3 AND s.step = $4 AND s.number = $5 AND s.next_block = $6 AND {CURRENT} RETURNING 1) \
         SELECT (SELECT {rows} FROM crossfade_batch), crossfade.moved_to((SELECT pg_catalog.count(*) FROM crossfade_moved))",
        past_losses("$7")
    )
}

/// Whatever was lost before this block is behind us.
fn past_losses(next_block: &str) -> String {
    let past = |column: &str, none: &str| {
        format!("{column} = CASE WHEN s.losses_to > {next_block} THEN s.{column} ELSE {none} END")
    };
    [
        past("losses", "0"),
        past("losses_from", "NULL"),
        past("losses_to", "NULL"),
        past("lost_row", "NULL"),
        "trying = NULL".to_owned(),
    ]
    .join(", ")
}

/// Notes which row is about to be tried by itself.
pub async fn note_try(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    segment: &Segment,
    row: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.segments SET trying = $4 WHERE run_id = $1 AND step = $2 AND number = $3 AND worker = $5",
            &[&lease.run_id, &step, &segment.number, &row, &segment.worker],
        )
        .await?;
    Ok(())
}

/// A pause says what was lost: whoever ends it wants it tried once more.
pub async fn say_losses(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    segment: &Segment,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.segments SET lost_row = NULL, losses = $4 WHERE run_id = $1 AND step = $2 AND number = $3",
            &[&lease.run_id, &step, &segment.number, &ROWS_FROM],
        )
        .await?;
    Ok(())
}

/// Moves a segment's checkpoint in the batch's own transaction; where the server's log stands. `None`: the table was
/// rewritten, or is no partition any more, or the checkpoint is not where the batch began; the batch must be rolled back.
pub async fn checkpoint(
    transaction: &Transaction<'_>,
    lease: Lease,
    step: &str,
    segment: &Segment,
    next_block: i64,
    done: &Done,
) -> Result<Option<i64>, StoreError> {
    let checkpoint = transaction
        .prepare_cached(
            &format!(
                "UPDATE crossfade.segments AS s SET next_block = $5, rows_read = rows_read + $6, \
                    rows_changed = rows_changed + $7, rows_different = rows_different + $8, \
                    blocks_skipped = blocks_skipped + $9, {}, \
                    examples = CASE WHEN jsonb_array_length(s.examples) < $11::integer THEN s.examples || $10::jsonb ELSE s.examples END \
                 FROM crossfade.walks AS k WHERE s.run_id = $1 AND s.step = $2 AND s.number = $3 AND s.next_block = $4 AND {CURRENT} \
                 RETURNING (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint",
                past_losses("$5")
            ),
        )
        .await?;
    let row = transaction
        .query_opt(
            &checkpoint,
            &[
                &lease.run_id,
                &step,
                &segment.number,
                &segment.next_block,
                &next_block,
                &done.rows_read,
                &done.rows_changed,
                &done.rows_different,
                &done.blocks_skipped,
                &Value::from(done.examples.clone()),
                &(EXAMPLES_MAX as i32),
            ],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// A table that has blocks of its own, and how far the walk is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageDone {
    pub storage: TableName,
    pub relation: u32,
    pub blocks_total: i64,
    pub blocks_done: i64,
}

pub async fn done_by_storage(
    client: &impl GenericClient,
    walk: &Walk,
) -> Result<Vec<StorageDone>, StoreError> {
    let rows = client
        .query(
            "SELECT n.nspname::text, c.relname::text, s.relation, sum(s.end_block - s.start_block)::bigint, sum(s.next_block - s.start_block)::bigint \
             FROM crossfade.segments AS s JOIN pg_class AS c ON c.oid = s.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE s.run_id = $1 AND s.step = $2 GROUP BY 1, 2, 3 HAVING sum(s.next_block - s.start_block) > 0",
            &[&walk.run_id, &walk.step],
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(StorageDone {
                storage: storage(row.get(0), row.get(1))?,
                relation: row.get(2),
                blocks_total: row.get(3),
                blocks_done: row.get(4),
            })
        })
        .collect())
}

/// The size of the walk's tables now, in blocks.
pub async fn blocks_now(client: &impl GenericClient, walk: &Walk) -> Result<i64, StoreError> {
    let row = client
        .query_one(
            "SELECT coalesce(sum(pg_relation_size(s.relation)), 0)::bigint / current_setting('block_size')::bigint \
             FROM (SELECT DISTINCT relation FROM crossfade.segments WHERE run_id = $1 AND step = $2) AS s",
            &[&walk.run_id, &walk.step],
        )
        .await?;
    Ok(row.get(0))
}

/// The first rows that were found to differ.
pub async fn examples(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Vec<Value>, StoreError> {
    let rows = client
        .query(
            "SELECT e.example FROM crossfade.segments AS s, jsonb_array_elements(s.examples) WITH ORDINALITY AS e (example, place) \
             WHERE s.run_id = $1 AND s.step = $2 ORDER BY s.number, e.place LIMIT $3",
            &[&run_id, &step, &(EXAMPLES_MAX as i64)],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Where the pace stands, for `status` and for the next start. Its own statement: it may be lost without harm.
pub async fn note_pace(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    pace: &Pace,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.walks SET batch_blocks = $3, delay_ms = $4, reasons = $5, workers = $7 WHERE run_id = $1 AND step = $2 \
               AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $6)",
            &[
                &lease.run_id,
                &step,
                &pace.batch_blocks.cast_signed(),
                &delay_ms(pace),
                &texts(pace),
                &lease.epoch,
                &pace.workers.cast_signed(),
            ],
        )
        .await?;
    Ok(())
}

/// Why nobody works on the walk at the moment, for `status`.
pub async fn note_wait(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    why: &str,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.walks SET reasons = jsonb_build_array($3::text) WHERE run_id = $1 AND step = $2 \
               AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $4)",
            &[&lease.run_id, &step, &why, &lease.epoch],
        )
        .await?;
    Ok(())
}

/// A vacuum in the course of the walk, and how long it took.
pub async fn note_vacuum(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    seconds: f64,
) -> Result<(), StoreError> {
    client
        .execute(
            "UPDATE crossfade.walks SET vacuums = vacuums + 1, vacuum_seconds = vacuum_seconds + $3 WHERE run_id = $1 AND step = $2 \
               AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $4)",
            &[&lease.run_id, &step, &seconds, &lease.epoch],
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

/// A moment of the walk, with what the time since the one before went into.
pub async fn note_point(
    client: &impl GenericClient,
    lease: Lease,
    step: &str,
    pace: &Pace,
    tally: &Tally,
) -> Result<(), StoreError> {
    let held: serde_json::Map<String, Value> = tally
        .held_seconds
        .iter()
        .map(|(signal, seconds)| (signal.as_str().to_owned(), Value::from(*seconds)))
        .collect();
    client
        .execute(
            "WITH totals AS (SELECT sum(next_block - start_block)::bigint AS done, sum(rows_changed)::bigint AS changed \
                             FROM crossfade.segments WHERE run_id = $1 AND step = $2), \
                  old AS (DELETE FROM crossfade.walk_points WHERE run_id = $1 AND step = $2 AND at <= \
                             (SELECT at FROM crossfade.walk_points WHERE run_id = $1 AND step = $2 \
                              ORDER BY at DESC OFFSET $3::bigint LIMIT 1)) \
             INSERT INTO crossfade.walk_points (run_id, step, blocks_done, rows_changed, delay_ms, workers, reasons, \
                                                free_seconds, slowed_seconds, stopped_seconds, held_seconds) \
             SELECT $1, $2, done, changed, $5, $6, $7, $8, $9, $10, $11 FROM totals WHERE done IS NOT NULL \
               AND EXISTS (SELECT 1 FROM crossfade.leases AS l WHERE l.run_id = $1 AND l.epoch = $4)",
            &[
                &lease.run_id,
                &step,
                &(POINTS_MAX - 2),
                &lease.epoch,
                &delay_ms(pace),
                &pace.workers.cast_signed(),
                &texts(pace),
                &tally.free_seconds,
                &tally.slowed_seconds,
                &tally.stopped_seconds,
                &Value::from(held),
            ],
        )
        .await?;
    Ok(())
}

fn delay_ms(pace: &Pace) -> i32 {
    i32::try_from(pace.delay.as_millis()).unwrap_or(i32::MAX)
}

fn texts(pace: &Pace) -> Value {
    pace.reasons.iter().map(ToString::to_string).collect()
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
    moved::keep(client, lease.run_id, step).await?;
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
                    coalesce(sum(rows_different), 0)::bigint, coalesce(sum(blocks_skipped), 0)::bigint \
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
        blocks_skipped: row.get(5),
    })
}

/// The moments of the last five minutes, oldest first.
pub async fn moments(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Vec<Moment>, StoreError> {
    let rows = client
        .query(
            "SELECT extract(epoch FROM clock_timestamp() - at)::float8, blocks_done, rows_changed, delay_ms, workers, reasons, \
                    free_seconds, slowed_seconds, stopped_seconds, held_seconds FROM crossfade.walk_points \
             WHERE run_id = $1 AND step = $2 AND at > clock_timestamp() - interval '5 minutes' ORDER BY at",
            &[&run_id, &step],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let wrong = |error| StoreError::Corrupt(format!("a point of {step}: {error}"));
            let held: std::collections::BTreeMap<String, f64> =
                serde_json::from_value(row.get(9)).map_err(wrong)?;
            Ok(Moment {
                point: Point {
                    age_seconds: row.get(0),
                    blocks_done: row.get(1),
                    rows_changed: row.get(2),
                },
                delay_ms: row.get(3),
                workers: row.get(4),
                reasons: serde_json::from_value(row.get(5)).map_err(wrong)?,
                tally: Tally {
                    free_seconds: row.get(6),
                    slowed_seconds: row.get(7),
                    stopped_seconds: row.get(8),
                    held_seconds: held
                        .into_iter()
                        .filter_map(|(name, seconds)| Some((Signal::named(&name)?, seconds)))
                        .collect(),
                },
            })
        })
        .collect()
}

/// The same without what held the walk back.
pub async fn points(
    client: &impl GenericClient,
    run_id: i64,
    step: &str,
) -> Result<Vec<Point>, StoreError> {
    let moments = moments(client, run_id, step).await?;
    Ok(moments.into_iter().map(|moment| moment.point).collect())
}
