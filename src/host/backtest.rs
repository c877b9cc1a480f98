//! Back-tests in the living process: what a save would make different, told in the background; and the versions there were.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    connectors::Stop,
    flow::{
        self, Wire,
        backtest::{self, Comparison, Given, Ground, People, compare, compare_journeys},
    },
    model::{Effect, ObjectSchema, Reply, System},
    script::{self, Body, Declaration, Perform as _},
    store::{self, ParticipantFilter, ParticipantState, Store, Version},
};

use super::{Loaded, Workspace, clock::stopwatch};

/// People of a journey who are looked at, of those who are active and of those who wait.
const PEOPLE: u32 = 1_000;

/// Two versions of one declaration, compared.
#[derive(Debug, Clone)]
pub struct Backtest {
    pub name: String,
    /// Its name before, where it goes by another now.
    pub renamed: Option<String>,
    pub earlier: String,
    pub new: String,
    /// None when there is nothing to run it on yet.
    pub comparison: Option<Comparison>,
    pub took: Duration,
}

/// What one save would make different.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub generation: u64,
    pub backtests: Vec<Backtest>,
    pub took: Duration,
    /// Why something could not be told.
    pub trouble: Vec<String>,
}

/// A declaration as it was and as it is.
type Pair = (Arc<Declaration>, Arc<Declaration>);

/// What changed between two generations: declarations of one name, and those that only go by another name now.
pub fn pairs(before: &Loaded, after: &Loaded) -> Vec<Pair> {
    let difference = script::diff(&before.generation, &after.generation);
    let (was, is) = (|name: &str| before.generation.declaration(name).cloned(), |name: &str| after.generation.declaration(name).cloned());
    let mut found: Vec<Pair> = difference.changed.iter().filter_map(|name| Some((was(name)?, is(name)?))).collect();
    let gone: Vec<Arc<Declaration>> = difference.removed.iter().filter_map(|name| was(name)).collect();
    for new in difference.added.iter().filter_map(|name| is(name)) {
        let here = |other: &&Arc<Declaration>| other.place.file == new.place.file && other.kind() == new.kind();
        let mut candidates = gone.iter().filter(here);
        if let (Some(one), None) = (candidates.next(), candidates.next()) {
            found.push((Arc::clone(one), new));
        }
    }
    found
}

/// Runs everything that changed over what was read lately. Ends early when `stop` is asked for.
pub fn run(workspace: &Workspace, store: &Store, (before, after): (&Loaded, &Loaded), stop: &Stop) -> Report {
    let began = stopwatch();
    let mut report = Report { generation: after.number, ..Report::default() };
    for (earlier, new) in pairs(before, after) {
        if stop.requested() {
            break;
        }
        let renamed = (earlier.name != new.name).then(|| earlier.name.clone());
        let kept = renamed.iter().try_for_each(|name| store.rename_sample(name, &new.name));
        match kept.map_err(flow::Error::from).and_then(|()| one(workspace, store, (&earlier, &new), None, stop)) {
            Ok(backtest) => report.backtests.push(Backtest { renamed, ..backtest }),
            Err(error) => report.trouble.push(format!("`{}` could not be back-tested: {error}", new.name)),
        }
    }
    report.took = stopwatch().saturating_duration_since(began);
    report
}

/// Compares two versions over what the state file holds, or over so many records of each source read now.
pub fn one(
    workspace: &Workspace,
    store: &Store,
    (earlier, new): (&Declaration, &Declaration),
    fresh: Option<(&Wire, u32)>,
    stop: &Stop,
) -> Result<Backtest, flow::Error> {
    let began = stopwatch();
    let schema = |system: System, object: &str| {
        let known = store.schema(system, object).ok().flatten().map(|known| known.schema);
        known.or_else(|| described(fresh?.0, system, object))
    };
    let (date, page_size) = (workspace.today(), workspace.run_options().page_size);
    let (earlier, new) = (&earlier.on(date), &new.on(date));
    let ground = Ground { date, zone: &workspace.config.timezone, page_size, rule_updates: workspace.rule_updates(), schema: &schema, stop };
    let given = match fresh {
        Some((wire, records)) => backtest::fresh([earlier, new], wire, &ground, records)?,
        None => Given::from_kept(&store.sample(&new.name)?),
    };
    let comparison = match (&earlier.body, &new.body) {
        (Body::Journey(before), Body::Journey(now)) => {
            let (standing, zone) = (standing(store, &earlier.name)?, &workspace.config.timezone);
            let people = People { name: &new.name, standing, given: &given, now: workspace.clock.now(), zone, stop };
            let any = !people.standing.is_empty() || given.records() > 0;
            any.then(|| compare_journeys(before, now, &people))
        }
        _ => (given.records() > 0).then(|| compare(earlier, new, &given, &ground)),
    };
    let took = stopwatch().saturating_duration_since(began);
    Ok(Backtest { name: new.name.clone(), renamed: None, earlier: earlier.hash.clone(), new: new.hash.clone(), comparison, took })
}

fn described(wire: &Wire, system: System, object: &str) -> Option<ObjectSchema> {
    match wire.perform(Effect::Describe { system, object: object.to_owned() }) {
        Ok(Reply::Schema(schema)) => Some(schema),
        _ => None,
    }
}

/// The people who stand in a journey, the latest of them.
fn standing(store: &Store, journey: &str) -> Result<Vec<store::Participant>, store::Error> {
    let mut found = Vec::new();
    for state in [ParticipantState::Active, ParticipantState::Waiting] {
        found.extend(store.participants(journey, &ParticipantFilter { state: Some(state), limit: PEOPLE, ..ParticipantFilter::default() })?);
    }
    Ok(found)
}

/// Keeps the texts of declarations that live now, so that later ones can be held against them.
/// Those that `before` had already are known.
pub fn keep_versions(workspace: &Workspace, store: &Store, loaded: &Loaded, before: Option<&Loaded>) -> Result<(), store::Error> {
    let known = |declaration: &Declaration| {
        before.and_then(|before| before.generation.declaration(&declaration.name)).is_some_and(|earlier| earlier.hash == declaration.hash)
    };
    let (mut versions, mut sources) = (Vec::new(), BTreeMap::new());
    for declaration in loaded.declarations().iter().filter(|declaration| !known(declaration)) {
        // The text on disk may be a broken one by now, with another hash.
        let Some(files) = loaded.generation.made_of(&declaration.place.file, &declaration.hash) else { continue };
        versions.push(Version {
            name: declaration.name.clone(),
            hash: declaration.hash.clone(),
            file: declaration.place.file.clone(),
            at: workspace.clock.now(),
        });
        let kept = sources.entry(declaration.hash.clone()).or_insert(files);
        // With the templates of a journey, without which it would not be sound.
        kept.extend(declaration.sources.texts().iter().map(|(name, text)| (name.clone(), text.as_ref().to_owned())));
    }
    if versions.is_empty() { Ok(()) } else { store.keep_versions(&versions, &sources) }
}
