//! The statements: operators with types, functions with arguments, set operations, CASE, parameters in every position.

/// A column of each type that the tables have.
const COLUMNS: [&str; 24] = [
    "i2", "i4", "i8", "f8", "n", "b", "t", "vc", "ch", "u", "d", "ts", "tz", "iv", "jb", "by", "m", "e",
    "ia", "ta", "r", "ci", "hs", "lt",
];

const OPERATORS: [&str; 14] = ["=", "<", "+", "-", "*", "||", "@>", "->", "->>", "~", "&&", "/", "%", "LIKE"];

/// Functions of one argument.
const OF_ONE: [&str; 52] = [
    "abs",
    "lower",
    "upper",
    "length",
    "char_length",
    "octet_length",
    "md5",
    "ascii",
    "initcap",
    "ceil",
    "floor",
    "round",
    "sqrt",
    "sign",
    "trunc",
    "ln",
    "to_json",
    "to_jsonb",
    "jsonb_array_length",
    "jsonb_typeof",
    "cardinality",
    "array_length",
    "unnest",
    "date",
    "age",
    "max",
    "min",
    "sum",
    "avg",
    "count",
    "array_agg",
    "string_agg",
    "bool_and",
    "json_agg",
    "jsonb_agg",
    "quote_literal",
    "reverse",
    "to_hex",
    "chr",
    "lower_inc",
    "isempty",
    "justify_days",
    "gen_random_bytes",
    "uuid_generate_v4",
    "host",
    "nlevel",
    "akeys",
    "skeys",
    "same_as",
    "twice",
    "text",
    "float8",
];

/// Functions of two.
const OF_TWO: [&str; 32] = [
    "concat",
    "left",
    "repeat",
    "power",
    "mod",
    "div",
    "round",
    "trunc",
    "date_trunc",
    "date_part",
    "to_char",
    "age",
    "array_append",
    "array_prepend",
    "array_cat",
    "array_position",
    "array_remove",
    "array_to_string",
    "string_to_array",
    "string_agg",
    "split_part",
    "strpos",
    "starts_with",
    "jsonb_extract_path_text",
    "coalesce",
    "nullif",
    "greatest",
    "similarity",
    "generate_series",
    "jsonb_build_object",
    "regexp_replace",
    "to_timestamp",
];

/// All statements, each with the group it belongs to.
pub(crate) fn all() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (at, left) in COLUMNS.iter().enumerate() {
        for (number, right) in COLUMNS.iter().enumerate() {
            // Every third pair is combined with each operator, including the pairs of equal types.
            for (which, op) in OPERATORS.iter().enumerate() {
                if at == number || (at + number + which) % 6 == 0 {
                    all.push(("operators", format!("SELECT {left} {op} {right} AS x FROM samples")));
                }
            }
            if at <= number {
                all.push((
                    "set operations",
                    format!("SELECT {left} AS x FROM samples UNION ALL SELECT {right} FROM samples"),
                ));
                all.push((
                    "case",
                    format!("SELECT CASE WHEN b THEN {left} ELSE {right} END AS x FROM samples"),
                ));
            }
        }
        for op in OPERATORS {
            all.push(("parameters", format!("SELECT {left} {op} $1 AS x FROM samples")));
            all.push(("parameters", format!("SELECT $1 {op} {left} AS x FROM samples")));
        }
        for function in OF_ONE {
            all.push(("functions", format!("SELECT {function}({left}) AS x FROM samples")));
        }
        for (at, function) in OF_TWO.iter().enumerate() {
            all.push(("functions", format!("SELECT {function}({left}, $1) AS x FROM samples")));
            let other = COLUMNS[at % COLUMNS.len()];
            all.push(("functions", format!("SELECT {function}({left}, {other}) AS x FROM samples")));
        }
        all.extend(places(left));
    }
    all.extend(SINGLE.iter().map(|sql| ("single", (*sql).to_owned())));
    all
}

