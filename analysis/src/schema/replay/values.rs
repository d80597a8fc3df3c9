//! The values of variables and expressions in code that builds SQL, as far as they are known.

mod parts;

use self::parts::{arguments, casts, counted, format, is_choice, may_change, parted};
use super::Replay;
use crate::schema::ddl::block::{self, Test};
use crate::schema::ddl::cursor::Cursor;
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;
use crate::sql::quote::quote_if_needed;

/// The placeholder for an unknown part: a name, so that the rest can be parsed.
pub(super) const HOLE: &str = "query_budget_hole";

/// A text of known and unknown parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Text(Vec<Option<String>>);

/// The maximum length of a text, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;

impl Text {
    pub(super) fn of(text: impl Into<String>) -> Text {
        Text(vec![Some(text.into())])
    }

    /// An unknown text.
    pub(super) fn hole() -> Text {
        Text(vec![None])
    }

    /// The text, if all of it is known.
    pub(super) fn known(&self) -> Option<String> {
        self.0.iter().cloned().collect::<Option<Vec<String>>>().map(|parts| parts.concat())
    }

    /// The text with placeholders for unknown parts.
    pub(super) fn filled(&self) -> String {
        self.0.iter().map(|part| part.as_deref().unwrap_or(HOLE)).collect()
    }

    fn is_null(&self) -> bool {
        *self == Text::null()
    }

    /// NULL, which differs from a hole; a text that contains it is unknown all the same.
    fn null() -> Text {
        Text(vec![None, None])
    }

    fn push(&mut self, other: Text) {
        let length: usize = self.0.iter().flatten().map(String::len).sum();
        let more: usize = other.0.iter().flatten().map(String::len).sum();
        if length + more > MAX_TEXT_BYTES { *self = Text::hole() } else { self.0.extend(other.0) }
    }

    fn map(self, change: impl Fn(&str) -> String) -> Text {
        match self.known() {
            Some(text) => Text::of(change(&text)),
            None => Text::hole(),
        }
    }
}

/// The result of arithmetic on two whole numbers, from left to right.
fn computed(left: &Text, operator: &str, right: &Text) -> Text {
    let number = |text: &Text| text.known()?.trim().parse::<i64>().ok();
    let result = match (number(left), number(right), operator) {
        (Some(left), Some(right), "+") => left.checked_add(right),
        (Some(left), Some(right), "-") => left.checked_sub(right),
        _ => None,
    };
    result.map_or_else(Text::hole, |number| Text::of(number.to_string()))
}

/// The values of a row as they are written, separated by commas.
pub(super) fn fields(row: &str, dialect: Dialect) -> Vec<&str> {
    arguments(row, dialect)
}

/// The value of an expression judging by its string literals alone, for a body that is not run.
pub(super) fn of_strings(expression: &str, dialect: Dialect) -> Text {
    Replay::new(dialect).evaluate(expression)
}

/// The maximum nesting of evaluated expressions.
const MAX_EXPR_DEPTH: usize = 24;

impl Replay {
    /// The value of an expression at this point.
    pub(super) fn evaluate(&self, expression: &str) -> Text {
        self.value(expression, 0)
    }

