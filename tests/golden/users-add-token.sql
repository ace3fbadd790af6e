-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.users.token
ALTER TABLE public.users ADD COLUMN token uuid;
ALTER TABLE public.users ALTER COLUMN token SET DEFAULT gen_random_uuid();
-- undo:
ALTER TABLE public.users DROP COLUMN token;


-- ======== backfill

-- fill:public.users
UPDATE ONLY public.users AS "users" SET token = (gen_random_uuid()
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (token IS NULL AND (gen_random_uuid()
  ) IS NOT NULL) ELSE false END;


-- ======== verify

-- query:every row has token
SELECT id FROM public.users WHERE token IS NULL LIMIT 1;


-- ======== enforce

-- set_not_null:public.users.token
ALTER TABLE public.users ADD CONSTRAINT token_crossfade_not_null CHECK (token IS NOT NULL) NOT VALID;
ALTER TABLE public.users VALIDATE CONSTRAINT token_crossfade_not_null;
ALTER TABLE public.users ALTER COLUMN token SET NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS token_crossfade_not_null;
-- undo:
ALTER TABLE public.users ALTER COLUMN token DROP NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS token_crossfade_not_null;
