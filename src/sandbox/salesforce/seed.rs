//! The seeded company as Salesforce rows, each computed from its index.

use crate::sandbox::clock::{DAY_MS, date_of};
use crate::sandbox::company::{Company, Pattern, ids};
use crate::sandbox::documents::Seed;
use crate::sandbox::salesforce::derived::STAGES;
use crate::sandbox::salesforce::ids::{id_of, number_of};
use crate::sandbox::server::World;
use serde_json::Value;
use std::sync::Arc;

/// The objects with seeded rows, their key prefixes and their seeded fields.
const OBJECTS: [(&str, &str, &[&str]); 9] = [
    (
        "Account",
        ids::ACCOUNT,
        &[
            "Name",
            "Type",
            "Industry",
            "AnnualRevenue",
            "NumberOfEmployees",
            "Website",
            "Phone",
            "AccountNumber",
            "BillingCity",
            "BillingState",
            "BillingCountry",
            "Rating",
            "OwnerId",
            "Pendo_Account_Key__c",
            "Churn_Risk__c",
            "Onboarding_Status__c",
            "CreatedDate",
        ],
    ),
    ("Contact", ids::CONTACT, &["FirstName", "LastName", "Email", "Title", "AccountId", "OwnerId", "CreatedDate"]),
    (
        "User",
        ids::USER,
        &[
            "Username",
            "FirstName",
            "LastName",
            "Email",
            "Alias",
            "CommunityNickname",
            "IsActive",
            "TimeZoneSidKey",
            "LocaleSidKey",
            "LanguageLocaleKey",
            "EmailEncodingKey",
            "UserType",
            "Title",
            "CreatedDate",
        ],
    ),
    ("Opportunity", "006", &["Name", "AccountId", "StageName", "Amount", "Probability", "CloseDate", "Type", "OwnerId", "CreatedDate"]),
    (
        "Case",
        "500",
        &[
            "CaseNumber",
            "AccountId",
            "ContactId",
            "Status",
            "Priority",
            "Origin",
            "Subject",
            "OwnerId",
            "ClosedDate",
            "CreatedDate",
            "LastModifiedDate",
        ],
    ),
    (
        "Organization",
        "00D",
        &["Name", "OrganizationType", "TimeZoneSidKey", "DefaultLocaleSidKey", "LanguageLocaleKey", "InstanceName", "CreatedDate"],
    ),
    ("PermissionSet", "0PS", &["Name", "Label", "IsOwnedByProfile", "IsCustom", "PermissionsApiEnabled", "CreatedDate"]),
    ("PermissionSetAssignment", "0Pa", &["PermissionSetId", "AssigneeId", "CreatedDate"]),
    ("JBCXM__Picklist__c", "a02", &["Name", "JBCXM__Category__c", "JBCXM__SystemName__c", "CreatedDate"]),
];

/// The rows of one object.
pub(crate) struct Rows {
    world: Arc<World>,
    object: &'static str,
    prefix: &'static str,
    fields: &'static [&'static str],
}

/// The seeded objects over a company.
pub(crate) fn objects(world: &Arc<World>) -> impl Iterator<Item = (&'static str, Rows)> {
    OBJECTS.iter().map(|(object, prefix, fields)| (*object, Rows { world: Arc::clone(world), object, prefix, fields }))
}

/// How many seeded rows an object has.
pub(crate) fn count(company: &Company, object: &str) -> u64 {
    match object {
        "Account" | "Case" => company.accounts,
        "Contact" => company.people,
        "User" => company.users(),
        "Opportunity" => company.accounts * 2,
        "Organization" | "PermissionSetAssignment" => 1,
        "PermissionSet" => 2,
        "JBCXM__Picklist__c" => CHOICES.len() as u64,
        _ => 0,
    }
}

impl Seed for Rows {
    fn count(&self) -> u64 {
        count(&self.world.company, self.object)
    }

    fn id(&self, index: u64) -> String {
        id_of(self.prefix, index + 1)
    }

    fn index(&self, id: &str) -> Option<u64> {
        number_of(self.prefix, id)?.checked_sub(1).filter(|index| *index < self.count())
    }

