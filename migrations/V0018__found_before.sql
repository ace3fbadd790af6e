-- The parts of a step whose goals held before the step was first run, counted from 0: they are somebody else's, and are not
-- taken away when the step is undone. NULL: nobody has looked, as in runs that an earlier release has driven.
ALTER TABLE crossfade.steps ADD COLUMN found integer[];
