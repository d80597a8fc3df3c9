//! A folder of migrations as sqlx reads it: which files count, and in which order.

use super::Problem;

/// One migration that is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The number that its file's name begins with; migrations are applied in its order.
    pub version: i64,
    /// What follows the number in the file's name, with spaces for underscores.
    pub description: String,
    /// The file's name, as it was given.
    pub file: String,
    /// The file's text.
    pub sql: String,
    /// Whether it begins with `-- no-transaction`.
    pub no_transaction: bool,
}

/// Selects the files that are migrations and puts them in order.
///
/// Takes each file's name (or path) and content. As in sqlx, a file counts when its name is a number, `_` and something
/// that ends in `.sql`; `.down.sql` is never applied.
pub fn select(files: Vec<(String, Vec<u8>)>) -> (Vec<Migration>, Vec<Problem>) {
    let mut migrations: Vec<Migration> = Vec::new();
    let mut problems = Vec::new();
    for (file, bytes) in files {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(&file);
        let Some((version, rest)) = name.split_once('_').filter(|(_, rest)| rest.ends_with(".sql")) else {
            continue;
        };
        if rest.ends_with(".down.sql") {
            continue;
        }
        let Ok(version) = version.parse::<i64>() else { continue };
        let description = rest.trim_end_matches(".sql").trim_end_matches(".up").replace('_', " ");
        match String::from_utf8(bytes) {
            Ok(sql) => {
                let no_transaction = sql.starts_with("-- no-transaction");
                migrations.push(Migration { version, description, file, sql, no_transaction });
            }
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let before = error.as_bytes().get(..valid).unwrap_or_default();
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                problems.push(Problem { file, line, message: "the file is not UTF-8".to_owned() });
            }
        }
    }
    // Two files of one version are applied by name, so that the result does not depend on the order of the folder.
    migrations.sort_by(|a, b| (a.version, &a.file).cmp(&(b.version, &b.file)));
    for pair in migrations.windows(2) {
        if let [first, second] = pair
            && first.version == second.version
        {
            let message = format!("version {} is used by {} as well", second.version, first.file);
            problems.push(Problem { file: second.file.clone(), line: 0, message });
        }
    }
    (migrations, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_order_of_their_numbers() {
        let file = |name: &str, sql: &str| (name.to_owned(), sql.as_bytes().to_vec());
        let (migrations, problems) = select(vec![
            file("10_last_one.sql", ""),
            file("m/2_b.up.sql", "-- no-transaction\nSELECT 1"),
            file("m/2_b.down.sql", ""),
            file("README.md", ""),
            file("notes.sql", ""),
            file("1_a.sql", ""),
        ]);
        let order: Vec<(i64, &str, bool)> =
            migrations.iter().map(|it| (it.version, it.description.as_str(), it.no_transaction)).collect();
        assert_eq!(order, [(1, "a", false), (2, "b", true), (10, "last one", false)]);
        assert_eq!(problems, []);
    }

    #[test]
    fn what_cannot_be_read_is_a_problem() {
        let (migrations, problems) = select(vec![("1_a.sql".to_owned(), b"a\n\xff".to_vec())]);
        assert_eq!(migrations, []);
        assert_eq!(problems[0].to_string(), "1_a.sql:2: the file is not UTF-8");
        let twice = vec![("1_a.sql".to_owned(), Vec::new()), ("1_b.sql".to_owned(), Vec::new())];
        let (migrations, problems) = select(twice);
        assert_eq!(migrations.len(), 2);
        assert_eq!(problems[0].to_string(), "1_b.sql: version 1 is used by 1_a.sql as well");
    }
}
