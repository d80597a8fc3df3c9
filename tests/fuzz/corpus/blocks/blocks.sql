DECLARE r record; n int := 3; BEGIN FOR r IN SELECT * FROM (VALUES ('a'), ('b')) AS x (name) LOOP EXECUTE format('CREATE TABLE %I (id int)', r.name); END LOOP; END
====
BEGIN IF NOT EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 't') THEN CREATE TABLE y (id int); ELSIF n > 2 THEN DROP TABLE u; ELSE RAISE NOTICE 'x %', p; END IF; EXCEPTION WHEN duplicate_table THEN NULL; END
====
DECLARE i int; t text[] := ARRAY['a', 'b']; BEGIN FOR i IN 1 .. 5 LOOP EXECUTE 'CREATE TABLE z' || i || ' (id int)'; EXIT WHEN i = 3; CONTINUE; END LOOP; FOREACH p IN ARRAY t LOOP PERFORM f(p, n - 1); END LOOP; WHILE n > 0 LOOP n := n - 1; END LOOP; END
====
<<outer>> BEGIN CASE p WHEN 't' THEN ALTER TABLE t ADD COLUMN zz int; WHEN 'u' THEN RETURN; ELSE EXECUTE concat('DROP TABLE ', quote_ident(p)) USING n; END CASE; SELECT count(*) INTO n FROM t; LOOP EXIT outer; END LOOP; END
====
BEGIN EXECUTE replace('CREATE INDEX @ ON t (a)', '@', 'i' || lower(upper('X'))) ; EXECUTE $q$ DO $z$ BEGIN CREATE TABLE deep (a int); END $z$ $q$; COMMIT; END
