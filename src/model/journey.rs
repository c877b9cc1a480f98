//! A journey's flow as explicit data: named steps, each knowing what comes after it. Participants stand on steps by name, so that a flow
//! can be edited while people are in it.

use std::fmt;

use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Serialize};

use super::{Operator, Question, QuestionKind, Value};

/// The program models of Journey Orchestrator (B3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramModel {
    EmailChain,
    Onboarding,
    Nps,
    Csat,
    Ces,
    /// A generic survey.
    Survey,
    /// Any steps in any order.
    Dynamic,
}

impl ProgramModel {
    /// The words of scripts, those of listings first.
    pub const ALL: [(&'static str, Self); 7] = [
        ("email_chain", Self::EmailChain),
        ("onboarding", Self::Onboarding),
        ("nps", Self::Nps),
        ("csat", Self::Csat),
        ("ces", Self::Ces),
        ("survey", Self::Survey),
        ("dynamic", Self::Dynamic),
    ];

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, model)| *model == self).map_or("", |(word, _)| word)
    }

    /// Surveys inside the product can be triggered by every model but one (B1).
    pub const fn takes_surveys(self) -> bool {
        !matches!(self, Self::EmailChain)
    }
}

/// The whole flow. Every name that a step leads to is that of a step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Graph {
    /// In the order they are written; the first one is where people enter.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique within the journey: participants keep their place by it.
    pub name: String,
    pub does: Does,
    /// The step that comes when this one is done; none ends the journey. Steps that choose (`Does::exits`) do not use it.
    pub next: Option<String>,
    /// Line in the script.
    pub line: u32,
}

/// How something reaches a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    Px,
}

/// What a step does. Closures and field maps stay with the declaration, found there by the step's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Does {
    SendEmail {
        template: String,
    },
    /// Hands out a PX survey (B13).
    Survey {
        survey: String,
        channel: Channel,
        /// The mail that carries it.
        template: Option<String>,
        /// What the hosted page asks, where the script says it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        questions: Vec<Question>,
        /// What a program of the journey's model asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_model: Option<QuestionKind>,
    },
    /// Reminds of an earlier survey step who has not responded (B14).
    Remind {
        of: String,
        channel: Channel,
        template: Option<String>,
    },
    /// Triggers a PX engagement (B4), by its name or id.
    Engagement {
        engagement: String,
    },
    /// Waits (B5).
    Wait {
        length: Length,
    },
    /// Waits for a condition, at most so long (B6).
    WaitFor {
        when: When,
        within: Length,
        then: Option<String>,
        otherwise: Option<String>,
    },
    /// The first arm whose condition holds; else `otherwise`.
    Branch {
        arms: Vec<Arm>,
        otherwise: Option<String>,
    },
    /// Weighted, stable per participant.
    Split {
        arms: Vec<Share>,
    },
    /// A call to action, a load or a score: the declaration's action of this step.
    Action {
        /// `create_cta`, `load_to_sfdc`...
        word: String,
    },
    /// Closes the open call to action of this reason, whoever made it.
    CloseCta {
        reason: String,
    },
    /// Sets fields of the participant.
    SetField {
        fields: Vec<String>,
    },
    Webhook {
        url: String,
    },
    /// A closure that asks for effects.
    Run,
    /// Completed here.
    Finish,
    /// Taken out, with a reason.
    Drop {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    pub when: When,
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    pub name: String,
    /// Of the sum of all weights.
    pub weight: u32,
    pub next: Option<String>,
}

impl Does {
    /// The word in listings and graphs.
    pub fn word(&self) -> &str {
        match self {
            Self::SendEmail { .. } => "send_email",
            Self::Survey { .. } => "survey",
            Self::Remind { .. } => "remind",
            Self::Engagement { .. } => "engagement",
            Self::Wait { .. } => "wait",
            Self::WaitFor { .. } => "wait_for",
            Self::Branch { .. } => "branch",
            Self::Split { .. } => "split",
            Self::Action { word } => word,
            Self::CloseCta { .. } => "close_cta",
            Self::SetField { .. } => "set_field",
            Self::Webhook { .. } => "webhook",
            Self::Run => "run",
            Self::Finish => "finish",
            Self::Drop { .. } => "drop",
        }
    }

