//! `tabi simulate`: a sandbox of its own with a company that is large enough, a scratch state, and people who respond by its models. What the
//! workspace is connected to and what it remembers are left alone.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use serde_json::Value as Json;

use crate::{
    connectors::{Stop, Systems},
    flow::{
        self, Notify, Wire,
        journey::{self, Responders, Response, Shown, Simulated, Simulation},
    },
    model::EventKind,
    sandbox::{
        self, Sandbox,
        responses::{self, Reaction, Responses},
    },
    script::{Body, Declaration},
    store::{Play, Store},
};

use super::{Error, Loaded, Workspace, clock, connect, journeys, runtime, schedule};

/// A Monday: without another start the same journey tells the same story on any day.
const START: Date = jiff::civil::date(2026, 1, 5);
/// Virtual days begin at nine.
const HOUR: i8 = 9;
/// People of the companies that show how many of them a source gives, the second where nobody of the first comes in.
const PROBES: [u64; 2] = [2_000, 20_000];
/// People of an account.
const PER_ACCOUNT: u64 = 10;
/// The largest company.
const LARGEST: u64 = 10_000_000;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub days: u32,
    /// None: as many as the source gives.
    pub participants: Option<u64>,
    /// How many come in on one day; none: all at once.
    pub arrive: Option<u64>,
    pub seed: u64,
    /// The first day; none: a Monday in January 2026.
    pub start: Option<Date>,
    /// Names and values of the response models.
    pub set: Vec<(String, String)>,
}

/// What cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("--set {0}")]
    Set(String),
    #[error(transparent)]
    Host(#[from] Error),
}

/// Simulates a journey. `progress` is told of the share of virtual time that is over.
///
/// # Errors
/// `Set` for a response model that is not there or cannot be so; why the journey cannot be simulated.
pub fn simulate(
    workspace: &Workspace,
    loaded: &Loaded,
    declaration: &Declaration,
    wanted: &Wanted,
    stop: &Stop,
    progress: &dyn Fn(f64),
) -> Result<Simulated, Unfit> {
    check(wanted)?;
    let scene = Scene { workspace, loaded, declaration, wanted, stop };
    let people = scene.people()?;
    Ok(scene.play(people, |simulation| {
        let span = f64::from(wanted.days.max(1)) * 86_400.0;
        let told = |now: Timestamp| progress((now.duration_since(simulation.start).as_secs_f64() / span).clamp(0.0, 1.0));
        journey::simulate(&Simulation { progress: &told, ..*simulation })
    })?)
}

fn check(wanted: &Wanted) -> Result<(), Unfit> {
    let mut models = Responses::new(company(0, wanted.seed, 0));
    wanted.set.iter().try_for_each(|(name, value)| models.set(name, value)).map_err(Unfit::Set)
}

const fn company(people: u64, seed: u64, origin: i64) -> sandbox::company::Company {
    sandbox::company::Company { seed, accounts: people.div_ceil(PER_ACCOUNT), people, origin }
}

struct Scene<'a> {
    workspace: &'a Workspace,
    loaded: &'a Loaded,
    declaration: &'a Declaration,
    wanted: &'a Wanted,
    stop: &'a Stop,
}

