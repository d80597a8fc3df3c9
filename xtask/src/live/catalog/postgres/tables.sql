-- Tables with their columns, parents first; a partition has those of its parent.
WITH RECURSIVE depths AS (
    SELECT inhrelid AS heir, 1 AS depth FROM pg_inherits
    UNION ALL
    SELECT inhrelid, depth + 1 FROM pg_inherits JOIN depths ON heir = inhparent
), own AS (
    SELECT c.oid, c.oid::regclass AS name, relkind, relpersistence, relispartition,
        (SELECT max(depth) FROM depths WHERE heir = c.oid) AS depth,
        CASE WHEN reloptions <> '{}' THEN format(' WITH (%s)', array_to_string(reloptions, ', ')) END AS storage,
        (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid) AS parents
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'f') AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
        AND relname <> '_sqlx_migrations'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
), columns AS (
    SELECT attrelid, string_agg(format('%I %s%s%s%s', attname, format_type(atttypid, atttypmod),
        (SELECT format(' COLLATE %s', l.oid::regcollation)
         FROM pg_collation l JOIN pg_type y ON y.oid = atttypid WHERE l.oid = attcollation AND attcollation <> typcollation),
        CASE
            WHEN attidentity <> '' THEN format(' GENERATED %s AS IDENTITY%s',
                CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
                (SELECT ' (' || nullif(concat_ws(' ',
                    CASE WHEN seqstart <> seqmin THEN format('START WITH %s', seqstart) END,
                    CASE WHEN seqincrement <> 1 THEN format('INCREMENT BY %s', seqincrement) END,
                    CASE WHEN seqmin <> 1 THEN format('MINVALUE %s', seqmin) END,
                    CASE WHEN seqmax <> CASE seqtypid WHEN 'smallint'::regtype THEN 32767
                        WHEN 'integer'::regtype THEN 2147483647 ELSE 9223372036854775807 END
                        THEN format('MAXVALUE %s', seqmax) END,
                    CASE WHEN seqcache <> 1 THEN format('CACHE %s', seqcache) END,
                    CASE WHEN seqcycle THEN 'CYCLE' END), '') || ')'
                 FROM pg_depend d JOIN pg_sequence ON seqrelid = objid
                 WHERE d.classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
                    AND refobjid = attrelid AND refobjsubid = attnum AND deptype = 'i'))
            WHEN attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(adbin, adrelid))
            ELSE ' DEFAULT ' || pg_get_expr(adbin, adrelid)
        END,
        CASE WHEN attnotnull THEN ' NOT NULL' END), ', ' ORDER BY attnum) AS list
    FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped
    GROUP BY attrelid
)
SELECT CASE
    WHEN relispartition THEN format('CREATE %sTABLE %s PARTITION OF %s %s%s', CASE relpersistence WHEN 'u' THEN 'UNLOGGED ' END, name, parents,
        (SELECT pg_get_expr(relpartbound, c.oid) FROM pg_class c WHERE c.oid = own.oid),
        concat(CASE WHEN relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(own.oid) END, storage))
    -- A column that a parent got later comes after those of the table: what the table has is listed in full.
    ELSE format('CREATE %sTABLE %s (%s)%s%s%s',
        CASE WHEN relkind = 'f' THEN 'FOREIGN ' WHEN relpersistence = 'u' THEN 'UNLOGGED ' END,
        name, list,
        CASE WHEN relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(own.oid) END, storage,
        (SELECT format(' SERVER %I', srvname) FROM pg_foreign_table JOIN pg_foreign_server s ON s.oid = ftserver WHERE ftrelid = own.oid))
        || coalesce((SELECT string_agg(format('; ALTER TABLE %s INHERIT %s', name, inhparent::regclass), '' ORDER BY inhseqno)
                     FROM pg_inherits WHERE inhrelid = own.oid), '')
    END
FROM own
LEFT JOIN columns ON attrelid = own.oid
ORDER BY depth NULLS FIRST, own.oid
