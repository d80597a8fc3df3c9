CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position bigint NOT NULL,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'queued',
    -- Creating a step twice is creating it once; a run's steps are found by the same index.
    UNIQUE (run_id, position)
);

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_id bigint NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    kind text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The newest event of a step.
CREATE INDEX events_step_id_id_idx ON events (step_id, id);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_id bigint NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    sent boolean NOT NULL DEFAULT false
);

CREATE INDEX outbox_step_id_idx ON outbox (step_id);
-- What the relay asks for: few of many.
CREATE INDEX outbox_unsent_idx ON outbox (id) WHERE NOT sent;
