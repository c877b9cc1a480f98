//! People of customers, and the companies they belong to: one each.

use std::sync::Arc;

use serde_json::Value;

use super::moment;
use crate::sandbox::{
    company::ids::{GS_COMPANY_PERSON, GS_PERSON},
    documents::Seed,
    server::World,
};

/// Row `j` is person `j`, where its account is a customer.
#[derive(Debug, Clone)]
pub(in crate::sandbox::gainsight) struct People(pub(in crate::sandbox::gainsight) Arc<World>);

/// Row `j` joins person `j` with its company.
#[derive(Debug, Clone)]
pub(in crate::sandbox::gainsight) struct CompanyPeople(pub(in crate::sandbox::gainsight) Arc<World>);

fn of_customer(world: &World, person: u64) -> bool {
    world.company.is_customer(world.company.account_of(person))
}

impl Seed for People {
    fn count(&self) -> u64 {
        self.0.company.people
    }

    fn exists(&self, index: u64) -> bool {
        of_customer(&self.0, index)
    }

    fn id(&self, index: u64) -> String {
        self.0.company.person_gsid(GS_PERSON, index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.0.company.person_of_gsid(GS_PERSON, id)
    }

    fn fields(&self) -> &[&'static str] {
        &[
            "Gsid",
            "Email",
            "FirstName",
            "LastName",
            "Name",
            "Location",
            "Timezone",
            "SfdcContactId",
            "IsActive",
            "Company_ID",
            "External_ID__gc",
            "Role__gc",
            "Lifecycle__gc",
            "Active_Users__gc",
            "Seats__gc",
            "CreatedDate",
            "ModifiedDate",
        ]
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        Some(match field {
            "Gsid" => self.id(index).into(),
            // The product knows its users by their address; one in twenty of these people is none (PX tells who).
            "Email" | "External_ID__gc" => company.email(index).into(),
            "FirstName" => company.person(index).first.into(),
            "LastName" => company.person(index).last.into(),
            "Name" => company.person(index).name().into(),
            "Location" => company.account(company.account_of(index)).city.into(),
            "Timezone" => "UTC".into(),
            "SfdcContactId" => company.contact_id(index).into(),
            "IsActive" => true.into(),
            "Company_ID" => company.account_gsid(company.account_of(index)).into(),
            "Role__gc" => company.person(index).role.into(),
            "Lifecycle__gc" => company.account(company.account_of(index)).lifecycle.into(),
            "Active_Users__gc" => company.active_users(company.account_of(index), self.0.clock.today()).into(),
            "Seats__gc" => company.account(company.account_of(index)).seats.into(),
            "CreatedDate" => moment(company.person(index).first_day),
            "ModifiedDate" => moment(company.origin),
            _ => return None,
        })
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let text = value.as_str().unwrap_or_default();
        let found = match field {
            "Email" => self.0.company.person_of_email(&text.to_ascii_lowercase()),
            "SfdcContactId" => self.0.company.person_of_contact_id(text),
            _ => return None,
        };
        Some(found.filter(|index| self.exists(*index)).into_iter().collect())
    }
}

impl Seed for CompanyPeople {
    fn count(&self) -> u64 {
        self.0.company.people
    }

    fn exists(&self, index: u64) -> bool {
        of_customer(&self.0, index)
    }

    fn id(&self, index: u64) -> String {
        self.0.company.person_gsid(GS_COMPANY_PERSON, index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.0.company.person_of_gsid(GS_COMPANY_PERSON, id)
    }

    fn fields(&self) -> &[&'static str] {
        &["Gsid", "Person_ID", "Company_ID", "Title", "Role", "IsPrimaryCompany", "CreatedDate", "ModifiedDate"]
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        Some(match field {
            "Gsid" => self.id(index).into(),
            "Person_ID" => company.person_gsid(GS_PERSON, index).into(),
            "Company_ID" => company.account_gsid(company.account_of(index)).into(),
            "Title" => company.person(index).title.into(),
            "Role" => company.person(index).role.into(),
            "IsPrimaryCompany" => true.into(),
            "CreatedDate" => moment(company.person(index).first_day),
            "ModifiedDate" => moment(company.origin),
            _ => return None,
        })
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let text = value.as_str().unwrap_or_default();
        let company = &self.0.company;
        match field {
            "Person_ID" => Some(company.person_of_gsid(GS_PERSON, text).filter(|index| self.exists(*index)).into_iter().collect()),
            "Company_ID" => {
                let account = company.account_of_gsid(text).filter(|account| company.is_customer(*account));
                Some(account.map_or_else(Vec::new, |account| company.people_of(account).collect()))
            }
            _ => None,
        }
    }
}
