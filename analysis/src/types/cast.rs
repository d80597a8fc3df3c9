//! The type name to cast a value to, for statements whose values are arrays.

use super::{SqlType, TypeKind};
use crate::sql::batch::RowType;

/// The type of a value of a row, as named in a PostgreSQL cast; `None` for a type that has no values.
///
/// It has no length: a cast to `varchar(3)` would truncate what an INSERT rejects. A domain becomes its base
/// type, since the column checks the domain when the value is written.
pub fn row_type(ty: &SqlType) -> Option<RowType> {
    match &ty.kind {
        TypeKind::Pseudo => None,
        TypeKind::Domain(base) => row_type(base),
        TypeKind::Array(element) => {
            row_type(element).map(|element| RowType { name: format!("{}[]", element.name), is_array: true })
        }
        TypeKind::Builtin if ty.name == "char" => {
            Some(RowType { name: "\"char\"".to_owned(), is_array: false })
        }
        TypeKind::Builtin
        | TypeKind::Enum(_)
        | TypeKind::Composite(_)
        | TypeKind::Range(_)
        | TypeKind::Extension => Some(RowType { name: ty.name.clone(), is_array: false }),
    }
}

#[cfg(test)]
mod tests {
    use super::{SqlType, TypeKind, row_type};

    #[track_caller]
    fn check(name: &str, kind: TypeKind, expect: Option<(&str, bool)>) {
        let made = row_type(&SqlType { name: name.to_owned(), kind });
        assert_eq!(made.as_ref().map(|ty| (ty.name.as_str(), ty.is_array)), expect);
    }

    #[test]
    fn types_are_named_without_their_lengths() {
        let text = || SqlType { name: "varchar".to_owned(), kind: TypeKind::Builtin };
        check("varchar", TypeKind::Builtin, Some(("varchar", false)));
        check("char", TypeKind::Builtin, Some(("\"char\"", false)));
        check("app.\"Mood\"", TypeKind::Enum(Vec::new()), Some(("app.\"Mood\"", false)));
        check("email", TypeKind::Domain(Box::new(text())), Some(("varchar", false)));
        check("_varchar", TypeKind::Array(Box::new(text())), Some(("varchar[]", true)));
        check("record", TypeKind::Pseudo, None);
    }
}
