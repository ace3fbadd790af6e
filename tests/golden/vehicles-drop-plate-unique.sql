-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== retire

-- drop_constraint:public.vehicles.vehicles_license_plate_key
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicles_license_plate_key;
-- undo:
CREATE UNIQUE INDEX CONCURRENTLY vehicles_license_plate_key ON public.vehicles USING btree (license_plate);
ALTER TABLE public.vehicles ADD CONSTRAINT vehicles_license_plate_key UNIQUE USING INDEX vehicles_license_plate_key;
