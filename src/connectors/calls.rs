//! How many calls each system was asked, logins and repeats included; of mail, how many messages were handed over.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::System;

/// Counts since the start; take the difference of two for one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    pub salesforce: u64,
    pub pendo: u64,
    pub gainsight: u64,
    pub px: u64,
    pub mail: u64,
}

impl Calls {
    /// The calls made since `earlier`.
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            salesforce: self.salesforce.saturating_sub(earlier.salesforce),
            pendo: self.pendo.saturating_sub(earlier.pendo),
            gainsight: self.gainsight.saturating_sub(earlier.gainsight),
            px: self.px.saturating_sub(earlier.px),
            mail: self.mail.saturating_sub(earlier.mail),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    salesforce: AtomicU64,
    pendo: AtomicU64,
    gainsight: AtomicU64,
    px: AtomicU64,
    mail: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, system: System) {
        let counter = match system {
            System::Salesforce => &self.salesforce,
            System::Pendo => &self.pendo,
            System::Gainsight => &self.gainsight,
            System::Px => &self.px,
            System::Mail => &self.mail,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Calls {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Calls {
            salesforce: get(&self.salesforce),
            pendo: get(&self.pendo),
            gainsight: get(&self.gainsight),
            px: get(&self.px),
            mail: get(&self.mail),
        }
    }
}
