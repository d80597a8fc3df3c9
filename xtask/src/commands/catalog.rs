//! `catalog`: writes the data from which PostgreSQL types are derived, read from the catalog of a real
//! server.

use std::path::Path;

use crate::Outcome;
use crate::args::Catalog;
use crate::failure::Failure;
use crate::live::{Live, block_on};
use crate::output::Output;

/// The path of the files, relative to the workspace root.
const FOLDER: &str = "analysis/src/types/postgres/catalog";

/// Returns one fact per row; `EXTENSION` is replaced by the name of an extension, or by nothing for the
/// server itself.
const QUERY: &str = include_str!("../live/catalog/types.sql");

pub(crate) fn run(arguments: &Catalog, output: &mut Output) -> Result<Outcome, Failure> {
    let folder = Path::new(FOLDER);
    if !folder.is_dir() {
        return Err(
            Failure::new(format!("find `{FOLDER}`")).help("run it at the root of the query-budget workspace")
        );
    }
    let mut stale = 0;
    for (name, text) in block_on(read(&arguments.database_url))? {
        let path = folder.join(format!("{name}.txt"));
        let known = std::fs::read_to_string(&path).ok();
        if known.as_deref() == Some(text.as_str()) || text.is_empty() {
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

/// The text of each file by name: the server's own, and one for each installed extension.
async fn read(url: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut live = Live::open(url).await?;
    let installed = "SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1";
    let extensions = live.texts(installed).await?.into_iter().flatten().flatten();
    let mut files = Vec::new();
    for name in std::iter::once(String::new()).chain(extensions.collect::<Vec<_>>()) {
        let lines = live.texts(&QUERY.replace("EXTENSION", &name.replace('\'', "''"))).await?;
        let text: String = lines.into_iter().flatten().flatten().map(|line| line + "\n").collect();
        files.push((if name.is_empty() { "base".to_owned() } else { name }, text));
    }
    Ok(files)
}