    /// The values of the elements of an array; `None` if they are not all known by number.
    pub(super) fn elements(&self, items: &[String]) -> Option<Vec<Text>> {
        let [array] = items else { return Some(items.iter().map(|item| self.evaluate(item)).collect()) };
        let Some(array) = array.strip_prefix(block::SPREAD) else { return Some(vec![self.evaluate(array)]) };
        let array = self.evaluate(array).known()?;
        if let Some(inside) = array.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let plain = !inside.contains(['"', '{', '\\']);
            return plain.then(|| inside.split(',').map(|item| Text::of(item.trim())).collect());
        }
        let mut cursor = Cursor::new(&array, self.schema.dialect);
        if !cursor.take("array") || !cursor.is_symbol("[") {
            return None;
        }
        let start = cursor.at + 1;
        cursor.skip();
        let inside = cursor.source(start, cursor.at.saturating_sub(1));
        Some(arguments(inside, self.schema.dialect).into_iter().map(|item| self.evaluate(item)).collect())
    }

    fn value(&self, expression: &str, depth: usize) -> Text {
        let mut cursor = Cursor::new(expression, self.schema.dialect);
        if depth > MAX_EXPR_DEPTH || cursor.done() {
            return Text::hole();
        }
        let mut text = Text::default();
        loop {
            let mut term = self.term(&mut cursor, depth);
            casts(&mut cursor);
            while let Some(operator) = ["+", "-"].iter().find(|it| cursor.take_symbol(it)) {
                let other = self.term(&mut cursor, depth);
                casts(&mut cursor);
                term = computed(&term, operator, &other);
            }
            text.push(term);
            if cursor.done() {
                return text;
            }
            // `||` is OR in MySQL; the result of any other operator is unknown.
            if self.schema.dialect == Dialect::MySql || !cursor.take_symbol("||") {
                return Text::hole();
            }
        }
    }

    fn term(&self, cursor: &mut Cursor<'_>, depth: usize) -> Text {
        if let Ok(text) = cursor.string() {
            return Text::of(text);
        }
        let Some(token) = cursor.ahead(0) else { return Text::hole() };
        let source = cursor.now();
        match token.kind {
            TokenKind::Number => {
                cursor.at += 1;
                Text::of(source)
            }
            TokenKind::Parameter => {
                cursor.at += 1;
                self.variable(&source.to_lowercase())
            }
            TokenKind::Symbol if source == "(" => {
                let start = cursor.at + 1;
                cursor.skip();
                self.inside(cursor.source(start, cursor.at.saturating_sub(1)), depth + 1)
            }
            // Its elements are evaluated when they are needed.
            TokenKind::Word if cursor.is("array") && cursor.text_ahead(1) == "[" => {
                let start = cursor.at;
                cursor.at += 1;
                cursor.skip();
                Text::of(cursor.source(start, cursor.at))
            }
            TokenKind::Word if cursor.take("case") => self.choice(cursor, depth),
            TokenKind::Word | TokenKind::Name => self.named(cursor, depth),
            _ => {
                cursor.skip();
                Text::hole()
            }
        }
    }

    /// The content of parentheses: an expression, or a query for one value.
    fn inside(&self, text: &str, depth: usize) -> Text {
        let mut cursor = Cursor::new(text, self.schema.dialect);
        if !cursor.take("select") {
            return self.value(text, depth);
        }
        let start = cursor.at;
        while !cursor.done() && !cursor.is("from") {
            cursor.skip();
        }
        let list = cursor.source(start, cursor.at);
        if cursor.done() {
            return self.value(list, depth);
        }
        let has = || match block::catalog_test(text, self.schema.dialect)? {
            Test::Catalog { catalog, equals } => self.catalog_has(&catalog, &equals),
            _ => None,
        };
        let is_count = list.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("count"));
        match has() {
            Some(has) if is_count => Text::of(if has { "1" } else { "0" }),
            Some(true) if list == "1" => Text::of("1"),
            has if is_choice(list) => {
                let count = has.map(|has| if has { "1" } else { "0" });
                self.value(&counted(list, count, self.schema.dialect), depth + 1)
            }
            // DDL with parts from the rows of a query.
            _ => Some(self.value(list, depth + 1)).filter(may_change).unwrap_or_else(Text::hole),
        }
    }

    /// `CASE`; the cursor is after the word.
    fn choice(&self, cursor: &mut Cursor<'_>, depth: usize) -> Text {
        let part = |cursor: &mut Cursor<'_>, ends: &[&str]| {
            let (start, mut open) = (cursor.at, 0_usize);
            while !cursor.done() && (open > 0 || !ends.iter().any(|end| cursor.is(end))) {
                open = (open + usize::from(cursor.is("case"))).saturating_sub(usize::from(cursor.is("end")));
                cursor.skip();
            }
            cursor.source(start, cursor.at).to_owned()
        };
        let operand = part(cursor, &["when", "end"]);
        let mut found = None;
        while cursor.take("when") {
            let condition = part(cursor, &["then", "end"]);
            let _ = cursor.take("then");
            let value = part(cursor, &["when", "else", "end"]);
            if found.is_none() {
                let condition = match operand.as_str() {
                    "" => condition,
                    operand => format!("({operand}) = ({condition})"),
                };
                let value = || self.value(&value, depth + 1);
                found = match self.truth_at(&condition, depth + 1) {
                    Some(true) => Some(value()),
                    Some(false) => None,
                    // Prefer a branch that changes the schema over those that do not.
                    None => Some(value()).filter(may_change),
                };
            }
        }
        let otherwise = cursor.take("else").then(|| part(cursor, &["end"]));
        let _ = cursor.take("end");
        let otherwise = || otherwise.map(|value| self.value(&value, depth + 1));
        found.or_else(otherwise).unwrap_or_else(Text::hole)
    }

    /// A call or a variable.
    fn named(&self, cursor: &mut Cursor<'_>, depth: usize) -> Text {
        let Ok(written) = cursor.written() else { return Text::hole() };
        if !cursor.is_symbol("(") {
            let Some(record) = &written.schema else { return self.variable(&written.name) };
            // A field of a row; a row of one value is the value.
            let field = format!("{record}.{}", written.name);
            let is_known = self.frames.last().is_some_and(|frame| frame.contains_key(&field));
            return self.variable(if is_known { &field } else { record });
        }
        let start = cursor.at;
        cursor.skip();
        let inside = cursor.source(start + 1, cursor.at.saturating_sub(1));
        let arguments = arguments(inside, self.schema.dialect);
        let value = |place: usize| {
            arguments.get(place).map_or_else(Text::hole, |argument| self.value(argument, depth + 1))
        };
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match written.name.as_str() {
            "format" => {
                let values: Vec<Text> = (1..arguments.len()).map(value).collect();
                value(0).known().map_or_else(Text::hole, |template| format(&template, &values))
            }
            "concat" => {
                let mut text = Text::default();
                (0..arguments.len()).for_each(|place| text.push(value(place)));
                text
            }
            "quote_ident" => value(0).map(|name| quote_if_needed(name, Dialect::Postgres)),
            "quote_literal" | "quote_nullable" | "quote" => value(0).map(quoted),
            "lower" => value(0).map(str::to_lowercase),
            "upper" => value(0).map(str::to_uppercase),
            "trim" | "btrim" => value(0).map(|text| text.trim().to_owned()),
            "coalesce" | "ifnull" | "nvl" => {
                let mut values = (0..arguments.len()).map(value);
                values.find(|value| !value.is_null()).unwrap_or_else(Text::hole)
            }
            "string_agg" | "group_concat" => value(0),
            "current_schema" if arguments.is_empty() => Text::of("public"),
            "replace" => match (value(0).known(), value(1).known(), value(2).known()) {
                (Some(text), Some(from), Some(to)) if !from.is_empty() => Text::of(text.replace(&from, &to)),
                _ => Text::hole(),
            },
            "exists" => {
                let truth = self.truth(&format!("exists ({inside})"));
                truth.map_or_else(Text::hole, |it| Text::of(if it { "1" } else { "0" }))
            }
            "if" => match arguments.first().and_then(|condition| self.truth(condition)) {
                Some(holds) => value(if holds { 1 } else { 2 }),
                // Prefer a branch that changes the schema over one that does not.
                None if may_change(&value(1)) => value(1),
                None => value(2),
            },
            _ => Text::hole(),
        }
    }

    fn variable(&self, name: &str) -> Text {
        let local = self.frames.last().and_then(|frame| frame.get(name));
        match local.or_else(|| self.session.variables.get(name)) {
            Some(value) => value.clone(),
            None if matches!(name, "true" | "false") => Text::of(name),
            None if name == "null" => Text::null(),
            None => Text::hole(),
        }
    }

    /// Whether a condition holds; `None` if undetermined.
    pub(super) fn truth(&self, condition: &str) -> Option<bool> {
        self.truth_at(condition, 0)
    }

    fn truth_at(&self, condition: &str, depth: usize) -> Option<bool> {
        let dialect = self.schema.dialect;
        let mut cursor = Cursor::new(condition, dialect);
        if depth > MAX_EXPR_DEPTH || cursor.done() {
            return None;
        }
        if let Some((left, right)) = parted(condition, "or", dialect) {
            return match (self.truth_at(left, depth + 1), self.truth_at(right, depth + 1)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            };
        }
        if let Some((left, right)) = parted(condition, "and", dialect) {
            return match (self.truth_at(left, depth + 1), self.truth_at(right, depth + 1)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            };
        }
        let tested = block::condition(condition, dialect);
        if !matches!(tested.test, Test::Value(_)) {
            return self.holds(&tested);
        }
        if cursor.take("not") {
            let start = cursor.at;
            cursor.skip_all();
            return self.truth_at(cursor.source(start, cursor.at), depth + 1).map(|holds| !holds);
        }
        let start = cursor.at;
        while !cursor.done() && !["=", "<>", "!=", "<", ">", "<=", ">="].contains(&cursor.now()) {
            cursor.skip();
        }
        let left = cursor.source(start, cursor.at);
        if cursor.done() {
            let whole = left.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
            let is_query =
                |inner: &str| inner.trim_start().get(..6).is_some_and(|it| it.eq_ignore_ascii_case("select"));
            if let Some(inner) = whole.filter(|inner| !is_query(inner)) {
                return self.truth_at(inner, depth + 1);
            }
            return match self.value(left, depth + 1).known()?.to_lowercase().as_str() {
                "true" | "t" | "1" => Some(true),
                "false" | "f" | "0" => Some(false),
                _ => None,
            };
        }
        let operator = cursor.now();
        cursor.at += 1;
        let start = cursor.at;
        cursor.skip_all();
        let right = self.value(cursor.source(start, cursor.at), depth + 1).known()?;
        let left = self.value(left, depth + 1).known()?;
        let order = match (left.parse::<i64>(), right.parse::<i64>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            _ => left.cmp(&right),
        };
        Some(match operator {
            "=" => order.is_eq(),
            "<" => order.is_lt(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            ">=" => order.is_ge(),
            _ => order.is_ne(),
        })
    }
}

#[cfg(test)]
mod tests;
