-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== sql

-- sql:statistics
CREATE STATISTICS public.vehicles_status_depot ON status, depot FROM public.vehicles;
-- undo:
DROP STATISTICS public.vehicles_status_depot;


-- ======== expand

-- create_index:vehicles_status_depot_idx
CREATE INDEX CONCURRENTLY vehicles_status_depot_idx ON public.vehicles USING btree (status, depot);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.vehicles_status_depot_idx;
