-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- set_default:public.vehicles.radio_code
ALTER TABLE public.vehicles ALTER COLUMN radio_code SET DEFAULT 'none';
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN radio_code DROP DEFAULT;


-- ======== retire
-- gate: no database object names public.vehicles.radio_code
-- gate: 0s since the phase before

-- retire_column:public.vehicles.radio_code
ALTER TABLE public.vehicles RENAME COLUMN radio_code TO radio_code_crossfade_retired;
-- undo:
ALTER TABLE public.vehicles RENAME COLUMN radio_code_crossfade_retired TO radio_code;


-- ======== contract
-- gate: no database object names public.vehicles.radio_code

-- drop_column:public.vehicles.radio_code
ALTER TABLE public.vehicles DROP COLUMN radio_code_crossfade_retired;
-- cannot be undone