/// A parameter in every position where a value of a column can occur.
fn places(column: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![
        format!("SELECT 1 AS x FROM samples WHERE {column} IN ($1, $2)"),
        format!("SELECT 1 AS x FROM samples WHERE {column} = ANY($1)"),
        format!("SELECT 1 AS x FROM samples WHERE {column} <> ALL($1)"),
        format!("SELECT 1 AS x FROM samples WHERE {column} BETWEEN $1 AND $2"),
        format!("SELECT 1 AS x FROM samples WHERE {column} IS DISTINCT FROM $1"),
        format!("SELECT COALESCE({column}, $1) AS x FROM samples"),
        format!("SELECT COALESCE($1, {column}) AS x FROM samples"),
        format!("SELECT NULLIF({column}, $1) AS x FROM samples"),
        format!("SELECT CASE WHEN b THEN $1 ELSE {column} END AS x FROM samples"),
        format!("SELECT CASE {column} WHEN $1 THEN 1 ELSE 2 END AS x FROM samples"),
        format!("SELECT {column} AS x FROM samples UNION SELECT $1"),
        format!("SELECT $1 AS x UNION SELECT {column} FROM samples"),
        format!("SELECT ARRAY[{column}, $1] AS x FROM samples"),
        format!("INSERT INTO samples ({column}) VALUES ($1), ($2) RETURNING id, {column}"),
        format!("INSERT INTO samples ({column}) SELECT $1 WHERE $2 RETURNING {column}"),
        format!("UPDATE samples SET {column} = $1 WHERE id = $2 RETURNING {column}"),
        format!("UPDATE samples SET {column} = COALESCE($1, {column}) WHERE id = $2"),
        format!("UPDATE samples SET ({column}, t) = ($1, $2)"),
        format!("SELECT x.{column} FROM samples x WHERE x.{column} = (SELECT $1)"),
        format!("SELECT ({column}, t) = ($1, $2) AS x FROM samples"),
        format!("SELECT {column} AS x, count(*) FROM samples GROUP BY {column} HAVING {column} = $1"),
        format!("SELECT max({column}) OVER (PARTITION BY t ORDER BY id) AS x FROM samples"),
        format!("SELECT lag({column}, 1, $1) OVER (ORDER BY id) AS x FROM samples"),
        format!("SELECT (SELECT {column} FROM samples LIMIT 1) AS x"),
        format!("SELECT ARRAY(SELECT {column} FROM samples) AS x"),
        format!("SELECT o.name, s.{column} FROM owners o LEFT JOIN samples s ON s.id = o.sample_id"),
        format!(
            "SELECT {column}::text AS x, {column} AS y FROM samples ORDER BY {column} LIMIT $1 OFFSET $2"
        ),
    ];
    for to in ["text", "int", "jsonb", "text[]", "uuid", "timestamptz", "mood"] {
        all.push(format!("SELECT {column}::{to} AS x FROM samples"));
    }
    all.into_iter().map(|sql| ("places", sql)).collect()
}

