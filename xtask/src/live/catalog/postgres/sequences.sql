-- Sequences, but those behind identity columns, which make their own.
SELECT format('CREATE SEQUENCE %s%s%s%s%s%s%s%s', c.oid::regclass,
    CASE WHEN seqtypid <> 'bigint'::regtype THEN format(' AS %s', seqtypid::regtype) END,
    CASE WHEN seqstart <> seqmin THEN format(' START WITH %s', seqstart) END,
    CASE WHEN seqincrement <> 1 THEN format(' INCREMENT BY %s', seqincrement) END,
    CASE WHEN seqmin <> 1 THEN format(' MINVALUE %s', seqmin) END,
    CASE WHEN seqmax <> CASE seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647
        ELSE 9223372036854775807 END THEN format(' MAXVALUE %s', seqmax) END,
    CASE WHEN seqcache <> 1 THEN format(' CACHE %s', seqcache) END,
    CASE WHEN seqcycle THEN ' CYCLE' END)
FROM pg_class c
JOIN pg_sequence ON seqrelid = c.oid
JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'S' AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype IN ('e', 'i'))
ORDER BY c.oid
