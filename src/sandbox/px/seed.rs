//! Users and accounts that nobody wrote. A user is known by the e-mail address, like the visitor in Pendo and the person in Gainsight;
//! an account by its Salesforce id. About one person in twenty is no user.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{auth::PRODUCT_KEY, state::guid};
use crate::sandbox::{clock::DAY_MS, company::Company, documents::Seed, server::World};

pub(super) struct Users(pub(super) Arc<World>);

pub(super) struct Accounts(pub(super) Arc<World>);

/// As an answer has them, but for those that are kept hidden.
pub(super) const USER_FIELDS: &[&str] = &[
    "aptrinsicId",
    "identifyId",
    "id",
    "type",
    "gender",
    "email",
    "firstName",
    "lastName",
    "title",
    "phone",
    "role",
    "score",
    "subscriptionId",
    "accountId",
    "globalId",
    "sfdcContactId",
    "numberOfVisits",
    "signUpDate",
    "firstVisitDate",
    "lastSeenDate",
    "createDate",
    "lastModifiedDate",
    "globalUnsubscribe",
    "propertyKeys",
    "customAttributes",
    "location.countryName",
    "location.countryCode",
    "location.stateName",
    "location.stateCode",
    "location.city",
    "location.street",
    "location.postalCode",
    "location.continent",
    "location.regionName",
    "location.timeZone",
    "location.coordinates.latitude",
    "location.coordinates.longitude",
    "lastInferredLocation.countryName",
    "lastInferredLocation.city",
    "lastInferredLocation.regionName",
    "lastInferredLocation.stateName",
    "channelMetricList",
    "lastVisitedUserAgentData",
];

pub(super) const ACCOUNT_FIELDS: &[&str] = &[
    "id",
    "name",
    "trackedSubscriptionId",
    "sfdcId",
    "lastSeenDate",
    "dunsNumber",
    "industry",
    "numberOfEmployees",
    "sicCode",
    "website",
    "naicsCode",
    "plan",
    "location.countryName",
    "location.countryCode",
    "location.stateName",
    "location.stateCode",
    "location.city",
    "location.street",
    "location.postalCode",
    "location.continent",
    "location.regionName",
    "location.timeZone",
    "location.coordinates.latitude",
    "location.coordinates.longitude",
    "numberOfUsers",
    "propertyKeys",
    "createDate",
    "lastModifiedDate",
    "customAttributes",
    "parentGroupId",
    "renewalDate",
    "healthScore",
    "gsId",
    "nps",
    "csm",
];

/// Whether a person is a user: all but one in twenty.
pub(super) fn is_user(company: &Company, person: u64) -> bool {
    !company.draw(70, person, 0).is_multiple_of(20)
}

/// What a user or account has where nobody gave a value: `""`, `0` or null.
pub(super) fn blank(field: &str) -> Value {
    match field {
        "gender" => "EMPTY_GENDER".into(),
        "type" => "USER".into(),
        "globalUnsubscribe" => false.into(),
        "location.coordinates.latitude" | "location.coordinates.longitude" => json!(0.0),
        "score" | "numberOfVisits" | "numberOfEmployees" | "numberOfUsers" | "healthScore" | "nps" | "signUpDate" | "firstVisitDate"
        | "lastSeenDate" | "createDate" | "lastModifiedDate" | "renewalDate" => 0.into(),
        "globalId" | "customAttributes" | "channelMetricList" | "parentGroupId" => Value::Null,
        "propertyKeys" | "lastVisitedUserAgentData" => json!([]),
        _ => "".into(),
    }
}

/// When a person's first visit begins.
fn first_visit(company: &Company, person: u64) -> i64 {
    let habits = company.habits(person);
    habits.on(habits.first_day).map_or(habits.first_day * DAY_MS, |usage| usage.day * DAY_MS + i64::from(usage.first_minute) * 60_000)
}

/// When a person's last visit by now began; 0 when there was none.
fn last_visit(world: &World, person: u64) -> i64 {
    let (habits, now) = (world.company.habits(person), world.clock.now_ms());
    let begins = |day: i64| habits.on(day).map(|usage| day * DAY_MS + i64::from(usage.first_minute) * 60_000);
    let today = now.div_euclid(DAY_MS);
    let on_today = begins(today).filter(|at| *at <= now);
    on_today.or_else(|| habits.last_day(today - 1).and_then(begins)).unwrap_or(0)
}

fn visits(world: &World, person: u64) -> usize {
    let habits = world.company.habits(person);
    (habits.first_day..world.clock.today()).filter(|day| habits.on(*day).is_some()).count()
}

impl Seed for Users {
    fn count(&self) -> u64 {
        self.0.company.people
    }

    fn exists(&self, index: u64) -> bool {
        is_user(&self.0.company, index)
    }

