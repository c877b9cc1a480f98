//! A source's own filter is obeyed by every declaration that reads it.
