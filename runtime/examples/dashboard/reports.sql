-- Reports that the operators of the scheduler run by hand. Some of them need indexes that do not exist:
-- `cargo xtask index-check --queries runtime/examples/dashboard/reports.sql` says which.

-- The failures since a point in time.
SELECT events.name, logs.started_at, logs.output
FROM logs
JOIN events ON events.id = logs.event_id
WHERE logs.status = 'failed' AND logs.started_at > ?1
ORDER BY logs.started_at DESC
LIMIT 100;

-- The number of failures.
SELECT count(*) FROM logs WHERE status = 'failed';

-- The events of a server.
SELECT event_id FROM event_servers WHERE server_id = ?1;

-- The servers of a user.
SELECT name, address FROM servers WHERE user_id = ?1 ORDER BY name;

-- The owner of an event: the primary keys serve this one.
SELECT users.email FROM events JOIN users ON users.id = events.user_id WHERE events.id = ?1;
