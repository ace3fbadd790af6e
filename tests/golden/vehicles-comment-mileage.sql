-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- set_comment:public.vehicles.mileage
COMMENT ON COLUMN public.vehicles.mileage IS 'in km, as the trip computer''s';
-- undo:
COMMENT ON COLUMN public.vehicles.mileage IS 'in km';
