-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== retire

-- drop_index:vehicles_color
DROP INDEX CONCURRENTLY IF EXISTS public.vehicles_color;
-- undo:
CREATE INDEX CONCURRENTLY vehicles_color ON public.vehicles
  USING btree (lower((color)::text) DESC) INCLUDE (status) WITH (fillfactor='80');
COMMENT ON INDEX public.vehicles_color IS 'for the paint shop';
ALTER TABLE public.vehicles CLUSTER ON vehicles_color;
