-- Extensions, schemas and collations.
SELECT statement FROM (
    SELECT 1 AS part, format('CREATE EXTENSION IF NOT EXISTS %I%s', extname,
        CASE WHEN nspname <> 'public' AND nspname NOT LIKE 'pg\_%' THEN format(' WITH SCHEMA %I', nspname) END) AS statement
    FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT 2, format('CREATE COLLATION %s (provider = %s, locale = %L%s)', c.oid::regcollation,
        CASE collprovider WHEN 'i' THEN 'icu' ELSE 'libc' END,
        COALESCE(to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'colllocale', collcollate),
        CASE WHEN NOT collisdeterministic THEN ', deterministic = false' END)
    FROM pg_collation c JOIN pg_namespace n ON n.oid = collnamespace
    WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%' AND collprovider IN ('i', 'c')
    UNION ALL
    SELECT 0, format('CREATE SCHEMA IF NOT EXISTS %I', nspname)
    FROM pg_namespace n
    WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\_%'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
) parts
ORDER BY part, statement
