//! What a survey asks, as plain data: a hosted page shows it and a mail carries its scores.

use serde::{Deserialize, Serialize};

use super::ProgramModel;

/// Names that templates of a journey's mails know besides the participant's fields.
pub const MAIL_FIELDS: [&str; 7] =
    ["unsubscribe_url", "survey_url", "survey.url", "survey.question", "survey.scores", "survey.lowest", "survey.highest"];

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// 0 to 10.
    Nps,
    /// 1 to 5.
    Csat,
    /// 1 to 7.
    Ces,
    /// 1 to 5 stars.
    Rating,
    Text,
    /// One of several answers.
    Choice,
}

impl QuestionKind {
    pub const ALL: [(&'static str, Self); 6] =
        [("nps", Self::Nps), ("csat", Self::Csat), ("ces", Self::Ces), ("rating", Self::Rating), ("text", Self::Text), ("choice", Self::Choice)];

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }

    /// The lowest and the highest score; none for what is answered in words.
    pub const fn scale(self) -> Option<(u8, u8)> {
        match self {
            Self::Nps => Some((0, 10)),
            Self::Csat | Self::Rating => Some((1, 5)),
            Self::Ces => Some((1, 7)),
            Self::Text | Self::Choice => None,
        }
    }

    /// What the ends of the scale mean.
    pub const fn ends(self) -> (&'static str, &'static str) {
        match self {
            Self::Nps => ("not likely", "very likely"),
            Self::Csat => ("very dissatisfied", "very satisfied"),
            Self::Ces => ("very difficult", "very easy"),
            Self::Rating => ("poor", "excellent"),
            Self::Text | Self::Choice => ("", ""),
        }
    }

    /// The question when a survey says none of its own.
    pub const fn usual(self) -> &'static str {
        match self {
            Self::Nps => "How likely are you to recommend us to a friend or colleague?",
            Self::Csat => "How satisfied are you?",
            Self::Ces => "How easy was it?",
            Self::Rating => "How would you rate it?",
            Self::Text | Self::Choice => "What would you like to tell us?",
        }
    }

    /// By the type of a PX survey (`IN_APP_NPS_SURVEY`); none for those whose questions only PX knows.
    pub fn of_px(kind: &str) -> Option<Self> {
        match kind {
            "IN_APP_NPS_SURVEY" => Some(Self::Nps),
            "IN_APP_CES_SURVEY" => Some(Self::Ces),
            "IN_APP_RATING_SURVEY" => Some(Self::Rating),
            _ => None,
        }
    }

    /// What a program of this model asks.
    pub const fn of_model(model: ProgramModel) -> Option<Self> {
        match model {
            ProgramModel::Nps => Some(Self::Nps),
            ProgramModel::Csat => Some(Self::Csat),
            ProgramModel::Ces => Some(Self::Ces),
            _ => None,
        }
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub ask: String,
    pub kind: QuestionKind,
    /// Of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    #[serde(default)]
    pub required: bool,
}

impl Question {
    /// The usual question of a kind.
    pub fn usual(kind: QuestionKind) -> Self {
        Self { ask: kind.usual().to_owned(), kind, choices: Vec::new(), required: true }
    }
}

/// What a survey step asks: what the script says, else by the type of the PX survey, else by the program's model. Nothing when none of
/// them tells.
pub fn questions(written: &[Question], px_kind: Option<&str>, model: Option<QuestionKind>) -> Vec<Question> {
    if !written.is_empty() {
        return written.to_vec();
    }
    let kind = px_kind.and_then(QuestionKind::of_px).or(model);
    kind.map(Question::usual).into_iter().collect()
}
