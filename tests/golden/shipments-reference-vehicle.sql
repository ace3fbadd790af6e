-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== verify

-- query:every row of shipments_vehicle_id_fkey refers to one that is there
SELECT own.id, own.vehicle_id
  FROM public.shipments AS own
  WHERE own.vehicle_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM public.vehicles AS other WHERE other.id = own.vehicle_id)
  LIMIT 1;


-- ======== enforce

-- add_constraint:public.shipments.shipments_vehicle_id_fkey
ALTER TABLE public.shipments ADD CONSTRAINT shipments_vehicle_id_fkey FOREIGN KEY (vehicle_id) REFERENCES public.vehicles(id) ON DELETE
  SET NULL NOT VALID;
ALTER TABLE public.shipments VALIDATE CONSTRAINT shipments_vehicle_id_fkey;
-- undo:
ALTER TABLE public.shipments DROP CONSTRAINT IF EXISTS shipments_vehicle_id_fkey;
