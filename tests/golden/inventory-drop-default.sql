-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- drop_default:public.inventory_items.quantity
ALTER TABLE public.inventory_items ALTER COLUMN quantity DROP DEFAULT;
-- undo:
ALTER TABLE public.inventory_items ALTER COLUMN quantity SET DEFAULT 0;