/// Individual statements.
const SINGLE: &[&str] = &[
    "SELECT $1",
    "SELECT $1 + $2",
    "SELECT $1 || $2",
    "SELECT $1 = $2",
    "SELECT $1::int8",
    "SELECT -$1::numeric",
    "SELECT 1, 2.5, 'a', true, NULL, 12345678901, 1e3",
    "SELECT * FROM samples",
    "SELECT samples FROM samples",
    "SELECT a, (a).street, (a).number FROM samples",
    "SELECT ROW(1, 'a'), (1, 2)",
    "SELECT * FROM owned",
    "SELECT o.* FROM owned o WHERE o.m = $1",
    "SELECT * FROM names_of($1)",
    "SELECT * FROM names_of($1, most => $2)",
    "SELECT n.name, n.at FROM owners o, LATERAL names_of(o.id) n",
    "SELECT * FROM unnest($1::int8[], $2::text[]) AS t(id, name)",
    "SELECT * FROM unnest($1::uuid[]) WITH ORDINALITY AS t(id, n)",
    "SELECT * FROM generate_series(1, $1) AS g",
    "SELECT * FROM generate_series(now(), now() + interval '1 day', $1) AS g(at)",
    "SELECT * FROM jsonb_to_recordset($1) AS x(a int, b text, c timestamptz)",
    "SELECT * FROM json_each_text($1)",
    "SELECT e.key, e.value FROM samples, jsonb_each(jb) e",
    "SELECT x FROM samples, jsonb_array_elements_text(jb) AS x",
    "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < $1) SELECT sum(n) FROM t",
    "WITH RECURSIVE tree AS (SELECT id, sample_id, 1 AS depth FROM owners WHERE id = $1 UNION ALL SELECT o.id, o.sample_id, tree.depth + 1 FROM owners o JOIN tree ON o.sample_id = tree.id) SELECT * FROM tree",
    "WITH moved AS (DELETE FROM owners WHERE id = ANY($1) RETURNING *) SELECT id, name FROM moved",
    "INSERT INTO owners (id, sample_id, name) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, note = COALESCE($4, owners.note) RETURNING *",
    "INSERT INTO owners (id, sample_id, name) SELECT * FROM unnest($1::int8[], $2::int8[], $3::text[])",
    "INSERT INTO owners (id, sample_id, name, note) SELECT id, $1, t, $2 FROM samples",
    "INSERT INTO samples (i2) VALUES (DEFAULT)",
    "UPDATE owners SET name = s.t FROM samples s WHERE s.id = owners.sample_id AND s.i4 > $1 RETURNING owners.id, s.t",
    "DELETE FROM owners USING samples s WHERE s.id = sample_id AND s.tz < now() - $1::interval RETURNING name",
    "DELETE FROM owners USING samples s WHERE s.id = sample_id AND s.tz < now() - $1",
    "SELECT extract(epoch FROM tz), extract(year FROM d), date_part('month', ts) FROM samples",
    "SELECT tz AT TIME ZONE 'UTC', ts AT TIME ZONE $1 FROM samples",
    "SELECT tz::date, CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIME, now() - interval '1 day'",
    "SELECT interval '1 hour' * $1",
    "SELECT make_interval(days => $1), make_interval(secs => $2)",
    "SELECT substring(t FROM 1 FOR $1), trim(both 'x' from t), position('a' in t), overlay(t placing 'x' from 1) FROM samples",
    "SELECT jb -> 'a', jb ->> $1, jb #> '{a,b}', jb #>> $2, jb ? $3, jb @> $4 FROM samples",
    "SELECT jb['a'], ia[1], ia[1:2], ta[$1] FROM samples",
    "SELECT count(*) FILTER (WHERE b), sum(i4), avg(i8), sum(n), sum(iv), string_agg(t, ',' ORDER BY t) FROM samples",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f8), mode() WITHIN GROUP (ORDER BY m) FROM samples",
    "SELECT row_number() OVER (), rank() OVER (ORDER BY i4), ntile(4) OVER (ORDER BY id), first_value(t) OVER w FROM samples WINDOW w AS (ORDER BY id)",
    "SELECT t, m, count(*), grouping(t) FROM samples GROUP BY GROUPING SETS ((t, m), ())",
    "SELECT t, sum(i4) FROM samples GROUP BY ROLLUP (t)",
    "SELECT DISTINCT ON (t) t, i4 FROM samples ORDER BY t, i4",
    "SELECT DISTINCT ON (k) i4, t AS k FROM samples ORDER BY k, i4",
    "SELECT o.id, o.name, s.t, s.id FROM owners o LEFT JOIN samples s ON s.id = o.sample_id",
    "SELECT s.id, s.t, o.id, o.name FROM samples s LEFT JOIN owners o ON o.sample_id = s.id",
    "SELECT s.id, o.id FROM samples s LEFT JOIN owners o ON o.id = s.id",
    "SELECT s.id, o.id FROM owners o LEFT JOIN samples s ON o.id = s.id",
    "SELECT s.id, o.id FROM samples s LEFT JOIN owners o ON o.sample_id = s.i8",
    "SELECT s.id, o.id FROM samples s LEFT JOIN owners o ON o.sample_id = s.id WHERE o.name = 'a' OR s.b",
    "SELECT s.id, o.id FROM samples s LEFT JOIN owners o ON o.sample_id = s.id AND o.name = $1",
    "SELECT s.id, o.id FROM owners o RIGHT JOIN samples s ON o.sample_id = s.id",
    "SELECT s.id, o.id FROM samples s RIGHT JOIN owners o ON o.sample_id = s.id",
    "SELECT a.id, b.id FROM owners a LEFT JOIN owners b ON b.id = a.sample_id",
    "SELECT a.id, b.id FROM owners a LEFT JOIN owners b ON b.sample_id = a.id",
    "SELECT a.id, b.id FROM samples a LEFT JOIN samples b ON b.i8 = a.id",
    "SELECT a.id, b.id FROM samples a LEFT JOIN samples b ON b.id = a.i8",
    "SELECT a.id, b.id FROM samples a LEFT JOIN samples b ON b.i8 = a.i8",
    "SELECT a.id, b.id FROM owners a LEFT JOIN owners b ON b.sample_id = a.sample_id",
    "SELECT a.id, b.id FROM owners a RIGHT JOIN owners b ON b.sample_id = a.id",
    "SELECT a.id, b.id FROM owners a RIGHT JOIN owners b ON b.id = a.sample_id",
    "SELECT DISTINCT ON (i4) t AS i4, i8 FROM samples",
    "SELECT DISTINCT ON (2) i4, t AS k FROM samples",
    "SELECT DISTINCT ON (1 + i4) t AS i4, i8 FROM samples",
    "SELECT DISTINCT ON (k + 1) i4 AS k FROM samples",
    "SELECT DISTINCT ON (k) i4 AS k, count(*) FROM samples GROUP BY i4 HAVING i4 > 1",
    "SELECT * FROM (VALUES (1, 'a'), (2, $1)) AS v(n, s)",
    "VALUES ($1, 1), ('b', $2)",
    "SELECT ARRAY[1, 2.5], ARRAY['a', $1], ARRAY[[1, 2], [3, 4]], ARRAY[]::uuid[]",
    "SELECT tv @@ to_tsquery('english', $1), ts_rank(tv, plainto_tsquery($2)), to_tsvector(t) FROM samples",
    "SELECT r @> $1, lower(r), upper(tr), r * $2, tr && $3 FROM samples",
    "SELECT hs -> 'a', hs ? $1, akeys(hs) FROM samples",
    "SELECT lt <@ $1, lt ~ 'a.*'::lquery, nlevel(lt) FROM samples",
    "SELECT ci = $1, ci || 'a', lower(ci) FROM samples",
    "SELECT crypt($1, gen_salt('bf')), gen_random_uuid(), digest($2, 'sha256'), encode(digest(t, 'sha1'), 'hex') FROM samples",
    "SELECT t % $1, similarity(t, $2), t <-> $3 FROM samples",
    "SELECT m = 'happy', m::text, m IN ('sad', $1), enum_range(NULL::mood), m > $2 FROM samples",
    "SELECT e, e || 'x', lower(e) FROM samples WHERE e = $1",
    "SELECT EXISTS (SELECT 1 FROM owners WHERE name = $1), NOT EXISTS (SELECT 1)",
    "SELECT (i4, t) IN (SELECT i4, t FROM samples WHERE id = $1) FROM samples",
    "SELECT (i4, t) IN (($1, $2), ($3, $4)) FROM samples",
    "SELECT a FROM samples WHERE a = ROW($1, $2)::address",
    "SELECT same_as($1::int), same_as(t), twice($2) FROM samples",
    "SELECT o.id, s.id, s.t, s.i4 FROM owners o LEFT JOIN samples s ON s.id = o.sample_id WHERE o.id > 3",
    "SELECT o.id, s.id, s.t FROM samples s RIGHT JOIN owners o ON s.id = o.sample_id",
    "SELECT o.id, s.id, s.t FROM samples s FULL JOIN owners o ON s.id = o.sample_id",
    "SELECT o.id, s.t FROM owners o LEFT JOIN samples s ON s.id = o.sample_id WHERE o.id = $1",
    "SELECT o.id, s.t FROM owners o LEFT JOIN samples s ON s.id = o.sample_id WHERE o.id = ANY($1)",
    "SELECT o.id, s.t FROM owners o LEFT JOIN samples s ON s.id = o.sample_id WHERE s.b",
    "SELECT o.id, s.t FROM owners o LEFT JOIN samples s ON s.id = o.sample_id ORDER BY s.t LIMIT 5",
    "SELECT o.name, x.t FROM owners o LEFT JOIN LATERAL (SELECT t FROM samples s WHERE s.id = o.sample_id LIMIT 1) x ON true",
    "SELECT id FROM owners JOIN samples USING (id) WHERE id = $1",
    "SELECT * FROM owners NATURAL JOIN samples",
    "SELECT pg_advisory_xact_lock($1), pg_notify('a', $2), nextval('samples_id_seq')",
    "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = $1",
    "SELECT c.relname, n.nspname, c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'",
    "SELECT ctid, xmin, tableoid FROM samples",
    "SELECT ($1 = i4) IS TRUE, NOT b, b AND $2 FROM samples",
    "SELECT to_char(tz, 'YYYY'), to_timestamp($1), to_date($2, 'YYYY'), age(tz) FROM samples",
    "SELECT jsonb_build_object('a', i4, 'b', t), json_agg(t), jsonb_object_agg(t, i4) FROM samples GROUP BY i4, t",
    "SELECT array_agg(DISTINCT t ORDER BY t), array_agg(ia), array_length(ia, 1) FROM samples GROUP BY ia",
    "SELECT greatest(i4, i8, n), least(d, ts, tz), coalesce(vc, t, ch) FROM samples",
    "SELECT concat(t, i4, $1::text), format('%s', t), left(t, $2), lpad(t, 3, $3) FROM samples",
    "SELECT 'a'\n'b'",
    // Sides of a set operation in parentheses, which the other side types.
    "SELECT id, i4 FROM samples UNION ALL (SELECT id, NULL FROM owners ORDER BY id LIMIT $1)",
    "SELECT * FROM (SELECT id, m FROM samples UNION ALL (SELECT id, NULL FROM owners LIMIT 1)) x",
    "(SELECT id, $1 AS v FROM owners LIMIT 1) UNION ALL SELECT id, i4 FROM samples",
    "SELECT id, m FROM samples UNION ALL (WITH x AS (SELECT 1) SELECT id, NULL FROM owners)",
    "SELECT id, i4 FROM samples UNION ALL SELECT DISTINCT id, NULL FROM owners",
    "SELECT id, m FROM samples UNION ALL (SELECT DISTINCT id, NULL FROM owners ORDER BY id)",
    // Names of columns.
    "SELECT substr(t, 1, $1), substring(t, 1) FROM samples",
    "SELECT $1::timestamptz::date, CASE WHEN b THEN 1 ELSE 2::bigint END, CASE WHEN b THEN 1 ELSE i4::bigint END, i4::text::int FROM samples",
    // What has to be of one type.
    "SELECT id FROM samples WHERE i4 IS TRUE",
    "SELECT id FROM samples LIMIT t",
    "SELECT id FROM samples LIMIT 2.5 OFFSET $1",
    "SELECT (SELECT id, name FROM owners)",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1.5 FROM t) SELECT n FROM t",
    "WITH RECURSIVE t AS (SELECT 1.5 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t",
    "SELECT id FROM samples WHERE $1 IS NULL OR t = $1",
    "SELECT id FROM samples WHERE t = $1 OR $1 IS NULL",
    "UPDATE samples SET ia = ARRAY[$1, 2], ta = $2::text[], ua = $3",
    "INSERT INTO owners (id, sample_id, name, note) SELECT $1, $2, u.* FROM unnest($3::text[], $4::text[]) u",
    "SELECT max(b) FROM samples",
    "SELECT t COLLATE \"C\", $1 COLLATE \"C\" FROM samples",
    "SELECT B'101', X'1F', 'infinity'::float8, '1 day'::interval, date '2020-01-01'",
    "SELECT i2 / 2, i4 / i8, n * i4, f4 * f8, i4 % 2, i4 ^ 2, |/ f8, @ i4 FROM samples",
    "SELECT row_to_json(s), to_jsonb(s), s.t FROM samples s",
    "SELECT row_to_json(x) FROM (SELECT id, t FROM samples) x",
    "SELECT array_agg(x) FROM (SELECT id, t FROM samples) x",
];
