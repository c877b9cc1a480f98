//! How many calls each system was asked, logins and repeats included; of mail, how many messages were handed over.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::model::System;

tokio::task_local! {
    /// Whose calls are being made.
    static FOR: Counting;
}

/// The calls of one piece of work, whatever else is called meanwhile. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counting(Arc<Counters>);

impl Counting {
    /// Calls so far.
    pub fn calls(&self) -> Calls {
        self.0.read()
    }

    /// Counts what `work` calls.
    pub async fn over<T>(&self, work: impl Future<Output = T>) -> T {
        FOR.scope(self.clone(), work).await
    }
}

/// Counts per system.
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
    /// Counts a call, for whoever it is made, too.
    pub(super) fn count(&self, system: System) {
        self.add(system);
        // Outside of `Counting::over` there is nobody to tell.
        let _ = FOR.try_with(|counting| counting.0.add(system));
    }

    fn add(&self, system: System) {
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