    /// The template of the mail that it sends.
    pub fn template(&self) -> Option<&str> {
        match self {
            Self::SendEmail { template } => Some(template),
            Self::Survey { template, .. } | Self::Remind { template, .. } => template.as_deref(),
            _ => None,
        }
    }

    /// The engagement that it shows in PX, by the name that the script gives it. A reminder shows its survey's.
    pub fn shown(&self) -> Option<&str> {
        match self {
            Self::Engagement { engagement } => Some(engagement),
            Self::Survey { survey, .. } => Some(survey),
            _ => None,
        }
    }

    /// What can happen with it (B7). Whether an engagement is a guide, so that it can be completed, only PX knows.
    pub fn events(&self) -> Vec<EventKind> {
        use EventKind::{Bounced, Clicked, Completed, Failed, Opened, Responded, Sent, Unsubscribed, Viewed};
        let mail = [Sent, Opened, Clicked, Bounced, Unsubscribed, Failed];
        match self {
            Self::SendEmail { .. } | Self::Remind { channel: Channel::Email, .. } => mail.to_vec(),
            Self::Survey { channel: Channel::Email, .. } => [Viewed, Responded].into_iter().chain(mail).collect(),
            Self::Survey { channel: Channel::Px, .. } => vec![Viewed, Responded, Failed],
            Self::Engagement { .. } => vec![Viewed, Completed, Failed],
            Self::Remind { channel: Channel::Px, .. } => vec![Viewed, Failed],
            _ => Vec::new(),
        }
    }

    /// Whether people may stand here: only these steps keep somebody.
    pub const fn waits(&self) -> bool {
        matches!(self, Self::Wait { .. } | Self::WaitFor { .. })
    }
}

/// What a conditional wait or a branch asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    All(Vec<When>),
    Any(Vec<When>),
    Not(Box<When>),
    /// Something that happened with an earlier step.
    Event {
        event: EventKind,
        step: String,
    },
    /// The answer to a survey step.
    Score {
        step: String,
        operator: Operator,
        value: Value,
    },
    /// A calculated field of the journey.
    Calculated {
        name: String,
        operator: Operator,
        value: Value,
    },
    /// A participant field, dotted paths allowed.
    Field {
        path: String,
        operator: Operator,
        value: Value,
    },
}

/// What can happen with a step (B7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// An engagement or a survey was seen.
    Viewed,
    /// A guide was gone through to its end.
    Completed,
    /// PX did not take the participant, or a mail could not be sent.
    Failed,
    Sent,
    Opened,
    Clicked,
    Bounced,
    Unsubscribed,
    Responded,
}

impl EventKind {
    pub const ALL: [(&'static str, Self); 9] = [
        ("viewed", Self::Viewed),
        ("completed", Self::Completed),
        ("failed", Self::Failed),
        ("sent", Self::Sent),
        ("opened", Self::Opened),
        ("clicked", Self::Clicked),
        ("bounced", Self::Bounced),
        ("unsubscribed", Self::Unsubscribed),
        ("responded", Self::Responded),
    ];

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }
}

/// A length of time. Days are calendar days in the program's zone: the same time of day so many days later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    Days(u32),
    Hours(u32),
    Minutes(u32),
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Days(n) => (n, "day"),
            Self::Hours(n) => (n, "hour"),
            Self::Minutes(n) => (n, "minute"),
        };
        write!(f, "{count} {unit}{}", if *count == 1 { "" } else { "s" })
    }
}

/// How often one may come again with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reentry {
    #[default]
    Never,
    /// Once the earlier participation has ended.
    AfterEnd,
    /// So long after the earlier participation has ended.
    After(Length),
}

/// When messages may go out, in the journey's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pace {
    /// No message from the first time of day to the second; may span midnight.
    pub quiet: Option<(Time, Time)>,
    /// Days messages may go out on; empty for every day. Monday is 1.
    pub working_days: Vec<i8>,
    /// At most so many messages to one person within a length, counted over all journeys.
    pub cap: Option<(u32, Length)>,
    /// IANA name; none for the workspace's.
    pub time_zone: Option<String>,
}

impl Pace {
    pub fn works_on(&self, day: Weekday) -> bool {
        self.working_days.is_empty() || self.working_days.contains(&day.to_monday_one_offset())
    }
}

