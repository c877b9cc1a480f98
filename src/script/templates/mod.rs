//! Templates of mail, in the folder `scripts/templates/` and loaded like scripts.
//!
//! `welcome.txt` and `welcome.html` are the two bodies of the template `welcome`; either may be missing. The first line of either may be
//! `Subject: ...`, itself a template; where both have one they are the same. In `.html` what is filled in is escaped. A field that the data
//! does not have is an error, and null is shown as nothing. `{% include "footer.html" %}` and `{% extends .. %}` name files of the folder.

/// What can be known about a template from its text.
mod scan;
/// Those that a journey is made of.
mod sent;
/// All templates of a workspace at one moment.
mod set;
/// One file, taken apart.
mod source;

pub use set::{Filled, Rendered, Templates, is_template, plain_text};

pub(super) use sent::sent;
pub(super) use set::Shelf;
