//! Columns that are proven not to be NULL, on rows with NULL wherever the tables allow it, and with values
//! for which functions find nothing: infinite times, empty texts and lists, JSON's null.

use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::describe;
use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, PgPool, Row};

const ROWS: &str = "
    INSERT INTO samples (i2, i8, f8, b, t, u, ts, tz, jb, m, ia) VALUES
        (0, 0, 0, false, '', '00000000-0000-0000-0000-000000000000', 'infinity', '-infinity', 'null', 'sad', '{}'),
        (1, 2, 3, true, 'a', '00000000-0000-0000-0000-000000000001', '2020-01-01', '2020-01-01', '{}', 'happy', '{NULL}'),
        (-1, 5, 'NaN', true, 'b', '00000000-0000-0000-0000-000000000002', '2020-01-01', 'infinity', '{\"a\": null}', 'fine', '{1,2}');
    INSERT INTO samples (i2, i4, i8, f4, f8, n, b, t, vc, ch, u, d, ts, tz, iv, j, jb, by, ip, m, e, a, ia, ta, ua, ma, r, tr, tv, ci, hs, lt)
        VALUES (1, 1, 1, 1, 1, 1, true, 't', 'v', 'c', '00000000-0000-0000-0000-000000000003', 'infinity', now(), now(), '1 day', 'null',
        '[1]', 'x', '10.0.0.1', 'sad', 'a@b', ROW(NULL, NULL), '{1}', '{}', '{}', '{}', 'empty', 'empty', '', 'c', '', '');
    INSERT INTO owners VALUES (1, 1, 'a', NULL), (2, 1, '', 'b'), (3, 4, 'c', NULL);
";

