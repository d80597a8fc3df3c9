-- What the dashboard searches by. Take one away, and `index-check` names the query that misses it.

CREATE INDEX events_user_id_next_run_at ON events (user_id, next_run_at);
CREATE INDEX logs_event_id_started_at ON logs (event_id, started_at);
CREATE INDEX workflows_user_id_name ON workflows (user_id, name);
CREATE INDEX workflow_nodes_workflow_id ON workflow_nodes (workflow_id);
CREATE INDEX workflow_nodes_event_id ON workflow_nodes (event_id);
