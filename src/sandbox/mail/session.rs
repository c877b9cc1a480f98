//! One conversation. A fault is drawn once for each message, when its sender is named.

use std::{borrow::Cow, io, sync::Arc, time::Duration};

use base64::Engine as _;
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, Error as Misspoken, MAIL_SMTPUTF8, MailFrom, Request};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{
    office::{Letter, Office},
    replies as say,
};
use crate::sandbox::faults::Kind;

/// Bytes of a command and of a line of text, their ends included (RFC 5321, 4.5.3.1: 512 and 1000; parameters may lengthen a command).
const COMMAND: usize = 4096;
const TEXT_LINE: usize = 1000;
const RECIPIENTS: usize = 100;
const ERRORS: u32 = 20;
const PATIENCE: Duration = Duration::from_mins(5);

struct Conversation {
    office: Arc<Office>,
    stream: BufReader<TcpStream>,
    greeted: bool,
    letter: Option<Letter>,
    fault: Option<Kind>,
    errors: u32,
}

/// How it goes on.
enum Next {
    Say(&'static str),
    /// Said already.
    Listen,
    SayAndClose(&'static str),
    /// What is given is written as it is, and nothing more.
    Break(&'static str),
    /// The peer sees a reset.
    Cut,
}

enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

/// Talks until either side has enough.
pub(super) async fn converse(office: Arc<Office>, stream: TcpStream) {
    let mut conversation = Conversation { office, stream: BufReader::new(stream), greeted: false, letter: None, fault: None, errors: 0 };
    if let Err(error) = conversation.run().await {
        tracing::debug!(%error, "a conversation with the sandbox's mail server broke off");
    }
}

impl Conversation {
    async fn run(&mut self) -> io::Result<()> {
        self.say(say::GREETING).await?;
        loop {
            let line = match tokio::time::timeout(PATIENCE, self.line(COMMAND)).await {
                Ok(line) => line?,
                Err(_) => return self.say(say::IDLE).await,
            };
            let next = match line {
                Line::End => return Ok(()),
                Line::TooLong => Next::Say(say::LINE_TOO_LONG),
                Line::Text(line) => self.command(&line).await?,
            };
            match next {
                Next::Say(reply) => {
                    self.errors += u32::from(reply.starts_with('5'));
                    self.say(reply).await?;
                    if self.errors >= ERRORS {
                        return self.say(say::TOO_MANY_ERRORS).await;
                    }
                }
                Next::Listen => (),
                Next::SayAndClose(reply) => return self.say(reply).await,
                Next::Break(text) => {
                    self.stream.write_all(text.as_bytes()).await?;
                    return self.stream.shutdown().await;
                }
                Next::Cut => return self.stream.get_ref().set_zero_linger(),
            }
        }
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await
    }

    /// A line with its end, of at most so many bytes; of a longer one the rest is thrown away.
    async fn line(&mut self, longest: usize) -> io::Result<Line> {
        let mut line = Vec::new();
        let mut long = false;
        loop {
            line.clear();
            let read = (&mut self.stream).take(longest as u64).read_until(b'\n', &mut line).await?;
            match line.last() {
                Some(b'\n') if long => return Ok(Line::TooLong),
                Some(b'\n') => return Ok(Line::Text(line)),
                // Ended within a line: nobody waits for an answer.
                _ if read < longest => return Ok(Line::End),
                _ => long = true,
            }
        }
    }

    async fn command(&mut self, line: &[u8]) -> io::Result<Next> {
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return Ok(Next::Say(misspoken(&error))),
        };
        Ok(match request {
            Request::Ehlo { .. } => {
                self.begin();
                self.hello().await?;
                Next::Listen
            }
            Request::Helo { .. } => {
                self.begin();
                Next::Say(say::HELO)
            }
            Request::Quit => Next::SayAndClose(say::BYE),
            Request::Noop { .. } => Next::Say(say::OK),
            Request::Help { .. } => Next::Say(say::HELP),
            Request::Vrfy { .. } => Next::Say(say::UNVERIFIED),
            Request::Rset => {
                self.letter = None;
                Next::Say(say::OK)
            }
            _ if !self.greeted => Next::Say(say::SAY_HELLO),
            Request::Auth { mechanism, initial_response } => self.auth(mechanism, &initial_response).await?,
            Request::Mail { from } => self.mail(&from),
            Request::Rcpt { to } => self.recipient(to.address),
            Request::Data => self.data().await?,
            _ => Next::Say(say::NOT_IMPLEMENTED),
        })
    }

    fn begin(&mut self) {
        self.greeted = true;
        self.letter = None;
    }

    async fn hello(&mut self) -> io::Result<()> {
        let last = say::EHLO.len() - 1;
        let lines = say::EHLO.iter().enumerate().map(|(at, line)| format!("250{}{line}\r\n", if at == last { ' ' } else { '-' }));
        let text: String = lines.collect();
        self.stream.write_all(text.as_bytes()).await
    }

    /// Everybody is let in who says something that can be credentials.
    async fn auth(&mut self, mechanism: u64, initial: &str) -> io::Result<Next> {
        let questions: &[&str] = match mechanism {
            AUTH_PLAIN if initial.is_empty() => &[say::CREDENTIALS],
            AUTH_LOGIN if initial.is_empty() => &[say::USER_NAME, say::PASSWORD],
            AUTH_LOGIN => &[say::PASSWORD],
            AUTH_PLAIN => &[],
            _ => return Ok(Next::Say(say::UNKNOWN_MECHANISM)),
        };
        let mut answers = vec![initial.to_owned()];
        for question in questions {
            self.say(question).await?;
            match self.line(COMMAND).await? {
                Line::Text(line) => answers.push(String::from_utf8_lossy(&line).trim().to_owned()),
                Line::TooLong => return Ok(Next::Say(say::LINE_TOO_LONG)),
                Line::End => return Ok(Next::Cut),
            }
        }
        if answers.iter().any(|answer| answer == "*") {
            return Ok(Next::Say(say::CANCELLED));
        }
        let decodes = |answer: &String| base64::engine::general_purpose::STANDARD.decode(answer).is_ok();
        Ok(Next::Say(if answers.iter().all(decodes) { say::LET_IN } else { say::NOT_BASE64 }))
    }

    fn mail(&mut self, from: &MailFrom<Cow<'_, str>>) -> Next {
        if self.letter.is_some() {
            return Next::Say(say::NESTED_MAIL);
        }
        if from.size > say::SIZE {
            return Next::Say(say::TOO_LARGE);
        }
        let utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if !utf8 && !from.address.is_ascii() {
            return Next::Say(say::NEEDS_SMTPUTF8);
        }
        if !from.address.is_empty() && !from.address.contains('@') {
            return Next::Say(say::BAD_SENDER);
        }
        self.fault = self.office.world.faults.request("mail");
        let letter = Letter { from: from.address.to_string(), to: Vec::new(), utf8 };
        let (reply, code) = match self.fault {
            Some(Kind::TooManyRequests) => (Next::Say(say::TOO_OFTEN), 450),
            Some(Kind::Unavailable) => (Next::SayAndClose(say::AWAY), 421),
            Some(Kind::Expired) => (Next::Say(say::EXPIRED), 535),
            Some(Kind::Limit) => (Next::Say(say::SPENT), 452),
            Some(Kind::Html) => (Next::SayAndClose(say::HTML), 0),
            _ => {
                self.letter = Some(letter);
                return Next::Say(say::SENDER_OK);
            }
        };
        self.office.log(&letter, code, self.fault);
        reply
    }

    fn recipient(&mut self, address: Cow<'_, str>) -> Next {
        let Some(letter) = &mut self.letter else { return Next::Say(say::NEEDS_MAIL) };
        if letter.to.len() >= RECIPIENTS {
            return Next::Say(say::TOO_MANY_RECIPIENTS);
        }
        if !letter.utf8 && !address.is_ascii() {
            return Next::Say(say::NEEDS_SMTPUTF8);
        }
        let Some((local, _)) = address.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty()) else {
            return Next::Say(say::BAD_RECIPIENT);
        };
        let refused = if local.to_ascii_lowercase().contains("bounce") {
            Some((say::NO_SUCH_USER, 550))
        } else {
            self.office.world.faults.row_is_locked("mail").then_some((say::MAILBOX_BUSY, 450))
        };
        if let Some((reply, code)) = refused {
            let alone = Letter { to: vec![address.into_owned()], ..letter.clone() };
            self.office.log(&alone, code, None);
            return Next::Say(reply);
        }
        letter.to.push(address.into_owned());
        Next::Say(say::RECIPIENT_OK)
    }

    async fn data(&mut self) -> io::Result<Next> {
        match &self.letter {
            None => return Ok(Next::Say(say::NEEDS_MAIL)),
            Some(letter) if letter.to.is_empty() => return Ok(Next::Say(say::NEEDS_RCPT)),
            Some(_) => self.say(say::GO_AHEAD).await?,
        }
        let text = match tokio::time::timeout(PATIENCE, self.text()).await {
            Ok(text) => text?,
            Err(_) => return Ok(Next::SayAndClose(say::IDLE)),
        };
        let Some(letter) = self.letter.take() else { return Ok(Next::Cut) };
        match text {
            Some(Ok(text)) => self.take(&letter, &text).await,
            Some(Err(reply)) => {
                self.office.log(&letter, 552, None);
                Ok(Next::Say(reply))
            }
            // Without its end it is no message.
            None => Ok(Next::Cut),
        }
    }

    /// The message up to the dot alone on its line, dots at the beginning of other lines taken off. Only CRLF ends a line: a server
    /// that takes a bare LF for one can be made to see messages that nobody sent.
    async fn text(&mut self) -> io::Result<Option<Result<Vec<u8>, &'static str>>> {
        let (mut text, mut refused, mut fresh) = (Vec::new(), None, true);
        loop {
            let line = match self.line(TEXT_LINE).await? {
                Line::Text(line) => line,
                Line::TooLong => {
                    refused = refused.or(Some(say::LONG_TEXT_LINE));
                    fresh = true;
                    continue;
                }
                Line::End => return Ok(None),
            };
            if fresh && line == b".\r\n" {
                return Ok(Some(refused.map_or(Ok(text), Err)));
            }
            let stuffed = fresh && line.first() == Some(&b'.');
            fresh = line.ends_with(b"\r\n");
            if text.len() + line.len() > say::SIZE {
                refused = refused.or(Some(say::TOO_LARGE));
            }
            if refused.is_none() {
                text.extend_from_slice(line.get(usize::from(stuffed)..).unwrap_or_default());
            }
        }
    }