    fn fields(&self) -> &[&'static str] {
        self.fields
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        if !self.fields.contains(&field) {
            return None;
        }
        let company = &self.world.company;
        Some(match self.object {
            "Account" => account(company, index, field),
            "Contact" => contact(company, index, field),
            "User" => user(company, index, field),
            "Opportunity" => opportunity(company, index, field),
            "Case" => case(company, index, field, self.world.clock.now_ms()),
            "Organization" => organization(company, field),
            "JBCXM__Picklist__c" => choice(company, index, field),
            _ => access(company, index, field),
        })
    }
}

const NINE_MS: i64 = 9 * 3_600_000;

fn at_nine(day: i64) -> Value {
    Value::from(day * DAY_MS + NINE_MS)
}

fn account(company: &Company, index: u64, field: &str) -> Value {
    match field {
        "Name" => return company.account_name(index).into(),
        "Website" => return format!("https://www.{}", company.domain(index)).into(),
        "Type" => return if company.is_customer(index) { "Customer - Direct" } else { "Prospect" }.into(),
        "AccountNumber" => return format!("CD{:07}", index + 1).into(),
        "Pendo_Account_Key__c" => return format!("ACC-{:07}", index + 1).into(),
        "Phone" => return format!("+1 555 {:03} {:04}", index / 10_000 % 1000, index % 10_000).into(),
        _ => {}
    }
    let account = company.account(index);
    match field {
        "Industry" => account.industry.into(),
        "AnnualRevenue" => (account.arr * 60).into(),
        "NumberOfEmployees" => account.employees.into(),
        "BillingCity" => account.city.into(),
        "BillingState" => account.region.into(),
        "BillingCountry" => account.country.into(),
        "Rating" => if account.health >= 70.0 { "Hot" } else { "Warm" }.into(),
        "OwnerId" => company.user_id(account.owner).into(),
        "Churn_Risk__c" => account.churn_risk.into(),
        "Onboarding_Status__c" => account.onboarding_status.into(),
        "CreatedDate" => at_nine(account.created),
        _ => Value::Null,
    }
}

fn contact(company: &Company, index: u64, field: &str) -> Value {
    match field {
        "Email" => return company.email(index).into(),
        "AccountId" => return company.account_id(company.account_of(index)).into(),
        "OwnerId" => return account(company, company.account_of(index), "OwnerId"),
        _ => {}
    }
    let person = company.person(index);
    match field {
        "FirstName" => person.first.into(),
        "LastName" => person.last.into(),
        "Title" => person.title.into(),
        "CreatedDate" => at_nine(person.first_day),
        _ => Value::Null,
    }
}

fn user(company: &Company, index: u64, field: &str) -> Value {
    let user = company.user(index);
    match field {
        "Username" | "Email" => user.email().into(),
        "FirstName" => user.first.into(),
        "LastName" => user.last.into(),
        "Alias" => user.last.chars().take(8).collect::<String>().to_lowercase().into(),
        "CommunityNickname" => format!("{}{index}", user.first.to_lowercase()).into(),
        "IsActive" => true.into(),
        "TimeZoneSidKey" => "UTC".into(),
        "LocaleSidKey" | "LanguageLocaleKey" => "en_US".into(),
        "EmailEncodingKey" => "UTF-8".into(),
        "UserType" => "Standard".into(),
        "Title" => "Customer Success Manager".into(),
        "CreatedDate" => at_nine(company.origin - 1_600),
        _ => Value::Null,
    }
}

/// Two for each account: how it became a customer, and its next renewal.
fn opportunity(company: &Company, index: u64, field: &str) -> Value {
    let (of, renewal) = (index / 2, index % 2 == 1);
    if field == "AccountId" {
        return company.account_id(of).into();
    }
    let account = company.account(of);
    let (stage, probability, _) = match (renewal, account.pattern) {
        (false, _) => STAGES[8],
        (true, Pattern::Growing) => STAGES[7],
        (true, Pattern::Steady) => STAGES[6],
        (true, Pattern::New) => STAGES[0],
        (true, _) => STAGES[2],
    };
    let close = if renewal { account.renewal } else { account.created };
    match field {
        "Name" if renewal => format!("{} - Renewal {}", company.account_name(of), date_of(close).year()).into(),
        "Name" => format!("{} - New Business", company.account_name(of)).into(),
        "StageName" => stage.into(),
        "Amount" => account.arr.into(),
        "Probability" => probability.into(),
        "CloseDate" => date_of(close).to_string().into(),
        "Type" => if renewal { "Existing Customer - Upgrade" } else { "New Customer" }.into(),
        "OwnerId" => company.user_id(account.owner).into(),
        "CreatedDate" => at_nine(account.created - if renewal { 0 } else { 30 }),
        _ => Value::Null,
    }
}

