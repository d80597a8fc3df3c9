SELECT id, b FROM t WHERE a = $1 ORDER BY id DESC LIMIT 50
====
SELECT * FROM t JOIN u ON u.t_id = t.id LEFT JOIN w ON w.a = t.a AND w.b = 3 WHERE lower(t.b) = 'x' OR u.c LIKE '%y'
====
SELECT count(*) FROM v WHERE c IN (SELECT b FROM t WHERE a BETWEEN 1 AND 5) GROUP BY id HAVING count(*) > 2
====
INSERT INTO u (id, t_id, c) VALUES ($1, $2, $3), (4, NULL, 'x') ON CONFLICT (id) DO UPDATE SET c = EXCLUDED.c RETURNING id
====
UPDATE t SET a = a + 1, b = CASE WHEN a > 3 THEN 'x' ELSE b END WHERE id = ANY($1) AND NOT EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id)
====
DELETE FROM t USING u WHERE u.t_id = t.id AND u.c = $1
====
WITH RECURSIVE r (id, deep) AS (SELECT id, 0 FROM t WHERE a IS NULL UNION ALL SELECT t.id, deep + 1 FROM t JOIN r ON t.a = r.id) SELECT * FROM r OFFSET 10
====
SELECT t.b, row_number() OVER (PARTITION BY a ORDER BY id) FROM t CROSS JOIN LATERAL (SELECT c FROM u WHERE u.t_id = t.id ORDER BY at FETCH FIRST 3 ROWS ONLY) x
====
SELECT a FROM t WHERE ($1 IS NULL OR a = $1) UNION SELECT b FROM w EXCEPT (SELECT id FROM u) ORDER BY 1
====
SELECT b::text, '{"a": 1}'::jsonb ->> 'a', ARRAY[1, 2][1], date_trunc('day', at) FROM t, u WHERE at > now() - interval '1 day' FOR UPDATE SKIP LOCKED
====
SELECT `a`, "b", [c] FROM `t` WHERE a <=> ? AND b REGEXP 'x' LIMIT 10, 20
====
REPLACE INTO w VALUES (1, 2, 'c'); INSERT OR IGNORE INTO w (a, b, c) SELECT a, 1, b FROM t; PRAGMA user_version
====
/* a */ SELECT -- b
 'it''s' || E'\n' || $$d$$ || x'00' AS "é" FROM ONLY t TABLESAMPLE SYSTEM (10) WHERE (a, b) = (1, 'x') AND b NOT IN ('a', 'b') ORDER BY random()
====
MERGE INTO t USING u ON t.id = u.t_id WHEN MATCHED AND a > 1 THEN UPDATE SET b = c WHEN NOT MATCHED THEN INSERT (id, b) VALUES (t_id, c)
====
SELECT j.* FROM json_to_recordset($1) AS j (a int, b text) JOIN unnest($2::int[], $3::text[]) WITH ORDINALITY AS n (x, y, z) USING (a)
