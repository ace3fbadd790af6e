-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== retire

-- retire_table:public.sync_status
ALTER TABLE public.sync_status RENAME TO sync_status_crossfade_retired;
-- undo:
ALTER TABLE public.sync_status_crossfade_retired RENAME TO sync_status;


-- ======== contract

-- drop_table:public.sync_status
DROP TABLE public.sync_status_crossfade_retired;
-- cannot be undone
