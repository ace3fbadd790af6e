-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- create_table:public.trips
CREATE TABLE public.trips (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    vehicle_id bigint NOT NULL REFERENCES public.vehicles,
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz CHECK (ended_at > began_at)
);
COMMENT ON TABLE public.trips IS 'One for each time that a vehicle leaves its depot';
-- undo:
DROP TABLE public.trips;
