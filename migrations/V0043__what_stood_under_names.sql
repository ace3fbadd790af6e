-- How the objects that a step makes or changes stood before it was first run, and how it has left them, by their names: what somebody
-- has put in their place since is neither dropped nor overwritten when the step is undone. NULL: nobody has looked, as in runs that an
-- earlier release has driven.
ALTER TABLE crossfade.steps ADD COLUMN stood_before jsonb, ADD COLUMN stood_after jsonb;
