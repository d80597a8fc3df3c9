//! Only a manifest, which says what it is for.
