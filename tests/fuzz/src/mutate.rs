//! Derives new inputs from existing ones: pieces are removed, duplicated, nested, swapped and inserted.

/// Pseudo-random numbers, the same for the same seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next number (splitmix64).
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or(0)
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.get(self.below(of.len()))
    }
}

/// The usual maximum length of an input; a few may be longer.
const USUAL_LENGTH: usize = 4_000;
const LONGEST_OF_ALL: usize = 60_000;

/// Text that parsers tend to stumble over: odd characters, ends of comments and strings, numbers at the
/// limits of their ranges.
const ODD: [&str; 44] = [
    "\0",
    "\u{feff}",
    "\u{a0}",
    "\r",
    "\r\n",
    "\u{2028}",
    "\u{202e}",
    "\u{1b}[2J",
    "é",
    "e\u{301}",
    "\u{1f468}\u{200d}\u{1f469}",
    "\u{e000}",
    "ſ",
    "İ",
    "K",
    "'",
    "''",
    "\"",
    "`",
    "$$",
    "$a$",
    "\\",
    "/*",
    "*/",
    "--",
    "#",
    ";",
    "::",
    "..=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "0",
    "-1",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "$1",
    "$65536",
    "?",
    ":a",
];

/// A new input derived from the pool, deterministic for the same random numbers.
pub fn mutated(random: &mut Random, pool: &[String]) -> String {
    let Some(base) = random.pick(pool) else { return String::new() };
    let mut pieces: Vec<&str> = pieces(base);
    let longest = if random.below(50) == 0 { LONGEST_OF_ALL } else { USUAL_LENGTH };
    for _ in 0..=random.below(6) {
        change(random, pool, &mut pieces);
    }
    let mut text = String::new();
    for piece in pieces {
        if text.len() + piece.len() > longest {
            break;
        }
        text.push_str(piece);
    }
    text
}

/// Applies one change to the pieces.
fn change<'t>(random: &mut Random, pool: &'t [String], pieces: &mut Vec<&'t str>) {
    let (from, to) = range(random, pieces.len());
    match random.below(11) {
        0 => drop(pieces.drain(from..to)),
        1 => {
            let again: Vec<&str> = pieces.get(from..to).unwrap_or_default().to_vec();
            let at = random.below(pieces.len() + 1);
            pieces.splice(at..at, again);
        }
        2 => {
            let many = if random.below(10) == 0 { 400 } else { 6 };
            let again = pieces.get(from..to).unwrap_or_default().repeat(random.below(many));
            pieces.splice(to..to, again);
        }
        3 => {
            let (a, b) = (random.below(pieces.len()), random.below(pieces.len()));
            if a.max(b) < pieces.len() {
                pieces.swap(a, b);
            }
        }
        4 | 5 => {
            let other = random.pick(pool).map(|text| self::pieces(text)).unwrap_or_default();
            let (other_from, other_to) = range(random, other.len());
            let other = other.get(other_from..other_to).unwrap_or_default().to_vec();
            let end = if random.below(2) == 0 { from } else { to };
            pieces.splice(from..end, other);
        }
        6 => {
            let other = random.pick(pool).map(|text| self::pieces(text)).unwrap_or_default();
            if let (Some(piece), true) = (random.pick(&other), from < pieces.len()) {
                pieces[from] = piece;
            }
        }
        7 => {
            let odd = random.pick(&ODD).copied().unwrap_or_default();
            pieces.insert(from, odd);
        }
        8 => {
            let (open, close) =
                [("(", ")"), ("(SELECT ", ")"), ("{", "}"), ("[", "]"), ("NOT (", ")")][random.below(5)];
            let deep = if random.below(10) == 0 { 300 } else { 3 };
            let levels = 1 + random.below(deep);
            pieces.splice(to..to, vec![close; levels]);
            pieces.splice(from..from, vec![open; levels]);
        }
        9 => pieces.truncate(from),
        _ => {
            if let Some(piece) = pieces.get_mut(from) {
                let at =
                    piece.char_indices().nth(random.below(piece.chars().count())).map_or(0, |(at, _)| at);
                *piece = piece.get(at..).unwrap_or_default();
            }
        }
    }
}

/// A range of pieces, mostly a short one.
fn range(random: &mut Random, length: usize) -> (usize, usize) {
    let from = random.below(length + 1);
    let longest = if random.below(4) == 0 { length } else { 8 };
    (from, (from + random.below(longest + 1)).min(length))
}

/// Words, white space and single characters.
fn pieces(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        _ if c.is_alphanumeric() || c == '_' => 0,
        _ if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last != kind(c) || last == 2) {
            pieces.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        last = Some(kind(c));
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let pool = ["SELECT a FROM t WHERE b = 'é'".to_owned(), "fn f() {}".to_owned()];
        let inputs = |seed| {
            let mut random = Random::new(seed);
            (0..200).map(|_| mutated(&mut random, &pool)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }
}