impl Scene<'_> {
    /// How many people the company has: those of the workspace's sandbox, or as many as the wanted participants take.
    fn people(&self) -> Result<u64, Error> {
        let Some(participants) = self.wanted.participants else {
            let company = &self.workspace.config.sandbox;
            return Ok(company.people.or(company.accounts.map(|accounts| accounts * PER_ACCOUNT)).unwrap_or(PROBES[0]));
        };
        for people in PROBES {
            let (_, entered) = self.play(people, journey::probe)?;
            if entered > 0 {
                // A little more, for shares that are not the same everywhere.
                let needed = u128::from(participants) * u128::from(people) * 21 / 20 / u128::from(entered);
                return Ok(u64::try_from(needed).unwrap_or(LARGEST).clamp(PROBES[0], LARGEST));
            }
        }
        Ok(PROBES[1])
    }

    fn start(&self) -> Timestamp {
        let midnight = self.wanted.start.unwrap_or(START).at(HOUR, 0, 0, 0);
        midnight.to_zoned(self.workspace.config.timezone.clone()).map_or(Timestamp::UNIX_EPOCH, |start| start.timestamp())
    }

    /// Does something with a sandbox and a state that are gone afterwards.
    fn play<T>(&self, people: u64, work: impl FnOnce(&Simulation<'_>) -> Result<T, flow::Error>) -> Result<T, Error> {
        let Body::Journey(one) = &self.declaration.body else { return Err(Error::NoJourney { name: self.declaration.name.clone() }) };
        let (runtime, start) = (runtime()?, self.start());
        let accounts = people.div_ceil(PER_ACCOUNT);
        let founded = sandbox::Options {
            accounts: Some(accounts),
            people: Some(people),
            seed: Some(self.wanted.seed),
            start: Some(start),
            ..Default::default()
        };
        let sandbox = runtime.block_on(sandbox::start(founded))?;
        let wire = self.wire(&runtime, &sandbox)?;
        let options = flow::Options {
            hands: flow::Hands::Live,
            owner: "tabi simulate".into(),
            now: start,
            mailer: journeys::unread_mailer(self.loaded).linked(self.workspace.links_on_paper()),
            ..self.workspace.run_options()
        };
        let responders = responders(&self.models(sandbox.world().company));
        let silent: Notify = Arc::new(|_| ());
        let turn = |at: Timestamp| sandbox.world().clock.set_ms(at.as_millisecond());
        let next_look = |after: Timestamp| {
            let schedule = self.declaration.schedule.as_ref()?;
            schedule::next(schedule, after, &self.workspace.config.timezone).ok()
        };
        let simulation = Simulation {
            declaration: self.declaration,
            journey: one,
            wire: &wire,
            options: &options,
            notify: &silent,
            stop: self.stop,
            start,
            days: self.wanted.days,
            most: self.wanted.participants,
            arrive: self.wanted.arrive,
            responders: &responders,
            turn: &turn,
            next_look: &next_look,
            progress: &|_| (),
        };
        let done = work(&simulation);
        drop(wire);
        runtime.block_on(sandbox.stop());
        runtime.shutdown_background();
        Ok(done?)
    }

    /// Connected to the sandbox alone, whatever the workspace is connected to.
    fn wire(&self, runtime: &tokio::runtime::Runtime, sandbox: &Sandbox) -> Result<Wire, Error> {
        let credentials: Json = sandbox.credentials();
        let options = connect::options(&self.workspace.config, &self.workspace.root, Some(&credentials), true)?;
        let entered = runtime.enter();
        let systems = Systems::new(options, self.stop.clone())?;
        drop(entered);
        Ok(Wire::new(systems, runtime.handle().clone(), Arc::new(Store::scratch(Play::Simulation)?), clock::now))
    }

    /// What is set was looked at by `check`.
    fn models(&self, company: sandbox::company::Company) -> Responses {
        let mut models = Responses::new(company);
        self.wanted.set.iter().for_each(|(name, value)| drop(models.set(name, value)));
        models
    }
}

/// The sandbox's models as the flow asks them.
fn responders(models: &Responses) -> Responders {
    let (to_mail, to_engagement, to_survey) = (models.clone(), models.clone(), models.clone());
    Responders {
        mail: Box::new(move |recipient, message, at| to_mail.to_mail(recipient, message, at.as_millisecond()).into_iter().map(response).collect()),
        engagement: Box::new(move |shown| to_engagement.to_engagement(asked(shown)).into_iter().map(response).collect()),
        survey_mail: Box::new(move |shown| to_survey.to_survey_mail(asked(shown)).map(response)),
    }
}

fn asked(shown: Shown<'_>) -> responses::Shown<'_> {
    responses::Shown {
        user: shown.user,
        engagement: shown.engagement,
        kind: shown.kind,
        from_ms: shown.from.as_millisecond(),
        until_ms: shown.until.as_millisecond(),
    }
}

fn response(one: responses::Response) -> Response {
    let event = match one.kind {
        Reaction::Opened => EventKind::Opened,
        Reaction::Clicked => EventKind::Clicked,
        Reaction::Unsubscribed => EventKind::Unsubscribed,
        Reaction::Bounced => EventKind::Bounced,
        Reaction::Viewed => EventKind::Viewed,
        Reaction::Completed => EventKind::Completed,
        Reaction::Responded => EventKind::Responded,
    };
    let at = Timestamp::from_millisecond(one.at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Response { at, event, score: one.score, comment: one.comment.map(str::to_owned) }
}
