//! `catalog`: writes the data from which PostgreSQL types are derived, and that of operator classes, read from the catalog of
//! a real server.

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::args::Catalog;
use crate::failure::Failure;
use crate::live::{Live, block_on};
use crate::output::Output;

/// The path of each kind of files, relative to the workspace root, with the query for their lines. It returns one fact per
/// row; `EXTENSION` is replaced by the name of an extension, or by nothing for the server itself.
const KINDS: [(&str, &str); 2] = [
    ("analysis/src/types/postgres/catalog", include_str!("../live/catalog/types.sql")),
    ("analysis/src/index/classes", include_str!("../live/catalog/classes.sql")),
];

pub(crate) fn run(arguments: &Catalog, output: &mut Output) -> Result<Outcome, Failure> {
    if let Some((folder, _)) = KINDS.iter().find(|(folder, _)| !Path::new(folder).is_dir()) {
        return Err(
            Failure::new(format!("find `{folder}`")).help("run it at the root of the query-budget workspace")
        );
    }
    let mut stale = 0;
    for (path, text) in block_on(read(&arguments.database_url))? {
        let known = std::fs::read_to_string(&path).ok();
        // What only helps to make an index has no types for queries, and so no file of this kind.
        let is_left_out = arguments.check && known.is_none();
        if known.as_deref() == Some(text.as_str()) || text.is_empty() || is_left_out {
            continue;
        }
        stale += 1;
        if arguments.check {
            output.line(format!("`{}` is not what the server says", path.display()))?;
        } else {
            let failed = |error| Failure::new(format!("write `{}`", path.display())).because(error);
            std::fs::write(&path, text).map_err(failed)?;
            output.line(format!("wrote `{}`", path.display()))?;
        }
    }
    Ok(if arguments.check && stale > 0 { Outcome::Findings } else { Outcome::Clean })
}

/// The text of each file by its path: the server's own, and one for each installed extension.
async fn read(url: &str) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut live = Live::open(url).await?;
    let installed = "SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1";
    let extensions = live.texts(installed).await?.into_iter().flatten().flatten();
    let mut files = Vec::new();
    for name in std::iter::once(String::new()).chain(extensions.collect::<Vec<_>>()) {
        for (folder, query) in KINDS {
            let lines = live.texts(&query.replace("EXTENSION", &name.replace('\'', "''"))).await?;
            let text: String = lines.into_iter().flatten().flatten().map(|line| line + "\n").collect();
            let file = if name.is_empty() { "base" } else { name.as_str() };
            files.push((Path::new(folder).join(format!("{file}.txt")), text));
        }
    }
    Ok(files)
}
