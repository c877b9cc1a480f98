//! What the emulator stands on: the company, the tables, the time.

use std::sync::{Arc, RwLock};

use serde_json::Value;

use super::{audience::Audiences, catalogue, pages::Scrolls, seed};
use crate::sandbox::{
    company::{Company, mix},
    documents::{Documents, Nothing, Table},
    server::World,
};

/// PX's tables over the company.
pub(super) struct Px {
    pub(super) world: Arc<World>,
    pub(super) documents: Arc<Documents>,
    pub(super) users: Arc<Table>,
    pub(super) accounts: Arc<Table>,
    /// Users that were deleted, by id: when, and whether for good.
    pub(super) gone: Arc<Table>,
    /// Custom attributes, by `model/name`.
    pub(super) attributes: Arc<Table>,
    pub(super) engagements: Arc<Table>,
    pub(super) features: Arc<Table>,
    pub(super) segments: Arc<Table>,
    pub(super) external: Arc<Table>,
    /// Who was in which external segment, from when until when.
    pub(super) members: Arc<Table>,
    /// Which segments were picked as the audience of which engagement.
    pub(super) picked: Arc<Table>,
    /// Custom events that were sent.
    pub(super) sent: Arc<Table>,
    /// One row: the response model.
    pub(super) behaviour: Arc<Table>,
    pub(super) hooks: Arc<Table>,
    pub(super) audiences: RwLock<Audiences>,
    pub(super) scrolls: Scrolls,
    /// Held while webhooks are posted, so that no event goes out twice.
    pub(super) posting: tokio::sync::Mutex<()>,
}

impl Px {
    pub(super) fn new(world: &Arc<World>, documents: &Arc<Documents>) -> Self {
        Self {
            users: documents.table("users", seed::Users(Arc::clone(world))),
            accounts: documents.table("accounts", seed::Accounts(Arc::clone(world))),
            gone: documents.table("deleted_user", Nothing),
            attributes: documents.table("attribute", catalogue::attributes()),
            engagements: documents.table("engagements", catalogue::engagements()),
            features: documents.table("features", catalogue::features()),
            segments: documents.table("segments", catalogue::segments()),
            external: documents.table("external_segment", Nothing),
            members: documents.table("membership", Nothing),
            picked: documents.table("audience", Nothing),
            sent: documents.table("custom_event", Nothing),
            behaviour: documents.table("behaviour", Nothing),
            hooks: documents.table("webhook", Nothing),
            audiences: RwLock::default(),
            scrolls: Scrolls::default(),
            posting: tokio::sync::Mutex::default(),
            world: Arc::clone(world),
            documents: Arc::clone(documents),
        }
    }

    pub(super) fn company(&self) -> Company {
        self.world.company
    }

    pub(super) fn now(&self) -> i64 {
        self.world.clock.now_ms()
    }
}

/// Text that looks like a GUID, the same for the same words.
pub(super) fn guid(kind: &str, words: &str) -> String {
    let high = xxhash_rust::xxh3::xxh3_64_with_seed(words.as_bytes(), xxhash_rust::xxh3::xxh3_64(kind.as_bytes()));
    let low = mix(high);
    format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFF, low >> 52, low & 0xFFFF_FFFF_FFFF)
}

/// An id that no row of a table has yet.
pub(super) fn new_id(table: &Table) -> String {
    let mut number = table.len();
    loop {
        let id = guid(table.name(), &number.to_string());
        if table.get(&id).is_none() {
            return id;
        }
        number += 1;
    }
}

/// A number that looks drawn at random, as a fraction of one.
pub(super) fn fraction(drawn: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let fraction = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

/// A value within objects and lists; of a list, one of each item.
pub(super) fn within(value: &Value, path: &str) -> Value {
    match (path.split_once('.'), value) {
        (_, Value::Array(items)) => items.iter().map(|item| within(item, path)).collect(),
        (Some((head, rest)), _) => within(&value[head], rest),
        (None, _) => value[path].clone(),
    }
}
