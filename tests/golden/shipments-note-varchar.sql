-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- alter_column_type:public.shipments.note
ALTER TABLE public.shipments ALTER COLUMN note TYPE character varying;
-- undo:
ALTER TABLE public.shipments ALTER COLUMN note TYPE text;
