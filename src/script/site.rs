//! The call of a declaring function: where it is written, where its arguments are, and where findings about it go.

use std::{cell::RefCell, sync::Arc};

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::model::{Fault, FaultKind};

use super::{
    closure::{Closure, Reads},
    declaration::{Declaration, MeasureDecl, Place},
    desk::{Desk, Loading, call_place, desk},
    diagnostics::{Diagnostic, Id},
    failure::thrown,
    reads,
    spots::{FileMap, Spot, place},
    trial::Test,
};

pub(super) struct Site<'c, 'e> {
    ctx: &'c NativeCallContext<'e>,
    loading: Option<Arc<Loading>>,
    map: Option<Arc<FileMap>>,
    place: Place,
    /// Within an import: its own file's load reports and declares.
    quiet: bool,
    findings: RefCell<Vec<Diagnostic>>,
}

impl<'c, 'e> Site<'c, 'e> {
    pub(super) fn of(ctx: &'c NativeCallContext<'e>) -> Self {
        let (loading, quiet) = match desk(ctx) {
            Desk::Loading(loading) => (Some(loading), false),
            Desk::Importing { .. } => (None, true),
            Desk::Pure { .. } | Desk::Running { .. } => (None, false),
        };
        let file = ctx.call_source().unwrap_or_default();
        let map = loading.as_ref().and_then(|loading| loading.maps.get(file));
        Self { ctx, loading, map, place: call_place(ctx), quiet, findings: RefCell::default() }
    }

    /// Where the call is written.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Where an argument of the call is written; none when the source is not at hand.
    pub(super) fn argument(&self, at: usize) -> Option<&Spot> {
        self.map.as_ref()?.arguments(self.ctx.call_position()).get(at)
    }

    pub(super) fn at(&self, position: rhai::Position) -> Place {
        if position.is_none() { self.place.clone() } else { place(&self.place.file, position) }
    }

    pub(super) fn report(&self, finding: Diagnostic) {
        self.findings.borrow_mut().push(finding);
    }

    pub(super) fn sound(&self) -> bool {
        !self.findings.borrow().iter().any(Diagnostic::is_error)
    }

    /// Keeps a closure of one row, or reports that it has another shape.
    pub(super) fn row_closure(&self, pointer: &FnPtr, written: &Place) -> Option<Closure> {
        let Some(loading) = &self.loading else {
            if self.quiet {
                return None;
            }
            self.report(Diagnostic::new(Id::MisplacedDeclaration, written, "a closure is kept only by declarations under scripts/"));
            return None;
        };
        let map = self.map.as_ref();
        let name = pointer.fn_name();
        let place = map.and_then(|map| Some(map.place(map.closure(name)?))).unwrap_or_else(|| written.clone());
        let parameters = map.and_then(|map| reads::parameters(&map.ast, name));
        let captured = pointer.iter_curry().count();
        if let Some(own) = parameters.as_ref().map(|p| p.len().saturating_sub(captured)).filter(|own| *own != 1) {
            let message = format!("a closure here takes one parameter, the row; this one takes {own}");
            self.report(Diagnostic::new(Id::ClosureShape, &place, message).hint("write it as `|row| ...`"));
            return None;
        }
        let row = parameters.as_ref().and_then(|p| p.last());
        let reads = map.zip(row).map_or_else(Reads::default, |(map, row)| Reads {
            fields: reads::reads(&map.ast, name, row),
            places: reads::places(&map.ast, name, row).into_iter().map(|(field, at)| (field, map.place(at))).collect(),
        });
        Some(Closure::keep(self.ctx, loading, pointer, map.map(AsRef::as_ref), place, reads))
    }

    /// Notes a name that is being declared, however that ends.
    pub(super) fn names(&self, name: &str) {
        if let Some(loading) = &self.loading {
            loading.found().names.push(name.to_owned());
        }
    }

    /// Adds a test to what the file holds, when it is a file of tests; what else may come of it is for `check` to tell.
    pub(super) fn test(self, name: &str, pointer: &FnPtr) {
        let Some(loading) = self.loading.as_ref().filter(|loading| loading.of_tests) else { return };
        let parameters = self.map.as_ref().and_then(|map| reads::parameters(&map.ast, pointer.fn_name()));
        let own = parameters.map_or(0, |parameters| parameters.len().saturating_sub(pointer.iter_curry().count()));
        if own > 0 {
            let message = format!("the closure of a test takes no parameters; this one takes {own}");
            self.report(Diagnostic::new(Id::ClosureShape, &self.place, message).hint("write it as `test(\"what holds\", || { .. })`"));
        }
        if name.trim().is_empty() {
            let message = "a test needs a name: what holds when it passes";
            self.report(Diagnostic::new(Id::OptionValue, &self.place, message));
        }
        let place = self.place.clone();
        let closure = Closure::keep(self.ctx, loading, pointer, None, place.clone(), Reads::default());
        let mut found = loading.found();
        found.diagnostics.extend(self.findings.into_inner());
        found.tests.push(Test { name: name.trim().to_owned(), place, closure });
    }

    /// Adds a declaration to what the file declares, with what was found about it.
    pub(super) fn declare(self, declaration: Option<Declaration>) -> Result<(), Box<EvalAltResult>> {
        let Some(loading) = &self.loading else {
            if self.quiet {
                return Ok(());
            }
            let message = "declarations belong in files under scripts/; a plain script declares nothing";
            return Err(thrown(Fault::new(FaultKind::Invalid, message).code(Id::MisplacedDeclaration.code())));
        };
        if loading.of_tests {
            let message = "declarations belong in files under scripts/; a test file declares nothing";
            let hint = "tests run what scripts declare, by name: `run(\"name\")`";
            self.report(Diagnostic::new(Id::MisplacedDeclaration, &self.place, message).hint(hint));
        }
        let sound = self.sound();
        let mut found = loading.found();
        found.diagnostics.extend(self.findings.into_inner());
        found.declarations.extend(declaration.filter(|_| sound));
        Ok(())
    }

    pub(super) fn declare_measures(self, measures: Vec<MeasureDecl>) -> Result<(), Box<EvalAltResult>> {
        if let Some(loading) = &self.loading {
            loading.found().measures.extend(measures);
        }
        self.declare(None)
    }

    /// Hands a built value on. Findings are collected while loading, and thrown otherwise.
    pub(super) fn built<T: Clone + Send + Sync + 'static>(self, value: T) -> Result<Dynamic, Box<EvalAltResult>> {
        let findings = self.findings.into_inner();
        match (&self.loading, findings.iter().find(|f| f.is_error() && !self.quiet)) {
            (Some(loading), _) => {
                loading.found().diagnostics.extend(findings);
                Ok(Dynamic::from(value))
            }
            (None, None) => Ok(Dynamic::from(value)),
            (None, Some(first)) => {
                let hint = first.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                Err(thrown(Fault::new(FaultKind::Invalid, format!("{}{hint}", first.message)).code(first.code)))
            }
        }
    }
}
