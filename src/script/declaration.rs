//! What scripts declare, as data that `flow` carries out. Closures stay closures; everything else is plain.

use std::fmt;

use jiff::SignedDuration;

use crate::model::{FieldType, Filter, Name, Schedule, Source, System, Value};

use super::{Closure, journey::Journey, kept::Kept, rows::Rows, sources::Sources};

/// Where something stands in a script. Lines and columns count from 1; the file is relative to the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One declared mapping, rule, segment or journey.
#[derive(Debug, Clone)]
pub struct Declaration {
    pub name: String,
    pub place: Place,
    /// BLAKE3 of its file and everything that file imports, hex.
    pub hash: String,
    /// Of a journey: what it was made of. Empty for everything else.
    pub sources: Sources,
    /// Of a mapping with a cursor: what it reads and writes, as a hash that comments, layout and schedule leave alone. Empty for everything else.
    pub shape: String,
    pub schedule: Option<Schedule>,
    /// Declarations it follows.
    pub after: Vec<String>,
    /// Declarations whose fields it may also write.
    pub overrides: Vec<String>,
    pub body: Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Mapping,
    Rule,
    Segment,
    Journey,
}

impl Kind {
    /// The word in listings and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Rule => "rule",
            Self::Segment => "segment",
            Self::Journey => "journey",
        }
    }
}

#[derive(Debug, Clone)]
pub enum Body {
    /// `pendo::salesforce_integration(..)`; its kind is `mapping`.
    Integration(Integration),
    Mapping(Mapping),
    Rule(Rule),
    Segment(SegmentDecl),
    Journey(Box<Journey>),
}

impl Declaration {
    pub const fn kind(&self) -> Kind {
        match self.body {
            Body::Integration(_) | Body::Mapping(_) => Kind::Mapping,
            Body::Rule(_) => Kind::Rule,
            Body::Segment(_) => Kind::Segment,
            Body::Journey(_) => Kind::Journey,
        }
    }
}

impl Declaration {
    /// The declaration with what is said of the measures that it loads; none when it knows that already.
    pub(super) fn clone_with(&self, all: &[MeasureDecl]) -> Option<Self> {
        let mut declaration = self.clone();
        let mut changed = false;
        let actions: Vec<&mut Action> = match &mut declaration.body {
            Body::Rule(rule) => rule.actions.iter_mut().collect(),
            Body::Journey(journey) => journey.steps.values_mut().filter_map(|parts| parts.action.as_mut()).collect(),
            Body::Integration(_) | Body::Mapping(_) | Body::Segment(_) => return None,
        };
        for action in actions {
            let ActionKind::Usage(load) = &mut action.kind else { continue };
            let of_load = |measure: &&MeasureDecl| load.measures.iter().any(|map| *map.target == *measure.name);
            let declared: Vec<MeasureDecl> = all.iter().filter(of_load).cloned().collect();
            changed |= declared != load.declared;
            load.declared = declared;
        }
        changed.then_some(declaration)
    }
}

/// Where a target field's value comes from.
#[derive(Debug, Clone)]
pub enum Cell {
    /// A field of the source row, dotted paths allowed.
    Field(String),
    Constant(Value),
    /// `rule_date()`, filled in per run.
    RuleDate(RuleDate),
    /// A closure over the source row.
    Compute(Closure),
}

/// The rule date, moved by whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleDate {
    pub plus_days: i32,
}

/// One target field and its value: `Target__c: "source"`, or `#{ from: .., type: "number(18,0)", label: ".." }` to say what it is (A1).
#[derive(Debug, Clone)]
pub struct FieldMap {
    pub target: Name,
    pub from: Cell,
    /// What the script says the field is: created so when missing, an error when the present one does not fit.
    pub declared: Option<DeclaredField>,
    pub place: Place,
}

/// A field's declared type and label.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredField {
    /// None where only the label is said.
    pub kind: Option<FieldType>,
    pub label: Option<String>,
    /// What is kept with a field that is created.
    pub description: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Only rows that exist in the target.
    #[default]
    Update,
    /// Rows that exist are updated, others inserted.
    Upsert,
    /// Only rows that do not exist yet are inserted; existing ones are left alone.
    Insert,
}

/// What a blank source value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Blank {
    /// The target keeps what it has.
    #[default]
    Skip,
    /// The target field is emptied.
    Clear,
}

/// An object of a system that is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub system: System,
    /// As in `model::Write`.
    pub object: String,
}

/// `mapping(name, #{..})`.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub from: Source,
    pub rows: Rows,
    pub to: Target,
    /// Target field and the source value that has to equal it; more than one are joined by "and".
    pub match_on: Vec<FieldMap>,
    pub fields: Vec<FieldMap>,
    pub mode: Mode,
    pub blank: Blank,
    pub cursor: Option<Cursor>,
}

