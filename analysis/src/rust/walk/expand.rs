//! What a use of a project's own `macro_rules!` becomes: its rules, applied as the compiler applies them.

use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};

/// How many tokens an expansion may have: what is larger is not followed.
const MAX_EXPANSION_TOKENS: usize = 20_000;

/// The maximum nesting of groups and repetitions; deeper rules are not understood.
const MAX_GROUP_DEPTH: usize = 64;

/// Expands `given` by `rules`. Tokens of the rules get the span of the call, literals of the rules get none; `None` if no rule
/// fits, or the one that fits is not understood.
pub(in crate::rust) fn expand(rules: &TokenStream, given: &TokenStream, at: Span) -> Option<TokenStream> {
    let given: Vec<TokenTree> = given.clone().into_iter().collect();
    let rules: Vec<TokenTree> = rules.clone().into_iter().collect();
    let fitting = rules.split(|token| is(token, ';')).find_map(|rule| {
        let [TokenTree::Group(pattern), equals, arrow, TokenTree::Group(body)] = rule else { return None };
        let pattern: Vec<TokenTree> = pattern.stream().into_iter().collect();
        let is_rule = is(equals, '=') && is(arrow, '>');
        let (bound, read) = matched(&pattern, &given, 0).filter(|_| is_rule)?;
        (read == given.len()).then_some((bound, body.stream()))
    });
    let (bound, body) = fitting?;
    let mut writer = Writer { at, left: MAX_EXPANSION_TOKENS };
    let body: Vec<TokenTree> = body.into_iter().collect();
    writer.written(&body, &bound, 0)
}

/// Whether a rule uses one of its variables at several places.
pub(in crate::rust) fn uses_twice(rules: &TokenStream) -> bool {
    let rules: Vec<TokenTree> = rules.clone().into_iter().collect();
    rules.split(|token| is(token, ';')).any(|rule| {
        let [TokenTree::Group(_), _, _, TokenTree::Group(body)] = rule else { return false };
        let mut used = Vec::new();
        add_used(body.stream(), &mut used);
        used.sort_unstable();
        used.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
    })
}

/// Adds the variables that the body of a rule has, once for each place, all that is made a text left out.
fn add_used(body: TokenStream, used: &mut Vec<String>) {
    let body: Vec<TokenTree> = body.into_iter().collect();
    for (at, token) in body.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).and_then(|at| body.get(at));
        match token {
            TokenTree::Group(group) => {
                let is_text = matches!(before(2), Some(TokenTree::Ident(name)) if name == "stringify");
                if !(is_text && before(1).is_some_and(|bang| is(bang, '!'))) {
                    add_used(group.stream(), used);
                }
            }
            TokenTree::Ident(name) if before(1).is_some_and(|dollar| is(dollar, '$')) && name != "crate" => {
                used.push(name.to_string());
            }
            _ => {}
        }
    }
}

/// What the variables of a rule stand for.
type Bound = HashMap<String, Value>;

