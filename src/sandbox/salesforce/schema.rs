//! Objects and fields of the emulated org: the standard ones from `objects.txt`, and those created later.

use crate::sandbox::salesforce::derived;
use smol_str::{SmolStr, ToSmolStr};
use std::collections::HashMap;

/// The describe types the emulator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Reference,
    Text,
    Textarea,
    Picklist,
    Multipicklist,
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    Datetime,
    Time,
    Phone,
    Email,
    Url,
    Address,
}

impl Kind {
    /// The describe name and the SOAP type.
    pub(crate) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Id => ("id", "tns:ID"),
            Self::Reference => ("reference", "tns:ID"),
            Self::Text => ("string", "xsd:string"),
            Self::Textarea => ("textarea", "xsd:string"),
            Self::Picklist => ("picklist", "xsd:string"),
            Self::Multipicklist => ("multipicklist", "xsd:string"),
            Self::Boolean => ("boolean", "xsd:boolean"),
            Self::Int => ("int", "xsd:int"),
            Self::Double => ("double", "xsd:double"),
            Self::Currency => ("currency", "xsd:double"),
            Self::Percent => ("percent", "xsd:double"),
            Self::Date => ("date", "xsd:date"),
            Self::Datetime => ("datetime", "xsd:dateTime"),
            Self::Time => ("time", "xsd:time"),
            Self::Phone => ("phone", "xsd:string"),
            Self::Email => ("email", "xsd:string"),
            Self::Url => ("url", "xsd:string"),
            Self::Address => ("address", "urn:address"),
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        use Kind::{
            Address, Boolean, Currency, Date, Datetime, Double, Email, Id, Int, Multipicklist, Percent, Phone, Picklist, Reference, Text, Textarea,
            Time, Url,
        };
        [
            Id,
            Reference,
            Text,
            Textarea,
            Picklist,
            Multipicklist,
            Boolean,
            Int,
            Double,
            Currency,
            Percent,
            Date,
            Datetime,
            Time,
            Phone,
            Email,
            Url,
            Address,
        ]
        .into_iter()
        .find(|kind| kind.names().0 == name)
    }

    pub(crate) const fn is_id(self) -> bool {
        matches!(self, Self::Id | Self::Reference)
    }

    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Currency | Self::Percent)
    }

    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Textarea | Self::Picklist | Self::Multipicklist | Self::Phone | Self::Email | Self::Url)
    }
}

/// One field of one object.
#[allow(clippy::struct_field_names, reason = "the describe's own words")]
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: SmolStr,
    pub(crate) label: SmolStr,
    pub(crate) kind: Kind,
    pub(crate) length: u32,
    pub(crate) precision: u32,
    pub(crate) scale: u32,
    pub(crate) digits: u32,
    pub(crate) nillable: bool,
    pub(crate) createable: bool,
    pub(crate) updateable: bool,
    pub(crate) defaulted: bool,
    pub(crate) id_lookup: bool,
    pub(crate) filterable: bool,
    pub(crate) sortable: bool,
    pub(crate) groupable: bool,
    pub(crate) aggregatable: bool,
    pub(crate) name_field: bool,
    pub(crate) restricted: bool,
    pub(crate) permissionable: bool,
    pub(crate) unique: bool,
    pub(crate) external_id: bool,
    pub(crate) case_sensitive: bool,
    pub(crate) custom: bool,
    /// Field-level security was granted (always so for standard and seeded fields).
    pub(crate) granted: bool,
    /// Deleted through the Tooling API; the place in the list stays taken.
    pub(crate) gone: bool,
    pub(crate) html: bool,
    /// Computed from other fields when read.
    pub(crate) derived: bool,
    pub(crate) compound: Option<SmolStr>,
    pub(crate) extra_type: Option<SmolStr>,
    pub(crate) values: Vec<SmolStr>,
    /// What the values are called, in the same order; a value without one is called as it is.
    pub(crate) labels: Vec<SmolStr>,
    pub(crate) default: Option<SmolStr>,
    pub(crate) refers: Vec<SmolStr>,
    pub(crate) relationship: Option<SmolStr>,
    pub(crate) help: Option<SmolStr>,
    pub(crate) description: Option<SmolStr>,
    /// The counter of the custom field definition (`00N...`), 0 for standard fields.
    pub(crate) definition: u64,
}

impl Field {
    pub(crate) fn required_on_create(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted
    }

    /// Whether requests may name the field.
    pub(crate) fn visible(&self) -> bool {
        self.granted && !self.gone
    }

    /// A field with the given figures and nothing allowed.
    pub(crate) fn plain(name: &str, label: &str, kind: Kind, length: u32) -> Self {
        Self {
            name: name.to_smolstr(),
            label: label.to_smolstr(),
            kind,
            length,
            precision: 0,
            scale: 0,
            digits: 0,
            nillable: false,
            createable: false,
            updateable: false,
            defaulted: false,
            id_lookup: false,
            filterable: false,
            sortable: false,
            groupable: false,
            aggregatable: false,
            name_field: false,
            restricted: false,
            permissionable: false,
            unique: false,
            external_id: false,
            case_sensitive: false,
            custom: name.ends_with("__c"),
            granted: true,
            gone: false,
            html: false,
            derived: false,
            compound: None,
            extra_type: None,
            values: Vec::new(),
            labels: Vec::new(),
            default: None,
            refers: Vec::new(),
            relationship: None,
            help: None,
            description: None,
            definition: 0,
        }
    }

