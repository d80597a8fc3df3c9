CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);
CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint REFERENCES t (id), c text);
CREATE INDEX i ON t (a, b);
CREATE UNIQUE INDEX j ON u (c) WHERE t_id IS NOT NULL;
CREATE INDEX k ON t (lower(b));
CREATE VIEW v AS SELECT t.id, u.c FROM t JOIN u ON u.t_id = t.id;
