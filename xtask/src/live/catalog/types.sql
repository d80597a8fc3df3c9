-- What `cargo xtask catalog` reads: one line a fact, of the server itself or of the extension named by EXTENSION.
WITH member AS (
  SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'EXTENSION')
), wanted AS (
  SELECT ('EXTENSION' = '') AS base
), line(text) AS (
  SELECT format('t %s %s%s%s %s %s %s%s', t.typname, t.typcategory, CASE WHEN t.typispreferred THEN '+' ELSE '-' END, t.typtype,
      COALESCE(CASE WHEN t.typcategory = 'A' OR t.typname IN ('oidvector', 'int2vector') THEN e.typname END, '-'),
      COALESCE(a.typname, '-'), COALESCE(b.typname, r.typname, '-'),
      (SELECT ' ' || string_agg(attname || ':' || y.typname, ',' ORDER BY attnum) FROM pg_attribute JOIN pg_type y ON y.oid = atttypid
        WHERE attrelid = t.typrelid AND t.typtype = 'c' AND attnum > 0 AND NOT attisdropped))
  FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem LEFT JOIN pg_type a ON a.oid = t.typarray
    LEFT JOIN pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_range g ON g.rngtypid = t.oid OR g.rngmultitypid = t.oid
    LEFT JOIN pg_type r ON r.oid = CASE WHEN g.rngtypid = t.oid THEN g.rngsubtype ELSE g.rngtypid END, wanted
  WHERE CASE WHEN base THEN t.typnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND t.oid < 16384 AND t.typtype <> 'c'
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typtype = 'c')
    ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND (objid = t.oid OR objid = t.typelem AND t.typcategory = 'A')) END
  UNION ALL
  SELECT format('c %s %s %s%s', s.typname, t.typname, c.castcontext, c.castmethod)
  FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget, wanted
  WHERE CASE WHEN base THEN c.oid < 16384 ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_cast'::regclass AND objid = c.oid) END
  UNION ALL
  SELECT format('o %s %s %s %s %s', o.oprname, COALESCE(l.typname, '-'), r.typname, t.typname, CASE WHEN p.proisstrict THEN 's' ELSE '-' END)
  FROM pg_operator o LEFT JOIN pg_type l ON l.oid = o.oprleft JOIN pg_type r ON r.oid = o.oprright JOIN pg_type t ON t.oid = o.oprresult
    JOIN pg_proc p ON p.oid = o.oprcode, wanted
  WHERE CASE WHEN base THEN o.oid < 16384 ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_operator'::regclass AND objid = o.oid) END
  UNION ALL
  SELECT format('f %s %s %s %s%s%s %s %s %s %s %s', p.proname, p.prokind, t.typname,
      CASE WHEN p.proisstrict THEN 's' WHEN p.prokind = 'f' AND p.provolatile = 'i' THEN 'i' ELSE '-' END, CASE WHEN p.proretset THEN 'r' ELSE '-' END, CASE WHEN p.provariadic <> 0 THEN 'v' ELSE '-' END,
      p.pronargdefaults, CASE WHEN g.aggkind IN ('o', 'h') THEN g.aggkind::text || g.aggnumdirectargs ELSE '-' END,
      COALESCE((SELECT string_agg(a.typname, ',' ORDER BY i) FROM unnest(p.proargtypes) WITH ORDINALITY AS u(o, i) JOIN pg_type a ON a.oid = o), '-'),
      COALESCE((SELECT string_agg(replace(COALESCE(p.proargnames[i], ''), ' ', '_') || ':' || a.typname, ',' ORDER BY i)
        FROM unnest(p.proallargtypes) WITH ORDINALITY AS u(o, i) JOIN pg_type a ON a.oid = o WHERE p.proargmodes[i] IN ('o', 'b', 't')), '-'),
      COALESCE((SELECT string_agg(replace(n, ' ', '_'), ',' ORDER BY i) FROM unnest(p.proargnames) WITH ORDINALITY AS u(n, i)
        WHERE COALESCE(p.proargmodes[i], 'i') IN ('i', 'b', 'v')), '-'))
  FROM pg_proc p JOIN pg_type t ON t.oid = p.prorettype LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid, wanted
  WHERE CASE WHEN base THEN p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384
      AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) u(o) WHERE o = 'internal'::regtype) AND p.prorettype <> 'internal'::regtype
    ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
      AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) u(o) WHERE o = 'internal'::regtype) AND p.prorettype <> 'internal'::regtype END
  UNION ALL
  SELECT format('r %s %s', CASE WHEN c.relnamespace = 'information_schema'::regnamespace THEN 'information_schema.' || c.relname ELSE c.relname END,
    (SELECT string_agg(a.attname || ':' || t.typname || CASE WHEN a.attnotnull THEN '!' ELSE '' END, ' ' ORDER BY attnum) FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
  FROM pg_class c, wanted WHERE CASE WHEN base THEN c.oid < 16384 AND c.relkind IN ('r', 'v')
    ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid) AND c.relkind IN ('r', 'v') END
)
SELECT text FROM line GROUP BY text ORDER BY text COLLATE "C"
