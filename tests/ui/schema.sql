CREATE TABLE countries (
    code text PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE servers (
    id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    country text NOT NULL REFERENCES countries (code)
);

CREATE TABLE workflows (
    id bigint PRIMARY KEY,
    user_id bigint NOT NULL,
    name text NOT NULL
);

CREATE TABLE events (
    id bigint PRIMARY KEY,
    user_id bigint NOT NULL,
    server_id bigint REFERENCES servers (id),
    workflow_id bigint REFERENCES workflows (id),
    name text NOT NULL,
    status text NOT NULL,
    next_run_at timestamptz
);

CREATE TABLE logs (
    id bigint PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events (id),
    output text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX events_server_id ON events (server_id);
CREATE INDEX events_user_id ON events (user_id);
CREATE INDEX workflows_user_id ON workflows (user_id);
