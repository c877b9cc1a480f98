//! The choices of dropdowns, as an administrator would have set them up.

use serde_json::Value;

use crate::sandbox::{
    company::ids::{self, GS_PICKLIST},
    documents::Seed,
};

/// Category and label, in display order. The place in this list is part of the id: append only.
const CHOICES: &[(&str, &str)] = &[
    ("CTA_STATUS", "New"),
    ("CTA_STATUS", "Work In Progress"),
    ("CTA_STATUS", "Closed Success"),
    ("CTA_STATUS", "Closed Lost"),
    ("CTA_PRIORITY", "High"),
    ("CTA_PRIORITY", "Medium"),
    ("CTA_PRIORITY", "Low"),
    ("CTA_TYPE", "Risk"),
    ("CTA_TYPE", "Opportunity"),
    ("CTA_TYPE", "Lifecycle"),
    ("CTA_TYPE", "Activity"),
    ("CTA_TYPE", "Objective"),
    ("CTA_REASON", "Adoption"),
    ("CTA_REASON", "Low Usage"),
    ("CTA_REASON", "Usage Drop"),
    ("CTA_REASON", "Renewal"),
    ("CTA_REASON", "Onboarding"),
    ("CTA_REASON", "Support Risk"),
    ("CTA_REASON", "Executive Sponsor"),
    ("CTA_REASON", "Upsell"),
    ("CTA_REASON", "Other"),
    ("COMPANY_STAGE", "Onboarding"),
    ("COMPANY_STAGE", "Adoption"),
    ("COMPANY_STAGE", "Mature"),
    ("COMPANY_STAGE", "At Risk"),
    ("COMPANY_STATUS", "Active"),
    ("COMPANY_STATUS", "Inactive"),
    ("COMPANY_STATUS", "Churn"),
    ("COMPANY_TAGS", "Strategic"),
    ("COMPANY_TAGS", "Reference"),
    ("COMPANY_TAGS", "Beta"),
    ("COMPANY_TAGS", "Partner"),
    ("SUCCESS_PLAN_TYPE", "Onboarding"),
    ("SUCCESS_PLAN_TYPE", "Adoption"),
    ("SUCCESS_PLAN_TYPE", "Renewal"),
    ("SUCCESS_PLAN_STATUS", "Draft"),
    ("SUCCESS_PLAN_STATUS", "Active"),
    ("SUCCESS_PLAN_STATUS", "Closed"),
];

/// Whether a status of a call to action ends it.
pub(in crate::sandbox::gainsight) fn closes(status: &str) -> bool {
    matches!(status, "Closed Success" | "Closed Lost")
}

/// The id of a seeded choice; null when there is none.
pub(in crate::sandbox::gainsight) fn id(category: &str, label: &str) -> Value {
    let place = (0_u64..).zip(CHOICES).find(|(_, choice)| **choice == (category, label));
    place.map_or(Value::Null, |(place, _)| ids::gainsight(GS_PICKLIST, place + 1).into())
}

#[derive(Debug, Clone)]
pub(in crate::sandbox::gainsight) struct Picklists;

impl Seed for Picklists {
    fn count(&self) -> u64 {
        CHOICES.len() as u64
    }

    fn id(&self, index: u64) -> String {
        ids::gainsight(GS_PICKLIST, index + 1)
    }

    fn index(&self, id: &str) -> Option<u64> {
        ids::gainsight_number(GS_PICKLIST, id)?.checked_sub(1).filter(|index| *index < self.count())
    }

    fn fields(&self) -> &[&'static str] {
        &["Gsid", "Name", "Category", "DisplayOrder", "IsActive"]
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let (category, label) = CHOICES.get(usize::try_from(index).ok()?)?;
        Some(match field {
            "Gsid" => self.id(index).into(),
            "Name" => (*label).into(),
            "Category" => (*category).into(),
            "DisplayOrder" => index.into(),
            "IsActive" => true.into(),
            _ => return None,
        })
    }
}
