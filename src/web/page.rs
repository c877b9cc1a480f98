//! Pages for people: small, without scripts, readable on a phone and by a screen reader.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// Text as HTML; also within quotes.
pub(super) fn escaped(text: &str) -> String {
    htmlize::escape_all_quotes(text).into_owned()
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
fieldset{border:0;margin:0 0 1.5rem;padding:0}legend,label.ask{font-weight:600;margin-bottom:.5rem;display:block}\
.scale{display:flex;flex-wrap:wrap;gap:.4rem}.scale label{border:1px solid #767676;border-radius:.4rem;padding:.5rem .7rem;min-width:1.6rem}\
.scale label:has(input:checked){background:#e6eefc;border-color:#1d4ed8}.ends{display:flex;justify-content:space-between;font-size:.9rem;color:#555}\
textarea{width:100%;box-sizing:border-box;font:inherit;padding:.5rem}button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;\
background:#1d4ed8;color:#fff}input:focus-visible,button:focus-visible,textarea:focus-visible{outline:3px solid #93b4f5}\
.note{border-left:4px solid #1d4ed8;padding:.3rem .8rem;background:#f3f6fd}.wrong{border-color:#b91c1c;background:#fdf3f3}";

/// A page with a heading; `body` is HTML.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escaped(title);
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head>\n<body><main><h1>{title}</h1>\n{body}\n</main></body></html>\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// For links that were not made here.
pub(super) fn unknown() -> Response {
    page(StatusCode::NOT_FOUND, "This link is not known", "<p>It may have been cut short. Open it from the mail again.</p>")
}

/// For links about somebody who is not kept any more.
pub(super) fn gone() -> Response {
    page(StatusCode::GONE, "This link has ended", "<p>What it was about is no longer kept. There is nothing more to do.</p>")
}
