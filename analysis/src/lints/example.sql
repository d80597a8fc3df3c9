CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL
);
CREATE TABLE servers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    server_id bigint REFERENCES servers (id),
    name text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    next_run_at timestamp with time zone
);
CREATE INDEX events_user_id_idx ON events (user_id, id);
CREATE TABLE logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id bigint NOT NULL REFERENCES events (id),
    output text,
    created_at timestamp with time zone NOT NULL DEFAULT now()
);
