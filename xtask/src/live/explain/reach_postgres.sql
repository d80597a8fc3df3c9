-- What a planner could run, and whether that could do more than a read-only transaction prevents. Three kinds of row:
-- `escapes` with the reason, `name` of a function or of a relation that calls one, and `everywhere` if operators, types or casts
-- call one, which any statement may use. Run with `search_path` set to `pg_catalog`, so that no name is a user's.
WITH RECURSIVE powerful AS MATERIALIZED (
    SELECT oid, rolname FROM pg_roles
    WHERE rolsuper OR rolname IN ('pg_execute_server_program', 'pg_write_server_files')
), functions AS MATERIALIZED (
    SELECT p.oid, p.proname::text AS name, p.prosecdef AS as_owner, p.proowner AS owner, l.lanpltrusted AS is_trusted,
        -- Others are not evaluated, but SQL is put in their place.
        p.provolatile <> 'v' OR l.lanname = 'sql' AS is_planned
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prokind = 'f' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND NOT EXISTS (SELECT 1 FROM pg_depend d
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
), used AS MATERIALIZED (
    SELECT d.classid, d.objid, f.is_planned
    FROM pg_depend d JOIN functions f ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid
), reached(oid) AS (
    SELECT r.ev_class FROM used u JOIN pg_rewrite r ON u.classid = 'pg_rewrite'::regclass AND r.oid = u.objid
    UNION SELECT p.polrelid FROM used u JOIN pg_policy p ON u.classid = 'pg_policy'::regclass AND p.oid = u.objid
    UNION SELECT coalesce(i.indrelid, u.objid) FROM used u LEFT JOIN pg_index i ON i.indexrelid = u.objid
        WHERE u.classid = 'pg_class'::regclass
    UNION SELECT c.conrelid FROM used u JOIN pg_constraint c ON u.classid = 'pg_constraint'::regclass AND c.oid = u.objid
    UNION SELECT s.stxrelid FROM used u
        JOIN pg_statistic_ext s ON u.classid = 'pg_statistic_ext'::regclass AND s.oid = u.objid
    -- A default that is not planned runs for a row alone.
    UNION SELECT a.adrelid FROM used u JOIN pg_attrdef a ON u.classid = 'pg_attrdef'::regclass AND a.oid = u.objid
        WHERE u.is_planned
    -- Another server may be asked to plan, in a transaction of its own.
    UNION SELECT oid FROM pg_class WHERE relkind = 'f'
    -- The views over these, and the tables of which these are parts.
    UNION SELECT further.oid FROM reached CROSS JOIN LATERAL (
        SELECT r.ev_class AS oid FROM pg_depend d
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = reached.oid
        UNION ALL SELECT inhparent FROM pg_inherits WHERE inhrelid = reached.oid
    ) further
)
SELECT 'escapes', 'a superuser''s functions can write files: connect as a role that may only read' WHERE EXISTS (
    SELECT 1 FROM powerful WHERE pg_has_role(session_user, oid, 'MEMBER'))
UNION ALL SELECT 'escapes', format('`%s` has the rights of its owner, a superuser or one who may write files', name)
    FROM functions WHERE as_owner AND has_function_privilege(functions.oid, 'EXECUTE')
      AND EXISTS (SELECT 1 FROM powerful WHERE pg_has_role(functions.owner, powerful.oid, 'MEMBER'))
UNION ALL SELECT 'escapes', format('`%s` is in a language that may do anything on the server', name)
    FROM functions WHERE NOT is_trusted AND has_function_privilege(functions.oid, 'EXECUTE')
UNION ALL SELECT 'escapes', 'the extension `dblink` opens connections of its own'
    FROM pg_extension WHERE extname = 'dblink'
UNION ALL SELECT 'escapes', format('the foreign table `%s` is planned by another server', relname)
    FROM pg_class WHERE relkind = 'f'
UNION ALL SELECT 'name', name FROM functions
UNION ALL SELECT 'name', c.relname::text FROM reached JOIN pg_class c ON c.oid = reached.oid
UNION ALL SELECT 'everywhere', '' WHERE EXISTS (SELECT 1 FROM used u WHERE u.classid IN ('pg_operator'::regclass,
    'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_amproc'::regclass, 'pg_amop'::regclass, 'pg_cast'::regclass,
    'pg_type'::regclass, 'pg_conversion'::regclass)
    OR EXISTS (SELECT 1 FROM pg_constraint c
        WHERE u.classid = 'pg_constraint'::regclass AND c.oid = u.objid AND c.contypid <> 0))