/// How a mapping reads only what changed since its last good run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The source's change field, a date-time.
    pub field: String,
    /// How far before the end of the last read the next one begins: records come to sight later than they are stamped.
    pub lookback: SignedDuration,
    pub place: Place,
}

impl Cursor {
    /// Ten minutes: as long as a Salesforce transaction may last, and what others take, too.
    pub const LOOKBACK: SignedDuration = SignedDuration::from_mins(10);
}

/// `pendo::salesforce_integration(name, #{..})`: usage out, customer data in.
#[derive(Debug, Clone)]
pub struct Integration {
    /// The Salesforce object of both directions.
    pub object: String,
    /// `account` or `visitor`.
    pub per: String,
    /// `accountId` and `Id`, say: the mapping key on either side.
    pub pendo_key: String,
    pub salesforce_key: String,
    /// Where the keys are written, or the integration when it has the usual ones.
    pub key_place: Place,
    pub push: Vec<Push>,
    pub pull: Vec<Pull>,
    pub blank: Blank,
}

/// One report pushed to Salesforce fields.
#[derive(Debug, Clone)]
pub struct Push {
    /// A usage report, or one that was saved in Pendo.
    pub report: Source,
    pub fields: Vec<FieldMap>,
    /// Runs with the schedule; off, it runs only by hand (`daily: false`).
    pub daily: bool,
    pub place: Place,
}

/// A Salesforce field that becomes Pendo metadata in group `salesforce`.
#[derive(Debug, Clone)]
pub struct Pull {
    pub field: String,
    /// The metadata field's name: the Salesforce name in lower case.
    pub metadata: String,
    pub place: Place,
}

/// `rule(name, #{..})`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `account`, `relationship` or `person`.
    pub rule_for: String,
    /// Without fields: what `show` and everything else below names is added when it is read.
    pub from: Source,
    /// Which of them count; `filters` below have to hold, too.
    pub rows: Rows,
    pub show: Vec<String>,
    pub filters: Option<Filter>,
    pub customers_only: bool,
    /// The source field that holds the Salesforce account id, for `customers_only` and actions on the company.
    pub account: String,
    pub group_by: Vec<String>,
    pub calculated: Vec<Aggregate>,
    /// Who has a group even without a row; none where the script does not say.
    pub for_every: Option<Scope>,
    pub actions: Vec<Action>,
}

/// Whom a grouped rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every customer of Gainsight that is a Salesforce account.
    Customer,
    /// Every Salesforce account.
    Account,
    /// Who has rows, and nobody else.
    Group,
}

impl Rule {
    /// Whether its groups are accounts.
    pub fn by_account(&self) -> bool {
        self.rule_for == "account" && (self.group_by.is_empty() || self.group_by == [self.account.as_str()])
    }

    /// Whether null in this field is what the rule says of everybody it is about: nothing was there to take a mean or the largest of.
    pub fn null_is_said(&self, field: &str) -> bool {
        let calculated = self.calculated.iter().any(|aggregate| aggregate.name == field);
        calculated && matches!(self.for_every, Some(Scope::Customer | Scope::Account))
    }
}

/// A calculated field: an aggregate over the rows of one group within a window before the rule date.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    pub name: String,
    /// `sum`, `avg`, `min`, `max`, `count`, `count_distinct`, `first`, `last`.
    pub function: String,
    pub field: String,
    /// Only rows whose date field lies within the days before the rule date.
    pub window: Option<(String, u32)>,
}

/// `count` of this counts rows.
pub const EVERY_ROW: &str = "*";