impl Graph {
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether it is the same flow; where its steps are written does not count.
    pub fn same_flow(&self, other: &Self) -> bool {
        self.steps.len() == other.steps.len() && self.steps.iter().zip(&other.steps).all(|(one, two)| one.same(two))
    }

    /// The same flow with steps under other names, wherever they are named.
    pub fn renamed(&self, names: &[(String, String)]) -> Self {
        let new = |name: &str| names.iter().find(|(old, _)| old == name).map_or(name, |(_, new)| new).to_owned();
        let way = |to: &Option<String>| to.as_deref().map(new);
        let steps = self.steps.iter().map(|step| {
            let does = match &step.does {
                Does::WaitFor { when, within, then, otherwise } => {
                    Does::WaitFor { when: when.renamed(&new), within: *within, then: way(then), otherwise: way(otherwise) }
                }
                Does::Branch { arms, otherwise } => {
                    let arms = arms.iter().map(|arm| Arm { when: arm.when.renamed(&new), next: way(&arm.next) }).collect();
                    Does::Branch { arms, otherwise: way(otherwise) }
                }
                Does::Split { arms } => Does::Split { arms: arms.iter().map(|arm| Share { next: way(&arm.next), ..arm.clone() }).collect() },
                Does::Remind { of, channel, template } => Does::Remind { of: new(of), channel: *channel, template: template.clone() },
                other => other.clone(),
            };
            Step { name: new(&step.name), does, next: way(&step.next), line: step.line }
        });
        Self { steps: steps.collect() }
    }

    /// Where people enter.
    pub fn start(&self) -> Option<&Step> {
        self.steps.first()
    }
}

impl Step {
    /// Whether it does the same and leads to the same steps.
    pub fn same(&self, other: &Self) -> bool {
        self.name == other.name && self.does == other.does && self.next == other.next
    }

    /// Everything that can come next: the word on the arrow, and the step; none ends the journey.
    pub fn exits(&self) -> Vec<(String, Option<&str>)> {
        match &self.does {
            Does::WaitFor { then, otherwise, .. } => {
                vec![("then".to_owned(), then.as_deref()), ("otherwise".to_owned(), otherwise.as_deref())]
            }
            Does::Branch { arms, otherwise } => {
                let arms = arms.iter().map(|arm| (arm.when.to_string(), arm.next.as_deref()));
                arms.chain([("otherwise".to_owned(), otherwise.as_deref())]).collect()
            }
            Does::Split { arms } => arms.iter().map(|share| (format!("{} {}", share.name, share.weight), share.next.as_deref())).collect(),
            Does::Finish | Does::Drop { .. } => Vec::new(),
            _ => vec![(String::new(), self.next.as_deref())],
        }
    }
}

impl When {
    /// The same question about steps under other names.
    fn renamed(&self, new: &impl Fn(&str) -> String) -> Self {
        let all = |parts: &[Self]| parts.iter().map(|part| part.renamed(new)).collect();
        match self {
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            Self::Not(inner) => Self::Not(Box::new(inner.renamed(new))),
            Self::Event { event, step } => Self::Event { event: *event, step: new(step) },
            Self::Score { step, operator, value } => Self::Score { step: new(step), operator: *operator, value: value.clone() },
            other => other.clone(),
        }
    }

    /// Every condition within, depth first.
    pub fn atoms(&self) -> Vec<&Self> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::atoms).collect(),
            Self::Not(inner) => inner.atoms(),
            atom => vec![atom],
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: &[Self], word: &str| parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(word);
        match self {
            Self::All(parts) => f.write_str(&joined(parts, " and ")),
            Self::Any(parts) => f.write_str(&joined(parts, " or ")),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Event { event, step } => write!(f, "{} \"{step}\"", event.word()),
            Self::Score { step: name, operator: operator @ (Operator::IsNull | Operator::IsNotNull), .. }
            | Self::Calculated { name, operator: operator @ (Operator::IsNull | Operator::IsNotNull), .. }
            | Self::Field { path: name, operator: operator @ (Operator::IsNull | Operator::IsNotNull), .. } => {
                write!(f, "{name} {}", operator.word())
            }
            Self::Score { step, operator, value } => write!(f, "score of \"{step}\" {} {value}", operator.word()),
            Self::Calculated { name, operator, value } | Self::Field { path: name, operator, value } => {
                write!(f, "{name} {} {value}", operator.word())
            }
        }
    }
}
