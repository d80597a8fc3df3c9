-- Functions and procedures in a language that can be read: indexes, defaults and views call them.
SELECT pg_get_functiondef(p.oid)
FROM pg_proc p
JOIN pg_namespace n ON n.oid = pronamespace
JOIN pg_language l ON l.oid = prolang
WHERE prokind IN ('f', 'p') AND lanname NOT IN ('c', 'internal')
    AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
ORDER BY p.oid
