//! What depends on the objects that going back drops, and is not one of them.

use super::{Result, still_there};
use crossfade_model::ident::Ident;
use crossfade_plan::document::RunName;
use crossfade_plan::sqlgen::objects::Dropped;
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Row, types::Json};

/// Something that would keep one of the objects from being dropped, or be dropped with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// As the server identifies it, in whatever language it speaks.
    pub identity: String,
    /// As the server describes it: `view public.fleet_overview`.
    pub object: String,
    /// Which of the objects it depends on, by its place among them.
    pub on: usize,
    /// It is part of a table that is dropped as a whole, such as an index of it.
    pub is_of_table: bool,
}

/// `ours`: what is dropped, on partitions and children too. `goes`: that, and what the server drops with it. `made`: it is one of
/// ours, or a part of one that nobody has made by itself: a default of the column, the index of a constraint, a partition of the
/// table, a trigger of this run. What is dropped and not `made` is somebody's; so is what refers to anything that goes (`n`), and what
/// one of ours is a part of by now (`i`, `P`), such as a constraint that somebody has made over an index.
const DROPPING: &str = "\
    WITH RECURSIVE named AS ( \
        SELECT (v.place - 1)::integer AS root, v.one ->> 'kind' AS kind, v.one ->> 'schema' AS schema, v.one ->> 'name' AS name, v.one ->> 'sub' AS sub \
        FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS v (one, place)), \
    relations AS (SELECT m.root, m.kind, m.sub, c.oid FROM named AS m JOIN pg_namespace AS n ON n.nspname = m.schema \
        JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = m.name), \
    family (root, oid, level) AS (SELECT root, oid, 0 FROM relations WHERE kind IN ('column', 'constraint') \
        UNION SELECT f.root, i.inhrelid, f.level + 1 FROM family AS f JOIN pg_inherits AS i ON i.inhparent = f.oid), \
    ours (class, object, part, root, whole) AS ( \
        SELECT 'pg_class'::regclass::oid, a.attrelid, a.attnum::integer, r.root, false FROM relations AS r JOIN family AS f ON f.root = r.root \
            JOIN pg_attribute AS a ON a.attrelid = f.oid AND a.attname = r.sub AND a.attnum > 0 AND NOT a.attisdropped WHERE r.kind = 'column' \
        UNION SELECT 'pg_class'::regclass, r.oid, 0, r.root, r.kind = 'table' FROM relations AS r WHERE r.kind IN ('table', 'view', 'index') \
        UNION SELECT 'pg_constraint'::regclass, k.oid, 0, r.root, false FROM relations AS r JOIN family AS f ON f.root = r.root \
            JOIN pg_constraint AS k ON k.conrelid = f.oid AND k.conname = r.sub AND (f.level = 0 OR k.coninhcount > 0) WHERE r.kind = 'constraint' \
        UNION SELECT 'pg_type'::regclass, t.oid, 0, m.root, false FROM named AS m JOIN pg_namespace AS n ON n.nspname = m.schema \
            JOIN pg_type AS t ON t.typnamespace = n.oid AND t.typname = m.name WHERE m.kind = 'type'), \
    goes (class, object, part, root, whole, made) AS ( \
        SELECT class, object, part, root, whole, true FROM ours \
        UNION \
        SELECT d.classid, d.objid, d.objsubid, g.root, g.whole, g.made AND ( \
                d.deptype IN ('i', 'P', 'S') OR d.classid = 'pg_publication_rel'::regclass \
                OR d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT 1 FROM pg_attrdef AS f WHERE f.oid = d.objid AND f.adrelid = g.object AND g.part IN (0, f.adnum)) \
                OR d.classid = 'pg_constraint'::regclass AND EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.oid = d.objid AND k.contype = 'n') \
                OR d.classid = 'pg_class'::regclass AND EXISTS (SELECT 1 FROM pg_class AS c WHERE c.oid = d.objid AND c.relispartition AND c.relkind IN ('r', 'p', 'f'))) \
        FROM goes AS g JOIN pg_depend AS d ON d.refclassid = g.class AND d.refobjid = g.object AND (g.part = 0 OR d.refobjsubid = g.part) \
        WHERE d.deptype IN ('a', 'i', 'P', 'S') AND ((d.classid, d.objid) IS DISTINCT FROM (g.class, g.object) OR g.part > 0 AND d.objsubid NOT IN (0, g.part))), \
    found (class, object, part, root, whole) AS ( \
        SELECT g.class, g.object, g.part, g.root, g.whole FROM goes AS g WHERE NOT g.made \
            AND NOT EXISTS (SELECT 1 FROM goes AS o WHERE o.made AND (o.class, o.object) = (g.class, g.object) AND o.part IN (0, g.part)) \
            AND NOT EXISTS (SELECT 1 FROM pg_depend AS d JOIN goes AS o ON (o.class, o.object) = (d.refclassid, d.refobjid) AND o.part IN (0, d.refobjsubid) \
                WHERE (d.classid, d.objid, d.objsubid) = (g.class, g.object, g.part) AND d.deptype IN ('i', 'P') AND (o.class, o.object) IS DISTINCT FROM (g.class, g.object)) \
            AND NOT (g.class = 'pg_constraint'::regclass AND EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.oid = g.object AND k.coninhcount > 0)) \
        UNION \
        SELECT d.classid, d.objid, d.objsubid, g.root, false FROM goes AS g JOIN pg_depend AS d ON d.refclassid = g.class AND d.refobjid = g.object \
                AND (g.part = 0 OR d.refobjsubid = g.part) \
            WHERE d.deptype = 'n' AND ((d.classid, d.objid) IS DISTINCT FROM (g.class, g.object) OR g.part > 0 AND d.objsubid NOT IN (0, g.part)) \
              AND NOT EXISTS (SELECT 1 FROM goes AS o WHERE (o.class, o.object) = (d.classid, d.objid) AND o.part IN (0, d.objsubid)) \
        UNION \
        SELECT d.refclassid, d.refobjid, d.refobjsubid, o.root, false FROM ours AS o JOIN pg_depend AS d ON (d.classid, d.objid, d.objsubid) = (o.class, o.object, o.part) \
            WHERE d.deptype IN ('i', 'P') AND NOT EXISTS (SELECT 1 FROM goes AS g WHERE (g.class, g.object) = (d.refclassid, d.refobjid))), \
    shown AS (SELECT DISTINCT CASE WHEN w.rulename = '_RETURN' THEN 'pg_class'::regclass::oid ELSE f.class END AS class, \
            CASE WHEN w.rulename = '_RETURN' THEN w.ev_class ELSE f.object END AS object, f.part, f.root, f.whole \
        FROM found AS f LEFT JOIN pg_rewrite AS w ON f.class = 'pg_rewrite'::regclass AND w.oid = f.object) \
    SELECT i.type || ' ' || i.identity, pg_describe_object(s.class, s.object, s.part), min(s.root), bool_and(s.whole) \
    FROM shown AS s CROSS JOIN LATERAL pg_identify_object(s.class, s.object, s.part) AS i \
    WHERE NOT (s.class = 'pg_trigger'::regclass AND EXISTS (SELECT 1 FROM pg_trigger AS g WHERE g.oid = s.object \
            AND (g.tgisinternal OR g.tgparentid <> 0 OR g.tgname ~ ('^[z~]*zz_crossfade_' || $2 || '_[a-z]+$')))) \
      AND NOT EXISTS (SELECT 1 FROM goes AS o WHERE o.made AND (o.class, o.object) = (s.class, s.object) AND o.part IN (0, s.part)) \
    GROUP BY 1, 2 ORDER BY 2";

/// What depends on these objects, but for one another, and for the triggers of this run.
pub async fn dependents_of_dropped(
    client: &impl GenericClient,
    run: &RunName,
    dropped: &[Dropped],
) -> Result<Vec<Dependent>> {
    if dropped.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<Value> = dropped
        .iter()
        .map(|one| {
            let sub = one.sub.as_ref().map(Ident::as_str);
            json!({"kind": one.kind.as_str(), "schema": one.schema.as_str(), "name": one.name.as_str(), "sub": sub})
        })
        .collect();
    let rows = client
        .query(DROPPING, &[&Json(named), &run.as_str()])
        .await?;
    let dependent = |row: &Row| Dependent {
        identity: row.get::<_, Option<String>>(0).unwrap_or_default(),
        object: row.get(1),
        on: usize::try_from(row.get::<_, i32>(2)).unwrap_or_default(),
        is_of_table: row.get(3),
    };
    Ok(still_there(&rows, 1, dependent))
}
