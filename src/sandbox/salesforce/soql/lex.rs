//! SOQL text to tokens.

use crate::sandbox::salesforce::soql::fault::QueryFault;
use crate::sandbox::salesforce::time;
use smol_str::SmolStr;
use winnow::Parser;
use winnow::combinator::{alt, opt, preceded};
use winnow::error::ContextError;
use winnow::token::{one_of, take_while};

/// Stands for an escaped `%` inside a text, which `LIKE` takes literally.
pub(crate) const PERCENT: char = '\u{F0001}';
/// Stands for an escaped `_` inside a text, which `LIKE` takes literally.
pub(crate) const UNDERSCORE: char = '\u{F0002}';

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sort {
    Word(SmolStr),
    Text(String),
    Number(f64),
    Date(i32),
    Datetime(i64),
    Mark(&'static str),
    End,
}

/// A token and its byte place.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) sort: Sort,
    pub(crate) place: usize,
    pub(crate) end: usize,
}

type Lexed<T> = Result<T, ContextError>;

/// Splits a query into tokens; the last one is always [`Sort::End`].
pub(crate) fn tokens(query: &str) -> Result<Vec<Token>, QueryFault> {
    let mut rest = query;
    let mut out = Vec::new();
    loop {
        rest = rest.trim_start();
        let place = query.len() - rest.len();
        if rest.is_empty() {
            out.push(Token { sort: Sort::End, place, end: place });
            return Ok(out);
        }
        let sort = if rest.starts_with('\'') {
            text(&mut rest, query)?
        } else {
            alt((word, instant, number, mark)).parse_next(&mut rest).map_err(|_| strange(query, place))?
        };
        out.push(Token { sort, place, end: query.len() - rest.len() });
    }
}

fn strange(query: &str, place: usize) -> QueryFault {
    let found = query[place..].chars().next().unwrap_or(' ');
    QueryFault::at("MALFORMED_QUERY", query, place, &format!("unexpected token: '{found}'"))
}

fn word(input: &mut &str) -> Lexed<Sort> {
    (one_of(|c: char| c.is_ascii_alphabetic() || c == '_'), take_while(0.., |c: char| c.is_ascii_alphanumeric() || c == '_'))
        .take()
        .map(|text: &str| Sort::Word(SmolStr::new(text)))
        .parse_next(input)
}

fn number(input: &mut &str) -> Lexed<Sort> {
    let digits = || take_while(1.., |c: char| c.is_ascii_digit());
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digits());
    let body = alt(((digits(), opt(preceded('.', take_while(0.., |c: char| c.is_ascii_digit())))).void(), ('.', digits()).void()));
    (opt(one_of(['+', '-'])), body, opt(exponent)).take().try_map(str::parse).map(Sort::Number).parse_next(input)
}

fn instant(input: &mut &str) -> Lexed<Sort> {
    let day = (digit_run(4), '-', digit_run(2), '-', digit_run(2));
    let zone = alt(("Z".void(), (one_of(['+', '-', ' ']), digit_run(2), opt(':'), digit_run(2)).void()));
    let clock = ('T', digit_run(2), ':', digit_run(2), ':', digit_run(2), opt(('.', take_while(1.., |c: char| c.is_ascii_digit()))), zone);
    (day, opt(clock))
        .take()
        .verify_map(|text: &str| match text.len() {
            10 => time::parse_date(text).map(Sort::Date),
            // A plus sign that was not encoded arrives as a blank.
            _ => time::parse_datetime(&text.replace(' ', "+")).map(Sort::Datetime),
        })
        .parse_next(input)
}

fn digit_run<'a>(count: usize) -> impl Parser<&'a str, &'a str, ContextError> {
    take_while(count..=count, |c: char| c.is_ascii_digit())
}

fn mark(input: &mut &str) -> Lexed<Sort> {
    alt((alt(("!=", "<>", "<=", ">=")), alt(("=", "<", ">", "(", ")", ",", ".", ":"))))
        .map(|text: &str| {
            Sort::Mark(match text {
                "<>" | "!=" => "!=",
                "<=" => "<=",
                ">=" => ">=",
                "=" => "=",
                "<" => "<",
                ">" => ">",
                "(" => "(",
                ")" => ")",
                "," => ",",
                "." => ".",
                _ => ":",
            })
        })
        .parse_next(input)
}

fn text(rest: &mut &str, query: &str) -> Result<Sort, QueryFault> {
    let start = query.len() - rest.len();
    let bad = |detail: &str| QueryFault::at("MALFORMED_QUERY", query, start, detail);
    let mut out = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => {
                *rest = &rest[at + 1..];
                return Ok(Sort::Text(out));
            }
            '\\' => {
                let Some((_, escaped)) = chars.next() else { break };
                out.push(match escaped {
                    'n' | 'N' => '\n',
                    'r' | 'R' => '\r',
                    't' | 'T' => '\t',
                    'b' | 'B' => '\u{8}',
                    'f' | 'F' => '\u{c}',
                    '"' | '\'' | '\\' => escaped,
                    '%' => PERCENT,
                    '_' => UNDERSCORE,
                    'u' | 'U' => {
                        let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).ok_or_else(|| bad("Illegal unicode escape in string literal"))?
                    }
                    other => return Err(bad(&format!("Invalid string literal. Illegal character sequence '\\{other}' in string literal"))),
                });
            }
            _ => out.push(c),
        }
    }
    Err(bad("unexpected token: ''' (unterminated string literal)"))
}
