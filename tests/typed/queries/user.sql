-- The user of an id.
SELECT id, name, nickname
FROM users
WHERE id = $1
