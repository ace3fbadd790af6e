-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== retire

-- drop_constraint:public.vehicles.vehicles_mileage_low
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicles_mileage_low;
-- undo:
ALTER TABLE public.vehicles ADD CONSTRAINT vehicles_mileage_low CHECK ((mileage < 5000000)) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT vehicles_mileage_low;
