//! The report of a workspace, and of the changes since a revision: the data, and its output formats.
//!
//! [`model`] is the data, [`html`] the page, with its style and script from `page.css` and `page.js`.
//! [`diff`] compares two revisions; [`changes`] shows the result as a page and [`markdown`] as a comment.
//! `maud` writes the markup, and escapes its input by default.

pub(crate) mod changes;
mod cost;
pub(crate) mod diff;
mod frame;
pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod model;
mod parts;
mod tree;

pub(crate) use cost::of as cost;
