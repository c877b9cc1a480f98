//! That a declaration writes something, or has its name: of two that claim the same thing only the older one runs.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `name usage-push`, or `salesforce account.health_score__c`.
    pub what: String,
    /// The declaration, and its file.
    pub name: String,
    pub file: String,
    /// Lower numbers were there first.
    pub since: u64,
    /// Whether it runs; otherwise it waits for another one to go.
    pub live: bool,
}
