-- Sequences, but those behind identity columns, which make their own.
SELECT format('CREATE SEQUENCE %s', c.oid::regclass)
FROM pg_class c
JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'S' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype IN ('e', 'i'))
ORDER BY c.oid
