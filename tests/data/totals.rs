//! Aggregates: what can be added up, what is refused, and what comes of nothing.
