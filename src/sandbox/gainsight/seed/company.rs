//! Companies: the accounts that are customers.

use std::sync::Arc;

use serde_json::Value;

use super::{day, moment, picklist};
use crate::sandbox::{company::Company, documents::Seed, gainsight::values::json_number, server::World};

/// Row `i` is account `i`, where it is a customer.
#[derive(Debug, Clone)]
pub(in crate::sandbox::gainsight) struct Companies(pub(in crate::sandbox::gainsight) Arc<World>);

const FIELDS: &[&str] = &[
    "Gsid",
    "Name",
    "SfdcAccountId",
    "Industry",
    "Arr",
    "Mrr",
    "Employees",
    "Users",
    "Stage",
    "Status",
    "Csm",
    "RenewalDate",
    "OriginalContractDate",
    "CustomerlifetimeInMonths",
    "LifecycleInWeeks",
    "CurrentScore",
    "BillingAddress",
    "Churn_Risk__gc",
    "Onboarding_Status__gc",
    "Plan__gc",
    "Seats__gc",
    "CreatedDate",
    "ModifiedDate",
    "CreatedBy",
    "ModifiedBy",
];

/// What the company's lifecycle is called in the dropdown.
fn stage(lifecycle: &str) -> &'static str {
    match lifecycle {
        "onboarding" => "Onboarding",
        "adopting" => "Adoption",
        "at risk" => "At Risk",
        _ => "Mature",
    }
}

impl Seed for Companies {
    fn count(&self) -> u64 {
        self.0.company.accounts
    }

    fn exists(&self, index: u64) -> bool {
        self.0.company.is_customer(index)
    }

    fn id(&self, index: u64) -> String {
        self.0.company.account_gsid(index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.0.company.account_of_gsid(id)
    }

    fn fields(&self) -> &[&'static str] {
        FIELDS
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        // These need no account drawn.
        match field {
            "Gsid" => return Some(company.account_gsid(index).into()),
            "Name" => return Some(company.account_name(index).into()),
            "SfdcAccountId" => return Some(company.account_id(index).into()),
            "Users" => return Some(company.people_of(index).count().into()),
            "ModifiedDate" => return Some(moment(company.origin)),
            _ => {}
        }
        drawn(company, index, field, self.0.clock.today())
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let text = value.as_str().unwrap_or_default();
        let found = match field {
            "SfdcAccountId" => self.0.company.account_of_id(text),
            "Name" => self.0.company.account_of_name(text),
            _ => return None,
        };
        Some(found.filter(|index| self.exists(*index)).into_iter().collect())
    }
}

fn drawn(company: &Company, index: u64, field: &str, today: i64) -> Option<Value> {
    if !FIELDS.contains(&field) {
        return None;
    }
    let account = company.account(index);
    Some(match field {
        "Industry" => account.industry.into(),
        "Arr" => account.arr.into(),
        "Mrr" => (account.arr / 12).into(),
        "Employees" => account.employees.into(),
        "Stage" => picklist::id("COMPANY_STAGE", stage(account.lifecycle)),
        "Status" => picklist::id("COMPANY_STATUS", "Active"),
        "Csm" | "CreatedBy" | "ModifiedBy" => company.user_gsid(account.owner).into(),
        "RenewalDate" => day(account.renewal),
        "OriginalContractDate" => day(account.created),
        "CustomerlifetimeInMonths" => ((today - account.created) / 30).into(),
        "LifecycleInWeeks" => ((today - account.created) / 7).into(),
        "CurrentScore" => json_number(account.health.round()),
        "BillingAddress" => format!("{}, {}, {}", account.city, account.region, account.country).into(),
        "Churn_Risk__gc" => account.churn_risk.into(),
        "Onboarding_Status__gc" => account.onboarding_status.into(),
        "Plan__gc" => account.plan.into(),
        "Seats__gc" => account.seats.into(),
        "CreatedDate" => moment(account.created),
        _ => return None,
    })
}
