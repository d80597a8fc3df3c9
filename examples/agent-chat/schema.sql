-- query-budget schema
-- dialect: postgres
-- digest: 30df7859f029488176a9b2cc2ff3f76d
-- Written by `cargo query-budget schema`; change the migrations and run it again.

CREATE TABLE agents (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    CONSTRAINT agents_pkey PRIMARY KEY (id),
    CONSTRAINT agents_name_key UNIQUE (name)
);

CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    channel_id bigint NOT NULL,
    author_id bigint NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT messages_pkey PRIMARY KEY (id)
);
CREATE INDEX messages_author_id_idx ON messages (author_id);
CREATE INDEX messages_channel_id_id_idx ON messages (channel_id, id);

CREATE TABLE workflow_tasks (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    workflow_id bigint NOT NULL,
    status text NOT NULL,
    CONSTRAINT workflow_tasks_pkey PRIMARY KEY (id)
);
CREATE INDEX workflow_tasks_workflow_id_status_idx ON workflow_tasks (workflow_id, status);

CREATE TABLE workflows (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    channel_id bigint NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    CONSTRAINT workflows_pkey PRIMARY KEY (id)
);
CREATE INDEX workflows_executing_idx ON workflows (channel_id, id) WHERE status = 'executing';

ALTER TABLE messages ADD CONSTRAINT messages_author_id_fkey FOREIGN KEY (author_id) REFERENCES agents (id);
ALTER TABLE workflow_tasks ADD CONSTRAINT workflow_tasks_workflow_id_fkey FOREIGN KEY (workflow_id) REFERENCES workflows (id) ON DELETE CASCADE;

-- end of schema