    /// Sets the capabilities whose letters stand in `flags` (see the head of `objects.txt`).
    pub(crate) fn allow(mut self, flags: &str) -> Self {
        for flag in flags.chars() {
            match flag {
                'n' => self.nillable = true,
                'c' => self.createable = true,
                'u' => self.updateable = true,
                'D' => self.defaulted = true,
                'i' => self.id_lookup = true,
                'F' => self.filterable = true,
                'S' => self.sortable = true,
                'G' => self.groupable = true,
                'A' => self.aggregatable = true,
                'N' => self.name_field = true,
                'R' => self.restricted = true,
                'P' => self.permissionable = true,
                'U' => self.unique = true,
                'X' => self.external_id = true,
                _ => {}
            }
        }
        self
    }
}

/// A child relationship: rows of `object` whose `field` refers to this object.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) object: SmolStr,
    pub(crate) field: SmolStr,
    pub(crate) relationship: Option<SmolStr>,
    pub(crate) cascade: bool,
}

/// Places of the system fields in every object's list.
pub(crate) const ID: usize = 0;
pub(crate) const IS_DELETED: usize = 1;
pub(crate) const CREATED: usize = 2;
pub(crate) const CREATED_BY: usize = 3;
pub(crate) const MODIFIED: usize = 4;
pub(crate) const MODIFIED_BY: usize = 5;
pub(crate) const STAMP: usize = 6;

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) name: SmolStr,
    pub(crate) prefix: SmolStr,
    pub(crate) label: SmolStr,
    pub(crate) plural: SmolStr,
    pub(crate) custom: bool,
    /// Rows can neither be created nor deleted (users, the organization).
    pub(crate) fixed: bool,
    pub(crate) mergeable: bool,
    pub(crate) deep_cloneable: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) children: Vec<Child>,
    by_name: HashMap<String, usize>,
}

impl Object {
    fn new(parts: &[&str]) -> Self {
        let part = |i: usize| parts.get(i).copied().unwrap_or_default();
        let trait_of = |name: &str| part(5).split(',').any(|t| t == name);
        let mut object = Self {
            name: part(1).to_smolstr(),
            prefix: part(2).to_smolstr(),
            label: part(3).to_smolstr(),
            plural: part(4).to_smolstr(),
            custom: trait_of("custom"),
            fixed: trait_of("fixed"),
            mergeable: trait_of("mergeable"),
            deep_cloneable: trait_of("deepcloneable"),
            fields: Vec::new(),
            children: Vec::new(),
            by_name: HashMap::new(),
        };
        let user = |name: &str, label: &str, relationship: &str| {
            let mut field = Field::plain(name, label, Kind::Reference, 18).allow("DFSGA");
            field.refers = vec!["User".to_smolstr()];
            field.relationship = Some(relationship.to_smolstr());
            field
        };
        let label = format!("{} ID", object.label);
        object.add(Field::plain("Id", &label, Kind::Id, 18).allow("DiFSGA"));
        object.add(Field::plain("IsDeleted", "Deleted", Kind::Boolean, 0).allow("DFSG"));
        object.add(Field::plain("CreatedDate", "Created Date", Kind::Datetime, 0).allow("DFSA"));
        object.add(user("CreatedById", "Created By ID", "CreatedBy"));
        object.add(Field::plain("LastModifiedDate", "Last Modified Date", Kind::Datetime, 0).allow("DFSA"));
        object.add(user("LastModifiedById", "Last Modified By ID", "LastModifiedBy"));
        object.add(Field::plain("SystemModstamp", "System Modstamp", Kind::Datetime, 0).allow("DFSA"));
        object
    }

    /// Appends a field and returns its place.
    pub(crate) fn add(&mut self, field: Field) -> usize {
        let place = self.fields.len();
        self.by_name.insert(field.name.to_ascii_lowercase(), place);
        self.fields.push(field);
        place
    }

    /// The place of a field that requests may name, whatever its case.
    pub(crate) fn field(&self, name: &str) -> Option<usize> {
        self.place(name).filter(|place| self.fields[*place].visible())
    }

    /// The place of a field, granted or not, but not a deleted one.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        let found = match self.by_name.get(name) {
            Some(place) => Some(*place),
            None => self.by_name.get(&name.to_ascii_lowercase()).copied(),
        };
        found.filter(|place| !self.fields[*place].gone)
    }

    /// The place of the reference field behind a parent relationship name.
    pub(crate) fn parent(&self, relationship: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.visible() && f.relationship.as_deref().is_some_and(|r| r.eq_ignore_ascii_case(relationship)))
    }

    /// The field that names a row.
    pub(crate) fn name_field(&self) -> Option<usize> {
        self.fields.iter().position(|f| f.name_field)
    }

    /// The places of all fields in the order of a describe: system fields last, but for the id and the deleted mark.
    pub(crate) fn describe_order(&self) -> impl Iterator<Item = usize> {
        [ID, IS_DELETED].into_iter().chain(7..self.fields.len()).chain(CREATED..=STAMP).filter(|place| self.fields[*place].visible())
    }
}

