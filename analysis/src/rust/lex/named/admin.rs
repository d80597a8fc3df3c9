//! Code that only administrators get past, judging by names.

use super::Reader;
use crate::rust::lex::tokens::TokenKind;

impl Reader<'_, '_> {
    /// Whether the `if` here leaves unless an administrator asks: `if !user.is_admin { return .. }`. With `&&`, it lets others
    /// through as well.
    pub(super) fn asks_for_admin(&self) -> bool {
        let (mut denies, mut names) = (false, false);
        let mut at = self.at + 1;
        let mut depth = 0usize;
        loop {
            let Some(token) = self.token(at) else { return false };
            match token.kind {
                TokenKind::Sign(b'(' | b'[') => depth += 1,
                TokenKind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Sign(b'{') if depth == 0 => break,
                TokenKind::Sign(b'&') if self.sign(at + 1) == Some(b'&') => return false,
                TokenKind::Sign(b'!') => denies = true,
                TokenKind::Word => names |= is_admin(token.text),
                TokenKind::Text => names |= is_admin(token.text.trim_matches('"')),
                _ => {}
            }
            at += 1;
        }
        if !denies || !names {
            return false;
        }
        let mut leaves = false;
        let mut depth = 0usize;
        while let Some(token) = self.token(at) {
            match token.kind {
                TokenKind::Sign(b'{') => depth += 1,
                TokenKind::Sign(b'}') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                TokenKind::Word => leaves |= matches!(token.text, "return" | "bail"),
                _ => {}
            }
            at += 1;
        }
        leaves
    }
}

/// Whether a name has the word for administrators in it: `is_admin`, `ADMIN`, `AdminUser`.
pub(in crate::rust) fn is_admin(name: &str) -> bool {
    let is_word = |word: &str| {
        matches!(
            word.to_ascii_lowercase().as_str(),
            "admin" | "admins" | "administration" | "administrator" | "administrators" | "superuser"
        )
    };
    name.split(['_', '-', ' ']).any(|part| is_word(part) || is_admin_type(part))
}

/// Whether a type is of administrators: `AdminUser`, `RequireAdmin`.
pub(super) fn is_admin_type(name: &str) -> bool {
    name.match_indices("Admin").any(|(at, word)| {
        let rest = name.get(at + word.len()..).unwrap_or_default();
        !rest.starts_with(|c: char| c.is_lowercase())
    })
}

/// Whether a function of this name fails unless an administrator asks: `require_admin`.
pub(super) fn is_demand(name: &str) -> bool {
    let first = name.split('_').next().unwrap_or_default();
    matches!(first, "assert" | "check" | "ensure" | "require" | "verify") && is_admin(name)
}

/// What the administrators of a type administer, if its name says so: `Campaign` of `CampaignAdmin`.
pub(super) fn administered(ty: &str) -> Option<&str> {
    ty.strip_suffix("Admin").filter(|of| !of.is_empty())
}
