//! The page of a survey. A score in a mail answers by one click, and the page that follows takes a comment or another score: the latest
//! answer is the one that counts for what the journey still decides. Another score link of the mail only fills in the page: programs that
//! follow all links of a mail must not answer for people.

use axum::{
    http::{Method, StatusCode},
    response::Response,
};

use super::{
    call::Call,
    desk::{Desk, Holder},
    page::{escaped, gone, page, unknown},
};
use crate::{
    flow::journey::{Asked, Purpose, asked},
    model::{EventKind, Question, QuestionKind, Record, Value},
    store::{Error, Participant},
};

/// Characters of an answer in words.
const WORDS: usize = 4_000;
/// Answers by one person to one survey: more are no change of mind.
const ANSWERS: usize = 100;

/// `/survey/TOKEN`.
pub(super) fn survey(desk: &Desk, call: &Call, token: &str) -> Result<Response, Error> {
    let (ticket, who) = match desk.holder(Purpose::Survey, token)? {
        Holder::Forged => return Ok(unknown()),
        Holder::Gone => return Ok(gone()),
        Holder::Known(ticket, who) => (ticket, who),
    };
    let (flows, associations) = desk.flows(&who)?;
    let found = flows.iter().find_map(|graph| asked(graph, &associations, &ticket.step)).filter(|asked| !asked.questions.is_empty());
    let Some(asked) = found else { return Ok(gone()) };
    if call.method == Method::POST {
        return posted(desk, call, &who, &asked);
    }
    let score = call.asked("score").and_then(|score| scored(asked.questions.first()?, &score));
    let mut latest = desk.store.told(who.id, EventKind::Responded, &asked.step)?.pop();
    if !call.is_ahead() {
        let url = [("url".into(), Value::text("survey"))].into_iter().collect();
        desk.happened(&who, EventKind::Clicked, &ticket.step, "/survey", url)?;
        desk.happened(&who, EventKind::Viewed, &asked.step, "", Record::new())?;
        if let (Some(score), None, Some(first)) = (score, &latest, asked.questions.first()) {
            let answer = answer(vec![(first, Value::Int(score))], None);
            keep(desk, &who, &asked, &answer)?;
            latest = Some(answer);
        }
    }
    let given = latest.as_ref().and_then(|answer| answer.get("score")).and_then(Value::as_i64);
    let note = match (given, score) {
        (Some(given), Some(asked)) if given != asked => format!("Your answer was {given}. Press the button to make it {asked}."),
        (Some(given), _) => format!("Thank you, your answer {given} is noted. You may add to it or change it."),
        (None, _) if latest.is_some() => "Thank you, your answer is noted. You may change it.".to_owned(),
        _ => String::new(),
    };
    Ok(form(StatusCode::OK, &asked, &filled(&asked, latest.as_ref(), score), &note, false))
}

/// What the fields of the page hold, the comment last.
fn filled(asked: &Asked, latest: Option<&Record>, score: Option<i64>) -> Vec<String> {
    let answers = latest.and_then(|answer| answer.get("answers"));
    let of = |at: usize| match answers {
        Some(Value::List(list)) => list.iter().find_map(|one| match one {
            Value::Map(one) if one.get("question").and_then(Value::as_i64) == i64::try_from(at).ok() => one.get("answer").map(ToString::to_string),
            _ => None,
        }),
        _ => None,
    };
    let mut fields: Vec<String> = (0..asked.questions.len()).map(|at| of(at).unwrap_or_default()).collect();
    if let (Some(score), Some(first)) = (score, fields.first_mut()) {
        *first = score.to_string();
    }
    fields.push(latest.and_then(|answer| answer.get("comment")).map(ToString::to_string).unwrap_or_default());
    fields
}

fn posted(desk: &Desk, call: &Call, who: &Participant, asked: &Asked) -> Result<Response, Error> {
    let cut = |text: String| text.chars().take(WORDS).collect::<String>();
    let mut sent: Vec<String> = (0..asked.questions.len()).map(|at| call.sent(&format!("q{at}")).map(cut).unwrap_or_default()).collect();
    let comment = call.sent("comment").map(cut);
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    for (question, text) in asked.questions.iter().zip(&sent) {
        match (read(question, text), question.required) {
            (Some(value), _) => answers.push((question, value)),
            (None, true) => wrong.push(format!("Please answer: {}", question.ask)),
            (None, false) if !text.is_empty() => wrong.push(format!("This is no answer to: {}", question.ask)),
            (None, false) => (),
        }
    }
    if answers.is_empty() && comment.is_none() && wrong.is_empty() {
        wrong.push("Please answer before you send.".to_owned());
    }
    if !wrong.is_empty() {
        sent.push(comment.unwrap_or_default());
        return Ok(form(StatusCode::UNPROCESSABLE_ENTITY, asked, &sent, &wrong.join(" "), true));
    }
    keep(desk, who, asked, &answer_of(asked, answers, comment))?;
    Ok(page(StatusCode::OK, "Thank you", "<p>Your answer is noted.</p>"))
}

fn answer_of(asked: &Asked, answers: Vec<(&Question, Value)>, comment: Option<String>) -> Record {
    let numbered = |(question, value): (&Question, Value)| (asked.questions.iter().position(|one| one == question).unwrap_or(0), value);
    let numbered: Vec<(usize, Value)> = answers.into_iter().map(numbered).collect();
    record(asked.questions.as_slice(), numbered, comment)
}

