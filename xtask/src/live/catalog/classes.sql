-- What `cargo xtask catalog` reads of operator classes: those of the server itself or of the extension named by EXTENSION,
-- and the operators that no class has.
WITH member AS (
  SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'EXTENSION')
), wanted AS (
  SELECT ('EXTENSION' = '') AS base
), search AS (
  SELECT m.amname, c.oid AS class, c.opcname, a.amopopr, l.typname AS own, c.opcdefault, r.typname AS other, o.oprname,
    c.oid < 16384 AND a.oid < 16384 AS built_in
  FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod JOIN pg_type t ON t.oid = c.opcintype
    JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amoppurpose = 's'
      AND (a.amoplefttype = t.oid OR a.amoplefttype = 'anyarray'::regtype AND t.typcategory = 'A'
        OR a.amoplefttype = 'text'::regtype AND t.oid = 'varchar'::regtype)
    JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_type r ON r.oid = a.amoprighttype
    JOIN pg_type l ON l.oid = CASE WHEN t.oid = 'varchar'::regtype THEN a.amoplefttype ELSE t.oid END
), class AS (
  SELECT amname, opcname, own, opcdefault, other, string_agg(DISTINCT oprname, ',' ORDER BY oprname) AS operators
  FROM search, wanted
  WHERE CASE WHEN base THEN built_in
    ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_opclass'::regclass AND objid = class) END
  GROUP BY amname, opcname, own, opcdefault, other
), line(text) AS (
  SELECT format('%s %s %s %s %s', amname, opcname, own, CASE WHEN opcdefault THEN 'd' ELSE '-' END,
    string_agg(other || ':' || operators, ' ' ORDER BY other COLLATE "C"))
  FROM class GROUP BY amname, opcname, own, opcdefault
  UNION ALL
  SELECT format('- %s %s', o.oprname, string_agg(l.typname || ':' || r.typname, ' ' ORDER BY l.typname COLLATE "C", r.typname COLLATE "C"))
  FROM pg_operator o JOIN pg_type l ON l.oid = o.oprleft JOIN pg_type r ON r.oid = o.oprright, wanted
  WHERE o.oprresult = 'bool'::regtype AND NOT EXISTS (SELECT FROM search s WHERE s.amopopr = o.oid AND (s.built_in OR NOT base))
    AND CASE WHEN base THEN o.oid < 16384 AND EXISTS (SELECT FROM search s WHERE s.oprname = o.oprname AND s.built_in)
      ELSE EXISTS (SELECT FROM member WHERE classid = 'pg_operator'::regclass AND objid = o.oid) END
  GROUP BY o.oprname
)
SELECT text FROM line ORDER BY text COLLATE "C"
