//! Who evaluates: a console within this process, or one within a running host. Everything else about the REPL is the same.

use std::{path::Path, sync::Arc};

use crate::{
    cli::{Context, Failure, render::Out},
    host::{
        Workspace,
        attach::{self, Attached, Look},
        catalogue::Catalogue,
        console::{self, Console, Reach, Refused, Wrong},
        listing::Listed,
        written::{self, Script},
    },
    model::{Timestamp, Value},
    script::{self, Completion, Evaluated, PrintSink},
};

use super::shown::{Planned, failure, print};

pub(super) enum Partner {
    Here(Box<Here>),
    There(Box<Attached>),
}

pub(super) struct Here {
    console: Console,
    catalogue: Catalogue,
}

/// Why an input has no value.
pub(super) struct Stopped {
    pub(super) failure: Box<Failure>,
    /// Its statements that were done before.
    pub(super) done: String,
}

/// Ends the evaluation in progress, from any thread.
#[derive(Clone)]
pub(super) enum Cancel {
    Here(console::Cancel),
    There(attach::Cancel),
}

impl Cancel {
    pub(super) fn request(&self) {
        match self {
            Self::Here(cancel) => cancel.request(),
            Self::There(cancel) => cancel.request(),
        }
    }

    pub(super) fn requested(&self) -> bool {
        match self {
            Self::Here(cancel) => cancel.requested(),
            Self::There(cancel) => cancel.requested(),
        }
    }
}

impl Partner {
    /// A console of this process.
    pub(super) fn here(workspace: &Workspace, planned: &Planned) -> Self {
        let reach = Reach::later(workspace);
        let catalogue = Catalogue::new(workspace, Arc::clone(&reach));
        Self::Here(Box::new(Here { console: Console::new(workspace, reach, planned.notify()), catalogue }))
    }

    /// One within the running host of the workspace.
    pub(super) fn there(workspace: &Workspace, planned: &Planned, cx: &Context) -> Result<Self, Failure> {
        Ok(Self::There(Box::new(Attached::open(workspace, look(cx), planned.notify())?)))
    }

    pub(super) fn cancel(&self) -> Cancel {
        match self {
            Self::Here(here) => Cancel::Here(here.console.cancel.clone()),
            Self::There(attached) => Cancel::There(attached.cancel()),
        }
    }

    /// Whether it is a console of this process; then its systems are opened and closed here.
    pub(super) const fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// Evaluates one input; writes are done when it is `live`.
    pub(super) fn evaluate(&mut self, input: &str, live: bool, cx: &Context) -> Result<Evaluated, Stopped> {
        let print = self.print(cx);
        match self {
            Self::Here(here) => {
                here.console.live = live;
                here.console.evaluate(input, print).map_err(|wrong| Stopped { failure: Box::new(here.failed(&wrong, cx)), done: wrong.done.clone() })
            }
            Self::There(attached) => match attached.evaluate(input, live, &print) {
                Ok(outcome) => outcome.map_err(|refused| Stopped { failure: Box::new(failure(&refused, cx)), done: refused.done }),
                Err(error) => Err(Stopped { failure: Box::new(error.into()), done: String::new() }),
            },
        }
    }

    /// Takes the constants and functions of a script.
    pub(super) fn enter(&mut self, file: &Path, cx: &Context) -> Result<(), Failure> {
        let print = self.print(cx);
        match self {
            Self::Here(here) => here.console.enter(file, print).map_err(|wrong| here.failed(&wrong, cx)),
            Self::There(attached) => attached.enter(file, &print)?.map_err(|refused| failure(&refused, cx)),
        }
    }

    /// A script as it is named here; in a host, as that runs it.
    pub(super) fn script(&mut self, written: &str) -> Result<Script, Failure> {
        match self {
            Self::Here(here) => written::script(&here.console.workspace().root, &script::Texts::new(), written).map_err(Failure::usage),
            Self::There(attached) => Ok(attached.script(written)?),
        }
    }

    /// What runs in a host, and what time it is there; none of a console of this process.
    pub(super) fn list(&mut self) -> Result<Option<(Vec<Listed>, Timestamp)>, Failure> {
        match self {
            Self::Here(_) => Ok(None),
            Self::There(attached) => Ok(Some(attached.list()?)),
        }
    }

    /// Takes scripts up anew: how many declarations there are, and what is wrong with the files on disk.
    pub(super) fn reload(&mut self, cx: &Context) -> Result<(u64, Vec<String>), Failure> {
        match self {
            Self::Here(here) => Ok(here.reload(look(cx))),
            Self::There(attached) => Ok(attached.reload()?),
        }
    }

    pub(super) fn people(&mut self, journey: &str) -> Result<Vec<Value>, Failure> {
        Ok(match self {
            Self::Here(here) => here.console.people(journey)?,
            Self::There(attached) => attached.people(journey)?,
        })
    }

    /// What could be written next; nothing when a host is gone, which the next input tells.
    pub(super) fn complete(&mut self, before: &str, after: &str) -> Vec<Completion> {
        match self {
            Self::Here(here) => here.catalogue.complete(&here.console.script, before, after),
            Self::There(attached) => attached.complete(before, after).unwrap_or_default(),
        }
    }

    /// Reads what completion needs, in the background.
    pub(super) fn prepare(&self) {
        if let Self::Here(here) = self {
            here.catalogue.prepare();
        }
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Failure> {
        Ok(match self {
            Self::Here(here) => here.console.workspace().clock.now(),
            Self::There(attached) => attached.time()?,
        })
    }

    /// Sets the time of the sandbox.
    pub(super) fn turn(&self, at: Timestamp) -> Result<(), String> {
        match self {
            Self::Here(here) => here.console.reach.turn(at).map_err(|fault| fault.message),
            Self::There(_) => Err("the time of a running host cannot be set from here".to_owned()),
        }
    }

    /// Closes what was opened.
    pub(super) fn close(&self) {
        if let Self::Here(here) = self {
            here.console.reach.close();
        }
    }

    fn print(&self, cx: &Context) -> PrintSink {
        print(self.cancel(), cx)
    }
}

impl Here {
    fn failed(&self, wrong: &Wrong, cx: &Context) -> Failure {
        if let Some(trouble) = self.console.reach.trouble() {
            return trouble.into();
        }
        let refused: Refused = wrong.told(look(cx));
        failure(&refused, cx)
    }

    fn reload(&mut self, look: Look) -> (u64, Vec<String>) {
        let workspace = self.console.workspace().clone();
        let loaded = workspace.load();
        self.console.script.reload(&workspace.root, &script::Texts::new());
        self.catalogue.reload();
        let (generation, width) = (&loaded.generation, look.width.map(usize::from));
        let shown = generation.diagnostics().iter().map(|one| script::render_within(one, |file| generation.text(file), look.colours, width));
        (loaded.declarations().len() as u64, shown.collect())
    }
}

fn look(cx: &Context) -> Look {
    Look { colours: cx.out.is_colored(), width: Out::width() }
}
