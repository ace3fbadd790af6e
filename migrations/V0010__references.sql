-- What the gate `no_references` has seen: when it was first looked, and what has named the column since.

CREATE TABLE crossfade.reference_watches (
    run_id      bigint PRIMARY KEY REFERENCES crossfade.runs,
    since       timestamptz NOT NULL,
    looked_at   timestamptz NOT NULL,
    -- Of pg_stat_statements when it was last read; NULL before the first time. Others mean that it has forgotten something.
    stats_reset timestamptz,
    dealloc     bigint,
    calls_total bigint,
    -- The last moment at which it was not known what had been called.
    unknown_at  timestamptz,
    unknown_why text,
    -- The last moment at which an object of the database named the column.
    objects_at  timestamptz,
    CHECK (looked_at >= since),
    CHECK ((unknown_at IS NULL) = (unknown_why IS NULL)),
    CHECK ((dealloc IS NULL) = (calls_total IS NULL))
);

-- Statements that may be about the table: how often they had been called at the last look.
CREATE TABLE crossfade.reference_statements (
    run_id    bigint NOT NULL REFERENCES crossfade.reference_watches,
    role_oid  oid NOT NULL,
    query_id  bigint NOT NULL,
    top_level boolean NOT NULL,
    calls     bigint NOT NULL,
    -- Calls since the first look that named the column, the last look that saw a new one, and the statement's beginning.
    calls_naming bigint NOT NULL DEFAULT 0,
    called_at timestamptz,
    naming    text,
    query     text,
    PRIMARY KEY (run_id, role_oid, query_id, top_level),
    CHECK ((called_at IS NULL) = (naming IS NULL)),
    CHECK ((called_at IS NULL) = (query IS NULL))
);
