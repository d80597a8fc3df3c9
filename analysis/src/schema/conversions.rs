//! The casts and operators that a schema defines itself, as the statements that create them say.

/// The casts and operators of a schema.
#[derive(Debug, Default)]
pub struct Conversions {
    /// Whether a statement has an unexpected form, so that there may be others.
    pub(crate) is_open: bool,
    pub(crate) operators: Vec<Operator>,
    pub(crate) casts: Vec<Cast>,
    /// Whether there are operator classes, which compare and order types.
    pub(crate) has_classes: bool,
}

/// `CREATE CAST`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cast {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) applies: Applies,
    pub(crate) calls_function: bool,
}

/// Where a cast applies; each also where those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applies {
    /// Where it is written.
    WhereWritten,
    /// `AS ASSIGNMENT`: to a value that is stored.
    OnAssignment,
    /// `AS IMPLICIT`: anywhere.
    Anywhere,
}

/// `CREATE OPERATOR`, with the types of its operands; a prefix has no left one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) name: String,
    pub(crate) left: Option<String>,
    pub(crate) right: String,
    pub(crate) function: String,
}

/// What a statement creates.
#[derive(Debug, PartialEq, Eq)]
enum Created {
    Operator(Operator),
    Class,
    Cast(Cast),
}

impl Conversions {
    /// Reads the statements that create them.
    pub(super) fn read(statements: &[String]) -> Conversions {
        let mut all = Conversions::default();
        for statement in statements {
            match created(statement) {
                Some(Created::Operator(operator)) => all.operators.push(operator),
                Some(Created::Class) => all.has_classes = true,
                Some(Created::Cast(cast)) => all.casts.push(cast),
                None => all.is_open = true,
            }
        }
        all
    }
}

/// Reads a statement; `None` if it has an unexpected form.
fn created(statement: &str) -> Option<Created> {
    if statement.contains("--") || statement.contains("/*") {
        return None;
    }
    let text = statement.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let text = text.strip_prefix("create ")?;
    if let Some(rest) = text.strip_prefix("operator ") {
        if rest.starts_with("class ") || rest.starts_with("family ") {
            return Some(Created::Class);
        }
        return operator(rest).map(Created::Operator);
    }
    let inside = text.strip_prefix("cast")?.trim_start().strip_prefix('(')?;
    let (from, rest) = inside.split_once(" as ")?;
    let mut depth = 0_usize;
    let end = rest.char_indices().find(|(_, c)| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' if depth > 0 => {
            depth -= 1;
            false
        }
        ')' => true,
        _ => false,
    });
    let (to, tail) = rest.split_at(end?.0);
    let tail = tail.trim_end_matches([';', ' ']);
    let applies = if tail.ends_with("as implicit") {
        Applies::Anywhere
    } else if tail.ends_with("as assignment") {
        Applies::OnAssignment
    } else {
        Applies::WhereWritten
    };
    let calls_function = !tail.contains("without function");
    Some(Created::Cast(Cast {
        from: from.trim().to_owned(),
        to: to.trim().to_owned(),
        applies,
        calls_function,
    }))
}

/// Reads what follows `CREATE OPERATOR`.
fn operator(text: &str) -> Option<Operator> {
    let (name, options) = text.split_once('(')?;
    let name = name.trim().rsplit('.').next()?;
    if name.is_empty() || !name.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) {
        return None;
    }
    let options = options.trim_end_matches([';', ' ']).strip_suffix(')')?;
    let option = |names: &[&str]| {
        let mut pairs = options.split(',').filter_map(|option| option.split_once('='));
        pairs.find(|(name, _)| names.contains(&name.trim())).map(|(_, value)| value.trim().to_owned())
    };
    Some(Operator {
        name: if name == "!=" { "<>" } else { name }.to_owned(),
        left: option(&["leftarg"]),
        right: option(&["rightarg"])?,
        function: option(&["function", "procedure"])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_taken_apart() {
        let cast = |from: &str, to: &str, applies, calls_function| {
            let (from, to) = (from.to_owned(), to.to_owned());
            Some(Created::Cast(Cast { from, to, applies, calls_function }))
        };
        let operator = |name: &str, left: Option<&str>, right: &str| {
            let (name, left, right) = (name.to_owned(), left.map(str::to_owned), right.to_owned());
            Some(Created::Operator(Operator { name, left, right, function: "f".to_owned() }))
        };
        for (statement, expect) in [
            (
                "CREATE OPERATOR === (LEFTARG = text, RIGHTARG = int, FUNCTION = f)",
                operator("===", Some("text"), "int"),
            ),
            ("CREATE OPERATOR public.!=(rightarg = a, procedure = f)", operator("<>", None, "a")),
            ("create operator class o for type a using btree as operator 1 <", Some(Created::Class)),
            ("CREATE OPERATOR a (rightarg = a, procedure = f)", None),
            ("CREATE OPERATOR + (leftarg = a)", None),
            (
                "CREATE CAST (varchar(3) AS\n mood) WITH INOUT AS ASSIGNMENT;",
                cast("varchar(3)", "mood", Applies::OnAssignment, true),
            ),
            (
                "CREATE CAST (a AS numeric(3, 2)) WITHOUT FUNCTION AS IMPLICIT",
                cast("a", "numeric(3, 2)", Applies::Anywhere, false),
            ),
            ("CREATE CAST (a AS b) WITH FUNCTION f(a)", cast("a", "b", Applies::WhereWritten, true)),
            ("CREATE /* a */ CAST (a AS b) WITH FUNCTION f(a)", None),
        ] {
            assert_eq!(created(statement), expect, "{statement}");
        }
    }
}
