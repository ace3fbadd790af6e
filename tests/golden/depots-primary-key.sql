-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== verify

-- query:every row has code
SELECT ctid FROM public.depots WHERE code IS NULL LIMIT 1;

-- query:no two rows have the same code
SELECT code FROM public.depots WHERE code IS NOT NULL GROUP BY code HAVING count(*) > 1 LIMIT 1;


-- ======== enforce

-- set_not_null:public.depots.code
ALTER TABLE public.depots ADD CONSTRAINT code_crossfade_not_null CHECK (code IS NOT NULL) NOT VALID;
ALTER TABLE public.depots VALIDATE CONSTRAINT code_crossfade_not_null;
ALTER TABLE public.depots ALTER COLUMN code SET NOT NULL;
ALTER TABLE public.depots DROP CONSTRAINT IF EXISTS code_crossfade_not_null;
-- undo:
ALTER TABLE public.depots ALTER COLUMN code DROP NOT NULL;
ALTER TABLE public.depots DROP CONSTRAINT IF EXISTS code_crossfade_not_null;

-- create_index:depots_pkey
CREATE UNIQUE INDEX CONCURRENTLY depots_pkey ON public.depots USING btree (code);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.depots_pkey;

-- add_constraint:public.depots.depots_pkey
ALTER TABLE public.depots ADD CONSTRAINT depots_pkey PRIMARY KEY USING INDEX depots_pkey;
-- undo:
ALTER TABLE public.depots DROP CONSTRAINT IF EXISTS depots_pkey;
