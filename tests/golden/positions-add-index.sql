-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- create_index:positions_vehicle_id_at_idx
CREATE INDEX positions_vehicle_id_at_idx ON ONLY public.positions USING btree (vehicle_id, at);
-- undo:
DROP INDEX IF EXISTS public.positions_vehicle_id_at_idx;

-- create_index:positions_2025_c49362c3_idx
CREATE INDEX CONCURRENTLY positions_2025_c49362c3_idx ON public.positions_2025 USING btree (vehicle_id, at);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.positions_2025_c49362c3_idx;

-- create_index:positions_2026_c44ad35a_idx
CREATE INDEX positions_2026_c44ad35a_idx ON ONLY public.positions_2026 USING btree (vehicle_id, at);
-- undo:
DROP INDEX IF EXISTS public.positions_2026_c44ad35a_idx;

-- create_index:positions_2026_0_773bbc05_idx
CREATE INDEX CONCURRENTLY positions_2026_0_773bbc05_idx ON public.positions_2026_0 USING btree (vehicle_id, at);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.positions_2026_0_773bbc05_idx;

-- create_index:positions_2026_1_c038184a_idx
CREATE INDEX CONCURRENTLY positions_2026_1_c038184a_idx ON public.positions_2026_1 USING btree (vehicle_id, at);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.positions_2026_1_c038184a_idx;

-- attach_index:public.positions_2026_1_c038184a_idx
ALTER INDEX public.positions_2026_c44ad35a_idx ATTACH PARTITION public.positions_2026_1_c038184a_idx;
-- undo:
DROP INDEX IF EXISTS public.positions_2026_c44ad35a_idx;

-- attach_index:public.positions_2026_0_773bbc05_idx
ALTER INDEX public.positions_2026_c44ad35a_idx ATTACH PARTITION public.positions_2026_0_773bbc05_idx;
-- undo:
DROP INDEX IF EXISTS public.positions_2026_c44ad35a_idx;

-- attach_index:public.positions_2026_c44ad35a_idx
ALTER INDEX public.positions_vehicle_id_at_idx ATTACH PARTITION public.positions_2026_c44ad35a_idx;
-- undo:
DROP INDEX IF EXISTS public.positions_vehicle_id_at_idx;

-- attach_index:public.positions_2025_c49362c3_idx
ALTER INDEX public.positions_vehicle_id_at_idx ATTACH PARTITION public.positions_2025_c49362c3_idx;
-- undo:
DROP INDEX IF EXISTS public.positions_vehicle_id_at_idx;

-- query:positions_vehicle_id_at_idx is valid, and every partition of public.positions has its part
SELECT pg_catalog.format('%s.%I', p.relnamespace::pg_catalog.regnamespace, p.relname) AS name
  FROM pg_catalog.pg_partition_tree('public.positions') AS t JOIN pg_catalog.pg_class AS p ON p.oid = t.relid
  WHERE t.level > 0
  AND NOT EXISTS (SELECT 1
    FROM pg_catalog.pg_index AS i, pg_catalog.pg_partition_ancestors(i.indexrelid) AS a
    WHERE i.indrelid = t.relid
    AND a.relid = 'public.positions_vehicle_id_at_idx'::pg_catalog.regclass) UNION ALL SELECT pg_catalog.format('%s.%I', p.relnamespace::pg_catalog.regnamespace, p.relname)
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS p ON p.oid = i.indexrelid
  WHERE i.indexrelid = 'public.positions_vehicle_id_at_idx'::pg_catalog.regclass
  AND NOT i.indisvalid;
