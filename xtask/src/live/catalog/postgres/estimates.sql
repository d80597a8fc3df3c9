-- Rows as of the last VACUUM or ANALYZE; below zero there was none.
SELECT nspname, relname, reltuples::bigint
FROM pg_class c
JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND reltuples >= 0 AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
