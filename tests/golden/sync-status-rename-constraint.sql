-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- rename_constraint:public.sync_status.sync_status_shipment
ALTER TABLE public.sync_status RENAME CONSTRAINT sync_status_shipment TO sync_status_shipment_id_fkey;
-- undo:
ALTER TABLE public.sync_status RENAME CONSTRAINT sync_status_shipment_id_fkey TO sync_status_shipment;
