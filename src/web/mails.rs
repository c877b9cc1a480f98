//! What people do with a mail: it is opened, a link is followed, no more of them are wanted.

use axum::{
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{
    call::Call,
    desk::{Desk, Holder},
    page::{gone, page, unknown},
};
use crate::{
    flow::journey::Purpose,
    model::{EventKind, Record, Value},
    store::Error,
};

/// One transparent dot.
const DOT: &[u8] = &[
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4, 1, 0, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1,
    0, 0, 2, 2, 0x44, 1, 0, 0x3b,
];

/// `GET /o/TOKEN`. Opened is counted once, however often the picture is loaded.
pub(super) fn opened(desk: &Desk, call: &Call, token: &str) -> Result<Response, Error> {
    match desk.holder(Purpose::Open, token)? {
        Holder::Forged => return Ok(unknown()),
        Holder::Known(ticket, who) if call.method != Method::HEAD => {
            desk.happened(&who, EventKind::Opened, &ticket.step, "", Record::new())?;
        }
        Holder::Known(..) | Holder::Gone => (),
    }
    Ok(([(header::CONTENT_TYPE, "image/gif")], DOT).into_response())
}

/// `GET /c/TOKEN`: on to where the link leads. Each address counts once; whoever is gone is led on as well.
pub(super) fn clicked(desk: &Desk, call: &Call, token: &str) -> Result<Response, Error> {
    let Some(ticket) = desk.links.read(Purpose::Click, token) else { return Ok(unknown()) };
    if let (Holder::Known(_, who), false) = (desk.holder(Purpose::Click, token)?, call.is_ahead()) {
        let key = format!("/{}", blake3::hash(ticket.url.as_bytes()).to_hex());
        let payload = [("url".into(), Value::text(&ticket.url))].into_iter().collect();
        desk.happened(&who, EventKind::Clicked, &ticket.step, &key, payload)?;
    }
    // An address with letters beyond ASCII is written with them percent-encoded.
    let location: String = ticket.url.chars().map(|c| if c.is_ascii_graphic() { c.to_string() } else { encoded(c) }).collect();
    let Ok(location) = HeaderValue::from_str(&location) else { return Ok(unknown()) };
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}

fn encoded(c: char) -> String {
    percent_encoding::utf8_percent_encode(c.encode_utf8(&mut [0; 4]), percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// `/u/TOKEN`: a page with a button, for mail programs look at links on their own; and what the button, or a mail program's own, does.
pub(super) fn unsubscribed(desk: &Desk, call: &Call, token: &str) -> Result<Response, Error> {
    let (ticket, who) = match desk.holder(Purpose::Unsubscribe, token)? {
        Holder::Forged => return Ok(unknown()),
        Holder::Gone => return Ok(gone()),
        Holder::Known(ticket, who) => (ticket, who),
    };
    if call.method != Method::POST {
        let form = "<p>You will get no more of these messages.</p>\
                    <form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\"><button>Unsubscribe</button></form>";
        return Ok(page(StatusCode::OK, "Unsubscribe?", form));
    }
    if call.sent("List-Unsubscribe").as_deref() != Some("One-Click") {
        return Ok(page(StatusCode::BAD_REQUEST, "Unsubscribe?", "<p>Press the button of the page to unsubscribe.</p>"));
    }
    if let Some(email) = &who.email {
        desk.store.unsubscribe(email, (desk.now)(), &format!("by a link of {}/{}", who.journey, ticket.step))?;
    }
    desk.happened(&who, EventKind::Unsubscribed, &ticket.step, "", Record::new())?;
    Ok(page(StatusCode::OK, "You are unsubscribed", "<p>You will get no more of these messages.</p>"))
}
