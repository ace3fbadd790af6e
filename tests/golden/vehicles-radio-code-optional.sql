-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- drop_not_null:public.vehicles.radio_code
ALTER TABLE public.vehicles ALTER COLUMN radio_code DROP NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS radio_code_crossfade_not_null;
-- undo:
ALTER TABLE public.vehicles ADD CONSTRAINT radio_code_crossfade_not_null CHECK (radio_code IS NOT NULL) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT radio_code_crossfade_not_null;
ALTER TABLE public.vehicles ALTER COLUMN radio_code SET NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS radio_code_crossfade_not_null;
