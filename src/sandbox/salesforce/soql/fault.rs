//! What is wrong with a query, in the words and with the caret drawing of the service (section 3.4 of the API notes).

/// A refused query: the error code and the message of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryFault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl QueryFault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A fault at a byte of the query, with the line and the caret under the place.
    pub(crate) fn at(code: &'static str, query: &str, place: usize, detail: &str) -> Self {
        let before = query.get(..place).unwrap_or(query);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line_end = query[line_start..].find('\n').map_or(query.len(), |i| line_start + i);
        let line: Vec<char> = query[line_start..line_end].chars().collect();
        let column = before[line_start..].chars().count();
        let from = column.saturating_sub(60);
        let snippet: String = line[from..line.len().min(column + 60)].iter().collect();
        let row = before.matches('\n').count() + 1;
        let caret = " ".repeat(column - from);
        Self::new(code, format!("\n{snippet}\n{caret}^\nERROR at Row:{row}:Column:{}\n{detail}", column + 1))
    }

    /// `MALFORMED_QUERY` without a place.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new("MALFORMED_QUERY", message)
    }

    /// `INVALID_FIELD` without a place.
    pub(crate) fn field(message: impl Into<String>) -> Self {
        Self::new("INVALID_FIELD", message)
    }
}
