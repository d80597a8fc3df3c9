//! The catalog of a real database as sorted lines: two databases with equal lines have the same schema.

use sqlx::{AssertSqlSafe, MySqlPool, PgPool, Row, SqlitePool};

/// All user-defined objects of a PostgreSQL database, as printed by its catalog.
///
/// # Panics
///
/// If the catalog cannot be read.
pub async fn postgres(pool: &PgPool) -> Vec<String> {
    // Objects of extensions are excluded, and so is sqlx's own table.
    const OWN: &str = "nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_%'
        AND c.relname NOT LIKE '\\_sqlx\\_migrations%'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')";
    let queries = [
        format!(
            "SELECT format('column %s.%s %s %I %s%s default %s identity %s generated %s collation %s', nspname, relname,
                 row_number() OVER (PARTITION BY c.oid ORDER BY attnum), attname, format_type(atttypid, atttypmod),
                 CASE WHEN attnotnull THEN ' not null' END, pg_get_expr(adbin, adrelid), attidentity, attgenerated,
                 (SELECT collname FROM pg_collation l WHERE l.oid = attcollation))
             FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
             LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
             WHERE relkind IN ('r', 'p', 'v', 'm', 'c', 'f') AND attnum > 0 AND NOT attisdropped AND {OWN}"
        ),
        format!(
            "SELECT format('relation %s.%s kind %s partition %s key %s view %s', nspname, relname, relkind,
                 pg_get_expr(relpartbound, c.oid), pg_get_partkeydef(c.oid),
                 CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
             FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {OWN}"
        ),
        format!(
            "SELECT format('constraint %s.%s %s %s', nspname, relname, conname, pg_get_constraintdef(k.oid))
             FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = relnamespace
             WHERE contype <> 't' AND {OWN}"
        ),
        format!(
            "SELECT format('index %s', pg_get_indexdef(indexrelid)) FROM pg_index i
             JOIN pg_class c ON c.oid = indrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE {OWN}"
        ),
        format!(
            "SELECT format('child %s of %s', inhrelid::regclass, inhparent::regclass) FROM pg_inherits
             JOIN pg_class c ON c.oid = inhrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE {OWN}"
        ),
        "SELECT format('range %s of %s %s %s', rngtypid::regtype, rngsubtype::regtype, rngcollation::regcollation, rngsubdiff)
             FROM pg_range WHERE rngtypid > 16383"
            .to_owned(),
        "SELECT format('collation %s %s %s %s', c.oid::regcollation, collprovider, colliculocale, collisdeterministic)
             FROM pg_collation c WHERE c.oid > 16383"
            .to_owned(),
        "SELECT format('sequence %s %s', s.seqrelid::regclass, to_jsonb(s) - 'seqrelid' - 'seqtypid') FROM pg_sequence s
             WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = seqrelid AND e.deptype = 'i')
             AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.refobjid = seqrelid AND e.classid = 'pg_attrdef'::regclass)"
            .to_owned(),
        "SELECT format('function %s %s %s', p.oid::regprocedure, prokind, prorettype::regtype) FROM pg_proc p
             WHERE p.oid > 16383 AND prorettype <> 'trigger'::regtype AND prorettype <> 'event_trigger'::regtype
             AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype IN ('e', 'i'))"
            .to_owned(),
        "SELECT format('extension %s in %s', extname, extnamespace::regnamespace) FROM pg_extension".to_owned(),
        "SELECT format('label %s.%s %s %s', nspname, typname, row_number() OVER (PARTITION BY t.oid ORDER BY enumsortorder),
             enumlabel) FROM pg_enum e JOIN pg_type t ON t.oid = enumtypid JOIN pg_namespace n ON n.oid = typnamespace"
            .to_owned(),
        "SELECT format('domain %s.%s %s%s %s', nspname, typname, format_type(typbasetype, typtypmod),
             CASE WHEN typnotnull THEN ' not null' END,
             (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.oid) FROM pg_constraint k WHERE contypid = t.oid))
         FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
         WHERE typtype = 'd' AND nspname NOT IN ('pg_catalog', 'information_schema')"
            .to_owned(),
    ];
    let mut lines = Vec::new();
    for query in queries {
        let rows = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(pool).await.expect("read the catalog");
        lines.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    lines.sort();
    lines
}

