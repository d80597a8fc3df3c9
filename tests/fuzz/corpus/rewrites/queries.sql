SELECT b FROM t WHERE a = $1
====
SELECT id, c FROM u WHERE t_id = $1 AND c > 'x' ORDER BY at DESC LIMIT 5
====
INSERT INTO u (id, t_id, c) VALUES ($1, $2, lower($3)) ON CONFLICT (id) DO UPDATE SET c = EXCLUDED.c, n = u.n + 1 RETURNING id
====
UPDATE t SET a = $2, b = 'x' WHERE id = $1 AND b IS NOT NULL
====
DELETE FROM u WHERE t_id = $1 AND c LIKE 'x%'
====
SELECT count(*), max(n) FROM u WHERE t_id = $1 AND at > $2 GROUP BY c HAVING count(*) > 1
====
SELECT t.b, u.c FROM t JOIN u ON u.t_id = t.id AND u.n > $2 WHERE t.id = $1 OR t.a = $1
====
INSERT INTO w (a, b, c) SELECT a, $1, b FROM t WHERE id = $2
====
SELECT b FROM t WHERE id = ? AND a IN (1, 2)
====
INSERT INTO w VALUES (?, ?, ?)
====
SELECT b FROM t WHERE id NOT IN (SELECT t_id FROM u) AND ($1 IS NULL OR a = $1) AND lower(b) = 'x' AND date(b) = '2020-01-01'
====
UPDATE w SET c = c || $3 FROM t WHERE t.id = w.a AND w.a = $1 AND w.b = $2 RETURNING w.c
