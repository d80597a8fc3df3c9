//! Slips of the pen in names.

/// Shorter names are too similar to each other.
const SHORTEST: usize = 4;

/// Whether a name is another one with one letter missing, one too many, or two swapped. Other letters make other names:
/// `array_avg` is not a misspelt `array_agg`, nor `uuid_generate_v7` a misspelt `uuid_generate_v4`.
pub(super) fn is_slip(name: &str, meant: &str) -> bool {
    let sorted = |name: &str| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    name.len() >= SHORTEST
        && name.chars().next() == meant.chars().next()
        && strsim::osa_distance(name, meant) == 1
        && digits(name) == digits(meant)
        && (name.len() != meant.len() || sorted(name) == sorted(meant))
}
