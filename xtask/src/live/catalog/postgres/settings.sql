-- Extensions and schemas.
SELECT statement FROM (
    SELECT 1 AS part, format('CREATE EXTENSION IF NOT EXISTS %I', extname) AS statement
    FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT 0, format('CREATE SCHEMA IF NOT EXISTS %I', nspname)
    FROM pg_namespace n
    WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\_%'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
) parts
ORDER BY part, statement
