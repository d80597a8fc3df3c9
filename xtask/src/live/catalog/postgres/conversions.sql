-- Operators, casts and aggregates that are made from functions of the database.
SELECT statement FROM (
    SELECT o.oid, format('CREATE OPERATOR %I.%s (%s%sFUNCTION = %s)', nspname, oprname,
        CASE WHEN oprleft <> 0 THEN format('LEFTARG = %s, ', oprleft::regtype) END,
        CASE WHEN oprright <> 0 THEN format('RIGHTARG = %s, ', oprright::regtype) END, oprcode) AS statement
    FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace
    WHERE o.oid > 16383 AND oprcode <> 0
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_operator'::regclass AND e.objid = o.oid AND e.deptype = 'e')
    UNION ALL
    SELECT c.oid, format('CREATE CAST (%s AS %s) %s%s', castsource::regtype, casttarget::regtype,
        CASE castmethod WHEN 'f' THEN 'WITH FUNCTION ' || castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT'
            ELSE 'WITHOUT FUNCTION' END,
        CASE castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' END)
    FROM pg_cast c
    WHERE c.oid > 16383
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_cast'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    UNION ALL
    SELECT p.oid, format('CREATE AGGREGATE %s (SFUNC = %s, STYPE = %s%s%s)', p.oid::regprocedure, aggtransfn,
        aggtranstype::regtype, CASE WHEN aggfinalfn <> 0 THEN format(', FINALFUNC = %s', aggfinalfn) END,
        CASE WHEN agginitval IS NOT NULL THEN format(', INITCOND = %L', agginitval) END)
    FROM pg_proc p JOIN pg_aggregate ON aggfnoid = p.oid
    WHERE p.oid > 16383 AND aggkind = 'n'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
) made
ORDER BY oid
