-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- create_enum:public.shipment_state
CREATE TYPE public.shipment_state AS ENUM ('planned', 'under_way', 'delivered');
-- undo:
DROP TYPE public.shipment_state;
