-- query-budget schema
-- dialect: postgres
-- digest: cf89f709ef1ffb60271a85d0a1481881
-- Written by `cargo query-budget schema`; change the migrations and run it again.

CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    step_id bigint NOT NULL,
    kind text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT events_pkey PRIMARY KEY (id)
);
CREATE INDEX events_step_id_id_idx ON events (step_id, id);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    step_id bigint NOT NULL,
    sent boolean NOT NULL DEFAULT false,
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
);
CREATE INDEX outbox_step_id_idx ON outbox (step_id);
CREATE INDEX outbox_unsent_idx ON outbox (id) WHERE NOT sent;

CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    plan text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT runs_pkey PRIMARY KEY (id)
);

CREATE TABLE steps (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    run_id bigint NOT NULL,
    position bigint NOT NULL,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'queued'::text,
    CONSTRAINT steps_pkey PRIMARY KEY (id),
    CONSTRAINT steps_run_id_position_key UNIQUE (run_id, position)
);

ALTER TABLE events ADD CONSTRAINT events_step_id_fkey FOREIGN KEY (step_id) REFERENCES steps (id) ON DELETE CASCADE;
ALTER TABLE outbox ADD CONSTRAINT outbox_step_id_fkey FOREIGN KEY (step_id) REFERENCES steps (id) ON DELETE CASCADE;
ALTER TABLE steps ADD CONSTRAINT steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE;

-- end of schema