    fn id(&self, index: u64) -> String {
        self.0.company.email(index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        self.0.company.person_of_email(id)
    }

    fn fields(&self) -> &[&'static str] {
        USER_FIELDS
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        let account = || company.account(company.account_of(index));
        Some(match field {
            "aptrinsicId" => guid("user", &company.email(index)).into(),
            "identifyId" | "id" | "email" => company.email(index).into(),
            "firstName" => company.person(index).first.into(),
            "lastName" => company.person(index).last.into(),
            "title" => company.person(index).title.into(),
            "role" => company.person(index).role.into(),
            "accountId" => company.account_id(company.account_of(index)).into(),
            "sfdcContactId" => company.contact_id(index).into(),
            "numberOfVisits" => visits(&self.0, index).into(),
            "signUpDate" | "firstVisitDate" | "createDate" => first_visit(company, index).into(),
            "lastSeenDate" | "lastModifiedDate" => last_visit(&self.0, index).into(),
            "propertyKeys" => json!([PRODUCT_KEY]),
            "location.countryName" | "lastInferredLocation.countryName" => account().country.into(),
            "location.city" | "lastInferredLocation.city" => account().city.into(),
            "location.regionName" | "lastInferredLocation.regionName" => account().region.into(),
            "lastVisitedUserAgentData" => {
                let browser = ["Chrome", "Edge", "Safari", "Firefox"][usize::from(company.draw(60, index, 0).to_le_bytes()[0] % 4)];
                let agent = json!({
                    "rawUserAgent": "", "device": "Desktop", "platformType": "WINDOWS", "platformVersion": "11", "browserType": browser,
                    "browserVersion": "126",
                });
                json!([{"propertyKey": PRODUCT_KEY, "userAgent": agent}])
            }
            known if USER_FIELDS.contains(&known) => blank(known),
            _ => return None,
        })
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let (company, text) = (&self.0.company, value.as_str().unwrap_or_default());
        let one = |found: Option<u64>| found.filter(|index| self.exists(*index)).into_iter().collect();
        match field {
            "identifyId" | "id" | "email" => Some(one(company.person_of_email(&text.to_ascii_lowercase()))),
            "sfdcContactId" => Some(one(company.person_of_contact_id(text))),
            "accountId" => {
                let people = company.account_of_id(text).map_or(0..0, |account| company.people_of(account));
                Some(people.filter(|index| self.exists(*index)).collect())
            }
            _ => None,
        }
    }
}

impl Seed for Accounts {
    fn count(&self) -> u64 {
        self.0.company.accounts
    }

    fn id(&self, index: u64) -> String {
        self.0.company.account_id(index)
    }

    fn index(&self, id: &str) -> Option<u64> {
        let index = self.0.company.account_of_id(id)?;
        (self.id(index) == id).then_some(index)
    }

    fn fields(&self) -> &[&'static str] {
        ACCOUNT_FIELDS
    }

    fn field(&self, index: u64, field: &str) -> Option<Value> {
        let company = &self.0.company;
        let account = || company.account(index);
        let users = || company.people_of(index).filter(|person| is_user(company, *person));
        Some(match field {
            "id" | "sfdcId" => company.account_id(index).into(),
            "name" => company.account_name(index).into(),
            "lastSeenDate" => users().map(|person| last_visit(&self.0, person)).max().unwrap_or(0).into(),
            "industry" => account().industry.into(),
            "numberOfEmployees" => account().employees.into(),
            "website" => format!("https://{}", company.domain(index)).into(),
            "plan" => account().plan.into(),
            "location.countryName" => account().country.into(),
            "location.city" => account().city.into(),
            "location.regionName" => account().region.into(),
            "numberOfUsers" => users().count().into(),
            "propertyKeys" => json!([PRODUCT_KEY]),
            "createDate" => (account().created * DAY_MS).into(),
            "lastModifiedDate" => (company.origin * DAY_MS).into(),
            "renewalDate" if account().customer => (account().renewal * DAY_MS).into(),
            "healthScore" if account().customer => account().health.into(),
            "gsId" if account().customer => company.account_gsid(index).into(),
            "csm" if account().customer => company.user(account().owner).email().into(),
            "customAttributes" => json!({"seats": account().seats, "onboardingStatus": account().onboarding_status}),
            known if ACCOUNT_FIELDS.contains(&known) => blank(known),
            _ => return None,
        })
    }

    fn find(&self, field: &str, value: &Value) -> Option<Vec<u64>> {
        let (company, text) = (&self.0.company, value.as_str().unwrap_or_default());
        match field {
            "id" | "sfdcId" => Some(self.index(text).into_iter().collect()),
            "name" => Some(company.account_of_name(text).into_iter().collect()),
            _ => None,
        }
    }
}
