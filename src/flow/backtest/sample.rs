//! A bounded sample of what a declaration reads: picked while a run goes by, kept when it has ended, read again for a back-test.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value as Json, json};

use crate::{
    flow::plain::{from_json, to_json},
    model::{Effect, Fault, Lookup, Query, Read, Record, Reply, Source, System, Value, account_key},
    script::{Body, Declaration, Participants, Perform},
    store::Sampled,
};

use super::Redaction;

/// The source under which it is kept which accounts are Gainsight companies.
const COMPANIES: &str = "\"companies\"";

/// Hands that let everything pass and pick records on the way: each of those that a source brings with the same chance.
pub(crate) struct Sampling {
    inner: Arc<dyn Perform>,
    keep: usize,
    /// Nothing else is looked at.
    only: Option<Source>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    sources: Vec<Picked>,
    /// Texts of picked records, short enough to be ids.
    wanted: HashSet<String>,
    companies: HashMap<String, Option<Value>>,
}

struct Picked {
    source: Source,
    whose: Whose,
    records: Vec<Record>,
    came: u64,
}

/// Whose records are picked from one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    All,
    /// Those whom the closure filter lets the system hand out: half of the sample.
    Demanded,
    /// A page of everybody, since an edited filter may let others in. The other half.
    Others,
}

impl Sampling {
    pub(crate) fn over(inner: Arc<dyn Perform>, declaration: &Declaration, keep: u32) -> Self {
        // A journey asks for events, too: the sample is of its people. A rule may ask for everybody that it is about: the sample is of its rows.
        let only = match &declaration.body {
            Body::Journey(journey) => match &journey.participants {
                Participants::Source { source, .. } => Some(plain(source)),
                Participants::List(_) => None,
            },
            Body::Rule(rule) => Some(plain(&rule.from)),
            _ => None,
        };
        Self { inner, keep: keep as usize, only, seen: Mutex::default() }
    }

    fn hold(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, source: &Source, whose: Whose, records: &[Record]) {
        let source = plain(source);
        if self.only.as_ref().is_some_and(|only| *only != source) {
            return;
        }
        let mut seen = self.hold();
        let Seen { sources, wanted, .. } = &mut *seen;
        let at = sources.iter().position(|picked| picked.source == source && picked.whose == whose).unwrap_or_else(|| {
            sources.push(Picked { source, whose, records: Vec::new(), came: 0 });
            sources.len() - 1
        });
        for record in records {
            if sources[at].pick(record, self.keep) {
                wanted.extend(record.iter().filter_map(|(_, value)| value.as_str()).filter(|text| text.len() <= 40).map(account_key));
            }
        }
    }

    fn see_companies(&self, keys: &[Value], found: &[Record]) {
        let mut seen = self.hold();
        let Seen { wanted, companies, .. } = &mut *seen;
        for key in keys.iter().map(|key| account_key(&key.to_string())).filter(|key| wanted.contains(key)) {
            companies.entry(key).or_default();
        }
        for record in found {
            let key = record.get("SfdcAccountId").map(|id| account_key(&id.to_string())).unwrap_or_default();
            if let Some(company) = companies.get_mut(&key) {
                *company = record.get("Gsid").cloned();
            }
        }
    }

    /// What is to be kept of the run.
    pub(crate) fn picked(&self, redaction: &Redaction, key: &[u8; 32]) -> Vec<Sampled> {
        let seen = std::mem::take(&mut *self.hold());
        let kept = |record: &Record| to_json(&redaction.redact(record, key)).to_string();
        let texts_of = |picked: &Picked| picked.records.iter().map(kept).collect::<Vec<_>>();
        let mut sampled: Vec<Sampled> = Vec::new();
        for picked in seen.sources.iter().filter(|picked| !picked.records.is_empty() && picked.whose != Whose::Others) {
            let others = seen.sources.iter().find(|other| other.whose == Whose::Others && other.source == picked.source);
            let records = together(texts_of(picked), others.map(texts_of).unwrap_or_default(), self.keep);
            sampled.push(Sampled { source: serde_json::to_string(&picked.source).unwrap_or_default(), records });
        }
        let texts =
            |picked: &Picked| picked.records.iter().flat_map(|r| r.iter().filter_map(|(_, v)| v.as_str()).map(account_key)).collect::<Vec<_>>();
        let still: HashSet<String> = seen.sources.iter().flat_map(texts).collect();
        let companies: Vec<String> = seen
            .companies
            .iter()
            .filter(|(account, _)| still.contains(*account))
            .map(|(account, company)| json!({"account": account, "company": company}).to_string())
            .collect();
        if !companies.is_empty() {
            sampled.push(Sampled { source: COMPANIES.to_owned(), records: companies });
        }
        sampled
    }
}

