-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- alias_table:public.vehicles
ALTER TABLE public.vehicles RENAME TO vehicles__base;
CREATE VIEW public.vehicles WITH (security_invoker = true) AS SELECT id, status, license_plate, depot, color, radio_code, mileage, status AS vehicle_status
  FROM public.vehicles__base;
ALTER VIEW public.vehicles ALTER COLUMN mileage SET DEFAULT 0;
COMMENT ON COLUMN public.vehicles.mileage IS 'in km';
-- undo:
DROP VIEW public.vehicles;
ALTER TABLE public.vehicles__base RENAME TO vehicles;


-- ======== switch_reads


-- ======== contract

-- drop_alias:public.vehicles
DROP VIEW public.vehicles;
ALTER TABLE public.vehicles__base RENAME COLUMN status TO vehicle_status;
ALTER TABLE public.vehicles__base RENAME TO vehicles;
-- cannot be undone
