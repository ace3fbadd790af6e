-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- create_index:users_email_lower
CREATE INDEX CONCURRENTLY users_email_lower ON public.users
  USING btree (lower(email) text_pattern_ops)
  WHERE (email IS NOT NULL);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.users_email_lower;