/// Ways to obtain a column that can or cannot be NULL.
const WAYS: &[&str] = &[
    "SELECT s.t, o.name, o.note, o FROM samples s LEFT JOIN owners o ON o.sample_id = s.id",
    "SELECT s.t, o.name FROM samples s LEFT JOIN owners o ON o.sample_id = s.id WHERE o.id > 0",
    "SELECT s.t, o.name FROM samples s LEFT JOIN owners o ON o.sample_id = s.id WHERE o.note IS NULL",
    "SELECT s.t, o.name FROM samples s LEFT JOIN owners o ON o.sample_id = s.id WHERE o.id > 0 OR s.b",
    "SELECT s.t, o.name FROM owners o RIGHT JOIN samples s ON o.sample_id = s.id AND o.note = 'b'",
    "SELECT s.t, o.name FROM owners o FULL JOIN samples s ON o.id = s.id",
    "SELECT i4, vc FROM samples WHERE i4 IS NOT NULL AND (vc = 'v' OR vc LIKE 'x%')",
    "SELECT i4 FROM samples WHERE i4 NOT IN (SELECT id FROM owners WHERE id > 10)",
    "SELECT i4 FROM samples WHERE i4 <> ALL(ARRAY[]::int[])",
    "SELECT i4 FROM samples WHERE NOT (i4 > 3 AND b)",
    "SELECT i4 FROM samples WHERE (i4, i2) <> (5, 5)",
    "SELECT count(*), count(i4), sum(i8), max(t), array_agg(t) FROM samples WHERE false",
    "SELECT t, count(*), sum(i8), max(i4), array_agg(i4), sum(i8) FILTER (WHERE b) FROM samples GROUP BY t",
    "SELECT t, m, sum(i8) FROM samples GROUP BY GROUPING SETS ((t), (m), ())",
    "SELECT t, sum(i8) FROM samples GROUP BY ROLLUP (t)",
    "SELECT COALESCE(i4, i2), COALESCE(i4, 0), COALESCE(vc, ch), NULLIF(t, 'a'), GREATEST(i4, i2) FROM samples",
    "SELECT CASE WHEN b THEN t END, CASE WHEN b THEN t ELSE 'x' END, CASE WHEN b THEN vc ELSE t END FROM samples",
    "SELECT (SELECT name FROM owners WHERE id = 99), (SELECT count(*) FROM owners), EXISTS (SELECT 1), (SELECT 1 WHERE false)",
    "SELECT jb -> 'a', jb ->> 'a', ia[1], ia[9], (a).street, jb['a'], jb || jb, jb @> '{}' FROM samples",
    "SELECT t || 'x', t || vc, i2 + i8, i4 + i2, -i8, b AND NOT b, b OR i4 > 1, i8 BETWEEN 1 AND i4 FROM samples",
    "SELECT extract(year FROM ts), date_trunc('day', ts), to_char(ts, ''), ts::date, tz - interval '1 day', age(ts, ts) FROM samples",
    "SELECT row_number() OVER (), lag(t) OVER (), first_value(t) OVER (), sum(i8) OVER (ORDER BY id ROWS BETWEEN 5 PRECEDING AND 4 PRECEDING) FROM samples",
    "SELECT x.t FROM (SELECT t FROM samples UNION SELECT note FROM owners) x",
    "SELECT x.a FROM (VALUES (1), (NULL), (2)) AS x(a)",
    "WITH RECURSIVE r(n, x) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, NULL FROM r WHERE n < 3) SELECT n, x FROM r",
    "SELECT g, now(), current_date, 1, 'a', NULL, ARRAY[NULL], ROW(NULL) FROM generate_series(1, 3) g",
    "SELECT e.key, e.value FROM samples, jsonb_each_text('{\"a\": null}'::jsonb) e",
    "SELECT n.name, n.at FROM owners o, names_of(o.id) n",
    "SELECT v.name, v.i4, v.tz FROM owned v LEFT JOIN owners o ON o.id = v.id",
    "SELECT u FROM unnest(ARRAY[1, NULL]) AS u",
    "SELECT s.t, x.name FROM samples s LEFT JOIN LATERAL (SELECT name FROM owners o WHERE o.sample_id = s.id LIMIT 1) x ON true",
    "SELECT string_agg(note, ','), bool_and(note = 'x'), min(note) FROM owners GROUP BY sample_id",
    "SELECT split_part(t, ',', 2), left(t, 0), substring(t FROM 9), regexp_replace(t, 'a', ''), md5(t), length(t) FROM samples",
    "SELECT lower(r), upper(tr), cardinality(ia), array_length(ia, 1), array_to_string(ia, ','), jsonb_array_length('[]') FROM samples",
    "SELECT id FROM owners JOIN samples USING (id)",
];

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn what_is_proven_not_null_never_is() {
    with_postgres(|pool| async move {
        sqlx::raw_sql(super::FIXTURE).execute(&pool).await.expect("make the tables");
        sqlx::raw_sql(ROWS).execute(&pool).await.expect("fill the tables");
        let schema = super::schema();
        let generated = super::statements::all();
        let generated = generated.iter().map(|(_, sql)| sql.as_str()).filter(|sql| is_plain(sql));
        let (mut proven, mut all, mut wrong) = (0, 0, Vec::new());
        for sql in WAYS.iter().copied().chain(generated) {
            let Ok(query) = resolve(sql, Dialect::Postgres, Some(&schema)) else { continue };
            let described = describe(&query, &schema, Dialect::Postgres);
            let columns: Vec<bool> = described.columns.iter().map(|column| column.proven_not_null).collect();
            let Some(nulls) = nulls(&pool, sql, columns.len()).await else { continue };
            all += columns.len();
            proven += columns.iter().filter(|proven| **proven).count();
            for (number, (proven, nulls)) in (1..).zip(columns.into_iter().zip(nulls)) {
                if proven && nulls > 0 {
                    wrong.push(format!("column {number} of {sql}: {nulls} rows hold NULL"));
                }
            }
        }
        println!("{proven} of {all} columns are proven not to be NULL");
        assert_eq!(wrong, Vec::<String>::new());
        assert!(proven > 300, "{proven} of {all} columns are proven");
    })
    .await;
}

/// Whether a statement can be run unchanged inside another.
fn is_plain(sql: &str) -> bool {
    (sql.starts_with("SELECT") || sql.starts_with("WITH RECURSIVE")) && !sql.contains('$')
}

/// The number of rows with NULL in each column; `None` if the statement fails on these rows.
async fn nulls(pool: &PgPool, sql: &str, columns: usize) -> Option<Vec<i64>> {
    if columns == 0 {
        return None;
    }
    let names: Vec<String> = (1..=columns).map(|number| format!("c{number}")).collect();
    // A row of NULLs is not NULL itself, although IS NULL says so.
    let count = |name: &String| format!("count(*) FILTER (WHERE {name} IS NOT DISTINCT FROM NULL)");
    let counts: Vec<String> = names.iter().map(count).collect();
    let wrapped = format!("SELECT {} FROM ({sql}) AS q({})", counts.join(", "), names.join(", "));
    let row = sqlx::query(AssertSqlSafe(wrapped)).fetch_one(pool).await.ok()?;
    Some((0..columns).map(|at| row.get(at)).collect())
}
