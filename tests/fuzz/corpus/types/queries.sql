SELECT id, a + 1 AS "a!", b || 'x', coalesce(c, 'y'), count(*) FROM t LEFT JOIN u ON u.t_id = t.id GROUP BY t.id, c
====
CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN d AS numeric(10, 2) NOT NULL; CREATE TABLE x (m mood NOT NULL, d d, tags text[], r int4range); ;;SELECT m, d, tags[1], lower(r), x, ROW(m, d) FROM x WHERE m = $1 AND tags && $2
====
SELECT $1::int, $2, CASE WHEN $3 THEN 1.5 ELSE $4 END, ARRAY[$5, 'a'], $6 IN (1, 2), NULL, (SELECT n FROM u WHERE id = $7) FROM w
====
SELECT sum(n), max(at), string_agg(c, ',' ORDER BY c), json_agg(u), array_agg(id), now() - at, extract(epoch FROM at), to_char(at, 'x') FROM u GROUP BY at
====
INSERT INTO u (id, t_id, c, n, at) VALUES ($1, $2, $3, $4, $5) RETURNING id, c, n, at
====
SELECT * FROM generate_series(1, $1) AS g (n) JOIN json_to_record($2) AS j (a int, b text) ON j.a = g.n UNION SELECT 1, 2, 'x'
====
WITH RECURSIVE q AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM q WHERE n < $1) SELECT n, lag(n) OVER (ORDER BY n), n IS DISTINCT FROM NULL, EXISTS (SELECT 1) FROM q
====
CREATE FUNCTION f(x int, y text DEFAULT 'a') RETURNS TABLE (k int, l text) LANGUAGE sql AS 'SELECT 1, y';;;SELECT k, l, f.* FROM f($1, y => $2) f
