//! Columns and indexes that statements add to tables determined at run time: any table may have them. An empty name
//! stands for all columns.

use super::Replay;
use super::block::has_hole;
use super::values::{HOLE, Text};
use crate::schema::ddl::block::Node;
use crate::schema::ddl::{self, Action, Change, Rule};
use crate::schema::model::{Column, IndexKey, Name};
use crate::sql::Dialect;
use crate::sql::split;

impl Replay {
    /// Records the columns and indexes that the statements of a loop add, to whichever tables.
    pub(super) fn loosen_all(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Statement(sql) => self.loosen_statement(sql),
                Node::Execute(expression) => {
                    let text = self.evaluate(expression);
                    self.loosen_text(&text);
                }
                Node::Assign { variable, value } => {
                    let value = self.evaluate(value);
                    self.assign(variable, value);
                }
                Node::Call { function, arguments } => self.loosen_call(function, arguments),
                Node::Loop(nodes)
                | Node::Block { nodes, .. }
                | Node::ForEach { nodes, .. }
                | Node::While { nodes, .. } => {
                    self.loosen_all(nodes);
                }
                Node::If { branches, otherwise } => {
                    for (_, nodes) in branches {
                        self.loosen_all(nodes);
                        self.forget_assigned(nodes);
                    }
                    self.loosen_all(otherwise);
                    self.forget_assigned(otherwise);
                }
                Node::Raise | Node::Leave(_) => {}
            }
        }
    }

    fn loosen_text(&mut self, text: &Text) {
        let filled = text.filled();
        for piece in split::statements(&filled, self.schema.dialect) {
            self.loosen_in_loop(piece.text);
        }
    }

    /// Records what a statement in a loop adds, if it is not a text that is executed.
    fn loosen_statement(&mut self, sql: &str) {
        match ddl::parse(sql, self.schema.dialect) {
            Ok(Change::SetVariables(_) | Change::Prepare(..)) => drop(self.run_statement(sql, "")),
            Ok(Change::ExecutePrepared(name)) => {
                let text = self.session.prepared.get(&name).cloned().unwrap_or_else(Text::hole);
                self.loosen_text(&text);
            }
            Ok(Change::ExecuteText(text)) => {
                let text = self.evaluate(&text);
                self.loosen_text(&text);
            }
            Ok(Change::Calls(calls)) => {
                calls.iter().for_each(|(function, arguments)| self.loosen_call(function, arguments));
            }
            _ => self.loosen_in_loop(sql),
        }
    }

    /// Records the columns that a statement in a loop adds: to its table, if that is known.
    fn loosen_in_loop(&mut self, sql: &str) {
        if let Ok(Change::Alter { name, only, actions, .. }) = ddl::parse(sql, self.schema.dialect)
            && self.find_table(&name).is_some()
        {
            let adds = |action: &Action| {
                matches!(action, Action::AddColumn { column, .. } if !has_hole(column))
                    || matches!(action, Action::SetType { .. } if !has_hole(action))
            };
            let added = actions.into_iter().filter(adds).collect();
            let _ = self.alter(&name, true, only, added);
        }
        if let Ok(Change::CreateIndex(mut index)) = ddl::parse(sql, self.schema.dialect) {
            index.index.name = index.index.name.take().filter(|name| !has_hole(name));
            if !has_hole(&index) {
                let _ = self.create_index(*index);
                return;
            }
        }
        self.loosen(sql);
    }

    /// Records the columns that a statement adds, if its table or the column is unknown.
    pub(super) fn loosen(&mut self, sql: &str) {
        self.doubt(sql);
        if sql.trim() == HOLE {
            self.schema.loose_columns.insert(String::new(), String::new());
            self.schema.loose_indexes.insert(String::new());
            return;
        }
        let (name, actions) = match ddl::parse(sql, self.schema.dialect) {
            Ok(Change::Alter { name, actions, .. }) => (name, actions),
            Ok(Change::CreateIndex(index)) => {
                let first =
                    index.index.keys.first().filter(|key| !has_hole(key)).and_then(|key| key.as_column());
                match (first, self.find_table(&index.table).and_then(|table| self.schema.tables.get(&table)))
                {
                    (Some(first), None) => {
                        self.schema.loose_indexes.insert(first.to_owned());
                    }
                    (Some(_), Some(_)) => {}
                    // Some column of it, or of whichever table.
                    (None, Some(table)) => {
                        self.schema
                            .loose_indexes
                            .extend(table.columns.iter().map(|column| column.name.clone()));
                    }
                    (None, None) => {
                        self.schema.loose_indexes.insert(String::new());
                    }
                }
                return;
            }
            _ => return,
        };
        let is_known = !has_hole(&name) && self.find_table(&name).is_some();
        for action in actions {
            if let Action::AddConstraint(constraint) = &action
                && (!is_known || has_hole(constraint))
            {
                self.loosen_key(&constraint.rule);
            }
            if let (Action::SetType { column, ty, .. }, false) = (&action, is_known) {
                self.loosen_types(column, &self.print_type(ty));
            }
            let (mut column, mut ty) = match action {
                Action::AddColumn { column, .. } => (column.column.name.clone(), self.print_type(&column.ty)),
                Action::RenameColumn { to, .. } => (to, String::new()),
                _ => continue,
            };
            if has_hole(&column) {
                column.clear();
            } else if is_known {
                continue;
            }
            if column.is_empty() || has_hole(&ty) {
                ty.clear();
            }
            self.schema.loose_columns.entry(column).or_insert(ty);
        }
    }

    /// Records the index that a constraint brings to a table that is not known.
    fn loosen_key(&mut self, rule: &Rule) {
        let first = match rule {
            Rule::PrimaryKey { keys, .. } | Rule::Unique { keys, .. } => {
                keys.first().and_then(IndexKey::as_column)
            }
            Rule::Index(index) => index.keys.first().and_then(IndexKey::as_column),
            Rule::ForeignKey { columns, .. } if self.schema.dialect == Dialect::MySql => {
                columns.first().map(String::as_str)
            }
            _ => return,
        };
        let column = first.filter(|column| !column.contains(HOLE)).unwrap_or_default();
        self.schema.loose_indexes.insert(column.to_owned());
    }

    /// Forgets the type of a column in all tables, since a statement changes it in some of them. If the column is
    /// unknown as well, it is one whose type is of the same kind: a time, a number or a text.
    fn loosen_types(&mut self, column: &str, to: &str) {
        let kind = |ty: &str| {
            const KINDS: [&[&str]; 3] = [
                &["timestamp", "date", "time"],
                &["smallint", "integer", "bigint", "numeric"],
                &["character", "text"],
            ];
            KINDS.iter().position(|kind| kind.iter().any(|start| ty.starts_with(start)))
        };
        let is_any = has_hole(&column);
        for known in self.schema.tables.values_mut().flat_map(|table| &mut table.columns) {
            let may_be =
                if is_any { kind(to).is_some() && kind(&known.ty) == kind(to) } else { known.name == column };
            if may_be && known.ty != to {
                known.ty.clear();
            }
        }
    }

    /// Adds columns to a table that any table may have, if a statement shows that this one has them.
    pub(super) fn take_loose(&mut self, table: &Name, columns: Vec<String>) {
        let Some(known) = self.schema.tables.get_mut(table) else { return };
        for name in columns {
            if known.column(&name).is_none()
                && let Some(ty) = self.schema.loose_columns.get(&name).filter(|ty| !ty.is_empty())
            {
                known.columns.push(Column::new(name, ty.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn check(ddl: &str, query: &str, problems: usize) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(&format!("CREATE TABLE t (id int); CREATE TABLE u (id int); {ddl}"), "a.sql");
        let text = crate::schema::snapshot::write(&replay.schema, None);
        for schema in [replay.schema, crate::schema::snapshot::read(&text, "s.sql", None).schema] {
            let query = resolve(query, Dialect::Postgres, Some(&schema)).expect("it parses");
            assert_eq!(query.problems.len(), problems, "{ddl}: {:?}", query.problems);
        }
    }

    #[test]
    fn any_table_may_have_a_column_that_goes_to_tables_that_are_looked_up() {
        let looked_up = "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables LOOP
             EXECUTE format('ALTER TABLE %I ADD COLUMN a int', r.tablename); END LOOP; END $$;";
        check(looked_up, "SELECT a FROM t", 0);
        check(looked_up, "SELECT b FROM t", 1);
        check(&format!("{looked_up} CREATE INDEX i ON u (a);"), "SELECT a FROM u", 0);
        let called = "CREATE FUNCTION f(n text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
             EXECUTE format('ALTER TABLE %I ADD COLUMN a int', n); END $$; SELECT f(x) FROM unnest(ARRAY['t', 'u']) x;";
        check(called, "SELECT t.a FROM t", 0);
        let any = "DO $$ DECLARE c text; BEGIN SELECT 'x' || id INTO c FROM t; EXECUTE format('ALTER TABLE t ADD %I int', c); END $$;";
        check(any, "SELECT b FROM t", 0);
        check("DO $$ BEGIN EXECUTE 'ALTER TABLE u ADD COLUMN a int'; END $$;", "SELECT a FROM t", 1);
        let joined = "DO $$ BEGIN EXECUTE (SELECT string_agg(format('ALTER TABLE %I ADD COLUMN a int', tablename), ';') FROM pg_tables); END $$;";
        check(joined, "SELECT a FROM t", 0);
        check(joined, "SELECT b FROM t", 1);
        check("DO $$ BEGIN EXECUTE (SELECT sql FROM t); END $$;", "SELECT b FROM t", 0);
    }

    #[test]
    fn any_column_may_have_an_index_that_is_made_of_unknown_ones() {
        let verdict = |ddl: &str, query: &str| {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(&format!("CREATE TABLE t (id int, a int); CREATE TABLE u (b int); {ddl}"), "a.sql");
            let text = crate::schema::snapshot::write(&replay.schema, None);
            let read = crate::schema::snapshot::read(&text, "s.sql", None).schema;
            let found = [replay.schema, read].map(|schema| {
                let query = resolve(query, Dialect::Postgres, Some(&schema)).expect("it parses");
                crate::index::accesses(&query, &schema)[0].verdict == crate::index::Verdict::Unknown
            });
            assert_eq!(found[0], found[1], "{ddl}");
            found[0]
        };
        let of_table = "DO $$ BEGIN EXECUTE format('CREATE INDEX ON t (%I)', (SELECT c FROM u)); END $$;";
        assert!(verdict(of_table, "SELECT 1 FROM t WHERE a = $1"));
        assert!(!verdict(of_table, "SELECT 1 FROM u WHERE b = $1"));
        let of_any = "DO $$ DECLARE s text; BEGIN SELECT sql INTO s FROM u; EXECUTE s; END $$;";
        assert!(verdict(of_any, "SELECT 1 FROM u WHERE b = $1"));
    }

    #[test]
    fn a_table_that_may_have_the_column_of_a_condition_is_not_read_in_full() {
        let ddl = "DO $$ DECLARE n text; BEGIN FOR n IN SELECT tablename FROM pg_tables LOOP
             EXECUTE format('ALTER TABLE %I ADD COLUMN a int', n); EXECUTE format('CREATE INDEX ON %I (a)', n); END LOOP; END $$;";
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(&format!("CREATE TABLE t (id int, n int); CREATE TABLE u (id int); {ddl}"), "a.sql");
        for (sql, verdict) in [
            ("SELECT id FROM t WHERE a = $1", "unknown"),
            ("SELECT t.id FROM t, u WHERE a = $1", "unknown"),
            ("SELECT id FROM t WHERE n = $1", "unserved"),
            ("SELECT id FROM t", "full"),
        ] {
            let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let found = crate::index::accesses(&query, &replay.schema);
            assert!(found.iter().all(|access| access.verdict.as_str() == verdict), "{sql}: {found:?}");
        }
    }

    #[test]
    fn an_index_says_which_table_has_the_column() {
        let mut replay = Replay::new(Dialect::Postgres);
        let sql = "CREATE TABLE t (id int); DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables LOOP
             EXECUTE format('ALTER TABLE %I ADD COLUMN a int', r.tablename); END LOOP; END $$; CREATE INDEX i ON t (a);";
        replay.apply(sql, "a.sql");
        let table = replay.schema.table(None, "t").expect("the table");
        assert_eq!(table.column("a").map(|column| column.ty.as_str()), Some("integer"));
        assert_eq!(table.indexes.len(), 1);
    }
}