    /// Stores the message, unless a fault comes before or after.
    async fn take(&mut self, letter: &Letter, text: &[u8]) -> io::Result<Next> {
        match self.fault {
            Some(Kind::ServerError) => {
                self.office.log(letter, 451, self.fault);
                return Ok(Next::Say(say::BROKEN));
            }
            Some(Kind::Reset) => {
                self.office.log(letter, 0, self.fault);
                return Ok(Next::Cut);
            }
            Some(Kind::Timeout) => {
                self.office.log(letter, 0, self.fault);
                tokio::time::sleep(Duration::from_mins(1)).await;
                return Ok(Next::Cut);
            }
            Some(Kind::Slow(ms)) => tokio::time::sleep(Duration::from_millis(ms)).await,
            _ => (),
        }
        let id = match self.office.accept(letter, text) {
            Ok(id) => id,
            Err(error) => {
                tracing::warn!(%error, "the sandbox could not store a message");
                self.office.log(letter, 451, self.fault);
                return Ok(Next::Say(say::NOT_STORED));
            }
        };
        let next = match self.fault {
            Some(Kind::ResetAfter) => Next::Cut,
            Some(Kind::Truncate) => Next::Break(say::HALF),
            _ => {
                self.say(&format!("250 2.0.0 Ok: queued as {id}")).await?;
                Next::Listen
            }
        };
        self.office.log(letter, if matches!(next, Next::Listen) { 250 } else { 0 }, self.fault);
        Ok(next)
    }
}

fn misspoken(error: &Misspoken) -> &'static str {
    match error {
        Misspoken::InvalidSenderAddress => say::BAD_SENDER,
        Misspoken::InvalidRecipientAddress => say::BAD_RECIPIENT,
        Misspoken::UnsupportedParameter { .. } => say::UNKNOWN_PARAMETER,
        Misspoken::SyntaxError { .. } | Misspoken::InvalidParameter { .. } => say::SYNTAX,
        Misspoken::ResponseTooLong => say::LINE_TOO_LONG,
        Misspoken::UnknownCommand | Misspoken::NeedsMoreData { .. } | Misspoken::InvalidResponse { .. } => say::UNKNOWN_COMMAND,
    }
}
