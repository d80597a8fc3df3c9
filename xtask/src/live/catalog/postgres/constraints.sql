-- Constraints; those that a table has of its parent come with the parent's. References last: they need the others' keys.
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(k.oid))
FROM pg_constraint k
JOIN pg_class c ON c.oid = conrelid
JOIN pg_namespace n ON n.oid = relnamespace
WHERE contype IN ('p', 'u', 'x', 'c', 'f') AND conislocal AND conparentid = 0
    AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%' AND relname <> '_sqlx_migrations'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY contype = 'f', k.oid
