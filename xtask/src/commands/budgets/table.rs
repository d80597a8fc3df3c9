//! A table whose columns are as wide as their content, as far as they fit on a terminal line.

use crate::failure::Failure;
use crate::output::Output;

/// The maximum width of a table, in characters.
const WIDEST: usize = 100;

/// The width below which columns are not shrunk.
const NARROWEST: usize = 24;

/// Writes a table, without trailing white space.
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
    // A program, or a search through the output, gets every name and path whole.
    if output.is_terminal() {
        fit(&mut widths);
    }
    for row in &all {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{:width$}", shortened(cell, width)));
        output.line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Shrinks the widest columns until the table fits on a line.
fn fit(widths: &mut [usize]) {
    let between = 2 * widths.len().saturating_sub(1);
    let mut too_much = (widths.iter().sum::<usize>() + between).saturating_sub(WIDEST);
    while too_much > 0 {
        let second = second_widest(widths);
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST) else { return };
        let taken = too_much.min(*widest - second.max(NARROWEST).min(*widest - 1));
        *widest -= taken;
        too_much -= taken;
    }
}

fn second_widest(widths: &[usize]) -> usize {
    let mut sorted = widths.to_vec();
    sorted.sort_unstable();
    sorted.iter().rev().nth(1).copied().unwrap_or(0)
}

/// A cell shortened to a width: a path keeps its end, anything else its start.
fn shortened(cell: &str, width: usize) -> String {
    let length = cell.chars().count();
    if length <= width {
        return cell.to_owned();
    }
    let kept = width.saturating_sub(1);
    if cell.contains("::") || cell.contains('/') {
        let end: String = cell.chars().skip(length - kept).collect();
        format!("…{end}")
    } else {
        let beginning: String = cell.chars().take(kept).collect();
        format!("{beginning}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_terminal_holds_every_row() {
        let mut widths = [101, 16, 6, 16, 70];
        fit(&mut widths);
        assert_eq!(widths.iter().sum::<usize>() + 8, WIDEST);
        assert_eq!(widths[1..4], [16, 6, 16]);
        let mut narrow = [20, 10, 6, 16, 30];
        fit(&mut narrow);
        assert_eq!(narrow, [20, 10, 6, 16, 30]);
        assert_eq!(shortened("orders::Store::load_all", 12), "…e::load_all");
        assert_eq!(shortened("client.send, notify", 8), "client.…");
    }
}
