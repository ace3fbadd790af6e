-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_enum_value:public.depot_kind.port
ALTER TYPE public.depot_kind ADD VALUE IF NOT EXISTS 'port' AFTER 'hub';
-- cannot be undone
