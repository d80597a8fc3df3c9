//! PostgreSQL's own catalog tables, with their built-in indexes. They are read like any other table, but
//! nobody adds an index to them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::schema::{Index, IndexKey, Name, Table};

/// Each table with its indexes, keys in order.
const INDEXES: &[(&str, &[&[&str]])] = &[
    ("pg_am", &[&["amname"], &["oid"]]),
    ("pg_attrdef", &[&["adrelid", "adnum"], &["oid"]]),
    ("pg_attribute", &[&["attrelid", "attname"], &["attrelid", "attnum"]]),
    ("pg_auth_members", &[&["roleid", "member"], &["member", "roleid"]]),
    ("pg_authid", &[&["rolname"], &["oid"]]),
    ("pg_class", &[&["oid"], &["relname", "relnamespace"], &["reltablespace", "relfilenode"]]),
    ("pg_collation", &[&["collname", "collencoding", "collnamespace"], &["oid"]]),
    (
        "pg_constraint",
        &[&["oid"], &["conname", "connamespace"], &["conrelid", "contypid", "conname"], &["contypid"]],
    ),
    ("pg_database", &[&["datname"], &["oid"]]),
    ("pg_depend", &[&["classid", "objid", "objsubid"], &["refclassid", "refobjid", "refobjsubid"]]),
    ("pg_description", &[&["objoid", "classoid", "objsubid"]]),
    ("pg_enum", &[&["oid"], &["enumtypid", "enumlabel"], &["enumtypid", "enumsortorder"]]),
    ("pg_event_trigger", &[&["evtname"], &["oid"]]),
    ("pg_extension", &[&["oid"], &["extname"]]),
    ("pg_foreign_table", &[&["ftrelid"]]),
    ("pg_index", &[&["indexrelid"], &["indrelid"]]),
    ("pg_inherits", &[&["inhrelid", "inhseqno"], &["inhparent"]]),
    ("pg_language", &[&["lanname"], &["oid"]]),
    ("pg_namespace", &[&["nspname"], &["oid"]]),
    ("pg_opclass", &[&["opcmethod", "opcname", "opcnamespace"], &["oid"]]),
    ("pg_operator", &[&["oid"], &["oprname", "oprleft", "oprright", "oprnamespace"]]),
    ("pg_partitioned_table", &[&["partrelid"]]),
    ("pg_policy", &[&["oid"], &["polrelid", "polname"]]),
    ("pg_proc", &[&["oid"], &["proname", "proargtypes", "pronamespace"]]),
    ("pg_publication", &[&["oid"], &["pubname"]]),
    ("pg_publication_rel", &[&["oid"], &["prrelid", "prpubid"], &["prpubid"]]),
    ("pg_rewrite", &[&["oid"], &["ev_class", "rulename"]]),
    ("pg_sequence", &[&["seqrelid"]]),
    ("pg_subscription", &[&["oid"], &["subdbid", "subname"]]),
    ("pg_tablespace", &[&["oid"], &["spcname"]]),
    ("pg_trigger", &[&["oid"], &["tgrelid", "tgname"], &["tgconstraint"]]),
    ("pg_type", &[&["oid"], &["typname", "typnamespace"]]),
];

static TABLES: LazyLock<BTreeMap<Name, Table>> = LazyLock::new(|| {
    let named = |(table, indexes): &(&str, &[&[&str]])| {
        let name = Name::qualified(Some("pg_catalog"), *table);
        let mut known = Table::new(name.clone());
        known.indexes = indexes.iter().map(|keys| index(table, keys)).collect();
        (name, known)
    };
    INDEXES.iter().map(named).collect()
});

/// A table of the catalog; `None` if it is a view or unknown.
pub(super) fn table(name: &Name) -> Option<&'static Table> {
    TABLES.get(name)
}

fn index(table: &str, keys: &[&str]) -> Index {
    Index {
        name: format!("{table}_{}_index", keys.first().copied().unwrap_or_default()),
        method: "btree".to_owned(),
        unique: true,
        primary: false,
        constraint: false,
        keys: keys.iter().map(|key| IndexKey::column(*key)).collect(),
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        hidden: false,
        doubtful: false,
    }
}
