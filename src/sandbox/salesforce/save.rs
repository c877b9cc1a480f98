//! Writing rows: create, update, upsert, delete, each checked as the service checks, each undoable until its call is answered.

use crate::sandbox::documents::{Change, Row};
use crate::sandbox::salesforce::answer::{Call, Fault};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::derived::STAGES;
use crate::sandbox::salesforce::grants;
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::schema::{Kind, Object};
use crate::sandbox::salesforce::values::{self, Source, fault, gone};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// Checked values by the place of their field.
type Cells = Vec<(usize, Cell)>;

/// Writes that can still be taken back.
pub(crate) struct Work<'a> {
    pub(crate) data: &'a mut Data,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    pub(crate) source: Source,
    undo: Vec<(usize, Change)>,
    journal: Option<Journal>,
}

/// How to undo what the parts of one composite call wrote.
pub(crate) type Journal = Arc<Mutex<Vec<(usize, Change)>>>;

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if let Some(journal) = &self.journal {
            journal.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.undo);
        }
    }
}

impl<'a> Work<'a> {
    /// Writes for one call.
    pub(crate) fn new(data: &'a mut Data, call: &Call, source: Source) -> Self {
        let mut work = Self::at(data, call.now, source);
        work.journal.clone_from(&call.journal);
        work
    }

    /// Writes at a time, for nobody's call.
    pub(crate) fn at(data: &'a mut Data, now: i64, source: Source) -> Self {
        Self { data, now: now.div_euclid(1000) * 1000, source, undo: Vec::new(), journal: None }
    }

    /// Takes back all that a journal tells.
    pub(crate) fn revert(data: &'a mut Data, now: i64, journal: &Journal) -> Result<(), Fault> {
        let undo = std::mem::take(&mut *journal.lock().unwrap_or_else(PoisonError::into_inner));
        Self { data, now, source: Source::Json, undo, journal: None }.take_back()
    }

    /// Forgets how to undo: what was written stays.
    pub(crate) fn keep(&mut self) {
        self.undo.clear();
    }

    fn object(&self, object: usize) -> &Object {
        &self.data.schema.objects[object]
    }

    /// Takes back everything written so far.
    pub(crate) fn take_back(&mut self) -> Result<(), Fault> {
        while let Some((object, change)) = self.undo.pop() {
            self.apply(object, change)?;
        }
        Ok(())
    }

    /// How much was written so far: a mark to take back to.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back what was written since a mark.
    pub(crate) fn take_back_to(&mut self, mark: usize) -> Result<(), Fault> {
        while self.undo.len() > mark
            && let Some((object, change)) = self.undo.pop()
        {
            self.apply(object, change)?;
        }
        Ok(())
    }

    fn apply(&mut self, object: usize, change: Change) -> Result<(), Fault> {
        let id = change.id().to_owned();
        let before = self.data.row(object, &id);
        let table = Arc::clone(self.data.table(object));
        self.data.documents.write(&table, vec![change]).map_err(|error| Fault::unexpected(&error))?;
        let after = self.data.row(object, &id);
        self.data.noticed(object, before.as_ref(), after.as_ref());
        grants::noticed(self.data, object, before.as_ref(), after.as_ref());
        Ok(())
    }

    /// Creates a row and returns its id.
    pub(crate) fn create(&mut self, object: usize, fields: &Map<String, Value>) -> Result<String, Fault> {
        if self.object(object).fixed {
            return Err(Fault::new(
                400,
                "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
                format!("entity type cannot be inserted: {}", self.object(object).label),
            ));
        }
        if fields.iter().any(|(name, value)| name.eq_ignore_ascii_case("id") && !value.is_null() && value != "") {
            return Err(fault("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id"));
        }
        let mut cells = self.checked(object, fields, true)?;
        cells.retain(|(_, cell)| !cell.is_null());
        self.defaults(object, &mut cells);
        self.required(object, &cells)?;
        self.unique(object, &cells, None)?;
        grants::check(self.data, object, &cells)?;
        let id = self.data.new_id(object);
        let mut stored: Map<String, Value> = Map::new();
        for (place, cell) in &cells {
            stored.insert(self.object(object).fields[*place].name.to_string(), cell.stored());
        }
        self.numbered(object, &id, &mut stored);
        stored.insert("CreatedDate".to_owned(), Value::from(self.now));
        self.apply(object, Change::Insert(id.clone(), stored))?;
        self.undo.push((object, Change::Delete(id.clone())));
        Ok(id)
    }

