//! Who takes part in a journey, and which fields say who somebody is (B8).

use crate::model::{Record, Source, System, Value};
use crate::script::{
    api::{
        fields::fields,
        options::{Item, Options},
        sources::{narrow, origin},
    },
    diagnostics::{Diagnostic, Id},
    journey::{Identity, Participants},
    site::Site,
};

pub(super) fn people(site: &Site, options: &mut Options) -> Option<(Participants, Identity)> {
    let from = options.need(site, "participants");
    let filter = options.take(site, "filter");
    let further = options.take(site, "fields");
    let participants = from.and_then(|item| {
        if item.value.is_array() {
            for item in [&filter, &further].into_iter().flatten() {
                let message = "this goes with a source; a list has what it is written with";
                site.report(Diagnostic::new(Id::Exclusive, &item.place, message));
            }
            return list(site, &item).map(Participants::List);
        }
        let origin = origin(site, &item)?;
        let origin = filter.as_ref().map_or_else(|| origin.clone(), |filter| narrow(site, &origin, filter));
        let computed = further.as_ref().map(|item| fields(site, item)).unwrap_or_default();
        Some(Participants::Source { source: origin.source, rows: origin.rows, computed })
    });
    let (email, px_id, company) = (options.text(site, "email"), options.text(site, "px_id"), options.text(site, "company"));
    let participants = participants?;
    let usual = usual(&participants);
    let identity = Identity { email: email.unwrap_or(usual.email), px_id: px_id.unwrap_or(usual.px_id), company: company.unwrap_or(usual.company) };
    Some((participants, identity))
}

/// `[#{ email: "ada@example.com" }]`; an empty one for a journey whose people are all added by hand.
fn list(site: &Site, item: &Item) -> Option<Vec<Record>> {
    let items = item.list(site)?;
    let person = |item: &Item| match item.data(site)? {
        Value::Map(record) if !record.is_empty() => Some(record),
        _ => item.invalid(site, Id::OptionType, "a participant is a map such as `#{ email: \"ada@example.com\" }`", None),
    };
    items.iter().map(person).collect()
}

/// Where a source usually says who somebody is.
fn usual(participants: &Participants) -> Identity {
    let source = match participants {
        Participants::Source { source, .. } => Some(source),
        Participants::List(_) => None,
    };
    let object = source.and_then(|source| if let Source::Object(query) = source { Some(query.object.as_str()) } else { None });
    let (email, px_id, company) = match (source.map(Source::system), object) {
        (Some(System::Gainsight), _) => ("email", "external_id", "company_id"),
        (Some(System::Px), _) => ("email", "identifyId", "accountId"),
        (Some(System::Salesforce), Some("Contact" | "Lead") | None) => ("Email", "Email", "AccountId"),
        (Some(System::Salesforce), _) => ("Email", "Email", "Id"),
        (Some(System::Pendo), _) => ("metadata.agent.email", "visitorId", "accountId"),
        (Some(System::Mail) | None, _) => ("email", "px_id", "company_id"),
    };
    Identity { email: email.to_owned(), px_id: px_id.to_owned(), company: company.to_owned() }
}
