//! Columns and indexes that statements add to tables determined at run time: any table may have them.

use super::Replay;
use super::block::has_hole;
use crate::schema::ddl::block::Node;
use crate::schema::ddl::{self, Action, Change};
use crate::schema::model::{Column, Name};

impl Replay {
    /// Records the columns that the statements of a loop add, to whichever tables.
    pub(super) fn loosen_all(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Statement(sql) => self.loosen_in_loop(sql),
                Node::Execute(expression) => {
                    let text = self.evaluate(expression);
                    self.loosen_in_loop(&text.filled());
                }
                Node::Loop(nodes) | Node::Block { nodes, .. } | Node::ForEach { nodes, .. } => {
                    self.loosen_all(nodes);
                }
                Node::If { branches, otherwise } => {
                    branches.iter().for_each(|(_, nodes)| self.loosen_all(nodes));
                    self.loosen_all(otherwise);
                }
                Node::Assign { .. } | Node::Call { .. } => {}
            }
        }
    }

    /// Records the columns that a statement in a loop adds: to its table, if that is known.
    fn loosen_in_loop(&mut self, sql: &str) {
        if let Ok(Change::Alter { name, only, actions, .. }) = ddl::parse(sql, self.schema.dialect)
            && self.find_table(&name).is_some()
        {
            let adds =
                |action: &Action| matches!(action, Action::AddColumn { column, .. } if !has_hole(column));
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
        let (name, actions) = match ddl::parse(sql, self.schema.dialect) {
            Ok(Change::Alter { name, actions, .. }) => (name, actions),
            Ok(Change::CreateIndex(index)) if has_hole(&index.table) => {
                let first = index.index.keys.first().and_then(|key| key.as_column());
                self.schema.loose_indexes.extend(first.filter(|key| !has_hole(key)).map(str::to_owned));
                return;
            }
            _ => return,
        };
        let is_known = !has_hole(&name) && self.find_table(&name).is_some();
        for action in actions {
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
