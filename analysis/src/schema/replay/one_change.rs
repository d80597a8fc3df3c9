//! The actions of one ALTER TABLE are one change: what they drop goes first, and their renames happen at once.

use super::{Applied, Replay};
use crate::schema::ddl::Action;
use crate::schema::model::Name;
use crate::sql::Dialect;

/// Before the name of a column or an index that another one is about to take.
const LEAVING: &str = "\u{1}";

impl Replay {
    /// The actions of an ALTER TABLE in the order in which they take effect.
    pub(super) fn as_one_change(&mut self, name: &Name, mut actions: Vec<Action>) -> Vec<Action> {
        if actions.len() < 2 || self.schema.dialect == Dialect::Sqlite {
            return actions;
        }
        actions.sort_by_key(|action| match action {
            Action::DropColumn { .. }
            | Action::DropConstraint { .. }
            | Action::DropIndex { .. }
            | Action::DropPrimaryKey => 0,
            Action::AddConstraint(_) => 2,
            Action::Rename { .. } | Action::SetSchema(_) => 3,
            _ => 1,
        });
        if self.schema.dialect != Dialect::MySql {
            return actions;
        }
        self.let_indexes_leave(name, &mut actions);
        self.with_renames_at_once(name, actions)
    }

    /// Gives the indexes that get the name of another one in between, so that two may change places.
    fn let_indexes_leave(&mut self, name: &Name, actions: &mut [Action]) {
        let is_rename = |action: &&mut Action| matches!(action, Action::RenameIndex { .. });
        if actions.iter_mut().filter(is_rename).count() < 2 {
            return;
        }
        let mut leaving = Vec::new();
        for action in actions {
            if let Action::RenameIndex { from, .. } = action {
                let between = format!("{LEAVING}{from}");
                leaving.push((std::mem::replace(from, between.clone()), between));
            }
        }
        for (from, between) in leaving {
            self.rename_index(name, &from, &between);
        }
    }

    /// Gives the columns that get another name one in between, if one of the new names is still taken.
    fn with_renames_at_once(&mut self, name: &Name, mut actions: Vec<Action>) -> Vec<Action> {
        let Some(table) = self.schema.tables.get(name) else { return actions };
        let dropped = |column: &str| {
            actions
                .iter()
                .any(|action| matches!(action, Action::DropColumn { column: gone, .. } if gone == column))
        };
        let is_taken = |to: &str| table.column(to).is_some() && !dropped(to);
        let renamed = |action: &Action| match action {
            Action::RenameColumn { from, to, .. } if from != to => Some(to.clone()),
            Action::ChangeColumn { from, column, .. } if *from != column.column.name => {
                Some(column.column.name.clone())
            }
            _ => None,
        };
        let meets = |action: &Action| match action {
            Action::AddColumn { column, if_not_exists: false, .. } => is_taken(&column.column.name),
            action => renamed(action).is_some_and(|to| is_taken(&to)),
        };
        if !actions.iter().any(meets) {
            return actions;
        }
        let mut leaving = Vec::new();
        for action in &mut actions {
            let is_renamed = renamed(action).is_some();
            if let Action::RenameColumn { from, .. } | Action::ChangeColumn { from, .. } = action
                && is_renamed
            {
                let between = format!("{LEAVING}{from}");
                leaving.push((std::mem::replace(from, between.clone()), between));
            }
        }
        for (from, between) in leaving {
            // What cannot be renamed is told by the action itself.
            let _ = self.rename_column(name, &from, &between, None);
        }
        actions
    }

    pub(super) fn drop_primary_key(&mut self, name: &Name) -> Applied {
        let primary = self.table(name)?.indexes.iter().find(|index| index.primary).cloned();
        let index = primary.ok_or_else(|| format!("table `{name}` has no primary key"))?;
        self.drop_key(name, &index, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, columns: &str, indexes: &str) {
        let mut replay = Replay::new(Dialect::MySql);
        replay
            .apply(&format!("CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY ka (a)); {sql}"), "a.sql");
        let table = replay.schema.table(None, "t").expect("the table");
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let keys = table.indexes.iter().map(|index| {
            let keys = index.keys.iter().filter_map(|key| key.as_column());
            format!("{} {} {}", index.name, index.method, keys.collect::<Vec<_>>().join(","))
        });
        let keys: Vec<String> = keys.collect();
        assert_eq!((names.join(" ").as_str(), keys.join("; ").as_str()), (columns, indexes), "{sql}");
        assert_eq!(replay.problems, [], "{sql}");
    }

    #[test]
    fn what_an_alter_table_of_mysql_does_at_once() {
        let primary = "PRIMARY btree id; ";
        let with = |keys: &str| match keys {
            "" => "PRIMARY btree id".to_owned(),
            keys => format!("{primary}{keys}"),
        };
        for (sql, columns, keys) in [
            ("ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "id b a", "ka btree b"),
            ("ALTER TABLE t CHANGE a b int, CHANGE b z int", "id b z", "ka btree b"),
            ("ALTER TABLE t RENAME COLUMN a TO b, DROP COLUMN b", "id b", "ka btree b"),
            ("ALTER TABLE t ADD COLUMN a int, RENAME COLUMN a TO c", "id c b a", "ka btree c"),
            ("ALTER TABLE t ADD INDEX ka (b), DROP INDEX ka", "id a b", "ka btree b"),
            (
                "ALTER TABLE t ADD (z int, KEY kz (z), UNIQUE (b))",
                "id a b z",
                "ka btree a; kz btree z; b btree b",
            ),
            (
                "ALTER TABLE t ADD KEY kb (b); ALTER TABLE t RENAME INDEX ka TO kb, RENAME INDEX kb TO ka",
                "id a b",
                "kb btree a; ka btree b",
            ),
            (
                "ALTER TABLE t ADD KEY kb (b); ALTER TABLE t RENAME KEY KA TO kc, RENAME KEY kb TO Ka",
                "id a b",
                "kc btree a; ka btree b",
            ),
            ("ALTER TABLE t DROP INDEX KA", "id a b", ""),
            ("DROP INDEX Ka ON t", "id a b", ""),
            ("CREATE OR REPLACE INDEX ka ON t (b)", "id a b", "ka btree b"),
            ("CREATE INDEX kb USING HASH ON t (b)", "id a b", "ka btree a; kb btree b"),
            ("DROP TEMPORARY TABLE IF EXISTS t", "id a b", "ka btree a"),
        ] {
            check(sql, columns, &with(keys));
        }
        for sql in [
            "ALTER TABLE t DROP CONSTRAINT `PRIMARY`",
            "ALTER TABLE t DROP KEY PRIMARY",
            "DROP INDEX `PRIMARY` ON t",
        ] {
            check(sql, "id a b", "ka btree a");
        }
    }
}