/// One for each account, from its main contact. Three in four are closed when the sandbox is first started, the others in the 60 days
/// after that.
fn case(company: &Company, index: u64, field: &str, now_ms: i64) -> Value {
    const SUBJECTS: [&str; 6] = [
        "Cannot export a report",
        "Login loop after password change",
        "Dashboard loads slowly",
        "Question about seats",
        "Import fails",
        "Wrong numbers",
    ];
    let drawn = company.draw(60, index, 0);
    let opened = company.origin - 1 - i64::try_from(drawn % 90).unwrap_or(0);
    let closes = if drawn.is_multiple_of(4) { company.origin + 1 + i64::try_from((drawn >> 24) % 60).unwrap_or(0) } else { opened + 1 };
    let is_closed = closes * DAY_MS + NINE_MS <= now_ms || !drawn.is_multiple_of(4);
    #[allow(clippy::cast_possible_truncation)]
    let pick = |words: &[&'static str], shift: u32| words[((drawn >> shift) % words.len() as u64) as usize];
    match field {
        "CaseNumber" => format!("{:08}", index + 1_001).into(),
        "AccountId" => company.account_id(index).into(),
        "ContactId" => {
            let people = company.people_of(index);
            if people.is_empty() { Value::Null } else { company.contact_id(people.start).into() }
        }
        "Status" => if is_closed { "Closed" } else { pick(&["New", "Working", "Escalated"], 8) }.into(),
        "Priority" => pick(&["High", "Medium", "Low"], 12).into(),
        "Origin" => pick(&["Phone", "Email", "Web"], 16).into(),
        "Subject" => pick(&SUBJECTS, 20).into(),
        "OwnerId" => company.user_id(company.account(index).owner).into(),
        "ClosedDate" | "LastModifiedDate" if is_closed => at_nine(closes),
        "CreatedDate" => at_nine(opened),
        _ => Value::Null,
    }
}

fn organization(company: &Company, field: &str) -> Value {
    match field {
        "Name" => "Tabi Sandbox".into(),
        "OrganizationType" => "Developer Edition".into(),
        "TimeZoneSidKey" => "UTC".into(),
        "DefaultLocaleSidKey" | "LanguageLocaleKey" => "en_US".into(),
        "InstanceName" => "LOCAL".into(),
        "CreatedDate" => at_nine(company.origin - 1_700),
        _ => Value::Null,
    }
}

/// The choices of Gainsight's package as (category, name): milestones among them, and one name that two categories have.
const CHOICES: [(&str, &str); 5] =
    [("Milestones", "New Customer"), ("Milestones", "Training"), ("Milestones", "Go Live"), ("Milestones", "Renewal"), ("Alert Type", "Renewal")];

fn choice(company: &Company, index: u64, field: &str) -> Value {
    let (category, name) = usize::try_from(index).ok().and_then(|index| CHOICES.get(index)).copied().unwrap_or_default();
    match field {
        "Name" | "JBCXM__SystemName__c" => name.into(),
        "JBCXM__Category__c" => category.into(),
        "CreatedDate" => at_nine(company.origin - 1_600),
        _ => Value::Null,
    }
}

/// Permission sets: the administrator's profile, and one of its own; and who has them.
fn access(company: &Company, index: u64, field: &str) -> Value {
    match field {
        "Name" => ["X00ex00000018ozh", "Integration_Access"][usize::from(index == 1)].into(),
        "Label" => ["System Administrator", "Integration Access"][usize::from(index == 1)].into(),
        "IsOwnedByProfile" => (index == 0).into(),
        "IsCustom" | "PermissionsApiEnabled" => true.into(),
        "PermissionSetId" => id_of("0PS", 2).into(),
        "AssigneeId" => company.user_id(0).into(),
        "CreatedDate" => at_nine(company.origin - 1_600),
        _ => Value::Null,
    }
}