    /// Names and numbers that the service gives.
    fn numbered(&self, object: usize, id: &str, stored: &mut Map<String, Value>) {
        match self.object(object).name.as_str() {
            "Case" => _ = stored.insert("CaseNumber".to_owned(), format!("{:08}", 1_001 + self.data.table(object).len()).into()),
            _ if self.object(object).custom => _ = stored.entry("Name").or_insert_with(|| id.into()),
            _ => {}
        }
    }

    /// Writes fields of a row.
    pub(crate) fn update(&mut self, object: usize, id: &str, fields: &Map<String, Value>) -> Result<(), Fault> {
        let before = self.present(object, id)?;
        if let Some(name) = fields.keys().find(|name| name.eq_ignore_ascii_case("id")) {
            return Err(Fault::new(400, "INVALID_FIELD", format!("The {name} field should not be specified in the sobject data.")));
        }
        let mut cells = self.checked(object, fields, false)?;
        let missing = |(place, cell): &&(usize, Cell)| {
            cell.is_null() && !self.object(object).fields[*place].nillable && self.object(object).fields[*place].kind != Kind::Boolean
        };
        let names: Vec<String> = cells.iter().filter(missing).map(|(place, _)| self.object(object).fields[*place].name.to_string()).collect();
        if !names.is_empty() {
            return Err(missing_fields(names));
        }
        self.unique(object, &cells, Some(id))?;
        self.follow_stage(object, &mut cells);
        let mut stored = Map::new();
        let mut old = Map::new();
        for (place, cell) in &cells {
            let name = self.object(object).fields[*place].name.to_string();
            old.insert(name.clone(), before.get(&name).into_owned());
            stored.insert(name, cell.stored());
        }
        old.insert("LastModifiedDate".to_owned(), before.get("LastModifiedDate").into_owned());
        stored.insert("LastModifiedDate".to_owned(), Value::from(self.now));
        self.apply(object, Change::Update(before.id().into_owned(), stored))?;
        self.undo.push((object, Change::Update(before.id().into_owned(), old)));
        Ok(())
    }

    /// Creates or updates the row whose key field has a value; true when it was created.
    pub(crate) fn upsert(&mut self, object: usize, key: usize, value: &Value, fields: &Map<String, Value>) -> Result<(String, bool), Fault> {
        let field = &self.object(object).fields[key];
        let name = field.name.to_string();
        let cell = values::cell(self.data, field, value, self.source)?;
        if cell.is_null() {
            return Err(fault("MISSING_ARGUMENT", format!("{name} not specified"), &name));
        }
        let rows = self.data.rows_with(object, key, &cell);
        match rows.as_slice() {
            [] => {
                let mut fields = fields.clone();
                fields.insert(name, value.clone());
                self.create(object, &fields).map(|id| (id, true))
            }
            [row] => {
                let id = row.id().into_owned();
                self.update(object, &id, fields).map(|()| (id, false))
            }
            rows => {
                let text = format!("{name}: more than one record found for external id field: [{}]", joined(rows));
                Err(Fault { fields: Some(vec![name]), ..Fault::new(300, "DUPLICATE_EXTERNAL_ID", text) })
            }
        }
    }

