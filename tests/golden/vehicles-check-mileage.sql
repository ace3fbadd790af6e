-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== verify

-- query:every row meets vehicles_mileage_positive
SELECT id FROM public.vehicles WHERE NOT (mileage >= 0) LIMIT 1;


-- ======== enforce

-- add_constraint:public.vehicles.vehicles_mileage_positive
ALTER TABLE public.vehicles ADD CONSTRAINT vehicles_mileage_positive CHECK (mileage >= 0) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT vehicles_mileage_positive;
-- undo:
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicles_mileage_positive;