/// What a variable stands for; cheap to clone, because each iteration of a repetition has the variables around it.
#[derive(Clone)]
enum Value {
    One(Rc<[TokenTree]>),
    /// In a repetition, once for each of its iterations.
    Many(Rc<[Value]>),
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// A repetition: what is repeated, the separator between its iterations, and how often it may be. Read from
/// after its `$`.
struct Repeated {
    inner: Vec<TokenTree>,
    between: Vec<TokenTree>,
    often: char,
    /// How many tokens it is.
    length: usize,
}

fn repeated(tokens: &[TokenTree]) -> Option<Repeated> {
    let (TokenTree::Group(group), rest) = tokens.split_first()? else { return None };
    if group.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let often = |token: &TokenTree| match token {
        TokenTree::Punct(punct) => Some(punct.as_char()).filter(|sign| matches!(sign, '*' | '+' | '?')),
        _ => None,
    };
    let end = rest.iter().take(3).position(|token| often(token).is_some())?;
    let (between, often) = (rest.get(..end)?.to_vec(), often(rest.get(end)?)?);
    Some(Repeated { inner: group.stream().into_iter().collect(), between, often, length: end + 2 })
}

/// What the variables of a pattern stand for, and how many of the tokens it takes.
fn matched(pattern: &[TokenTree], given: &[TokenTree], depth: usize) -> Option<(Bound, usize)> {
    if depth > MAX_GROUP_DEPTH {
        return None;
    }
    let mut bound = Bound::new();
    let (mut at, mut read) = (0, 0);
    while let Some(token) = pattern.get(at) {
        let rest = given.get(read..)?;
        if is(token, '$') {
            if let Some(repetition) = pattern.get(at + 1..).and_then(repeated) {
                read += turns(&repetition, rest, &mut bound, depth)?;
                at += 1 + repetition.length;
                continue;
            }
            if let (Some(TokenTree::Ident(name)), Some(TokenTree::Ident(kind))) =
                (pattern.get(at + 1), pattern.get(at + 3))
                && pattern.get(at + 2).is_some_and(|token| is(token, ':'))
            {
                let kind = kind.to_string();
                let length = fragment(&kind, rest)?;
                let tokens = rest.get(..length)?.to_vec();
                // An expression stays one, whatever is next to it.
                let is_whole = length < 2 || !matches!(kind.as_str(), "expr" | "expr_2021");
                let tokens = if is_whole { tokens } else { vec![group_of(Delimiter::None, tokens)] };
                bound.insert(name.to_string(), Value::One(tokens.into()));
                read += length;
                at += 4;
                continue;
            }
        }
        match (token, rest.first()?) {
            (TokenTree::Group(pattern), TokenTree::Group(given)) => {
                let inner: Vec<TokenTree> = pattern.stream().into_iter().collect();
                let of: Vec<TokenTree> = given.stream().into_iter().collect();
                let (more, length) = matched(&inner, &of, depth + 1)?;
                if pattern.delimiter() != given.delimiter() || length != of.len() {
                    return None;
                }
                bound.extend(more);
            }
            (TokenTree::Group(_), _) | (_, TokenTree::Group(_)) => return None,
            (token, given) if token.to_string() != given.to_string() => return None,
            _ => {}
        }
        at += 1;
        read += 1;
    }
    Some((bound, read))
}

/// Reads the iterations of a repetition, and says how many tokens they take.
fn turns(repetition: &Repeated, given: &[TokenTree], bound: &mut Bound, depth: usize) -> Option<usize> {
    let mut found: HashMap<String, Vec<Value>> =
        variables(&repetition.inner).into_iter().map(|name| (name, Vec::new())).collect();
    let (mut read, mut turns) = (0, 0);
    loop {
        let mut from = read;
        if turns > 0 {
            let between = given.get(read..).unwrap_or_default();
            let is_next = repetition.between.len() <= between.len()
                && repetition.between.iter().zip(between).all(|(a, b)| a.to_string() == b.to_string());
            if !is_next {
                break;
            }
            from += repetition.between.len();
        }
        let rest = given.get(from..).unwrap_or_default();
        let Some((turn, length)) = matched(&repetition.inner, rest, depth + 1).filter(|it| it.1 > 0) else {
            break;
        };
        for (name, value) in turn {
            found.entry(name).or_default().push(value);
        }
        read = from + length;
        turns += 1;
        if repetition.often == '?' {
            break;
        }
    }
    if repetition.often == '+' && turns == 0 {
        return None;
    }
    bound.extend(found.into_iter().map(|(name, values)| (name, Value::Many(values.into()))));
    Some(read)
}

/// The variables that a pattern names.
fn variables(pattern: &[TokenTree]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, token) in pattern.iter().enumerate() {
        match (token, pattern.get(at + 1)) {
            (TokenTree::Group(group), _) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                found.append(&mut variables(&inner));
            }
            (token, Some(TokenTree::Ident(name))) if is(token, '$') => found.push(name.to_string()),
            _ => {}
        }
    }
    found
}

/// How many tokens a fragment of this kind is.
fn fragment(kind: &str, given: &[TokenTree]) -> Option<usize> {
    let first = given.first();
    match kind {
        "vis" => prefix(given, |input| input.parse::<syn::Visibility>().map(drop)),
        "ident" => matches!(first?, TokenTree::Ident(_)).then_some(1),
        "lifetime" => is(first?, '\'').then_some(2),
        "tt" => first.map(|first| if is(first, '\'') { 2 } else { 1 }),
        "literal" => match (first?, given.get(1)) {
            (TokenTree::Literal(_), _) => Some(1),
            (TokenTree::Ident(name), _) if name == "true" || name == "false" => Some(1),
            (minus, Some(TokenTree::Literal(_))) if is(minus, '-') => Some(2),
            // A fragment that another macro has captured.
            (TokenTree::Group(group), _) if group.delimiter() == Delimiter::None => Some(1),
            _ => None,
        },
        "expr" | "expr_2021" => expression(given),
        "ty" => prefix(given, |input| input.parse::<syn::Type>().map(drop)),
        "path" => prefix(given, |input| input.parse::<syn::Path>().map(drop)),
        "block" => prefix(given, |input| input.parse::<syn::Block>().map(drop)),
        "stmt" => prefix(given, |input| input.parse::<syn::Stmt>().map(drop)),
        "item" => prefix(given, |input| input.parse::<syn::Item>().map(drop)),
        "meta" => prefix(given, |input| input.parse::<syn::Meta>().map(drop)),
        "pat" => prefix(given, |input| syn::Pat::parse_multi_with_leading_vert(input).map(drop)),
        "pat_param" => prefix(given, |input| syn::Pat::parse_single(input).map(drop)),
        _ => None,
    }
}

