//! Bodies of macros: usually expressions or statements, parsed as such if possible.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Pat, Stmt, Token};

use super::pasted;

/// The parsed form of a macro's tokens.
pub(in crate::rust) enum MacroBody {
    /// Expressions separated by commas or semicolons.
    Expressions(Vec<Expr>),
    /// Statements, as in a block.
    Statements(Vec<Stmt>),
    /// The arms of a `select!`.
    Arms(Vec<Arm>),
    /// Expressions among tokens that could not be parsed; the flag says whether something that calls
    /// functions was left over.
    Pieces(Vec<Expr>, bool),
}

/// An arm of a `select!`: `pattern = future, if condition => handler`.
pub(in crate::rust) struct Arm {
    pub(in crate::rust) pattern: Option<Pat>,
    pub(in crate::rust) future: Option<Expr>,
    pub(in crate::rust) condition: Option<Expr>,
    pub(in crate::rust) handler: Expr,
}

/// Reads the tokens of a macro.
pub(in crate::rust) fn read(tokens: TokenStream, name: &str) -> MacroBody {
    let tokens = if pasted::pastes(name) { pasted::pasted(tokens) } else { tokens };
    if name.starts_with("select")
        && let Ok(arms) = Arms::parse.parse2(tokens.clone())
    {
        return MacroBody::Arms(arms.0);
    }
    if let Ok(expressions) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone()) {
        return MacroBody::Expressions(expressions.into_iter().collect());
    }
    if let Ok(statements) = Block::parse_within.parse2(tokens.clone()) {
        return MacroBody::Statements(statements);
    }
    let mut pieces = Pieces::default();
    pieces.read(tokens);
    MacroBody::Pieces(pieces.found, pieces.lost)
}

struct Arms(Vec<Arm>);

impl Parse for Arms {
    fn parse(input: ParseStream<'_>) -> syn::Result<Arms> {
        if input.peek(syn::Ident) && input.peek2(Token![;]) {
            input.parse::<syn::Ident>()?;
            input.parse::<Token![;]>()?;
        }
        let mut arms = Vec::new();
        while !input.is_empty() {
            arms.push(arm(input)?);
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(Arms(arms))
    }
}

fn arm(input: ParseStream<'_>) -> syn::Result<Arm> {
    let word = input.peek(Token![else]) || input.peek(syn::Ident) && input.peek2(Token![=>]);
    let (mut pattern, mut future, mut condition) = (None, None, None);
    if word {
        input.parse::<TokenTree>()?;
    } else {
        pattern = Some(Pat::parse_multi_with_leading_vert(input)?);
        input.parse::<Token![=]>()?;
        future = Some(input.parse()?);
        if input.parse::<Option<Token![,]>>()?.is_some() {
            input.parse::<Token![if]>()?;
            condition = Some(input.parse()?);
        }
    }
    input.parse::<Token![=>]>()?;
    let handler = match input.peek(syn::token::Brace) {
        // A block ends the arm; what follows is the next arm rather than an operator.
        true => Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block: input.parse()? }),
        false => input.parse()?,
    };
    Ok(Arm { pattern, future, condition, handler })
}

/// Finds expressions among tokens with a custom syntax.
#[derive(Default)]
struct Pieces {
    found: Vec<Expr>,
    lost: bool,
}

impl Pieces {
    fn read(&mut self, tokens: TokenStream) {
        let mut piece: Vec<TokenTree> = Vec::new();
        for token in tokens {
            let ends = matches!(&token, TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';'));
            let arrow = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '>')
                && matches!(piece.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '=');
            let key = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Alone)
                && matches!(piece.as_slice(), [TokenTree::Literal(_) | TokenTree::Ident(_)]);
            if ends || arrow || key {
                self.piece(std::mem::take(&mut piece));
            } else {
                piece.push(token);
            }
        }
        self.piece(piece);
    }

    fn piece(&mut self, tokens: Vec<TokenTree>) {
        if !tokens.iter().any(|token| matches!(token, TokenTree::Group(_))) {
            return;
        }
        if let Ok(expression) = syn::parse2::<Expr>(tokens.iter().cloned().collect()) {
            self.found.push(expression);
            return;
        }
        let before = self.found.len();
        // Search for `path!(..)` and `name(..)` at each start of a path.
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            if let TokenTree::Ident(_) = first
                && let Some(length) = call_length(rest)
                && let Some(call) = rest.get(..length)
                && let Ok(expression) = syn::parse2::<Expr>(call.iter().cloned().collect())
            {
                self.found.push(expression);
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            if let TokenTree::Group(group) = first {
                match syn::parse2::<Block>(TokenStream::from(first.clone())) {
                    Ok(block) => {
                        self.found.push(Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block }))
                    }
                    Err(_) => self.read(group.stream()),
                }
            }
            rest = after;
        }
        self.lost |= self.found.len() == before && runs_query(&tokens);
    }
}

/// The number of tokens from the start of a path to the end of the call or macro invocation, including
/// chained methods.
fn call_length(tokens: &[TokenTree]) -> Option<usize> {
    let mut length = 0;
    let mut called = false;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(_) => {}
            TokenTree::Punct(punct)
                if matches!(punct.as_char(), ':' | '!' | '.' | '?' | '<' | '>' | ',' | '_') => {}
            TokenTree::Group(_) if index > 0 => {
                called = true;
                length = index + 1;
            }
            _ => break,
        }
        if called && matches!(token, TokenTree::Punct(punct) if punct.as_char() == '?') {
            length = index + 1;
        }
    }
    called.then_some(length)
}

/// Whether tokens run a query, judging by common words.
fn runs_query(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(index, token)| {
        let TokenTree::Ident(ident) = token else { return false };
        let next = tokens.get(index + 1);
        let calls = matches!(next, Some(TokenTree::Group(_)));
        let expands = matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
        let name = ident.to_string();
        calls && crate::rust::query_names::is_executor(&name)
            || expands && (name.starts_with("query") || name.starts_with("sql"))
    })
}
