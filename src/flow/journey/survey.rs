//! What the page asks that a mail of a step leads to.

use crate::{
    model::{Channel, Does, Graph, Question, questions},
    store::Association,
};

/// A survey that a mail carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The survey step: answers belong to it, also those that come by a reminder.
    pub step: String,
    /// The survey's name.
    pub survey: String,
    pub questions: Vec<Question>,
}

/// The survey of a mail's step: its own, or the one it reminds of.
pub fn asked(graph: &Graph, associations: &[Association], mail_step: &str) -> Option<Asked> {
    let step = match &graph.step(mail_step)?.does {
        Does::Survey { channel: Channel::Email, .. } => mail_step,
        Does::Remind { of, channel: Channel::Email, .. } => of,
        _ => return None,
    };
    let Does::Survey { survey, channel, questions: written, by_model, .. } = &graph.step(step)?.does else { return None };
    let live = associations.iter().find(|one| one.engagement == *survey && one.cut.is_none());
    let questions = questions(written, live.map(|one| one.kind.as_str()), *by_model);
    // A mail that reminds of a survey in the product need not carry it: what it asks may be known to PX alone.
    let carried = step == mail_step || *channel == Channel::Email || !questions.is_empty();
    carried.then(|| Asked { step: step.to_owned(), survey: survey.clone(), questions })
}
