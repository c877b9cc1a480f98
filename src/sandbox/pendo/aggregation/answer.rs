//! The endpoint: parsing the request, streaming the answer.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::{
    row::{Context, Row},
    run::run,
    stage::{self, Stage},
    window::Window,
};
use crate::sandbox::pendo::state::{Pendo, refused};

/// How much text is sent at a time.
const CHUNK: usize = 64 << 10;

/// Answers `POST /aggregation`.
pub(in crate::sandbox::pendo) fn answer(pendo: &Arc<Pendo>, body: &[u8]) -> Response {
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(wrong) => return refused(StatusCode::BAD_REQUEST, format!("invalid JSON: {wrong}")),
    };
    let pipeline = &body["request"]["pipeline"];
    if pipeline.is_null() {
        let unbound = json!({"overall": {}, "fields": {"pipeline": "Required"}});
        return (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(unbound)).into_response();
    }
    let wanted = body["response"]["mimeType"].as_str();
    if !matches!(wanted, None | Some("application/json")) {
        return refused(StatusCode::BAD_REQUEST, "only application/json is supported");
    }
    let context = Context::new(pendo);
    match stage::parse(pipeline, &context) {
        Ok(stages) => stream(stages, context),
        Err(why) => refused(StatusCode::BAD_REQUEST, why),
    }
}

/// The rows of a pipeline that was stored.
pub(in crate::sandbox::pendo) fn evaluate(pendo: &Arc<Pendo>, pipeline: &Value) -> Result<Vec<Map<String, Value>>, String> {
    let context = Context::new(pendo);
    let stages = stage::parse(pipeline, &context)?;
    Ok(run(&stages, None, &context).rows.map(|row| row.into_json(&context)).collect())
}

/// The window of a pipeline that is to be answered period by period.
fn iterative(stages: &[Stage]) -> Option<Window> {
    match stages.first() {
        Some(Stage::Source(source)) => source.window.filter(|window| window.iterative),
        _ => None,
    }
}

fn stream(stages: Vec<Stage>, context: Context) -> Response {
    let (sender, receiver) = mpsc::channel(8);
    tokio::task::spawn_blocking(move || {
        let mut text = Text { sender, held: Vec::with_capacity(CHUNK + 4096) };
        // When nobody listens any more the rest is not computed.
        let _ = write(&stages, &context, &mut text);
    });
    let chunks = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let chunk: Bytes = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(chunk), receiver))
    });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(chunks)).into_response()
}

/// Text on its way; nothing when nobody takes it any more.
struct Text {
    sender: mpsc::Sender<Bytes>,
    held: Vec<u8>,
}

impl Text {
    fn push(&mut self, text: &[u8]) -> Option<()> {
        self.held.extend_from_slice(text);
        if self.held.len() < CHUNK {
            return Some(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Option<()> {
        let chunk = std::mem::replace(&mut self.held, Vec::with_capacity(CHUNK + 4096));
        self.sender.blocking_send(chunk.into()).ok()
    }
}

/// `{"results": [...]}`; of a pipeline that goes period by period, `{"startTime", "results"}` for each.
fn write(stages: &[Stage], context: &Context, text: &mut Text) -> Option<()> {
    text.push(b"{\"results\":")?;
    match iterative(stages) {
        None => write_rows(run(stages, None, context).rows, context, text)?,
        Some(window) => {
            let mut before: &[u8] = b"[";
            for period in window.periods() {
                text.push(before)?;
                before = b",";
                text.push(format!("{{\"startTime\":{},\"results\":", period.from).as_bytes())?;
                write_rows(run(stages, Some(period), context).rows, context, text)?;
                text.push(b"}")?;
            }
            text.push(if before == b"[" { b"[]" } else { b"]" })?;
        }
    }
    text.push(b"}")?;
    text.flush()
}

fn write_rows(rows: impl Iterator<Item = Row>, context: &Context, text: &mut Text) -> Option<()> {
    let mut before: &[u8] = b"[";
    for row in rows {
        text.push(before)?;
        before = b",";
        text.push(&serde_json::to_vec(&row.into_json(context)).ok()?)?;
    }
    text.push(if before == b"[" { b"[]" } else { b"]" })
}
