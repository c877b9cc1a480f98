//! Links that mails carry. Each holds whom, which step and what it is for, signed with the workspace's own key: nobody can make one up or
//! change one, and nothing has to be kept for it. It says a number and the step's name, and nothing else of the person.

use std::{fmt, sync::Arc};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::store::ParticipantId;

/// Bytes of a signature: as hard to guess as a key of a symmetric cipher.
const SIGNATURE: usize = 16;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    Open = 1,
    Click = 2,
    Unsubscribe = 3,
    Survey = 4,
}

impl Purpose {
    /// The first part of the path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Open => "o",
            Self::Click => "c",
            Self::Unsubscribe => "u",
            Self::Survey => "survey",
        }
    }
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub participant: ParticipantId,
    /// The step whose mail carries the link.
    pub step: String,
    /// Where a click leads; else empty.
    pub url: String,
}

/// Makes links and reads them. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    base: Arc<str>,
    key: [u8; 32],
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Links({})", self.base)
    }
}

impl Links {
    /// `base` is the address that people reach the server by, without a slash at its end.
    pub fn new(base: &str, key: [u8; 32]) -> Self {
        Self { base: base.trim_end_matches('/').into(), key }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// A whole address.
    pub fn url(&self, purpose: Purpose, ticket: &Ticket) -> String {
        format!("{}/{}/{}", self.base, purpose.path(), self.sign(purpose, ticket))
    }

    fn sign(&self, purpose: Purpose, ticket: &Ticket) -> String {
        let id = ticket.participant.as_i64().to_be_bytes();
        let id = id.get(id.iter().take_while(|byte| **byte == 0).count()..).unwrap_or_default();
        let mut bytes = vec![purpose as u8, u8::try_from(id.len()).unwrap_or(0)];
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(&u16::try_from(ticket.step.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(ticket.step.as_bytes());
        bytes.extend_from_slice(ticket.url.as_bytes());
        bytes.extend_from_slice(&self.signature(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a link of this purpose says; nothing when it was not made here.
    pub fn read(&self, purpose: Purpose, token: &str) -> Option<Ticket> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        verify_slices_are_equal(&self.signature(said), signature).ok()?;
        let (kind, rest) = said.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(*length)).filter(|(id, _)| id.len() <= 8)?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (step, url) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let id = id.iter().fold(0_i64, |id, byte| id << 8 | i64::from(*byte));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        (*kind == purpose as u8).then_some(Ticket { participant: ParticipantId::from_i64(id), step: text(step)?, url: text(url)? })
    }

    fn signature(&self, said: &[u8]) -> [u8; SIGNATURE] {
        let hash = blake3::keyed_hash(&self.key, said);
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// A word that only this workspace knows, the same at every start: for paths of web hooks, and for those who look at reports.
    pub fn secret(&self, about: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.signature(format!("secret {about}").as_bytes()))
    }

    /// Whether it is that word, told in a time that says nothing about it.
    pub fn is_secret(&self, about: &str, word: &str) -> bool {
        verify_slices_are_equal(self.secret(about).as_bytes(), word.as_bytes()).is_ok()
    }
}
