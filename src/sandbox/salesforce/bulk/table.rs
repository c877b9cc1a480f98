//! CSV as bulk jobs take and give it (section 6.2 of the API notes).

use csv::{ByteRecord, Reader, ReaderBuilder};

/// The byte of a declared delimiter.
pub(crate) fn delimiter(name: &str) -> Option<u8> {
    Some(match name {
        "COMMA" => b',',
        "TAB" => b'\t',
        "PIPE" => b'|',
        "SEMICOLON" => b';',
        "CARET" => b'^',
        "BACKQUOTE" => b'`',
        _ => return None,
    })
}

/// A reader over the rows behind the header.
pub(crate) fn rows(content: &[u8], delimiter: u8) -> Reader<&[u8]> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(content)
}

/// The header's names.
pub(crate) fn header(content: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let mut reader = rows(content, delimiter);
    let names: Vec<String> = reader.headers().ok()?.iter().map(|name| name.trim().to_owned()).collect();
    (!names.is_empty() && !names.iter().all(String::is_empty)).then_some(names)
}

/// Whether the first line ends as declared; text of one line ends either way.
pub(crate) fn ends_as_declared(content: &[u8], crlf: bool) -> bool {
    match content.iter().position(|b| *b == b'\n') {
        Some(0) => !crlf,
        Some(at) => (content[at - 1] == b'\r') == crlf,
        None => true,
    }
}

/// Appends one line: all values quoted.
pub(crate) fn push_line<'a>(out: &mut Vec<u8>, values: impl Iterator<Item = &'a [u8]>, delimiter: u8, end: &str) {
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.push(delimiter);
        }
        out.push(b'"');
        for byte in value {
            if *byte == b'"' {
                out.push(b'"');
            }
            out.push(*byte);
        }
        out.push(b'"');
    }
    out.extend_from_slice(end.as_bytes());
}

/// A cell of a row as text.
pub(crate) fn text(record: &ByteRecord, column: usize) -> String {
    String::from_utf8_lossy(record.get(column).unwrap_or_default()).into_owned()
}
