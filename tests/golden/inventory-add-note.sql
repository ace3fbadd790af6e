-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.inventory_items.note
ALTER TABLE public.inventory_items ADD COLUMN note text;
COMMENT ON COLUMN public.inventory_items.note IS 'For the warehouse';
-- undo:
ALTER TABLE public.inventory_items DROP COLUMN note;
