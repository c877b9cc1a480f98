//! The living process: one loop over one closed list of events. Scripts are loaded and work is done on threads of their own;
//! what they come to arrives here as an event, so that nothing in the loop ever waits for a system.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    config,
    connectors::Stop,
    flow::{
        self, Hands, Notify, Summary,
        journey::{Mailer, Occasion, Published, wake},
    },
    model::Known,
    script::Declaration,
};

pub use super::once::once;
use super::{
    Earlier, Error, Loaded, Session, Workspace, backtest,
    clock::stopwatch,
    due::{self, Due, Since},
    journeys::{self, Look},
    known::{columns, known},
    reload::{Receipt, reload_after},
    sweep::{SWEEP, sweep},
    watch::{Settle, Watch, checkout},
};

/// How long work in flight may take once the host is asked to stop.
const GRACE: Duration = Duration::from_secs(4);

/// How long a journey rests after a look at what is due in it, and after one that failed: what is wrong then is wrong a little longer.
const REST: jiff::SignedDuration = jiff::SignedDuration::from_millis(500);
const REST_AFTER_FAILURE: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

/// What the host tells while it lives.
#[derive(Debug)]
pub enum Told<'a> {
    /// It is ready; the first generation's receipt.
    Ready(&'a Receipt),
    Reloaded(&'a Receipt),
    /// What the save of a generation would make different.
    Backtested(&'a backtest::Report),
    /// Declarations began to run.
    Began(&'a [String]),
    Ended(&'a Summary),
    /// `tabi.toml` was edited, and what comes of it; the host goes on with what it began with.
    Configured(&'a str),
    /// Something is not as it should be; the host goes on.
    Trouble(&'a str),
    Stopping,
}

/// How the host tells it.
pub type Tell = Arc<dyn Fn(Told<'_>) + Send + Sync>;

/// Everything that can happen.
enum Event {
    /// Something in the scripts folder may have changed.
    Hint,
    /// It is quiet, or it is time to look without a hint.
    Look,
    /// A generation was loaded beside the current one.
    Loaded(Box<(Loaded, Receipt)>),
    /// What changed was run over the samples; the generation it was held against is that one from now on.
    Backtested(Box<(Arc<Loaded>, backtest::Report)>),
    /// A declaration is due.
    Due,
    /// Something came in from outside.
    Stirred,
    /// A declaration of a batch ended.
    Ended(Box<Summary>),
    /// A batch of declarations ended.
    BatchEnded(u64),
    Stop,
}

/// How the host learns of edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// The operating system tells; where it cannot, as with `Polling`.
    Told,
    /// It looks twice a second: for network folders and containers, of whose edits nobody tells.
    Polling,
}

/// Lives until `stop` comes, and then until what is in flight has finished, for at most four seconds.
pub fn up(
    workspace: &Workspace,
    session: &Session,
    watching: Watching,
    notify: &Notify,
    tell: &Tell,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    session.runtime().block_on(async {
        let (send, events) = unbounded_channel();
        let stopping = send.clone();
        tokio::spawn(async move {
            stop.await;
            drop(stopping.send(Event::Stop));
        });
        Host::start(workspace, session, watching, notify, tell, send).live(events).await;
    });
}

struct Host<'a> {
    workspace: &'a Workspace,
    session: &'a Session,
    notify: &'a Notify,
    tell: &'a Tell,
    send: UnboundedSender<Event>,
    loaded: Arc<Loaded>,
    loading: bool,
    /// The generation whose differences were told last, and what ends the telling of the next ones.
    backtested: Arc<Loaded>,
    backtesting: Stop,
    watch: Watch,
    settle: Settle,
    /// `tabi.toml` at the start, and as it was last seen.
    config: (Option<Arc<str>>, Option<Arc<str>>),
    since: BTreeMap<String, Since>,
    /// What was said about journeys last.
    remarks: BTreeSet<String>,
    /// What journeys go on under, where that is not what lies on disk.
    earlier: Earlier,
    mailers: BTreeMap<String, Mailer>,
    /// When what is old was last forgotten.
    swept: Option<Timestamp>,
    /// Whether columns have other labels than those that the declarations were held against.
    relabelled: bool,
    /// Until when journeys rest.
    resting: BTreeMap<String, Timestamp>,
    /// Names at work, by batch.
    running: BTreeMap<u64, BTreeSet<String>>,
    batches: u64,
}

impl<'a> Host<'a> {
    fn start(
        workspace: &'a Workspace,
        session: &'a Session,
        watching: Watching,
        notify: &'a Notify,
        tell: &'a Tell,
        send: UnboundedSender<Event>,
    ) -> Self {
        let hint = send.clone();
        // Nobody listens once the host has ended.
        let watch = match watching {
            Watching::Told => Watch::start(move || drop(hint.send(Event::Hint))),
            Watching::Polling => Watch::polling(),
        };
        // Without them the first file wins, as for those that have never run.
        let known = known(&session.store).unwrap_or_else(|error| {
            tracing::warn!(%error, "which declarations were there first is not known");
            Known::default()
        });
        let (loaded, receipt) = reload_after(workspace, None, &known);
        let found = loaded.look(&workspace.root);
        let loaded = Arc::new(loaded);
        let mut host = Self {
            workspace,
            session,
            notify,
            tell,
            send,
            backtested: Arc::clone(&loaded),
            backtesting: Stop::new(),
            loaded,
            loading: false,
            watch,
            settle: Settle::default(),
            config: (found.config.clone(), found.config),
            since: BTreeMap::new(),
            remarks: BTreeSet::new(),
            earlier: Earlier::default(),
            mailers: BTreeMap::new(),
            swept: None,
            relabelled: false,
            resting: BTreeMap::new(),
            running: BTreeMap::new(),
            batches: 0,
        };
        host.watch.follow(&found.folders);
        if let Some(trouble) = &host.watch.trouble {
            host.tell(Told::Trouble(&format!("the scripts folder cannot be watched ({trouble}): it is looked at every half second")));
        }
        // Known before it is told: whoever hears of it may turn the clock at once.
        host.know();
        session.receipts.keep(&receipt);
        host.tell(Told::Ready(&receipt));
        host.backtest();
        host
    }

    fn tell(&self, told: Told<'_>) {
        (self.tell)(told);
    }

    async fn live(&mut self, mut events: UnboundedReceiver<Event>) {
        loop {
            let next_due = self.begin_due();
            match self.next(&mut events, next_due).await {
                Event::Hint => self.settle.hint(stopwatch()),
                Event::Look => self.look(),
                Event::Loaded(loaded) => self.swap(*loaded),
                Event::Backtested(done) => self.backtested(*done),
                Event::Due | Event::Stirred => (),
                Event::Ended(summary) => self.ended(&summary),
                Event::BatchEnded(batch) => self.batch_ended(batch),
                Event::Stop => break,
            }
        }
        self.tell(Told::Stopping);
        self.session.stop.request();
        let _ = tokio::time::timeout(GRACE, self.finish(&mut events)).await;
    }

    /// What a run learned of columns' labels may show that two declarations write one of them.
    fn batch_ended(&mut self, batch: u64) {
        self.running.remove(&batch);
        if columns(&self.session.store).is_ok_and(|columns| columns != *self.loaded.generation.columns()) {
            self.relabelled = true;
            self.settle.hint(stopwatch());
        }
    }

    /// Waits for the batches in flight.
    async fn finish(&mut self, events: &mut UnboundedReceiver<Event>) {
        while !self.running.is_empty() {
            match events.recv().await {
                Some(Event::Ended(summary)) => self.tell(Told::Ended(&summary)),
                Some(Event::BatchEnded(batch)) => drop(self.running.remove(&batch)),
                Some(_) => (),
                None => return,
            }
        }
    }

    /// The next thing that happens.
    async fn next(&self, events: &mut UnboundedReceiver<Event>, due: Option<Timestamp>) -> Event {
        let quiet = self.settle.ripe().filter(|_| !self.loading).map(|ripe| ripe.saturating_duration_since(stopwatch()));
        let look = quiet.unwrap_or_else(|| self.watch.look_every());
        let due = async {
            match due {
                Some(at) => self.workspace.clock.reach(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            event = events.recv() => event.unwrap_or(Event::Stop),
            () = due => Event::Due,
            () = self.session.stirred.notified() => Event::Stirred,
            () = tokio::time::sleep(look), if !self.loading => Event::Look,
        }
    }

    /// Walks the folder, follows what is new in it, and loads what changed.
    fn look(&mut self) {
        self.settle.looked();
        if self.settle.hold(stopwatch(), checkout(&self.workspace.root)) {
            return;
        }
        let found = self.loaded.look(&self.workspace.root);
        // One that began during the look has been seen in part.
        if self.settle.hold(stopwatch(), checkout(&self.workspace.root)) {
            return;
        }
        self.configured(found.config.clone());
        if self.watch.follow(&found.folders) {
            self.settle.hint(stopwatch());
        }
        if self.loaded.is_of(&found) && !std::mem::take(&mut self.relabelled) {
            return;
        }
        self.loading = true;
        let (workspace, current, send) = (self.workspace.clone(), Arc::clone(&self.loaded), self.send.clone());
        let columns = columns(&self.session.store).unwrap_or_else(|_| current.generation.columns().clone());
        tokio::task::spawn_blocking(move || {
            let loaded = reload_after(&workspace, Some(&current), &Known { claims: Vec::new(), columns });
            drop(send.send(Event::Loaded(Box::new(loaded))));
        });
    }

    /// Tells of an edit of `tabi.toml`: connections, limits and zones stay as they are until the next start.
    fn configured(&mut self, text: Option<Arc<str>>) {
        if self.config.1 == text {
            return;
        }
        let parsed = config::parse(text.as_deref().unwrap_or_default(), &self.workspace.root.join(config::FILE));
        let message = match parsed {
            _ if text == self.config.0 => "tabi.toml is as it was at the start again".to_owned(),
            Ok(_) => "tabi.toml has changed; restart to take it up".to_owned(),
            Err(error) => {
                let line = error.place().map(|(_, line, _)| format!(" in line {line}")).unwrap_or_default();
                format!("tabi.toml has changed and is wrong{line}: {error}")
            }
        };
        self.config.1 = text;
        self.tell(Told::Configured(&message));
    }

    /// Takes the new generation for everything that begins from now on.
    fn swap(&mut self, (loaded, receipt): (Loaded, Receipt)) {
        self.loading = false;
        // A checkout that began while files were read: they are read again when it has ended.
        if self.settle.hold(stopwatch(), checkout(&self.workspace.root)) {
            return;
        }
        self.loaded = Arc::new(loaded);
        self.know();
        self.session.receipts.keep(&receipt);
        self.tell(Told::Reloaded(&receipt));
        self.backtest();
    }

    /// Runs what changed over what was read lately, in the background. A save in the middle of it wins: what was not told yet is told with it.
    fn backtest(&mut self) {
        self.backtesting.request();
        self.backtesting = Stop::new();
        let (workspace, store, stop) = (self.workspace.clone(), Arc::clone(&self.session.store), self.backtesting.clone());
        let (before, after, send) = (Arc::clone(&self.backtested), Arc::clone(&self.loaded), self.send.clone());
        tokio::task::spawn_blocking(move || {
            let mut report = backtest::run(&workspace, &store, (&before, &after), &stop);
            if let Err(error) = backtest::keep_versions(&workspace, &store, &after, (!Arc::ptr_eq(&before, &after)).then_some(&*before)) {
                report.trouble.push(format!("the versions of scripts could not be kept: {error}"));
            }
            drop(send.send(Event::Backtested(Box::new((after, report)))));
        });
    }

    fn backtested(&mut self, (loaded, report): (Arc<Loaded>, backtest::Report)) {
        if !Arc::ptr_eq(&loaded, &self.loaded) {
            return;
        }
        let first = Arc::ptr_eq(&self.backtested, &self.loaded);
        self.backtested = loaded;
        for trouble in &report.trouble {
            self.tell(Told::Trouble(trouble));
        }
        if !first {
            self.tell(Told::Backtested(&report));
        }
    }

    /// What is declared is known from now on; what is not any more is forgotten.
    fn know(&mut self) {
        self.session.current.set(&self.loaded);
        let now = self.workspace.clock.now();
        let names: BTreeSet<&str> = self.loaded.declarations().iter().map(|d| d.name.as_str()).collect();
        self.since.retain(|name, _| names.contains(name.as_str()));
        let kept = self.session.store.keep_claims(self.loaded.generation.claims());
        for name in names {
            self.since.entry(name.to_owned()).or_insert(Since { known: now, tried: None });
        }
        if let Err(error) = kept {
            self.tell(Told::Trouble(&format!("which declarations were there first could not be kept: {error}")));
        }
    }

    /// Begins what is due and returns when something else will be.
    fn begin_due(&mut self) -> Option<Timestamp> {
        let (now, store) = (self.workspace.clock.now(), Arc::clone(&self.session.store));
        self.sweep(now);
        self.put_right(now);
        let looked = self.runnable(now).and_then(|runnable| Ok((runnable, due::marks(&store)?, wake(&store, now)?)));
        let (runnable, marks, wake) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                self.tell(Told::Trouble(&error.to_string()));
                return None;
            }
        };
        let Due { now: due, next } = due::due(&runnable, &marks, &self.since, now, &self.workspace.config.timezone);
        let busy: BTreeSet<String> = self.running.values().flatten().cloned().collect();
        // What follows something at work waits for it; its end is an event.
        let waits = |d: &Declaration| busy.contains(&d.name) || d.after.iter().any(|name| busy.contains(name));
        let longest = now.saturating_add(REST_AFTER_FAILURE).unwrap_or(Timestamp::MAX);
        let rests = |d: &Declaration| self.resting.get(&d.name).copied().filter(|until| *until > now && *until <= longest);
        let stirring = |d: &&Arc<Declaration>| wake.now.contains(&d.name) && !due.contains(&d.name) && !waits(d);
        let awake_again = runnable.iter().filter(stirring).filter_map(|d| rests(d)).min();
        let timers: Vec<Arc<Declaration>> = runnable.iter().filter(stirring).filter(|d| rests(d).is_none()).cloned().collect();
        let batch: Vec<Arc<Declaration>> = due::with_followers(&runnable, due).into_iter().filter(|d| !waits(d)).collect();
        for (batch, occasion) in [(batch, Occasion::People), (timers, Occasion::Timer)] {
            if !batch.is_empty() {
                self.begin(batch, occasion);
            }
        }
        for name in wake.publish.into_iter().filter(|name| !busy.contains(name)) {
            self.publish(name);
        }
        [next, wake.next, awake_again].into_iter().flatten().min()
    }

    /// What a clock that was ahead has left behind is told, and holds nothing back.
    fn put_right(&self, now: Timestamp) {
        let found = due::put_right(&self.session.store, now).unwrap_or_else(|error| vec![("the state file".to_owned(), error.to_string())]);
        for (name, message) in found {
            self.tell(Told::Trouble(&format!("{name}: {message}")));
        }
    }

    /// Forgets what is old, once a day, beside the loop.
    fn sweep(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|at| now.duration_since(at).abs() < SWEEP) {
            return;
        }
        self.swept = Some(now);
        let (store, workspace) = (Arc::clone(&self.session.store), self.workspace.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = sweep(&workspace, &store, now) {
                tracing::warn!(%error, "what is old could not be forgotten");
            }
        });
    }

    /// Told; a journey that failed is not looked at again at once.
    fn ended(&mut self, summary: &Summary) {
        self.tell(Told::Ended(summary));
        let well = matches!(summary.status, flow::Status::Ok | flow::Status::Partial);
        let rest = if well { REST } else { REST_AFTER_FAILURE };
        let until = self.workspace.clock.now().saturating_add(rest).unwrap_or(Timestamp::MAX);
        self.resting.insert(summary.name.clone(), until);
    }

    /// What can run now. Remarks about journeys are made once.
    fn runnable(&mut self, now: Timestamp) -> Result<Vec<Arc<Declaration>>, Error> {
        let busy = self.running.values().flatten().cloned().collect();
        let look = Look { workspace: self.workspace, store: &self.session.store, loaded: &self.loaded, busy: &busy, now };
        let runnable = journeys::runnable(&look, &mut self.earlier)?;
        let remarks: BTreeSet<String> = runnable.remarks.into_iter().collect();
        self.mailers = runnable.mailers;
        for remark in remarks.difference(&self.remarks) {
            self.tell(Told::Trouble(remark));
        }
        self.remarks = remarks;
        Ok(runnable.declarations)
    }

    /// Mails with links, or without them where the key of links cannot be had, which is told.
    fn mailer(&self) -> flow::journey::Mailer {
        journeys::linked_mailer(self.workspace, &self.loaded).unwrap_or_else(|error| {
            self.tell(Told::Trouble(&format!("mails go out without links: {error}")));
            journeys::mailer(&self.loaded)
        })
    }

    /// Publishes a scheduled journey beside the loop.
    fn publish(&mut self, name: String) {
        let Some(declaration) = self.loaded.declarations().iter().find(|declaration| declaration.name == name).cloned() else { return };
        self.batches += 1;
        let number = self.batches;
        self.running.insert(number, BTreeSet::from([name]));
        let (workspace, wire, store) = (self.workspace.clone(), self.session.wire.clone(), Arc::clone(&self.session.store));
        let (mailer, loaded) = (self.mailer(), Arc::clone(&self.loaded));
        let (stop, notify, send) = (self.session.stop.clone(), Arc::clone(self.notify), self.send.clone());
        tokio::task::spawn_blocking(move || {
            let _ended = OnDrop(send, number);
            let hands =
                journeys::Publishing { mailer, workspace: &workspace, store: &store, wire: &wire, stop: &stop, notify: &notify, loaded: &loaded };
            let message = match journeys::publish_with(&hands, &declaration, None) {
                Ok(Published::Draft(reasons)) => format!("could not be published and is a draft again: {}", reasons.join("; ")),
                Ok(_) => "is published".to_owned(),
                Err(error) => format!("could not be published: {error}"),
            };
            notify(flow::Notice::Warning { name: declaration.name.clone(), message });
        });
    }

    fn begin(&mut self, batch: Vec<Arc<Declaration>>, occasion: Occasion) {
        let now = self.workspace.clock.now();
        let names: Vec<String> = batch.iter().map(|d| d.name.clone()).collect();
        if occasion == Occasion::People {
            self.tell(Told::Began(&names));
            for name in &names {
                self.since.entry(name.clone()).or_insert(Since { known: now, tried: None }).tried = Some(now);
            }
        }
        self.batches += 1;
        let number = self.batches;
        self.running.insert(number, names.into_iter().collect());
        let reason = if occasion == Occasion::People { "schedule" } else { "timer" };
        let options = flow::Options {
            hands: Hands::Live,
            reason: reason.into(),
            owner: "tabi up".into(),
            occasion,
            mailer: self.mailer(),
            mailers: self.mailers.clone(),
            ..self.workspace.run_options()
        };
        let (wire, stop, notify, send) = (self.session.wire.clone(), self.session.stop.clone(), Arc::clone(self.notify), self.send.clone());
        tokio::task::spawn_blocking(move || {
            // Told also when the work panics: a batch that never ends would never be due again.
            let _ended = OnDrop(send.clone(), number);
            flow::run(&batch, &options, &wire, &notify, &stop, |summary| drop(send.send(Event::Ended(Box::new(summary.clone())))));
        });
    }
}

/// Says that a batch ended, in whatever way.
struct OnDrop(UnboundedSender<Event>, u64);

impl Drop for OnDrop {
    fn drop(&mut self) {
        drop(self.0.send(Event::BatchEnded(self.1)));
    }
}
