//! What the server says, in the words of Postfix and of the big providers (RFC 5321 reply codes, RFC 3463 enhanced codes).

/// Bytes of a message at most, as at Gmail.
pub(super) const SIZE: usize = 25 << 20;

pub(super) const GREETING: &str = "220 sandbox.tabi.example ESMTP";
pub(super) const EHLO: [&str; 7] =
    ["sandbox.tabi.example", "PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"];
pub(super) const HELO: &str = "250 sandbox.tabi.example";
pub(super) const BYE: &str = "221 2.0.0 Bye";
pub(super) const OK: &str = "250 2.0.0 Ok";
pub(super) const SENDER_OK: &str = "250 2.1.0 Ok";
pub(super) const RECIPIENT_OK: &str = "250 2.1.5 Ok";
pub(super) const GO_AHEAD: &str = "354 End data with <CR><LF>.<CR><LF>";
pub(super) const LET_IN: &str = "235 2.7.0 Authentication successful";
pub(super) const USER_NAME: &str = "334 VXNlcm5hbWU6";
pub(super) const PASSWORD: &str = "334 UGFzc3dvcmQ6";
pub(super) const CREDENTIALS: &str = "334 ";
pub(super) const HELP: &str = "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP AUTH VRFY QUIT";
pub(super) const UNVERIFIED: &str = "252 2.0.0 Cannot verify the user, but will take the message";

pub(super) const IDLE: &str = "421 4.4.2 Idle for too long, closing connection";
pub(super) const TOO_MANY_ERRORS: &str = "421 4.7.0 Too many errors, closing connection";
pub(super) const TOO_MANY_RECIPIENTS: &str = "452 4.5.3 Too many recipients";
pub(super) const NOT_STORED: &str = "451 4.3.0 The message could not be stored";
pub(super) const LINE_TOO_LONG: &str = "500 5.5.2 Line too long";
pub(super) const UNKNOWN_COMMAND: &str = "500 5.5.2 Command not recognised";
pub(super) const SYNTAX: &str = "501 5.5.4 Syntax error in parameters";
pub(super) const CANCELLED: &str = "501 5.7.0 Authentication cancelled";
pub(super) const NOT_BASE64: &str = "501 5.5.2 Cannot decode the credentials";
pub(super) const NOT_IMPLEMENTED: &str = "502 5.5.1 Command not implemented";
pub(super) const SAY_HELLO: &str = "503 5.5.1 Say EHLO or HELO first";
pub(super) const NEEDS_MAIL: &str = "503 5.5.1 MAIL first";
pub(super) const NEEDS_RCPT: &str = "503 5.5.1 RCPT first";
pub(super) const NESTED_MAIL: &str = "503 5.5.1 Sender already given";
pub(super) const UNKNOWN_MECHANISM: &str = "504 5.5.4 Unrecognised authentication type";
pub(super) const NO_SUCH_USER: &str = "550 5.1.1 The e-mail account that you tried to reach does not exist";
pub(super) const TOO_LARGE: &str = "552 5.3.4 Message size exceeds the limit";
pub(super) const BAD_SENDER: &str = "553 5.1.7 The sender's address is not valid";
pub(super) const BAD_RECIPIENT: &str = "553 5.1.3 The recipient's address is not valid";
pub(super) const NEEDS_SMTPUTF8: &str = "553 5.6.7 Non-ASCII addresses need SMTPUTF8";
pub(super) const LONG_TEXT_LINE: &str = "554 5.6.0 A line of the message is longer than 998 characters";
pub(super) const UNKNOWN_PARAMETER: &str = "555 5.5.4 Unsupported parameter";

/// Faults.
pub(super) const TOO_OFTEN: &str = "450 4.7.0 Too many messages, slow down and try again later";
pub(super) const BROKEN: &str = "451 4.3.0 Temporary server error";
pub(super) const AWAY: &str = "421 4.3.2 Service not available, closing connection";
pub(super) const EXPIRED: &str = "535 5.7.8 Username and password not accepted";
pub(super) const SPENT: &str = "452 4.5.3 Daily sending quota exceeded";
pub(super) const MAILBOX_BUSY: &str = "450 4.2.1 The mailbox is busy";
pub(super) const HTML: &str = "<!DOCTYPE html>\r\n<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>";
/// The beginning of `OK`, and nothing more.
pub(super) const HALF: &str = "250 2.";
