//! What speaks against a journey before anything is done: connections that are missing (B18), fields that nothing gives.

use std::collections::BTreeSet;

use crate::{
    config::Section,
    flow::journey::Mailer,
    model::System,
    script::{Connected, Declaration, Diagnostic, Perform, check_against, check_connections, check_mails, check_templates},
    store::Store,
};

use super::{Loaded, Workspace, describes::Describes};

impl Workspace {
    /// What journeys are connected to here; `server` tells whether mails carry links.
    pub fn connected(&self, server: bool) -> Connected {
        let config = &self.config;
        let px = config.px.as_ref().map(Section::get_ref);
        let has = |system: &System| match system {
            System::Salesforce => config.salesforce.as_ref().map(Section::get_ref).is_some_and(|s| s.auth.is_some() || s.sandbox),
            System::Pendo => config.pendo.is_some(),
            System::Gainsight => config.gainsight.is_some(),
            System::Px => px.is_some(),
            System::Mail => config.email.as_ref().map(Section::get_ref).is_some_and(|s| s.smtp.is_some() || s.sandbox),
        };
        let systems: BTreeSet<System> = System::ALL.into_iter().filter(|system| self.is_sandboxed() || has(system)).collect();
        let plays = self.is_sandboxed() || px.is_some_and(|px| px.sandbox);
        let survey_sync = px.and_then(|px| px.survey_sync).unwrap_or(plays);
        Connected { systems, survey_sync, server }
    }
}

/// Every reason. Systems are asked for the fields of their objects; of one that does not say, its last describe tells.
pub(super) fn objections(
    (workspace, loaded): (&Workspace, &Loaded),
    (store, perform): (&Store, &dyn Perform),
    declaration: &Declaration,
    mailer: &Mailer,
) -> Vec<String> {
    let asked = Describes::new(perform);
    let connections = check_connections(declaration, &workspace.connected(mailer.links().is_some()));
    let remembered = |system, object: &str| store.schema(system, object).ok().flatten().map(|kept| kept.schema);
    let schema = |system, object: &str| asked.schema(system, object).or_else(|| remembered(system, object));
    let mut fields = check_against(&[declaration], schema);
    fields.extend(check_mails(declaration, loaded.templates(), schema));
    let placed = |finding: &Diagnostic| format!("{}: {}", finding.place(), said(finding));
    connections.iter().map(said).chain(fields.iter().filter(|finding| finding.is_error()).map(placed)).collect()
}

/// What `check` calls an error in a declaration as it lies there: missing templates, and fields and types by what the systems last said.
/// Nobody is asked.
pub(super) fn errors_of(loaded: &Loaded, store: &Store, declaration: &Declaration) -> Vec<String> {
    let schema = |system, object: &str| store.schema(system, object).ok().flatten().map(|kept| kept.schema);
    let templates = loaded.templates().names().into_iter().map(str::to_owned).collect();
    let mut found = check_templates(declaration, &templates);
    found.extend(check_against(&[declaration], schema));
    found.extend(check_mails(declaration, loaded.templates(), schema));
    found.iter().filter(|finding| finding.is_error()).map(|finding| format!("{}: {}", finding.place(), said(finding))).collect()
}

fn said(finding: &Diagnostic) -> String {
    finding.hint.as_ref().map_or_else(|| finding.message.clone(), |hint| format!("{}: {hint}", finding.message))
}