/// How many tokens an expression is. It ends at a comma, a semicolon or `=>`, or continues after it, as `|a, b| a` does: the
/// shortest part up to one of them that is an expression is the whole, so that a long list takes time in its length alone.
fn expression(given: &[TokenTree]) -> Option<usize> {
    /// How many of these signs an expression has outside of groups, before all of its tokens are parsed.
    const FEW_SIGNS: usize = 4;
    let parse = |input: ParseStream<'_>| input.parse::<syn::Expr>().map(drop);
    let is_arrow = |at: usize| matches!(given.get(at..at + 2), Some([equals, arrow]) if is(equals, '=') && is(arrow, '>'));
    let ends =
        given.iter().enumerate().filter(|(at, token)| is(token, ',') || is(token, ';') || is_arrow(*at));
    let shortest = ends.take(FEW_SIGNS).find_map(|(end, _)| {
        let part = given.get(..end).filter(|part| !part.is_empty() && part.len() <= MAX_EXPANSION_TOKENS)?;
        parse.parse2(part.iter().cloned().collect()).is_ok().then_some(end)
    });
    shortest.or_else(|| prefix(given, parse))
}

/// How many tokens a parser reads.
fn prefix(given: &[TokenTree], parse: fn(ParseStream<'_>) -> syn::Result<()>) -> Option<usize> {
    if given.len() > MAX_EXPANSION_TOKENS {
        return None;
    }
    let left = |input: ParseStream<'_>| {
        parse(input)?;
        Ok(input.parse::<TokenStream>()?.into_iter().count())
    };
    given.len().checked_sub(left.parse2(given.iter().cloned().collect()).ok()?)
}

fn group_of(delimiter: Delimiter, tokens: Vec<TokenTree>) -> TokenTree {
    TokenTree::Group(Group::new(delimiter, tokens.into_iter().collect()))
}

/// Writes the body of a rule.
struct Writer {
    /// Where the macro is used.
    at: Span,
    /// How many tokens may still be written.
    left: usize,
}