/// All objects of a SQLite database, as printed by its pragmas.
///
/// # Panics
///
/// If the pragmas cannot be read.
pub async fn sqlite(pool: &SqlitePool) -> Vec<String> {
    // Names and keywords are compared case-insensitively, and defaults without white space.
    const QUERIES: &[&str] = &[
        "SELECT lower(format('column %s %d %s', l.name, cid, c.name)) || format(' %s not null %d default %s key %d hidden %d',
             c.type, \"notnull\",
             replace(CASE WHEN dflt_value LIKE '%''%' THEN dflt_value ELSE lower(dflt_value) END, ' ', ''), pk, hidden) FROM pragma_table_list l, pragma_table_xinfo(l.name) c WHERE l.schema = 'main'",
        "SELECT lower(format('table %s %s', name, type)) || format(' without rowid %d strict %d', wr, strict)
         FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
        "SELECT lower(format('index %s %s unique %d origin %s partial %d key %d %s', l.name, i.name, i.\"unique\", i.origin,
             i.partial, c.seqno, c.name)) || format(' desc %d %s', c.\"desc\", upper(c.coll))
         FROM pragma_table_list l, pragma_index_list(l.name) i, pragma_index_xinfo(i.name) c WHERE c.key",
        "SELECT lower(format('reference %s %s (%s) to (%s)', l.name, k.\"table\", group_concat(k.\"from\"), group_concat(k.\"to\")))
             || format(' on delete %s on update %s', k.on_delete, k.on_update)
         FROM pragma_table_list l, pragma_foreign_key_list(l.name) k GROUP BY l.name, k.id",
    ];
    let mut lines = Vec::new();
    for query in QUERIES {
        let rows = sqlx::raw_sql(*query).fetch_all(pool).await.expect("read the pragmas");
        lines.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    // sqlx's own table, and the results of ANALYZE.
    lines.retain(|line| !line.contains("_sqlx_migrations") && !line.contains(" sqlite_stat"));
    lines.sort();
    lines
}

/// All objects of a MySQL or MariaDB database, as printed by `information_schema`.
///
/// # Panics
///
/// If the schema cannot be read.
pub async fn mysql(pool: &MySqlPool) -> Vec<String> {
    const QUERIES: &[&str] = &[
        "SELECT CAST(CONCAT_WS(' ', 'column', table_name, ordinal_position, column_name, column_type, is_nullable,
             column_default, extra, generation_expression) AS CHAR) FROM information_schema.columns
         WHERE table_schema = DATABASE()",
        "SELECT CAST(CONCAT_WS(' ', 'index', table_name, index_name, seq_in_index, column_name, collation, sub_part,
             non_unique, index_type) AS CHAR) FROM information_schema.statistics WHERE table_schema = DATABASE()",
        "SELECT CAST(CONCAT_WS(' ', 'reference', k.table_name, k.constraint_name, k.ordinal_position, k.column_name,
             k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule) AS CHAR)
         FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
           ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
         WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL",
        "SELECT CAST(CONCAT_WS(' ', 'check', table_name, constraint_name, check_clause) AS CHAR)
         FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()",
    ];
    let mut lines = Vec::new();
    for query in QUERIES {
        let rows = sqlx::raw_sql(*query).fetch_all(pool).await.expect("read the information schema");
        lines.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    lines.sort();
    lines
}

/// The lines that only one of the lists has, marked with their side; empty if both are equal.
pub fn difference(expect: &[String], found: &[String]) -> Vec<String> {
    let missing = expect.iter().filter(|line| !found.contains(line)).map(|line| format!("missing: {line}"));
    let surplus = found.iter().filter(|line| !expect.contains(line)).map(|line| format!("surplus: {line}"));
    missing.chain(surplus).collect()
}
