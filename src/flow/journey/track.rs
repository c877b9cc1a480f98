//! The HTML of a mail with its links led over the own server and a picture that tells when it is opened.

use std::cell::Cell;

use lol_html::{RewriteStrSettings, element, end, end_tag, html_content::ContentType, rewrite_str};

/// The body with every link to the web replaced by what `link` makes of it, and `pixel`, the address of a picture, at its end. Links
/// that begin with `ours` lead to the server already. A body that cannot be read stays as it is.
pub(super) fn tracked(html: &str, ours: &str, pixel: &str, link: impl Fn(&str) -> String) -> String {
    let picture = format!(r#"<img src="{}" width="1" height="1" alt="" style="border:0">"#, htmlize::escape_attribute(pixel));
    let placed = std::rc::Rc::new(Cell::new(false));
    let (in_body, at_end) = (std::rc::Rc::clone(&placed), std::rc::Rc::clone(&placed));
    let (before, after) = (picture.clone(), picture);
    let settings = RewriteStrSettings::new()
        .append_element_content_handler(element!("a[href], area[href]", |element| {
            let href = element.get_attribute("href").unwrap_or_default();
            let target = htmlize::unescape_attribute(href.as_str());
            let target = target.trim();
            if is_web(target) && !target.starts_with(ours) {
                element.set_attribute("href", &htmlize::escape_attribute(link(target).as_str()))?;
            }
            Ok(())
        }))
        .append_element_content_handler(element!("body", move |element| {
            let (in_body, before) = (std::rc::Rc::clone(&in_body), before.clone());
            element.on_end_tag(end_tag!(move |end| {
                if !in_body.replace(true) {
                    end.before(&before, ContentType::Html);
                }
                Ok(())
            }))?;
            Ok(())
        }))
        .append_document_content_handler(end!(move |end| {
            if !at_end.replace(true) {
                end.append(&after, ContentType::Html);
            }
            Ok(())
        }));
    rewrite_str(html, settings).unwrap_or_else(|error| {
        tracing::warn!(%error, "the HTML of a mail cannot be read: it goes out without links of its own");
        html.to_owned()
    })
}

fn is_web(target: &str) -> bool {
    let begins = |scheme: &str| target.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    begins("http://") || begins("https://")
}

#[cfg(test)]
mod tests {
    use super::tracked;

    fn of(html: &str) -> String {
        tracked(html, "http://own/", "http://own/o/T", |url| format!("http://own/c/{}", url.len()))
    }

    #[test]
    fn links_to_the_web_are_replaced_and_nothing_else() {
        let html = r#"<p title="https://a">x</p><a href="https:&#x2f;&#x2f;a.example?a=1&amp;b=2">a</a> <a href='mailto:b@c.example'>b</a> <A HREF=#top>c</A>
            <a href="http://own/u/x">d</a><!-- <a href="https://e"> -->"#;
        let out = of(html);
        assert!(out.contains(r#"<a href="http://own/c/25">a</a>"#), "{out}");
        for kept in [r#"title="https://a""#, "mailto:b@c.example", "#top", "http://own/u/x", r#"<!-- <a href="https://e"> -->"#] {
            assert!(out.contains(kept), "{kept} in {out}");
        }
    }

    #[test]
    fn the_picture_stands_once_at_the_end_of_the_body_or_of_what_is_there() {
        let picture = r#"<img src="http://own/o/T""#;
        for html in ["<html><body><p>x</p></body></html>", "<p>x", "<body><p>x", "", "<div><"] {
            assert_eq!(of(html).matches(picture).count(), 1, "{html} became {}", of(html));
        }
        assert!(of("<body>x</body>").ends_with("</body>"), "{}", of("<body>x</body>"));
    }
}
