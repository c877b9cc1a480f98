//! Where rows come from that nobody wrote: computed from an index, never stored.

use serde_json::Value;

/// The seeded rows of one object. Everything is a pure function of the index, and cheap.
pub trait Seed: Send + Sync + 'static {
    /// Indices run from 0 up to this.
    fn count(&self) -> u64;

    /// Whether there is a row at an index below `count`; an object may leave gaps.
    fn exists(&self, _index: u64) -> bool {
        true
    }

    /// The id of the row at an index.
    fn id(&self, index: u64) -> String;

    /// The index of an id; none when it is not a seeded one's.
    fn index(&self, id: &str) -> Option<u64>;

    /// The names of all seeded fields.
    fn fields(&self) -> &[&'static str];

    /// A field of the row at an index; none when the object has no such field.
    fn field(&self, index: u64, field: &str) -> Option<Value>;

    /// The rows whose field has this value, where that is cheaper than looking at all of them; none when it is not.
    fn find(&self, _field: &str, _value: &Value) -> Option<Vec<u64>> {
        None
    }
}

/// No seeded rows.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Seed for Nothing {
    fn count(&self) -> u64 {
        0
    }

    fn id(&self, _index: u64) -> String {
        String::new()
    }

    fn index(&self, _id: &str) -> Option<u64> {
        None
    }

    fn fields(&self) -> &[&'static str] {
        &[]
    }

    fn field(&self, _index: u64, _field: &str) -> Option<Value> {
        None
    }

    fn find(&self, _field: &str, _value: &Value) -> Option<Vec<u64>> {
        Some(Vec::new())
    }
}
