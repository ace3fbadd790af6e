-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- rebuild_index:vehicles_status_idx
REINDEX INDEX CONCURRENTLY public.vehicles_status_idx;
