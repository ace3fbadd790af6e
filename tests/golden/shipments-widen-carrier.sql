-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- alter_column_type:public.shipments.carrier
ALTER TABLE public.shipments ALTER COLUMN carrier TYPE character varying(60);
-- cannot be undone
