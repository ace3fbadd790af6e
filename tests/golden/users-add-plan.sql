-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.users.plan
ALTER TABLE public.users ADD COLUMN plan character varying(20) DEFAULT 'free' NOT NULL;
-- undo:
ALTER TABLE public.users DROP COLUMN plan;
