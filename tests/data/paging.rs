//! Records that are deleted, added or changed while pages are read.
