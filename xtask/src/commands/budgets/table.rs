//! A table in columns that are as wide as what stands in them.

use crate::failure::Failure;
use crate::output::Output;

/// Writes a table; what is empty at the end of a line is left out.
pub(super) fn write<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut all = vec![head.map(str::to_owned)];
    all.extend(rows);
    let mut widths = [0; N];
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &all {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        output.line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
