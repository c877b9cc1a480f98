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
}

/// Of `customer_info`: ours, Gainsight's.
const CUSTOMER_INFO: &[(&str, &str)] = &[("AccountId", "SfdcAccountId"), ("HealthScore", "CurrentScore")];

/// Of calls to action: ours, the path that is read (none for what can only be written), and the key of a Cockpit request.
pub(super) const CTA: &[(&str, Option<&str>, &str)] = &[
    ("Type", Some("TypeId__gr.Name"), "type"),
    ("Status", Some("StatusId__gr.Name"), "status"),
    ("Priority", Some("PriorityId__gr.Name"), "priority"),
    ("Reason", Some("ReasonId__gr.Name"), "reason"),
    ("OwnerEmail", Some("OwnerId__gr.Email"), "OwnerEmail"),
    ("Playbook", None, "playbook"),
];

impl Names {
    pub(super) fn of(object: &str) -> Self {
        match object.to_ascii_lowercase().as_str() {
            "customer_info" => Self::CustomerInfo,
            "call_to_action" | "cs_cta" | "cta" => Self::Cta,
            _ => Self::Plain,
        }
    }

    pub(super) const fn object(self, asked: &str) -> &str {
        match self {
            Self::CustomerInfo => "Company",
            Self::Cta => "call_to_action",
            Self::Plain => asked,
        }
    }

    /// The field as Gainsight reads it.
    pub(super) fn wire(self, field: &str) -> Name {
        let is = |ours: &str| ours.eq_ignore_ascii_case(field);
        let found = match self {
            Self::Plain => None,
            Self::CustomerInfo => CUSTOMER_INFO.iter().find(|(ours, _)| is(ours)).map(|(_, wire)| *wire),
            Self::Cta => CTA.iter().find(|(ours, ..)| is(ours)).and_then(|(_, wire, _)| *wire),
        };
        Name::new(found.unwrap_or(field))
    }

    /// Whether the field can be written and not read: no list gives a call to action's playbook.
    pub(super) fn is_write_only(self, field: &str) -> bool {
        self == Self::Cta && CTA.iter().any(|(ours, wire, _)| wire.is_none() && ours.eq_ignore_ascii_case(field))
    }

    /// What a describe adds under our name: ours, and Gainsight's where it can be read.
    pub(super) fn added(self) -> Vec<(&'static str, Option<&'static str>)> {
        match self {
            Self::Plain => Vec::new(),
            Self::CustomerInfo => CUSTOMER_INFO.iter().map(|(ours, wire)| (*ours, Some(*wire))).collect(),
            Self::Cta => CTA.iter().map(|(ours, wire, _)| (*ours, *wire)).collect(),
        }
    }
}
