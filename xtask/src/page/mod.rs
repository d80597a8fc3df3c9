//! The report of a workspace, and of what a revision changes in it: the data, and the forms it is written in.
//!
//! [`model`] is the data, [`html`] the page, with its style and script from `page.css` and `page.js`. [`diff`] compares two
//! revisions; [`changes`] shows that as a page and [`markdown`] as a comment. Markup is made by `maud`, which escapes what
//! it is given unless it is told otherwise.

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
