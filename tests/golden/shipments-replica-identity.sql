-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- set_replica_identity:public.shipments
ALTER TABLE public.shipments REPLICA IDENTITY FULL;
-- undo:
ALTER TABLE public.shipments REPLICA IDENTITY DEFAULT;
