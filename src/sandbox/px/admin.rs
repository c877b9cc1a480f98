//! Attributes of users and accounts, the subscription.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Answered, bad},
    auth::PRODUCT_KEY,
    catalogue::attribute,
    pages,
    query::{Query, body, needed},
    records::Kind,
    seed::blank,
    state::{Px, guid},
};

/// `GET /v1/admin/model/{user|account}/attributes`.
pub(super) fn attributes(px: &Px, kind: Kind) -> Answer {
    let plain = kind.fields().iter().filter(|field| !field.contains('.') && !["customAttributes", "propertyKeys"].contains(field));
    let default = plain.filter(|field| !blank(field).is_array()).map(|field| attribute(kind.word(), field, field, type_of(field), "DEFAULT"));
    let custom = px.attributes.scan().filter(|row| *row.get("model") == kind.word()).map(|row| row.document().into());
    let shown = default.chain(custom).map(|mut one: Value| {
        let id = guid("attribute", one["id"].as_str().unwrap_or_default());
        if let Value::Object(fields) = &mut one {
            fields.insert("id".to_owned(), id.into());
            fields.remove("model");
        }
        one
    });
    Answer::Body(shown.collect())
}

fn type_of(field: &str) -> &'static str {
    if field.ends_with("Date") {
        return "DATE_TIME";
    }
    match blank(field) {
        Value::Number(_) => "NUMBER",
        Value::Bool(_) => "BOOLEAN",
        _ => "STRING",
    }
}

/// `POST /_sandbox/attributes` `{"model": "user" | "account", "name", "type"}`: as somebody makes it in the console.
pub(super) fn add_attribute(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let (model, name, kind) = (needed("attribute", &sent, "model")?, needed("attribute", &sent, "name")?, needed("attribute", &sent, "type")?);
    if !["user", "account"].contains(&model) || !["STRING", "DATE_TIME", "BOOLEAN", "NUMBER"].contains(&kind) {
        return Err(bad("model is user or account; type is STRING, DATE_TIME, BOOLEAN or NUMBER"));
    }
    let Value::Object(fields) = attribute(model, name, name, kind, "CUSTOM") else { return Err(bad("no attribute")) };
    let made = px.documents.insert(&px.attributes, &format!("{model}/{name}"), fields)?;
    if made { Ok(Answer::Created(None)) } else { Err(bad("the attribute is there already")) }
}

/// `GET /v1/admin/subscription`.
pub(super) fn subscription() -> Answer {
    let keys = json!([{"channel": "WEB", "productKey": PRODUCT_KEY, "url": "https://app.product.example"}]);
    Answer::Body(json!({
        "id": guid("subscription", ""), "name": "Sandbox", "iconUrl": "", "timeZone": "UTC", "website": "https://product.example", "description": "",
        "products": [{"name": "Product", "description": "", "productKeys": keys}],
    }))
}

/// `GET /v1/admin/subscription/users/notSeenAfter`.
pub(super) fn not_seen_after(px: &Px, query: &Query) -> Answered {
    let before = query.instant("notSeenAfterTimestamp")?.ok_or_else(|| bad("notSeenAfterTimestamp is required"))?;
    let company = px.company();
    let seen = |index: u64| (company.origin - i64::try_from(company.draw(71, index, 0) % 60).unwrap_or(0)) * crate::sandbox::clock::DAY_MS;
    let users = (0..company.users()).filter(|index| seen(*index) <= before).map(|index| {
        let user = company.user(index);
        let (id, email) = (guid("subscriptionUser", &index.to_string()), user.email());
        json!({"id": id, "firstName": user.first, "lastName": user.last, "email": email, "lastSuccessfulLoginTimestamp": seen(index)})
    });
    pages::numbered(query, "subscriptionUsers", 25, 200, &users.collect::<Vec<_>>())
}
