-- query-budget schema
-- dialect: sqlite
-- digest: 2f19a417718625d5d0624942d5e1228b
-- Written by `cargo query-budget schema`; change the migrations and run it again.

CREATE TABLE event_servers (
    event_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    PRIMARY KEY (event_id, server_id),
    FOREIGN KEY (event_id) REFERENCES events (id),
    FOREIGN KEY (server_id) REFERENCES servers (id)
);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    schedule TEXT NOT NULL,
    next_run_at INTEGER NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX events_user_id_next_run_at ON events (user_id, next_run_at);

CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    output TEXT NOT NULL,
    CHECK (status IN ('succeeded', 'failed')),
    FOREIGN KEY (event_id) REFERENCES events (id)
);
CREATE INDEX logs_event_id_started_at ON logs (event_id, started_at);

CREATE TABLE servers (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL,
    UNIQUE (email)
);

CREATE TABLE workflow_connections (
    workflow_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    PRIMARY KEY (workflow_id, source_id, target_id),
    FOREIGN KEY (workflow_id) REFERENCES workflows (id),
    FOREIGN KEY (source_id) REFERENCES workflow_nodes (id),
    FOREIGN KEY (target_id) REFERENCES workflow_nodes (id)
);

CREATE TABLE workflow_nodes (
    id INTEGER PRIMARY KEY,
    workflow_id INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    FOREIGN KEY (workflow_id) REFERENCES workflows (id),
    FOREIGN KEY (event_id) REFERENCES events (id)
);
CREATE INDEX workflow_nodes_event_id ON workflow_nodes (event_id);
CREATE INDEX workflow_nodes_workflow_id ON workflow_nodes (workflow_id);

CREATE TABLE workflows (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX workflows_user_id_name ON workflows (user_id, name);

-- end of schema
