-- What a table has of its own about columns that it inherits: defaults, and NOT NULL. Parents come first, whose heirs
-- then change with them.
WITH RECURSIVE depths AS (
    SELECT inhrelid AS heir, 1 AS depth FROM pg_inherits
    UNION ALL
    SELECT inhrelid, depth + 1 FROM pg_inherits JOIN depths ON heir = inhparent
), columns AS (
    SELECT attrelid, attname, attnotnull, attgenerated, attinhcount, attislocal, pg_get_expr(adbin, adrelid) AS value
    FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND attidentity = ''
)
SELECT format('ALTER TABLE %s ALTER COLUMN %I %s', heir.attrelid::regclass, heir.attname, change)
FROM columns heir
JOIN pg_inherits ON inhrelid = heir.attrelid
JOIN columns parent ON parent.attrelid = inhparent AND parent.attname = heir.attname
JOIN pg_class c ON c.oid = heir.attrelid
JOIN pg_namespace n ON n.oid = relnamespace
CROSS JOIN LATERAL (
    SELECT coalesce('SET DEFAULT ' || heir.value, 'DROP DEFAULT') AS change
    WHERE heir.value IS DISTINCT FROM parent.value AND heir.attgenerated = ''
    UNION ALL
    SELECT 'SET NOT NULL' WHERE heir.attnotnull AND NOT parent.attnotnull
) changes
WHERE heir.attinhcount > 0 AND NOT heir.attislocal AND relkind IN ('r', 'p')
    AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY (SELECT max(depth) FROM depths WHERE depths.heir = c.oid), c.oid, heir.attname, change
