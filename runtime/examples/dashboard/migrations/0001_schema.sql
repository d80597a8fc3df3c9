-- An event scheduler: scripts of a user run on servers when their time comes, alone or as nodes of a workflow.

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE
);

CREATE TABLE servers (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    address TEXT NOT NULL
);

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    schedule TEXT NOT NULL,
    next_run_at INTEGER NOT NULL
);

CREATE TABLE event_servers (
    event_id INTEGER NOT NULL REFERENCES events (id),
    server_id INTEGER NOT NULL REFERENCES servers (id),
    PRIMARY KEY (event_id, server_id)
);

CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    event_id INTEGER NOT NULL REFERENCES events (id),
    status TEXT NOT NULL CHECK (status IN ('succeeded', 'failed')),
    started_at INTEGER NOT NULL,
    output TEXT NOT NULL
);

CREATE TABLE workflows (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    name TEXT NOT NULL
);

CREATE TABLE workflow_nodes (
    id INTEGER PRIMARY KEY,
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    event_id INTEGER NOT NULL REFERENCES events (id)
);

CREATE TABLE workflow_connections (
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    source_id INTEGER NOT NULL REFERENCES workflow_nodes (id),
    target_id INTEGER NOT NULL REFERENCES workflow_nodes (id),
    PRIMARY KEY (workflow_id, source_id, target_id)
);
