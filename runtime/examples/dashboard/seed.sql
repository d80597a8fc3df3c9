-- One user with 25 events on 8 servers, 40 runs of each event, and 10 workflows of 5 nodes.

INSERT INTO users (id, email) VALUES (1, 'operator@example.org');

INSERT INTO servers (id, user_id, name, address)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 8)
SELECT i, 1, 'server ' || i, '10.0.0.' || i FROM n;

INSERT INTO events (id, user_id, name, schedule, next_run_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 25)
SELECT i, 1, 'event ' || i, '0 * * * *', 1700000000 + i * 60 FROM n;

INSERT INTO event_servers (event_id, server_id)
SELECT events.id, servers.id FROM events JOIN servers ON (events.id + servers.id) % 3 = 0;

INSERT INTO logs (event_id, status, started_at, output)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 40)
SELECT events.id, CASE WHEN (events.id + i) % 7 = 0 THEN 'failed' ELSE 'succeeded' END, 1690000000 + i * 3600, 'done'
FROM events, n;

INSERT INTO workflows (id, user_id, name)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10)
SELECT i, 1, 'workflow ' || i FROM n;

INSERT INTO workflow_nodes (workflow_id, event_id)
SELECT workflows.id, events.id FROM workflows JOIN events ON events.id % 5 = workflows.id % 5;

INSERT INTO workflow_connections (workflow_id, source_id, target_id)
SELECT source.workflow_id, source.id, target.id
FROM workflow_nodes AS source
JOIN workflow_nodes AS target ON target.workflow_id = source.workflow_id AND target.id = source.id + 1;