impl Aggregate {
    /// Why a field of this type does not go into it, as far as the type alone tells.
    pub fn refuses(&self, kind: &FieldType) -> Option<String> {
        let number = matches!(kind, FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float | FieldType::Other { .. });
        match self.function.as_str() {
            "sum" | "avg" if !number => Some(format!("`{}` adds numbers, and `{}` is a field of type {}", self.function, self.field, kind.word())),
            "min" | "max" if *kind == FieldType::Bool => {
                Some(format!("`{}` is of numbers, dates and texts, and `{}` is a field of type {}", self.function, self.field, kind.word()))
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Action {
    /// Only rows that pass; none for all.
    pub criteria: Option<Filter>,
    pub kind: ActionKind,
    pub place: Place,
}

impl Action {
    /// Every cell that it computes from a row.
    pub fn cells(&self) -> Vec<&Cell> {
        fn of(maps: &[FieldMap]) -> impl Iterator<Item = &Cell> {
            maps.iter().map(|map| &map.from)
        }
        match &self.kind {
            ActionKind::Usage(load) => {
                // In a Gainsight object a row is of the company, not of an account.
                let account = Some(&load.account).filter(|_| load.into.is_none());
                let own = [account, Some(&load.date), load.instance_id.as_ref(), load.instance_name.as_ref()];
                own.into_iter().flatten().chain(of(&load.measures)).collect()
            }
            ActionKind::Object(load) => of(&load.fields).collect(),
            ActionKind::Score(score) => std::iter::once(&score.score).chain(&score.comments).collect(),
            ActionKind::Cta(cta) => {
                let own = [&cta.name, &cta.cta_type, &cta.reason, &cta.priority].into_iter();
                own.chain([&cta.status, &cta.owner_email, &cta.playbook, &cta.comments].into_iter().flatten()).collect()
            }
            ActionKind::Kept(kept) => kept.cells().collect(),
        }
    }
}

#[derive(Debug, Clone)]
pub enum ActionKind {
    Usage(UsageLoad),
    /// `load_to_sfdc`, `load_to_object`, `load_to_company`, `load_to_people`.
    Object(ObjectLoad),
    Score(RuleScore),
    Cta(CtaAction),
    /// `log_timeline`, `create_success_plan`, `load_to_milestones`.
    Kept(Kept),
}

/// `load_to_usage(#{..})`: one row per account, level, instance and date.
#[derive(Debug, Clone)]
pub struct UsageLoad {
    pub account: Cell,
    pub level: String,
    pub date: Cell,
    pub instance_id: Option<Cell>,
    pub instance_name: Option<Cell>,
    /// Measure name and value.
    pub measures: Vec<FieldMap>,
    /// What groups say of these measures, in whichever file.
    pub declared: Vec<MeasureDecl>,
    /// Days are moved to the start of their `week` or `month`; none keeps the day.
    pub keep: Option<String>,
    /// A Gainsight object instead of the usage data object.
    pub into: Option<String>,
    pub blank: Blank,
}

impl UsageLoad {
    pub fn declared(&self, measure: &str) -> Option<&MeasureDecl> {
        self.declared.iter().find(|declared| declared.name == measure)
    }
}

#[derive(Debug, Clone)]
pub struct ObjectLoad {
    pub to: Target,
    pub operation: Mode,
    /// Target fields that identify a row; each is among `fields`.
    pub identifiers: Vec<String>,
    pub fields: Vec<FieldMap>,
    pub blank: Blank,
}

/// `set_score(measure, value)`.
#[derive(Debug, Clone)]
pub struct RuleScore {
    pub measure: String,
    pub score: Cell,
    pub comments: Option<Cell>,
    /// What no score does.
    pub blank: Blank,
    /// A Gainsight object instead of the one that scores are loaded to.
    pub into: Option<String>,
}

/// `create_cta(#{..})`: an open one of the same company, type and reason is updated.
#[derive(Debug, Clone)]
pub struct CtaAction {
    pub name: Cell,
    pub cta_type: Cell,
    pub reason: Cell,
    pub priority: Cell,
    pub status: Option<Cell>,
    pub owner_email: Option<Cell>,
    pub playbook: Option<Cell>,
    pub comments: Option<Cell>,
    /// Days after the rule date.
    pub due_in_days: u32,
}

/// `pendo::segment(name, #{..})`: people or accounts by their metadata, kept as an uploaded segment.
#[derive(Debug, Clone)]
pub struct SegmentDecl {
    /// `account` or `visitor`: what the filter is about. Members are always visitors.
    pub per: String,
    /// Over metadata fields such as `metadata.salesforce.renewal_date__c`.
    pub filter: Filter,
    /// Names or ids of guides shown to the segment.
    pub guides: Vec<String>,
}

/// `gainsight::measures(group, #{..})`: a measure of a group, which loads know by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureDecl {
    pub group: String,
    pub name: String,
    /// The column that holds it, where the script says which.
    pub column: Option<String>,
    /// The type of a column that is not there yet.
    pub kind: Option<FieldType>,
    pub place: Place,
}

impl MeasureDecl {
    /// The column of usage data in Salesforce that a new measure gets: `Active Visitors (30d)` is `Active_Visitors_30d__c`, of letters, digits and
    /// single underscores, forty at most. A name that is one of a custom field already stays.
    pub fn column_of(name: &str) -> String {
        let stands = name.to_ascii_lowercase().ends_with("__c") && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if stands && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return name.to_owned();
        }
        let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let joined = words.join("_");
        let first = if joined.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "M_" };
        let cut: String = format!("{first}{joined}").chars().take(40).collect();
        format!("{}__c", cut.trim_end_matches('_'))
    }
}
