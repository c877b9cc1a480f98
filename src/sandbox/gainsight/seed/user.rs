//! Customer success managers, who own companies.

use std::sync::Arc;

use serde_json::Value;

use super::moment;
use crate::sandbox::{documents::Seed, server::World};

#[derive(Debug, Clone)]
pub(in crate::sandbox::gainsight) struct Users(pub(in crate::sandbox::gainsight) Arc<World>);

/// Users were there this long before the company was founded.
const DAYS_BEFORE: i64 = 1_600;

impl Seed for Users {
    fn count(&self) -> u64 {
        self.0.company.users()
    }

    fn id(&self, index: u64) -> String {
        self.0.company.user_gsid(index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.0.company.user_of_gsid(id)
    }

    fn fields(&self) -> &[&'static str] {
        &[
            "Gsid",
            "Name",
            "FirstName",
            "LastName",
            "Email",
            "SFDCUserName",
            "SfdcUserId",
            "LicenseType",
            "IsActiveUser",
            "CreatedDate",
            "ModifiedDate",
        ]
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        let user = company.user(index);
        Some(match field {
            "Gsid" => self.id(index).into(),
            "Name" => user.name().into(),
            "FirstName" => user.first.into(),
            "LastName" => user.last.into(),
            "Email" | "SFDCUserName" => user.email().into(),
            "SfdcUserId" => company.user_id(index).into(),
            "LicenseType" => "Full".into(),
            "IsActiveUser" => true.into(),
            "CreatedDate" | "ModifiedDate" => moment(company.origin - DAYS_BEFORE),
            _ => return None,
        })
    }
}
