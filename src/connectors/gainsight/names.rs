//! Names that Tabi adds to Gainsight's: `customer_info` for companies, and short ones for what a call to action refers to.

use crate::model::Name;

/// The object on the wire and how its fields are called there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Plain,
    /// Companies, with the field names of the old Customer Info object.
    CustomerInfo,
    /// Calls to action: labels instead of the ids of choices, the owner's address instead of an id.
    Cta,
    /// Success plans, in the same manner.
    Plan,
    /// Activities of the Timeline.
    Timeline,
}

/// An API that lists by page number and writes records by reference, where an object has one of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cockpit {
    pub(super) list: &'static str,
    pub(super) write: &'static str,
    /// What its records are, in words.
    pub(super) what: &'static str,
}

/// Of `customer_info`: ours, Gainsight's.
const CUSTOMER_INFO: &[(&str, &str)] = &[("AccountId", "SfdcAccountId"), ("HealthScore", "CurrentScore")];

/// Of calls to action: ours, the path that is read (none for what can only be written), and the key of a Cockpit request.
const CTA: &[(&str, Option<&str>, &str)] = &[
    ("Type", Some("TypeId__gr.Name"), "type"),
    ("Status", Some("StatusId__gr.Name"), "status"),
    ("Priority", Some("PriorityId__gr.Name"), "priority"),
    ("Reason", Some("ReasonId__gr.Name"), "reason"),
    ("OwnerEmail", Some("OwnerId__gr.Email"), "OwnerEmail"),
    ("Playbook", None, "playbook"),
];

/// Of success plans, likewise. Lists tell type and status under names of their own.
const PLAN: &[(&str, Option<&str>, &str)] = &[
    ("Type", Some("TypeName"), "SuccessPlanType"),
    ("Status", Some("StatusName"), "status"),
    ("OwnerEmail", Some("OwnerId__gr.Email"), "OwnerEmail"),
    ("Templates", None, "Templates"),
];

/// Of activities, likewise.
const TIMELINE: &[(&str, Option<&str>, &str)] = &[("Author", None, "Author")];

impl Names {
    pub(super) fn of(object: &str) -> Self {
        match object.to_ascii_lowercase().as_str() {
            "customer_info" => Self::CustomerInfo,
            "call_to_action" | "cs_cta" | "cta" => Self::Cta,
            "cta_group" => Self::Plan,
            "activity_timeline" => Self::Timeline,
            _ => Self::Plain,
        }
    }

    pub(super) const fn object(self, asked: &str) -> &str {
        match self {
            Self::CustomerInfo => "Company",
            Self::Cta => "call_to_action",
            Self::Plan => "cta_group",
            Self::Timeline => "activity_timeline",
            Self::Plain => asked,
        }
    }

    /// The field as Gainsight reads it.
    pub(super) fn wire(self, field: &str) -> Name {
        let is = |ours: &str| ours.eq_ignore_ascii_case(field);
        let found = match self {
            Self::Plain => None,
            Self::CustomerInfo => CUSTOMER_INFO.iter().find(|(ours, _)| is(ours)).map(|(_, wire)| *wire),
            _ => self.short().iter().find(|(ours, ..)| is(ours)).and_then(|(_, wire, _)| *wire),
        };
        Name::new(found.unwrap_or(field))
    }

    /// Short names: ours, the path that is read, and the key of a write.
    pub(super) const fn short(self) -> &'static [(&'static str, Option<&'static str>, &'static str)] {
        match self {
            Self::Cta => CTA,
            Self::Plan => PLAN,
            Self::Timeline => TIMELINE,
            Self::Plain | Self::CustomerInfo => &[],
        }
    }

    /// The field's key in a write of an API of its own.
    pub(super) fn key(self, field: &str) -> &str {
        self.short().iter().find(|(ours, ..)| ours.eq_ignore_ascii_case(field)).map_or(field, |(_, _, key)| key)
    }

    /// The API that an object has of its own.
    pub(super) const fn cockpit(self) -> Option<Cockpit> {
        match self {
            Self::Cta => Some(Cockpit { list: "/v2/cockpit/cta/list", write: "/v2/cockpit/cta/", what: "calls to action" }),
            Self::Plan => Some(Cockpit { list: "/v2/successPlan/list/", write: "/v2/successPlan/", what: "success plans" }),
            Self::Plain | Self::CustomerInfo | Self::Timeline => None,
        }
    }

    /// Whether writes name choices by their labels.
    pub(super) const fn by_labels(self) -> bool {
        matches!(self, Self::Cta | Self::Plan | Self::Timeline)
    }

    /// Whether the field can be written and not read: no list gives a call to action's playbook.
    pub(super) fn is_write_only(self, field: &str) -> bool {
        self.short().iter().any(|(ours, wire, _)| wire.is_none() && ours.eq_ignore_ascii_case(field))
    }

    /// What a describe adds under our name: ours, and Gainsight's where it can be read.
    pub(super) fn added(self) -> Vec<(&'static str, Option<&'static str>)> {
        match self {
            Self::Plain => Vec::new(),
            Self::CustomerInfo => CUSTOMER_INFO.iter().map(|(ours, wire)| (*ours, Some(*wire))).collect(),
            _ => self.short().iter().map(|(ours, wire, _)| (*ours, *wire)).collect(),
        }
    }
}
