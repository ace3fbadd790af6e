-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== verify

-- query:every row has email
SELECT id FROM public.users WHERE email IS NULL LIMIT 1;


-- ======== enforce

-- set_not_null:public.users.email
ALTER TABLE public.users ADD CONSTRAINT email_crossfade_not_null CHECK (email IS NOT NULL) NOT VALID;
ALTER TABLE public.users VALIDATE CONSTRAINT email_crossfade_not_null;
ALTER TABLE public.users ALTER COLUMN email SET NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS email_crossfade_not_null;
-- undo:
ALTER TABLE public.users ALTER COLUMN email DROP NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS email_crossfade_not_null;
