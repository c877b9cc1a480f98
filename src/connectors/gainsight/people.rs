//! The People API: a person is known by the e-mail address, and created or updated by one call.

use reqwest::Method;
use serde_json::{Map, Value as Json, json};

use crate::{
    connectors::{
        http::Repeat,
        outcomes::{failed, written},
    },
    model::{Change, Fault, FaultKind, Lookup, RowOutcome, System, Value},
};

use super::{
    Gainsight,
    write::{Operation, Row, lacking},
};

/// Fields of a person's place in a company, which go into `companies`.
const OF_COMPANY: &[&str] = &["Company_ID", "Title", "Role", "IsPrimaryCompany", "Manager"];

impl Gainsight {
    /// One person; the batch has one row.
    pub(super) async fn people(&self, operation: Operation, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for row in batch {
            outcomes.push(match self.person(row).await {
                Ok(id) => written(id.or_else(|| row.id.clone()), operation == Operation::Insert),
                Err(fault) if matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Conflict) => {
                    RowOutcome { id: row.id.clone(), ..failed(fault) }
                }
                Err(fault) => return Err(fault),
            });
        }
        Ok(outcomes)
    }

    async fn person(&self, row: &Row<'_>) -> Result<Option<String>, Fault> {
        let email = self.email(row).await?;
        let mut body = Map::from_iter([("Email".to_owned(), Json::from(email))]);
        let mut company = Map::new();
        for (name, value) in row.fields.iter().filter(|(name, _)| !["email", "gsid"].contains(&name.to_ascii_lowercase().as_str())) {
            let of_company = OF_COMPANY.iter().find(|known| known.eq_ignore_ascii_case(name));
            match of_company {
                Some(known) => company.insert((*known).to_owned(), value.clone()),
                None => body.insert(name.clone(), value.clone()),
            };
        }
        if company.contains_key("Company_ID") {
            body.insert("companies".to_owned(), json!([company]));
        } else {
            body.extend(company);
        }
        // Known by the address, a person is never made twice.
        let call = self.call(Method::PUT, "/v1/peoplemgmt/v1.0/people").repeat(Repeat::Always).json(System::Gainsight, &body)?;
        self.data(&call, |data| Ok(id_in(data))).await
    }

    /// The address in the row, in what it held before, in its name, or in Gainsight.
    async fn email(&self, row: &Row<'_>) -> Result<String, Fault> {
        let of = |fields: &crate::model::Record| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("email")).map(|(_, v)| v.to_string());
        let found = match row.change {
            Change::Update { fields, before, .. } => of(fields).or_else(|| of(before)),
            Change::Insert { fields, .. } | Change::Upsert { fields, .. } => of(fields),
            Change::Delete { .. } => None,
        };
        let named = || Some(row.change.key()).filter(|key| key.contains('@')).map(str::to_owned);
        if let Some(email) = found.filter(|email| !email.is_empty()).or_else(named) {
            return Ok(email);
        }
        let Some(id) = &row.id else { return Err(lacking("Email")) };
        let keys = vec![Value::text(id)];
        let (system, object) = (System::Gainsight, "Person".to_owned());
        let lookup = Lookup { system, object, by: "Gsid".to_owned(), keys, fields: vec!["Email".to_owned()], filter: None };
        let people = self.lookup(&lookup).await?;
        people.first().and_then(of).ok_or_else(|| lacking("Email"))
    }
}

/// The person's GSID, wherever the answer has it.
fn id_in(data: &str) -> Option<String> {
    let data: Json = serde_json::from_str(data).ok()?;
    let person = data.get("records").and_then(|records| records.get(0)).or_else(|| data.get(0)).unwrap_or(&data);
    ["Gsid", "GSID", "gsid", "Person_ID", "personId"].iter().find_map(|key| person.get(*key)?.as_str()).map(str::to_owned)
}
