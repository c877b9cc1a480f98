//! Whom messages went to, over all journeys, and which addresses get none. Addresses are the same in any case.

use rusqlite::{Connection, params};

use crate::model::Timestamp;

use super::{
    Error, Store,
    error::Fail,
    open::{instant, micros, select},
};

impl Store {
    /// Notes that a message went to a person: an e-mail address or a PX user id. The same message is noted once.
    pub fn sent_message(&self, person: &str, at: Timestamp, journey: &str, step: &str) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("INSERT INTO messages (person, at, journey, step) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
                .execute(params![person, micros(at), journey, step])?;
            Ok(())
        })
    }

    /// Messages that a person got at `since` or later, over all journeys.
    pub fn sent_to(&self, email_or_px: &str, since: Timestamp) -> Result<u32, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached("SELECT count(*) FROM messages WHERE person = ?1 AND at >= ?2")?;
            Ok(statement.query_row(params![email_or_px, micros(since)], |row| row.get(0))?)
        })
    }

    /// When messages went to each of these people over all journeys after an instant, oldest first: to see when the next one may.
    pub fn messages_of(&self, people: &[&str], since: Timestamp) -> Result<Vec<Vec<Timestamp>>, Error> {
        let query = "SELECT at FROM messages WHERE person = ?1 AND at > ?2 ORDER BY at";
        self.read(|sql| people.iter().map(|person| select(sql, query, params![person, micros(since)], |row| instant(row.get(0)?))).collect())
    }

    /// No more mail to this address, by its own wish. The first time and reason stay.
    pub fn unsubscribe(&self, email: &str, at: Timestamp, why: &str) -> Result<(), Error> {
        self.suppress(email, "unsubscribed", at, why)
    }

    pub fn is_unsubscribed(&self, email: &str) -> Result<bool, Error> {
        self.is_suppressed(email, "unsubscribed")
    }

    /// No more mail to this address: it does not take any.
    pub fn bounced(&self, email: &str, at: Timestamp, why: &str) -> Result<(), Error> {
        self.suppress(email, "bounced", at, why)
    }

    pub fn is_bounced(&self, email: &str) -> Result<bool, Error> {
        self.is_suppressed(email, "bounced")
    }

    fn suppress(&self, email: &str, kind: &str, at: Timestamp, why: &str) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("INSERT INTO suppressions (email, kind, at, why) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
                .execute(params![email, kind, micros(at), why])?;
            Ok(())
        })
    }

    fn is_suppressed(&self, email: &str, kind: &str) -> Result<bool, Error> {
        self.read(|sql| Ok(sql.prepare_cached("SELECT 1 FROM suppressions WHERE email = ?1 AND kind = ?2")?.exists([email, kind])?))
    }
}

/// A message by an intent, noted with the intent's own journey and step.
pub(super) fn note(sql: &Connection, person: &str, at: Timestamp, intent: i64) -> Result<(), Fail> {
    let query = "INSERT INTO messages (person, at, journey, step) SELECT ?1, ?2, journey, step FROM intents WHERE id = ?3 ON CONFLICT DO NOTHING";
    sql.prepare_cached(query)?.execute(params![person, micros(at), intent])?;
    Ok(())
}
