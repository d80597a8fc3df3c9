CREATE TABLE agents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL
);

CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id bigint NOT NULL,
    author_id bigint NOT NULL REFERENCES agents (id),
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A page of a channel, newest first.
CREATE INDEX messages_channel_id_id_idx ON messages (channel_id, id);
CREATE INDEX messages_author_id_idx ON messages (author_id);

CREATE TABLE workflows (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id bigint NOT NULL,
    name text NOT NULL,
    status text NOT NULL
);

-- What runs in a channel: few of many.
CREATE INDEX workflows_executing_idx ON workflows (channel_id, id) WHERE status = 'executing';

CREATE TABLE workflow_tasks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id bigint NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
    status text NOT NULL
);

CREATE INDEX workflow_tasks_workflow_id_status_idx ON workflow_tasks (workflow_id, status);
