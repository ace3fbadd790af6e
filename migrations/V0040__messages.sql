-- What is sent to people: events, one message for each receiver that wants them. Nothing is written here when an event is recorded: an
-- event of a run has a number without gaps, so a receiver's place in a run says which events have become messages.

-- Receivers are named in the configuration of a `crossfade serve`. One that is new hears of what happens from then on.
CREATE TABLE crossfade.receivers (
    name       text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Events up to this number have become messages for this receiver, or were not for it.
CREATE TABLE crossfade.receiver_places (
    receiver text NOT NULL REFERENCES crossfade.receivers,
    run_id   bigint NOT NULL REFERENCES crossfade.runs,
    number   bigint NOT NULL CHECK (number >= 0),
    PRIMARY KEY (receiver, run_id)
);

CREATE TABLE crossfade.messages (
    -- The same at every attempt: a receiver that is told twice can tell.
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    receiver     text NOT NULL REFERENCES crossfade.receivers,
    run_id       bigint NOT NULL REFERENCES crossfade.runs,
    number       bigint NOT NULL,
    topic        text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts     integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Not before this time. A server that sends it puts it off first, so that another does not send it as well.
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz,
    -- Of the last attempt. It names neither the address nor what the receiver answered.
    error        text,
    UNIQUE (receiver, run_id, number),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX messages_due ON crossfade.messages (due_at) WHERE state = 'waiting';

-- What a server has noticed of a run and people are told of, while it lasts: it is an event once, when it has lasted long enough.
CREATE TABLE crossfade.noticed (
    run_id   bigint NOT NULL REFERENCES crossfade.runs,
    what     text NOT NULL,
    -- What it is about, as the phase: something else is news.
    about    text NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    is_told  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run_id, what)
);
