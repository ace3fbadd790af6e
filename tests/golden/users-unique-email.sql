-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== verify

-- query:no two rows have the same email
SELECT email FROM public.users WHERE email IS NOT NULL GROUP BY email HAVING count(*) > 1 LIMIT 1;


-- ======== enforce

-- create_index:users_email_key
CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON public.users USING btree (email);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.users_email_key;

-- add_constraint:public.users.users_email_key
ALTER TABLE public.users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;
-- undo:
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS users_email_key;
