//! `pendo::segment(..)`: who meets the conditions now, held against who is in the segment, and the guides shown to it (A17).

use std::{cell::Cell, collections::BTreeSet};

use crate::{
    model::{Effect, Fault, FaultKind, Listed, Listing, Query, Record, Reply, Request, SegmentEdit, Source, System, Value},
    script::SegmentDecl,
};

use super::{Error, pages::for_each_page, work::Work};

pub(crate) fn run(work: &mut Work<'_>, name: &str, segment: &SegmentDecl) -> Result<(), Error> {
    let before = work.tally.read;
    // What cannot be shown is said before anybody's membership changes.
    let guides = guides_named(work, segment)?;
    let id = segment_named(work, name)?;
    let present = match &id {
        Some(id) => members_now(work, id)?,
        None => BTreeSet::new(),
    };
    let (wanted, others) = members_wanted(work, segment, &present)?;
    let add: Vec<String> = wanted.difference(&present).cloned().collect();
    let remove: Vec<String> = present.difference(&wanted).cloned().collect();
    work.tally.unchanged += wanted.intersection(&present).count() as u64;
    work.tally.filtered += others;
    // Each visitor once, however they were found; segments and guides are no rows.
    work.tally.read = before + wanted.len() as u64 + remove.len() as u64 + others;
    let missing = id.is_none();
    if !add.is_empty() || !remove.is_empty() {
        work.check_stop()?;
        let (added, removed) = (add.len() as u64, remove.len() as u64);
        work.perform.perform(Effect::EditSegment(SegmentEdit { id, add, remove, ..SegmentEdit::of(System::Pendo, name) }))?;
        work.tally.created += added;
        work.tally.deleted += removed;
    } else if missing {
        work.tell(super::Notice::Warning {
            name: work.name.to_owned(),
            message: "nobody meets the conditions; Pendo keeps no segment without members, so none was made".to_owned(),
        });
    }
    let read = work.tally.read;
    let shown = show(work, name, &guides)?;
    work.tally.read = read + shown;
    Ok(())
}

/// Visitors that meet the conditions, or whose account does; and how many of the others that were read are no members either.
fn members_wanted(work: &mut Work<'_>, segment: &SegmentDecl, present: &BTreeSet<String>) -> Result<(BTreeSet<String>, u64), Error> {
    let mut query = Query::of(System::Pendo, &segment.per);
    let key = if segment.per == "account" { "accountId" } else { "visitorId" };
    query.fields = std::iter::once(key).chain(segment.filter.fields()).map(str::to_owned).collect();
    query.filter = Some(segment.filter.clone());
    let zone = work.zone;
    let schema = work.describe(System::Pendo, &segment.per)?;
    let source = work.fitted(Source::Object(query), Some(&schema))?;
    let chosen = ids(work, &source, key, |row| segment.filter.matches(row, zone))?;
    if segment.per != "account" {
        return Ok((chosen, 0));
    }
    let mut visitors = Query::of(System::Pendo, "visitor");
    visitors.fields = ["visitorId", "metadata.auto.accountid", "metadata.auto.accountids"].map(str::to_owned).to_vec();
    let others = Cell::new(0);
    let wanted = ids(work, &Source::Object(visitors), "visitorId", |row| {
        let wanted = accounts_of(row).any(|account| chosen.contains(&account));
        let member = || row.get("visitorId").is_some_and(|id| present.contains(&id.to_string()));
        others.set(others.get() + u64::from(!wanted && !member()));
        wanted
    })?;
    Ok((wanted, others.get()))
}

fn accounts_of(row: &Record) -> impl Iterator<Item = String> {
    let one = row.path("metadata.auto.accountid").into_iter().map(ToString::to_string);
    let list = match row.path("metadata.auto.accountids") {
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    one.chain(list)
}

fn members_now(work: &mut Work<'_>, id: &str) -> Result<BTreeSet<String>, Error> {
    let pipeline =
        serde_json::json!([{"source": {"visitors": null}}, {"segment": {"id": id}}, {"select": {"visitorId": "visitorId"}}, {"sort": ["visitorId"]}]);
    ids(work, &Source::Aggregation { pipeline, key: "visitorId".to_owned() }, "visitorId", |_| true)
}

fn ids(work: &mut Work<'_>, source: &Source, key: &str, keep: impl Fn(&Record) -> bool) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    for_each_page(work, source, |_, rows| {
        found.extend(rows.iter().filter(|row| keep(row)).filter_map(|row| row.get(key)).map(ToString::to_string));
        Ok(())
    })?;
    Ok(found)
}

/// The id of the segment of this name or id, if there is one.
fn segment_named(work: &mut Work<'_>, name: &str) -> Result<Option<String>, Error> {
    let mut listed = Listed::default();
    listed.add(Listing::Segment, all(work, Listing::Segment)?);
    listed.known(Listing::Segment, name).map_err(|wrong| Fault::from_system(System::Pendo, FaultKind::Conflict, wrong.to_string()).into())
}

/// The guides that the segment is shown.
fn guides_named(work: &mut Work<'_>, segment: &SegmentDecl) -> Result<Vec<Record>, Error> {
    if segment.guides.is_empty() {
        return Ok(Vec::new());
    }
    let all = all(work, Listing::Guide)?;
    let mut listed = Listed::default();
    listed.add(Listing::Guide, all.clone());
    let (mut guides, mut wrong) = (Vec::new(), Vec::new());
    for name in &segment.guides {
        match listed.id(Listing::Guide, name, None) {
            Ok(id) => guides.extend(all.iter().find(|guide| guide.get("id").is_some_and(|known| known.to_string() == id)).cloned()),
            Err(misnamed) => wrong.push(misnamed.to_string()),
        }
    }
    if wrong.is_empty() { Ok(guides) } else { Err(Fault::from_system(System::Pendo, FaultKind::NotFound, wrong.join("; ")).into()) }
}

fn all(work: &mut Work<'_>, listing: Listing) -> Result<Vec<Record>, Error> {
    let mut found = Vec::new();
    for_each_page(work, &Source::Object(Query::of(System::Pendo, listing.word())), |_, rows| {
        found.extend(rows);
        Ok(())
    })?;
    Ok(found)
}

/// Points each guide at the segment, unless it is already; how many were looked at.
fn show(work: &mut Work<'_>, name: &str, guides: &[Record]) -> Result<u64, Error> {
    if guides.is_empty() {
        return Ok(0);
    }
    let mut looked = 0;
    let Some(id) = segment_named(work, name)? else { return Ok(0) };
    for found in guides {
        let audience = found.get("audience").map(|audience| serde_json::to_string(audience).unwrap_or_default()).unwrap_or_default();
        let named = found.get("segmentId").and_then(Value::as_str) == Some(id.as_str());
        looked += 1;
        if named || audience.contains(&format!("\"{id}\"")) {
            work.tally.unchanged += 1;
            continue;
        }
        let guide_id = found.get("id").map(ToString::to_string).unwrap_or_default();
        let body = Value::Map([("segmentId".into(), Value::text(&id))].into_iter().collect());
        let path = format!("/api/v1/guide/{guide_id}/segment");
        let request = Request { system: System::Pendo, method: "PUT".to_owned(), path, query: Record::new(), body: Some(body) };
        match work.perform.perform(Effect::Request(request))? {
            Reply::Value(_) | Reply::Done => work.tally.updated += 1,
            _ => work.tally.unchanged += 1,
        }
    }
    Ok(looked)
}