/// So many of both, each record once: half and half, and more of the one where the other has too few.
fn together(mut demanded: Vec<String>, mut others: Vec<String>, keep: usize) -> Vec<String> {
    let known: HashSet<&String> = demanded.iter().collect();
    others.retain(|record| !known.contains(record));
    demanded.truncate(keep.saturating_sub(others.len().min(keep / 2)));
    others.truncate(keep - demanded.len());
    demanded.append(&mut others);
    demanded
}

impl Picked {
    /// The first ones all, then one that comes n-th with a chance of keep in n. Nothing here has to be unpredictable.
    fn pick(&mut self, record: &Record, keep: usize) -> bool {
        self.came += 1;
        if self.records.len() < keep {
            self.records.push(record.clone());
            return true;
        }
        let mut z = self.came.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let at = usize::try_from((z ^ (z >> 31)) % self.came).unwrap_or(usize::MAX);
        let Some(place) = self.records.get_mut(at) else { return false };
        place.clone_from(record);
        true
    }
}

impl Perform for Sampling {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::Read(read) => {
                let everybody = everybody(&read);
                let (source, first) = (read.source.clone(), read.after.is_none());
                let whose = if everybody.is_some() { Whose::Demanded } else { Whose::All };
                let reply = self.inner.perform(Effect::Read(read))?;
                if let Reply::Page(page) = &reply {
                    self.see(&source, whose, &page.records);
                }
                // What cannot be read for the sample alone is no reason for anything to fail.
                if let Some(all) = everybody.filter(|_| first)
                    && let Ok(Reply::Page(page)) = self.inner.perform(Effect::Read(all))
                {
                    self.see(&source, Whose::Others, &page.records);
                }
                Ok(reply)
            }
            Effect::Lookup(lookup) if is_of_companies(&lookup) => {
                let keys = lookup.keys.clone();
                let reply = self.inner.perform(Effect::Lookup(lookup))?;
                if let Reply::Records(found) = &reply {
                    self.see_companies(&keys, found);
                }
                Ok(reply)
            }
            other => self.inner.perform(other),
        }
    }
}

/// The same reading without what the reader demands anyway; none where it demands nothing.
fn everybody(read: &Read) -> Option<Read> {
    match &read.source {
        Source::Object(query) if !query.demands.is_empty() => {
            let query = Query { demands: Vec::new(), ..query.clone() };
            Some(Read { source: Source::Object(query), ..read.clone() })
        }
        _ => None,
    }
}

/// The question which Gainsight company an account is.
pub(super) fn is_of_companies(lookup: &Lookup) -> bool {
    lookup.system == System::Gainsight && lookup.object == "Company" && lookup.by == "SfdcAccountId"
}

/// A source without what may change from one version to the next: which fields are read and which records pass.
pub(super) fn plain(source: &Source) -> Source {
    match source {
        Source::Object(query) => Source::Object(Query::of(query.system, &query.object)),
        Source::Report(report) => Source::Report(crate::model::Report { columns: Vec::new(), until: None, ..report.clone() }),
        other => other.clone(),
    }
}

/// Whether two sources are of one kind: the same object, or a report per the same thing.
pub(super) fn alike(one: &Source, other: &Source) -> bool {
    match (one, other) {
        (Source::Object(a), Source::Object(b)) => a.system == b.system && a.object.eq_ignore_ascii_case(&b.object),
        (Source::Report(a), Source::Report(b)) => a.per == b.per,
        (Source::Saved(a), Source::Saved(b)) => a == b,
        (Source::Soql(_), Source::Soql(_)) | (Source::Aggregation { .. }, Source::Aggregation { .. }) => true,
        _ => false,
    }
}

/// What a back-test runs on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    pub(super) sources: Vec<(Source, Arc<Vec<Record>>)>,
    /// Account -> company, where it is known whether it is one.
    pub(super) companies: BTreeMap<String, Option<Value>>,
}

impl Given {
    /// What the state file holds. Records that cannot be read any more are left out.
    pub fn from_kept(kept: &[Sampled]) -> Self {
        let mut given = Self::default();
        for sampled in kept {
            let documents = sampled.records.iter().filter_map(|text| serde_json::from_str::<Json>(text).ok());
            if sampled.source == COMPANIES {
                given.companies.extend(documents.filter_map(|document| {
                    let company = document.get("company").filter(|company| !company.is_null()).map(|company| Value::from(company.clone()));
                    Some((account_key(document.get("account")?.as_str()?), company))
                }));
            } else if let Ok(source) = serde_json::from_str(&sampled.source) {
                given.sources.push((source, Arc::new(documents.filter_map(|document| from_json(&document)).collect())));
            }
        }
        given
    }

    pub fn records(&self) -> usize {
        self.sources.iter().map(|(_, records)| records.len()).sum()
    }
}
