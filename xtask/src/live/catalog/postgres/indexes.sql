-- Indexes that no constraint makes; a partition's come with its parent's. One that is not valid serves no query.
SELECT replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index i
JOIN pg_class c ON c.oid = indrelid
JOIN pg_class x ON x.oid = indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE indisvalid AND NOT (x.relispartition
        AND EXISTS (SELECT FROM pg_inherits JOIN pg_index p ON p.indexrelid = inhparent WHERE inhrelid = x.oid AND p.indisvalid))
    AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%' AND c.relname <> '_sqlx_migrations'
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY indexrelid