/// All objects.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) objects: Vec<Object>,
    by_name: HashMap<String, usize>,
}

impl Schema {
    /// The standard objects.
    pub(crate) fn standard() -> Self {
        let mut schema = Self::parse(include_str!("objects.txt"));
        for object in &mut schema.objects {
            for (name, label, kind, flags) in [
                ("LastActivityDate", "Last Activity", Kind::Date, "nFSGA"),
                ("LastViewedDate", "Last Viewed Date", Kind::Datetime, "nFSA"),
                ("LastReferencedDate", "Last Referenced Date", Kind::Datetime, "nFSA"),
            ] {
                let has = matches!(object.name.as_str(), "Account" | "Contact" | "Opportunity" | "Lead") || object.custom;
                if has || (object.name == "Case" && name != "LastActivityDate") {
                    object.add(Field::plain(name, label, kind, 0).allow(flags));
                }
            }
            for (_, names) in derived::DERIVED.iter().filter(|(name, _)| *name == object.name) {
                object.fields.iter_mut().filter(|f| names.contains(&f.name.as_str())).for_each(|f| f.derived = true);
            }
        }
        schema
    }

    /// Reads the form of `objects.txt`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut objects: Vec<Object> = Vec::new();
        for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let parts: Vec<&str> = line.split(" | ").collect();
            match (parts[0], objects.last_mut()) {
                ("object", _) => objects.push(Object::new(&parts)),
                ("child", Some(object)) => object.children.push(Child {
                    object: parts[1].to_smolstr(),
                    field: parts[2].to_smolstr(),
                    relationship: (parts[3] != "null").then(|| parts[3].to_smolstr()),
                    cascade: parts.len() > 4,
                }),
                (_, Some(object)) => {
                    object.add(read_field(&parts));
                }
                _ => {}
            }
        }
        let by_name = objects.iter().enumerate().map(|(i, o)| (o.name.to_ascii_lowercase(), i)).collect();
        let geocodes = objects[0].place("BillingGeocodeAccuracy").map(|place| objects[0].fields[place].values.clone()).unwrap_or_default();
        for field in objects.iter_mut().flat_map(|o| o.fields.iter_mut()).filter(|f| f.name.ends_with("GeocodeAccuracy")) {
            field.values.clone_from(&geocodes);
        }
        Self { objects, by_name }
    }

    /// Leaves out the objects of the managed package of Gainsight, which a new org does not have.
    pub(crate) fn without_package(mut self) -> Self {
        let of_package = |name: &str| name.starts_with("JBCXM__");
        self.objects.retain(|object| !of_package(&object.name));
        self.objects.iter_mut().for_each(|object| object.children.retain(|child| !of_package(&child.object)));
        self.by_name = self.objects.iter().enumerate().map(|(i, o)| (o.name.to_ascii_lowercase(), i)).collect();
        self
    }

    /// The place of an object, whatever the case of the name.
    pub(crate) fn object(&self, name: &str) -> Option<usize> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// The place of the object behind a key prefix.
    pub(crate) fn by_prefix(&self, id: &str) -> Option<usize> {
        self.objects.iter().position(|o| id.get(..3) == Some(o.prefix.as_str()))
    }
}

fn read_field(parts: &[&str]) -> Field {
    let part = |i: usize| parts.get(i).copied().unwrap_or_default();
    let kind = Kind::by_name(part(2)).unwrap_or(Kind::Text);
    let mut field = Field::plain(part(0), part(1), kind, 0).allow(part(4));
    let number = |text: &str| text.parse().unwrap_or(0);
    match part(3).split_once(',') {
        Some((precision, scale)) => (field.precision, field.scale) = (number(precision), number(scale)),
        None if part(3).starts_with('d') => field.digits = number(&part(3)[1..]),
        None => field.length = number(part(3)),
    }
    for extra in part(5).split("; ") {
        if let Some(target) = extra.strip_prefix("->") {
            let (objects, relationship) = target.split_once(" (").unwrap_or((target, ")"));
            field.refers = objects.split('/').map(ToSmolStr::to_smolstr).collect();
            let relationship = relationship.trim_end_matches(')');
            field.relationship = (!relationship.is_empty() && !relationship.contains(' ')).then(|| relationship.to_smolstr());
        } else if let Some(values) = extra.strip_prefix("values: ") {
            field.values = values.split(", ").map(ToSmolStr::to_smolstr).collect();
        } else if let Some(compound) = extra.strip_prefix("part of ") {
            field.compound = Some(compound.to_smolstr());
        } else if let Some(default) = extra.strip_prefix("default ") {
            field.default = Some(default.to_smolstr());
        } else if !extra.is_empty() && !extra.starts_with("values") {
            field.extra_type = Some(extra.to_smolstr());
        }
    }
    field
}