    /// Puts a row into the recycle bin, with its children where the relationship says so.
    pub(crate) fn delete(&mut self, object: usize, id: &str) -> Result<(), Fault> {
        let row = match self.present(object, id) {
            Err(fault) if fault.code == "NOT_FOUND" => {
                let fault = Fault::new(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id");
                return Err(Fault { fields: Some(Vec::new()), ..fault });
            }
            found => found?,
        };
        if self.object(object).fixed {
            let fault = Fault::new(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id");
            return Err(Fault { fields: Some(Vec::new()), ..fault });
        }
        let children = self.object(object).children.clone();
        for child in children.iter().filter(|child| child.cascade) {
            let Some(of) = self.data.schema.object(&child.object) else { continue };
            let Some(place) = self.object(of).place(&child.field) else { continue };
            for child in self.data.rows_with(of, place, &Cell::text(&row.id())) {
                self.delete(of, &child.id())?;
            }
        }
        let flag = |deleted: bool, at: Value| Map::from_iter([("IsDeleted".to_owned(), deleted.into()), ("LastModifiedDate".to_owned(), at)]);
        let old = flag(false, row.get("LastModifiedDate").into_owned());
        self.apply(object, Change::Update(row.id().into_owned(), flag(true, self.now.into())))?;
        self.undo.push((object, Change::Update(row.id().into_owned(), old)));
        Ok(())
    }

    /// Removes a row for good.
    pub(crate) fn erase(&mut self, object: usize, id: &str) -> Result<(), Fault> {
        self.delete(object, id)?;
        self.keep();
        let id = ids::long_form(id).unwrap_or_default();
        self.apply(object, Change::Delete(id))
    }

    /// The row, unless it is unknown or in the recycle bin.
    pub(crate) fn present(&self, object: usize, id: &str) -> Result<Row, Fault> {
        let malformed = || Fault { fields: Some(Vec::new()), ..Fault::new(400, "MALFORMED_ID", format!("malformed id {id}")) };
        let id = ids::long_form(id).ok_or_else(malformed)?;
        let row = self.data.row(object, &id).ok_or_else(Fault::not_found)?;
        if Data::is_deleted(&row) { Err(gone()) } else { Ok(row) }
    }

    /// Names to places, values to cells.
    fn checked(&self, object: usize, fields: &Map<String, Value>, creating: bool) -> Result<Cells, Fault> {
        let mut cells: Cells = Vec::with_capacity(fields.len());
        for (name, value) in fields.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("attributes") && !name.eq_ignore_ascii_case("id")) {
            let (place, cell) = match (self.object(object).field(name), value) {
                (Some(place), _) => {
                    self.writable(object, place, creating)?;
                    (place, values::cell(self.data, &self.object(object).fields[place], value, self.source)?)
                }
                (None, Value::Object(key)) => self.by_key(object, name, key, creating)?,
                (None, _) => return Err(self.unknown(object, name)),
            };
            if let Some(twice) = cells.iter_mut().find(|(known, _)| *known == place) {
                twice.1 = cell;
            } else {
                cells.push((place, cell));
            }
        }
        Ok(cells)
    }

    fn unknown(&self, object: usize, name: &str) -> Fault {
        Fault::new(400, "INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", self.object(object).name))
    }

    fn writable(&self, object: usize, place: usize, creating: bool) -> Result<(), Fault> {
        let field = &self.object(object).fields[place];
        if if creating { field.createable } else { field.updateable } {
            return Ok(());
        }
        let advice = "Please check the security settings of this field and verify that it is read/write for your profile or permission set.";
        Err(fault("INVALID_FIELD_FOR_INSERT_UPDATE", format!("Unable to create/update fields: {}. {advice}", field.name), &field.name))
    }

