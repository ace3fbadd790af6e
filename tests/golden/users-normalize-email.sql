-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== sql

-- sql:addresses in lower case
ALTER TABLE public.users ADD COLUMN email_as_typed text;
UPDATE public.users SET email_as_typed = email, email = lower(email);
-- undo:
UPDATE public.users SET email = email_as_typed WHERE email = lower(email_as_typed);
ALTER TABLE public.users DROP COLUMN email_as_typed;
