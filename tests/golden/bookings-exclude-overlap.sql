-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== enforce

-- add_exclusion:public.bookings.bookings_no_overlap
ALTER TABLE public.bookings ADD CONSTRAINT bookings_no_overlap EXCLUDE
  USING gist (int8range(vehicle_id, vehicle_id, '[]') WITH &&, during WITH &&);
-- undo:
ALTER TABLE public.bookings DROP CONSTRAINT IF EXISTS bookings_no_overlap;
