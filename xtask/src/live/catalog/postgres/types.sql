-- Enums, domains, ranges and composite types, in the order they were made: one may be made of another.
SELECT CASE typtype
    WHEN 'e' THEN format('CREATE TYPE %s AS ENUM (%s)', t.oid::regtype,
        (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
    WHEN 'd' THEN format('CREATE DOMAIN %s AS %s%s%s%s%s', t.oid::regtype, format_type(typbasetype, typtypmod),
        (SELECT format(' COLLATE %s', t.typcollation::regcollation)
         FROM pg_type b WHERE b.oid = t.typbasetype AND b.typcollation <> t.typcollation),
        ' DEFAULT ' || typdefault, CASE WHEN typnotnull THEN ' NOT NULL' END,
        (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.oid)
         FROM pg_constraint k WHERE contypid = t.oid AND contype = 'c'))
    WHEN 'r' THEN (SELECT format('CREATE TYPE %s AS RANGE (subtype = %s%s%s%s)', t.oid::regtype, format_type(rngsubtype, NULL),
            CASE WHEN rngcollation <> s.typcollation THEN format(', collation = %s', rngcollation::regcollation) END,
            CASE WHEN rngsubdiff <> 0 THEN format(', subtype_diff = %s', rngsubdiff::regproc) END,
            CASE WHEN current_setting('server_version_num')::int >= 140000
                THEN format(', multirange_type_name = %s', (to_jsonb(g) ->> 'rngmultitypid')::oid::regtype) END)
        FROM pg_range g JOIN pg_type s ON s.oid = rngsubtype WHERE rngtypid = t.oid)
    ELSE format('CREATE TYPE %s AS (%s)', t.oid::regtype,
        (SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
            (SELECT ' COLLATE ' || c.oid::regcollation FROM pg_collation c JOIN pg_type y ON y.oid = atttypid
             WHERE c.oid = attcollation AND attcollation <> y.typcollation)), ', ' ORDER BY attnum)
         FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped))
    END
FROM pg_type t
JOIN pg_namespace n ON n.oid = typnamespace
WHERE (typtype IN ('e', 'd', 'r') OR typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid AND relkind = 'c'))
    AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
ORDER BY t.oid