impl Writer {
    fn written(&mut self, body: &[TokenTree], bound: &Bound, depth: usize) -> Option<TokenStream> {
        let mut out: Vec<TokenTree> = Vec::new();
        let mut at = 0;
        while let Some(token) = body.get(at) {
            self.left = self.left.checked_sub(1).filter(|_| depth <= MAX_GROUP_DEPTH)?;
            let next = body.get(at + 1).filter(|_| is(token, '$'));
            match (token, next) {
                (_, Some(TokenTree::Ident(name))) if name == "crate" => {
                    out.push(TokenTree::Ident(Ident::new("crate", self.at)));
                    at += 1;
                }
                (_, Some(TokenTree::Ident(name))) => {
                    let Value::One(tokens) = bound.get(&name.to_string())? else { return None };
                    self.left = self.left.checked_sub(tokens.len())?;
                    out.extend(tokens.iter().cloned());
                    at += 1;
                }
                (_, Some(_)) => {
                    let repetition = repeated(body.get(at + 1..)?)?;
                    out.extend(self.repeated(&repetition, bound, depth)?);
                    at += repetition.length;
                }
                (TokenTree::Group(group), None) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut written = Group::new(group.delimiter(), self.written(&inner, bound, depth + 1)?);
                    written.set_span(self.at);
                    out.push(TokenTree::Group(written));
                }
                (token, None) => {
                    let mut token = token.clone();
                    let is_literal = matches!(token, TokenTree::Literal(_));
                    token.set_span(if is_literal { Span::call_site() } else { self.at });
                    out.push(token);
                }
            }
            at += 1;
        }
        Some(out.into_iter().collect())
    }

    fn repeated(&mut self, repetition: &Repeated, bound: &Bound, depth: usize) -> Option<Vec<TokenTree>> {
        let names = variables(&repetition.inner);
        let many = |name: &String| match bound.get(name) {
            Some(Value::Many(values)) => Some((name.clone(), values)),
            _ => None,
        };
        let many: Vec<(String, &Rc<[Value]>)> = names.iter().filter_map(many).collect();
        let turns = many.iter().map(|(_, values)| values.len()).max()?;
        let mut out = Vec::new();
        for turn in 0..turns {
            let mut here = bound.clone();
            for (name, values) in &many {
                here.insert(name.clone(), values.get(turn)?.clone());
            }
            if turn > 0 {
                out.extend(repetition.between.iter().cloned());
            }
            out.extend(self.written(&repetition.inner, &here, depth + 1)?);
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &str, given: &str, expected: Option<&str>) {
        let tokens = |text: &str| text.parse::<TokenStream>().expect("the test's tokens are tokens");
        let written = expand(&tokens(rules), &tokens(given), Span::call_site()).map(|it| plain(&it));
        assert_eq!(written, expected.map(|text| plain(&tokens(text))), "{rules} of {given}");
    }

    /// Tokens as text, without the groups that only hold together.
    fn plain(tokens: &TokenStream) -> String {
        let text = |token: TokenTree| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => plain(&group.stream()),
            TokenTree::Group(group) => format!("{:?}[{}]", group.delimiter(), plain(&group.stream())),
            token => token.to_string(),
        };
        tokens.clone().into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fragments_are_put_in_their_places() {
        check("($a:expr) => { f($a) }", "x + g(1, 2)", Some("f(x + g(1, 2))"));
        check(
            "($n:ident, $t:ty) => { fn $n() -> $t {} }",
            "load, Vec<(i64, u8)>",
            Some("fn load() -> Vec<(i64, u8)> {}"),
        );
        check("($v:vis $n:ident) => { $v fn $n() {} }", "pub(crate) a", Some("pub(crate) fn a() {}"));
        check("($v:vis $n:ident) => { $v fn $n() {} }", "a", Some("fn a() {}"));
        check("($b:block $l:literal $p:path) => { $p!($l) $b }", "{ 1 } -2 a::b", Some("a::b!(-2) { 1 }"));
        check("($($rest:tt)*) => { q!($($rest)*) }", "\"a\", b => 'c", Some("q!(\"a\", b => 'c)"));
        check("() => { $crate::a() }", "", Some("crate::a()"));
        check(
            "($a:expr, $b:expr) => { f($b, $a) }",
            "|x, y| x == y, g::<u8, u8>(1)",
            Some("f(g::<u8, u8>(1), |x, y| x == y)"),
        );
        check("($a:expr => $b:expr) => { f($b, $a) }", "x = 1 => y >= 2", Some("f(y >= 2, x = 1)"));
    }

    #[test]
    fn the_first_rule_that_fits_is_taken() {
        let rules =
            "(one $a:expr) => { $a }; ([$a:ident]) => { b($a) }; ($a:expr, $b:expr) => { c($b, $a) };";
        check(rules, "one 1", Some("1"));
        check(rules, "[x]", Some("b(x)"));
        check(rules, "1, 2", Some("c(2, 1)"));
        check(rules, "1; 2", None);
    }

    #[test]
    fn repetitions_take_their_turns() {
        let rules = "($($k:ident = $v:expr),* $(,)?) => { [$(bind($k, $v)),*] }";
        check(rules, "a = 1, b = 2,", Some("[bind(a, 1), bind(b, 2)]"));
        check(rules, "", Some("[]"));
        check("($a:ident $(; $b:expr)?) => { f($a $(, $b)?) }", "x; 1", Some("f(x, 1)"));
        check(
            "($($a:ident: [$($b:expr),+])+) => { $($a($($b);+);)+ }",
            "x: [1, 2] y: [3]",
            Some("x(1; 2); y(3);"),
        );
        check("($($a:ident),+) => { $($a)+ }", "", None);
        check("($f:ident, $($a:expr),*) => { $($f($a);)* }", "f, 1, 2", Some("f(1); f(2);"));
    }

    #[test]
    fn what_grows_without_end_is_given_up() {
        let rules = format!("($a:expr) => {{ {} }}", "$a $a $a $a ".repeat(6_000));
        check(&rules, "x", None);
        let deep = format!("($($a:tt)*) => {{ {}1{} }}", "[".repeat(100), "]".repeat(100));
        check(&deep, "x", None);
        check("($a:expr) => { $b }", "x", None);
        check("strange", "x", None);
    }

    #[test]
    fn a_long_list_is_read_whole() {
        let list = "a + 1, ".repeat(4_000);
        let rules = "($($a:expr),* $(,)?) => { [$($a),*] }";
        check(rules, &list, Some(&format!("[{}]", list.trim_end_matches(", "))));
    }
}
