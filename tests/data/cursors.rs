//! Incremental runs read everything that changed.
