//! What people will do about what reached them, in the order of its time, until it is heard of.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
};

use crate::{
    flow::Error,
    model::{Channel, Does, EventKind, Record, Timestamp, Value},
    script::Journey,
    store::{Association, NewEvent, ParticipantId, Store},
};

use super::watch::Reached;

/// What happened is heard of at full multiples of this, in microseconds: five minutes.
const HEARD: i64 = 300_000_000;

/// Something that somebody does.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub at: Timestamp,
    pub event: EventKind,
    pub score: Option<u32>,
    pub comment: Option<String>,
}

/// An engagement that somebody has the right to see.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The user's id in PX.
    pub user: &'a str,
    /// Id and type, as PX has them.
    pub engagement: &'a str,
    pub kind: &'a str,
    pub from: Timestamp,
    /// Nothing is asked beyond.
    pub until: Timestamp,
}

/// Recipient, message and when it is delivered -> what is done about it.
type ToMail = dyn Fn(&str, &str, Timestamp) -> Vec<Response> + Send + Sync;
type ToEngagement = dyn Fn(Shown<'_>) -> Vec<Response> + Send + Sync;
type ToSurveyMail = dyn Fn(Shown<'_>) -> Option<Response> + Send + Sync;

/// How people respond: the same answer to the same question.
pub struct Responders {
    pub mail: Box<ToMail>,
    pub engagement: Box<ToEngagement>,
    /// To a survey whose mail was opened at `from`.
    pub survey_mail: Box<ToSurveyMail>,
}

/// A response on its way. Ordered by time, then by whom and what.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pending {
    /// Microseconds since the Unix epoch, as the following.
    at: i64,
    participant: i64,
    step: usize,
    event: EventKind,
    /// When the person came into the audience; 0 for mail.
    joined: i64,
    score: Option<u32>,
    comment: Option<Box<str>>,
    /// Whose address gets no mail from then on.
    address: Option<Box<str>>,
}

/// What a step's sends are responded to as.
enum Kind {
    Mail,
    /// PX's id and type of what is shown.
    Px(String, String),
    SurveyMail(String, String),
}

pub(super) struct Queue<'a> {
    responders: &'a Responders,
    until: Timestamp,
    /// The name of each step, and of the one that its answers belong to.
    names: Vec<(String, String)>,
    kinds: BTreeMap<String, (usize, Kind)>,
    /// The engagement of a step, as the script names it.
    engagements: BTreeMap<usize, String>,
    pending: BinaryHeap<Reverse<Pending>>,
    /// Since when somebody is out of an audience.
    left: HashMap<(i64, String), i64>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(journey: &Journey, associations: &[Association], responders: &'a Responders, until: Timestamp) -> Self {
        let of = |name: &str| associations.iter().find(|one| one.engagement == name).map(|one| (one.id.clone(), one.kind.clone()));
        let steps = &journey.graph.steps;
        let survey_of = |of: &str| match journey.graph.step(of).map(|step| &step.does) {
            Some(Does::Survey { survey, .. }) => Some(survey.as_str()),
            _ => None,
        };
        let (mut kinds, mut engagements) = (BTreeMap::new(), BTreeMap::new());
        for (at, step) in steps.iter().enumerate() {
            let shown = match &step.does {
                Does::SendEmail { .. } => {
                    kinds.insert(step.name.clone(), (at, Kind::Mail));
                    continue;
                }
                Does::Engagement { engagement } => Some((engagement.as_str(), Channel::Px)),
                Does::Survey { survey, channel, .. } => Some((survey.as_str(), *channel)),
                Does::Remind { of, channel, .. } => survey_of(of).map(|survey| (survey, *channel)),
                _ => None,
            };
            let Some((name, channel)) = shown else { continue };
            let Some((id, kind)) = of(name) else { continue };
            engagements.insert(at, name.to_owned());
            let kind = if channel == Channel::Px { Kind::Px(id, kind) } else { Kind::SurveyMail(id, kind) };
            kinds.insert(step.name.clone(), (at, kind));
        }
        let names = steps.iter().map(|step| (step.name.clone(), asked_by(&step.does).unwrap_or(&step.name).to_owned())).collect();
        Self { responders, until, names, kinds, engagements, pending: BinaryHeap::new(), left: HashMap::new() }
    }

    /// When the next response is heard of.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let Reverse(first) = self.pending.peek()?;
        let heard = first.at.div_euclid(HEARD) * HEARD;
        Timestamp::from_microsecond(if heard < first.at { heard + HEARD } else { heard }).ok()
    }

    /// Hands everything that has happened by now to the state file.
    pub(super) fn hear(&mut self, store: &Store, now: Timestamp) -> Result<(), Error> {
        let mut events = Vec::new();
        while self.pending.peek().is_some_and(|Reverse(first)| first.at <= now.as_microsecond()) {
            let Some(Reverse(one)) = self.pending.pop() else { break };
            if self.is_out(&one) {
                continue;
            }
            let at = Timestamp::from_microsecond(one.at).unwrap_or(now);
            if let Some(address) = &one.address {
                match one.event {
                    EventKind::Bounced => store.bounced(address, at, "simulated")?,
                    _ => store.unsubscribe(address, at, "simulated")?,
                }
            }
            events.push(self.event(&one, at, now));
        }
        store.receive(&events)?;
        Ok(())
    }

    /// Asks what comes of what reached people, and forgets what those will not do who are out.
    pub(super) fn take_in(&mut self, reached: Vec<Reached>, left: Vec<(i64, String)>, now: Timestamp) {
        self.left.extend(left.into_iter().map(|who| (who, now.as_microsecond())));
        for one in reached {
            let Some((step, kind)) = self.kinds.get(&one.step) else { continue };
            let step = *step;
            let mut all: Vec<Pending> = Vec::new();
            let address =
                |event| matches!(event, EventKind::Bounced | EventKind::Unsubscribed).then(|| one.email.as_deref().map(Box::from)).flatten();
            let mails = || {
                let message = format!("{}/{}/{}", one.participant, one.step, one.at.as_microsecond());
                one.email.as_deref().map(|email| (self.responders.mail)(email, &message, one.at)).unwrap_or_default()
            };
            match kind {
                Kind::Mail => all.extend(mails().into_iter().map(|response| pending(&one, step, 0, address(response.event), response))),
                Kind::Px(id, kind) => {
                    let Some(user) = &one.px_id else { continue };
                    let shown = Shown { user, engagement: id, kind, from: one.at, until: self.until };
                    let joined = one.at.as_microsecond();
                    all.extend((self.responders.engagement)(shown).into_iter().map(|response| pending(&one, step, joined, None, response)));
                }
                Kind::SurveyMail(id, kind) => {
                    let user = one.px_id.as_deref().or(one.email.as_deref()).unwrap_or_default();
                    for response in mails() {
                        let opened = (response.event == EventKind::Opened).then_some(response.at);
                        all.push(pending(&one, step, 0, address(response.event), response));
                        let shown = opened.map(|from| Shown { user, engagement: id, kind, from, until: self.until });
                        all.extend(shown.and_then(|shown| (self.responders.survey_mail)(shown)).map(|answer| pending(&one, step, 0, None, answer)));
                    }
                }
            }
            self.pending.extend(all.into_iter().map(Reverse));
        }
    }

    fn is_out(&self, one: &Pending) -> bool {
        let Some(engagement) = self.engagements.get(&one.step).filter(|_| one.joined > 0 && !self.left.is_empty()) else { return false };
        self.left.get(&(one.participant, engagement.clone())).is_some_and(|left| *left >= one.joined && *left <= one.at)
    }

    fn event(&self, one: &Pending, at: Timestamp, now: Timestamp) -> NewEvent {
        let mut payload = Record::new();
        if let Some(score) = one.score {
            payload.set("score", Value::Int(score.into()));
        }
        if let Some(comment) = &one.comment {
            payload.set("comment", Value::text(&**comment));
        }
        // The answer to a reminder belongs to the survey that it reminds of.
        let names = self.names.get(one.step);
        let step = names.map(|(own, asked)| if one.event == EventKind::Responded { asked.clone() } else { own.clone() }).unwrap_or_default();
        let key = format!("simulated/{}/{}/{}/{}", one.participant, one.step, one.event.word(), one.at);
        NewEvent { key, participant: ParticipantId::from_i64(one.participant), kind: one.event, step, at, received: now, payload }
    }
}

fn pending(one: &Reached, step: usize, joined: i64, address: Option<Box<str>>, response: Response) -> Pending {
    Pending {
        at: response.at.as_microsecond(),
        participant: one.participant,
        step,
        event: response.event,
        joined,
        score: response.score,
        comment: response.comment.map(String::into_boxed_str),
        address,
    }
}

fn asked_by(does: &Does) -> Option<&str> {
    if let Does::Remind { of, .. } = does { Some(of) } else { None }
}