    /// `{"Owner": {"Username": ".."}}`: a reference by a key of the parent.
    fn by_key(&self, object: usize, relationship: &str, key: &Map<String, Value>, creating: bool) -> Result<(usize, Cell), Fault> {
        let Some(place) = self.object(object).parent(relationship) else { return Err(self.unknown(object, relationship)) };
        self.writable(object, place, creating)?;
        let Some((name, value)) = key.iter().find(|(name, _)| *name != "attributes") else { return Ok((place, Cell::Null)) };
        let targets: Vec<usize> = self.object(object).fields[place].refers.iter().filter_map(|name| self.data.schema.object(name)).collect();
        for target in targets {
            let Some(by) = self.object(target).field(name) else { continue };
            let field = &self.object(target).fields[by];
            let cell = values::cell(self.data, field, value, self.source)?;
            if cell.is_null() {
                return Ok((place, Cell::Null));
            }
            if field.kind == Kind::Id {
                return Ok((place, values::cell(self.data, &self.object(object).fields[place], value, self.source)?));
            }
            if !(field.external_id || field.id_lookup) {
                continue;
            }
            return match self.data.rows_with(target, by, &cell).as_slice() {
                [row] => Ok((place, Cell::text(&row.id()))),
                [] => {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let text = format!("Foreign key external ID: {shown} not found for field {} in entity {}", field.name, self.object(target).name);
                    Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "INVALID_FIELD", text) })
                }
                _ => Err(fault("DUPLICATE_EXTERNAL_ID", format!("{}: more than one record found for external id field", field.name), &field.name)),
            };
        }
        Err(Fault::new(400, "INVALID_FIELD", format!("Field name not found : {relationship}.{name}")))
    }

    fn defaults(&self, object: usize, cells: &mut Cells) {
        let has = |cells: &Cells, place: usize| cells.iter().any(|(known, _)| *known == place);
        for (place, field) in self.object(object).fields.iter().enumerate().filter(|(_, field)| field.visible() && !field.derived) {
            if has(cells, place) {
                continue;
            }
            if let Some(default) = &field.default {
                let value = if field.kind == Kind::Boolean { Cell::Bool(default == "true") } else { Cell::text(default) };
                cells.push((place, value));
            } else if field.name == "OwnerId" {
                cells.push((place, Cell::text(&self.data.user)));
            }
        }
        self.follow_stage(object, cells);
    }

    /// What follows from an opportunity's stage and a case's status, unless it is given.
    fn follow_stage(&self, object: usize, cells: &mut Cells) {
        let this = self.object(object);
        let given = |cells: &Cells, name: &str| {
            let place = this.place(name)?;
            cells.iter().find(|(known, _)| *known == place).and_then(|(_, cell)| cell.as_text().map(str::to_owned))
        };
        let put = |cells: &mut Cells, name: &str, cell: Cell| {
            if let Some(place) = this.place(name).filter(|place| !cells.iter().any(|(known, _)| known == place)) {
                cells.push((place, cell));
            }
        };
        if this.name == "Opportunity"
            && let Some(stage) = given(cells, "StageName")
        {
            let known = STAGES.iter().find(|(name, ..)| *name == stage);
            put(cells, "Probability", Cell::Num(known.map_or(0.0, |(_, probability, _)| *probability)));
            put(cells, "ForecastCategoryName", Cell::text(known.map_or("Pipeline", |(.., category)| category)));
        }
        if this.name == "Case"
            && let Some(status) = given(cells, "Status")
        {
            put(cells, "ClosedDate", if status == "Closed" { Cell::Datetime(self.now) } else { Cell::Null });
        }
    }

    fn required(&self, object: usize, cells: &Cells) -> Result<(), Fault> {
        let fields = self.object(object).fields.iter().enumerate();
        let missing = fields.filter(|(place, field)| field.visible() && field.required_on_create() && !cells.iter().any(|(known, _)| known == place));
        let names: Vec<String> = missing.map(|(_, field)| field.name.to_string()).collect();
        if names.is_empty() { Ok(()) } else { Err(missing_fields(names)) }
    }

    fn unique(&self, object: usize, cells: &Cells, own: Option<&str>) -> Result<(), Fault> {
        for (place, cell) in cells {
            let field = &self.object(object).fields[*place];
            let keyed = field.unique || (self.object(object).name == "User" && field.name == "Username");
            if !keyed || cell.is_null() {
                continue;
            }
            let taken = self.data.rows_with(object, *place, cell).into_iter().find(|row| own.is_none_or(|own| own.get(..15) != row.id().get(..15)));
            if let Some(row) = taken {
                let id = row.id();
                let text = format!("duplicate value found: {} duplicates value on record with id: {}", field.name, &id[..15]);
                return Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "DUPLICATE_VALUE", text) });
            }
        }
        Ok(())
    }
}

fn joined(rows: &[Row]) -> String {
    rows.iter().map(|row| row.id().into_owned()).collect::<Vec<_>>().join(", ")
}

fn missing_fields(names: Vec<String>) -> Fault {
    let text = format!("Required fields are missing: [{}]", names.join(", "));
    Fault { fields: Some(names), ..Fault::new(400, "REQUIRED_FIELD_MISSING", text) }
}
