//! What is known of declarations before scripts are loaded: kept in the state file by whoever ran them last.

use crate::{
    model::{Columns, Known, System},
    script::{SCORES, USAGE},
    store::{Error, Store},
};

/// The end of the names of Gainsight's custom objects.
const CUSTOM: &str = "__gc";

/// Who was there first, and what columns are labelled.
pub fn known(store: &Store) -> Result<Known, Error> {
    Ok(Known { claims: store.claims()?, columns: columns(store)? })
}

/// The columns of the objects that measures are loaded to, as far as they were described.
pub fn columns(store: &Store) -> Result<Columns, Error> {
    let mut schemas = store.schemas(System::Salesforce, USAGE)?;
    schemas.extend(store.schemas(System::Gainsight, CUSTOM)?.into_iter().filter(|schema| schema.name != SCORES));
    Ok(Columns::of(&schemas))
}