/// The answer of one click: to the first question.
fn answer(answers: Vec<(&Question, Value)>, comment: Option<String>) -> Record {
    let questions: Vec<Question> = answers.iter().map(|(question, _)| (*question).clone()).collect();
    let numbered = answers.into_iter().enumerate().map(|(at, (_, value))| (at, value)).collect();
    record(&questions, numbered, comment)
}

/// An answer as it stands in the participant's timeline: `score` of the first question that has one, `comment`, `answers` to all, and the
/// way it came.
fn record(questions: &[Question], answers: Vec<(usize, Value)>, comment: Option<String>) -> Record {
    let mut record = Record::new();
    let scored = |at: usize| questions.get(at).filter(|question| question.kind.scale().is_some());
    if let Some((question, score)) = answers.iter().find_map(|(at, value)| Some((scored(*at)?, value))) {
        record.set("score", score.clone());
        record.set("questionType", Value::text(question.kind.word().to_uppercase()));
    }
    if let Some(comment) = comment {
        record.set("comment", Value::text(comment));
    }
    let one = |(at, value): (usize, Value)| -> Option<Value> {
        let question = questions.get(at)?;
        let fields = [
            ("question".into(), Value::Int(i64::try_from(at).ok()?)),
            ("ask".into(), Value::text(&question.ask)),
            ("type".into(), Value::text(question.kind.word())),
            ("answer".into(), value),
        ];
        Some(Value::Map(fields.into_iter().collect()))
    };
    record.set("answers", Value::List(answers.into_iter().filter_map(one).collect()));
    record.set("channel", Value::text("email"));
    record
}

/// Kept when it differs from the latest one. Two at once are told apart by their number: the second is tried again after the first.
fn keep(desk: &Desk, who: &Participant, asked: &Asked, answer: &Record) -> Result<(), Error> {
    for _ in 0..3 {
        let earlier = desk.store.told(who.id, EventKind::Responded, &asked.step)?;
        if earlier.last() == Some(answer) || earlier.len() >= ANSWERS {
            return Ok(());
        }
        if desk.happened(who, EventKind::Responded, &asked.step, &format!("/{}", earlier.len()), answer.clone())? {
            return Ok(());
        }
    }
    Ok(())
}

/// What was sent as an answer; nothing when it is none.
fn read(question: &Question, text: &str) -> Option<Value> {
    match question.kind {
        QuestionKind::Text => (!text.is_empty()).then(|| Value::text(text)),
        QuestionKind::Choice => question.choices.iter().any(|choice| choice == text).then(|| Value::text(text)),
        _ => scored(question, text).map(Value::Int),
    }
}

fn scored(question: &Question, text: &str) -> Option<i64> {
    let (lowest, highest) = question.kind.scale()?;
    text.parse().ok().filter(|score| (i64::from(lowest)..=i64::from(highest)).contains(score))
}

fn form(status: StatusCode, asked: &Asked, fields: &[String], note: &str, is_wrong: bool) -> Response {
    let mut body = String::new();
    if !note.is_empty() {
        let (class, role) = if is_wrong { ("note wrong", "alert") } else { ("note", "status") };
        body.extend([format!("<p class=\"{class}\" role=\"{role}\">{}</p>\n", escaped(note))]);
    }
    // Without its query: what is sent is what the page holds.
    body.push_str("<form method=\"post\" action=\"?\">\n");
    for (at, question) in asked.questions.iter().enumerate() {
        body.push_str(&shown(at, question, fields.get(at).map_or("", String::as_str)));
    }
    if asked.questions.iter().all(|question| question.kind != QuestionKind::Text) {
        let comment = escaped(fields.last().map_or("", String::as_str));
        body.extend([format!(
            "<fieldset><label class=\"ask\" for=\"comment\">Would you like to tell us more?</label>\
             <textarea id=\"comment\" name=\"comment\" rows=\"4\" maxlength=\"{WORDS}\">{comment}</textarea></fieldset>\n"
        )]);
    }
    body.push_str("<button>Send</button></form>");
    page(status, "Your feedback", &body)
}

fn shown(at: usize, question: &Question, given: &str) -> String {
    let ask = escaped(&question.ask);
    let required = if question.required { " required" } else { "" };
    if question.kind == QuestionKind::Text {
        let given = escaped(given);
        return format!(
            "<fieldset><label class=\"ask\" for=\"q{at}\">{ask}</label>\
             <textarea id=\"q{at}\" name=\"q{at}\" rows=\"4\" maxlength=\"{WORDS}\"{required}>{given}</textarea></fieldset>\n"
        );
    }
    let options: Vec<(String, String)> = match question.kind.scale() {
        Some((lowest, highest)) => (lowest..=highest).map(|score| (score.to_string(), label(question.kind, score))).collect(),
        None => question.choices.iter().map(|choice| (choice.clone(), choice.clone())).collect(),
    };
    let radio = |(value, label): &(String, String)| {
        let checked = if value == given { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"q{at}\" value=\"{}\"{checked}{required}> {}</label>", escaped(value), escaped(label))
    };
    let radios: Vec<String> = options.iter().map(radio).collect();
    let (low, high) = question.kind.ends();
    let ends = if low.is_empty() { String::new() } else { format!("<div class=\"ends\"><span>{low}</span><span>{high}</span></div>") };
    format!("<fieldset><legend>{ask}</legend><div class=\"scale\">{}</div>{ends}</fieldset>\n", radios.join(""))
}

fn label(kind: QuestionKind, score: u8) -> String {
    if kind == QuestionKind::Rating { "★".repeat(usize::from(score)) } else { score.to_string() }
}
