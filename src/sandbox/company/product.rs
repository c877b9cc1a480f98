//! The product whose usage is seen: two apps, their pages and features, track events and guides.

use super::ids;

/// An app. The first one is the default app of the subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct App {
    pub id: i64,
    pub name: &'static str,
    pub platform: &'static str,
}

pub const APPS: [App; 2] =
    [App { id: -323_232, name: "Web app", platform: "web" }, App { id: 5_629_499_534_213_120, name: "Mobile app", platform: "ios" }];

/// A page, a feature, a track event or a guide: `app` is the index of its app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    pub kind: &'static str,
    pub number: usize,
    pub app: usize,
    pub name: &'static str,
}

impl Item {
    /// Its id in Pendo.
    pub fn id(&self) -> String {
        ids::pendo(self.kind, self.number as u64)
    }
}

const PAGE_NAMES: [&str; 12] = [
    "Dashboard",
    "Projects",
    "Project details",
    "Reports",
    "Report builder",
    "Billing",
    "Team",
    "Integrations",
    "Settings",
    "Search",
    "Mobile home",
    "Mobile inbox",
];
const FEATURE_NAMES: [&str; 16] = [
    "Create project",
    "Share project",
    "Export report",
    "Save report",
    "Invite teammate",
    "Connect integration",
    "Filter dashboard",
    "Add widget",
    "Comment",
    "Upload file",
    "Bulk edit",
    "Global search",
    "Change plan",
    "Quick add",
    "Mark as read",
    "Scan code",
];
const TRACK_NAMES: [&str; 3] = ["Report Exported", "Invite Sent", "Integration Connected"];
const GUIDE_NAMES: [&str; 6] = ["NPS survey", "Product tour", "Release video", "Report builder tips", "Renewal notice", "Mobile announcement"];

/// Pages and features from this one on belong to the mobile app.
pub(super) const WEB_PAGES: usize = 10;
pub(super) const WEB_FEATURES: usize = 13;

pub fn pages() -> impl Iterator<Item = Item> {
    items("page", &PAGE_NAMES, WEB_PAGES)
}

pub fn features() -> impl Iterator<Item = Item> {
    items("feature", &FEATURE_NAMES, WEB_FEATURES)
}

pub fn track_types() -> impl Iterator<Item = Item> {
    items("tracktype", &TRACK_NAMES, usize::MAX)
}

/// Guides; the first one is the NPS survey.
pub fn guides() -> impl Iterator<Item = Item> {
    items("guide", &GUIDE_NAMES, 5)
}

fn items(kind: &'static str, names: &'static [&'static str], web: usize) -> impl Iterator<Item = Item> {
    names.iter().enumerate().map(move |(number, name)| Item { kind, number, app: usize::from(number >= web), name })
}
