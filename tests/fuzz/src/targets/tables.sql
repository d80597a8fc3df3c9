CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);
CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint REFERENCES t (id), c text, n numeric(10, 2) NOT NULL DEFAULT 0, at timestamp);
CREATE TABLE w (a int NOT NULL, b int NOT NULL, c text NOT NULL, PRIMARY KEY (a, b), UNIQUE (c));
CREATE INDEX i ON t (a, b);
CREATE UNIQUE INDEX j ON u (c) WHERE t_id IS NOT NULL;
CREATE INDEX k ON t (lower(b));
CREATE VIEW v AS SELECT t.id, u.c FROM t JOIN u ON u.t_id = t.id;
