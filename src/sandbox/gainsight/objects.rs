//! What objects there are and what fields they have: the standard ones of the vendor's articles, and this tenant's own (`__gc`).

/// One object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) plural: &'static str,
    /// `STANDARD`, `CUSTOM` or `SYSTEM`.
    pub(super) kind: &'static str,
    /// The first four characters of its ids.
    pub(super) prefix: &'static str,
    /// Whether the object API may write it.
    pub(super) writable: bool,
    pub(super) fields: &'static [Field],
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) read_only: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// At most so many characters.
    Text(usize),
    RichText,
    Gsid,
    /// The id of a row of another object.
    Lookup(&'static str),
    /// The id of a choice of a dropdown.
    Picklist(&'static str),
    /// Ids of choices, joined by `;`.
    Multi(&'static str),
    Number,
    Currency,
    Percentage,
    Boolean,
    Email,
    Url,
    Date,
    DateTime,
}

impl Kind {
    /// The word of describes.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Text(_) => "STRING",
            Self::RichText => "RICHTEXTAREA",
            Self::Gsid => "GSID",
            Self::Lookup(_) => "LOOKUP",
            Self::Picklist(_) => "PICKLIST",
            Self::Multi(_) => "MULTISELECTDROPDOWNLIST",
            Self::Number => "NUMBER",
            Self::Currency => "CURRENCY",
            Self::Percentage => "PERCENTAGE",
            Self::Boolean => "BOOLEAN",
            Self::Email => "EMAIL",
            Self::Url => "URL",
            Self::Date => "DATE",
            Self::DateTime => "DATETIME",
        }
    }
}

impl Field {
    /// `Csm` -> `Csm__gr`, `CompanyId__gc` -> `CompanyId__gr`; none for a field that looks nothing up.
    pub(super) fn relation(&self) -> Option<String> {
        self.target()?;
        Some(format!("{}__gr", self.name.strip_suffix("__gc").unwrap_or(self.name)))
    }

    /// The object whose rows it names.
    pub(super) const fn target(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Lookup(object) => Some(object),
            Kind::Picklist(_) => Some("da_picklist"),
            _ => None,
        }
    }

    pub(super) fn is_custom(&self) -> bool {
        self.name.ends_with("__gc")
    }
}

impl Object {
    /// By name, in whatever capitals: the vendor's samples mix `Arr` and `ARR`.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name).or_else(|| self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)))
    }
}

/// The object of this name, in whatever capitals.
pub(super) fn object(name: &str) -> Option<&'static Object> {
    let name = match name.to_ascii_lowercase().as_str() {
        "cs_cta" => "call_to_action",
        "record_delete_log_high_volume" => "record_delete_log",
        _ => name,
    };
    OBJECTS.iter().find(|object| object.name.eq_ignore_ascii_case(name))
}

const fn f(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, required: false, read_only: false }
}

const fn required(field: Field) -> Field {
    Field { required: true, ..field }
}

const fn read_only(field: Field) -> Field {
    Field { read_only: true, ..field }
}

const GSID: Field = read_only(f("Gsid", "GSID", Kind::Gsid));
const CREATED: Field = read_only(f("CreatedDate", "Created Date", Kind::DateTime));
const MODIFIED: Field = read_only(f("ModifiedDate", "Modified Date", Kind::DateTime));
const CREATED_BY: Field = read_only(f("CreatedBy", "Created By", Kind::Lookup("gsuser")));
const MODIFIED_BY: Field = read_only(f("ModifiedBy", "Modified By", Kind::Lookup("gsuser")));

pub(super) static OBJECTS: &[Object] = &[
    Object { name: "Company", label: "Company", plural: "Companies", kind: "STANDARD", prefix: "1P02", writable: true, fields: COMPANY },
    Object { name: "Person", label: "Person", plural: "People", kind: "STANDARD", prefix: "1P03", writable: false, fields: PERSON },
    Object {
        name: "Company_Person",
        label: "Company Person",
        plural: "Company People",
        kind: "STANDARD",
        prefix: "1C01",
        writable: false,
        fields: COMPANY_PERSON,
    },
    Object { name: "gsuser", label: "User", plural: "Users", kind: "STANDARD", prefix: "1P01", writable: false, fields: USER },
    Object {
        name: "call_to_action",
        label: "Call To Action",
        plural: "Calls To Action",
        kind: "STANDARD",
        prefix: "1S01",
        writable: false,
        fields: CTA,
    },
    Object {
        name: "cta_group",
        label: "Success Plan",
        plural: "Success Plans",
        kind: "STANDARD",
        prefix: "1S03",
        writable: false,
        fields: SUCCESS_PLAN,
    },
    Object { name: "cs_task", label: "CS Task", plural: "CS Tasks", kind: "STANDARD", prefix: "1S02", writable: false, fields: TASK },
    Object { name: "da_picklist", label: "Picklist", plural: "Picklists", kind: "SYSTEM", prefix: "1I00", writable: false, fields: PICKLIST },
    Object {
        name: "activity_timeline",
        label: "Activity Timeline",
        plural: "Activity Timelines",
        kind: "STANDARD",
        prefix: "1I01",
        writable: false,
        fields: ACTIVITY,
    },
    Object {
        name: "record_delete_log",
        label: "Record Delete Log",
        plural: "Record Delete Logs",
        kind: "SYSTEM",
        prefix: "1I02",
        writable: false,
        fields: DELETE_LOG,
    },
    Object {
        name: "measure_scores__gc",
        label: "Measure Scores",
        plural: "Measure Scores",
        kind: "CUSTOM",
        prefix: "1Z02",
        writable: true,
        fields: MEASURE_SCORES,
    },
    Object { name: "usage_data__gc", label: "Usage Data", plural: "Usage Data", kind: "CUSTOM", prefix: "1Z03", writable: true, fields: USAGE_DATA },
];

const COMPANY: &[Field] = &[
    GSID,
    required(f("Name", "Name", Kind::Text(255))),
    f("SfdcAccountId", "SFDC Account Id", Kind::Text(18)),
    f("Industry", "Industry", Kind::Text(255)),
    f("Arr", "ARR", Kind::Currency),
    f("Mrr", "MRR", Kind::Currency),
    f("Employees", "Employees", Kind::Number),
    f("Users", "Users", Kind::Number),
    f("Stage", "Stage", Kind::Picklist("COMPANY_STAGE")),
    f("Status", "Status", Kind::Picklist("COMPANY_STATUS")),
    f("Csm", "CSM", Kind::Lookup("gsuser")),
    f("RenewalDate", "Renewal Date", Kind::Date),
    f("OriginalContractDate", "Original Contract Date", Kind::Date),
    f("CustomerlifetimeInMonths", "Customer Lifetime (Months)", Kind::Number),
    f("LifecycleInWeeks", "Lifecycle (Weeks)", Kind::Number),
    // Set by the scorecard, for which no public write call exists.
    read_only(f("CurrentScore", "Current Score", Kind::Number)),
    read_only(f("ScorecardId", "Scorecard", Kind::Gsid)),
    f("Csat", "CSAT", Kind::Number),
    f("Nps", "NPS", Kind::Number),
    f("Trend", "Trend", Kind::Number),
    f("BillingAddress", "Billing Address", Kind::Text(1000)),
    f("Summary", "Summary", Kind::RichText),
    f("CompanyType", "Company Type", Kind::Text(255)),
    f("ManagedAs", "Managed As", Kind::Text(255)),
    f("ParentCompany", "Parent Company", Kind::Lookup("Company")),
    f("Tags", "Tags", Kind::Multi("COMPANY_TAGS")),
    f("TickerSymbol", "Ticker Symbol", Kind::Text(20)),
    f("Churn_Risk__gc", "Churn Risk", Kind::Text(40)),
    f("Onboarding_Status__gc", "Onboarding Status", Kind::Text(40)),
    f("Plan__gc", "Plan", Kind::Text(40)),
    f("Seats__gc", "Seats", Kind::Number),
    f("Auto_Renew__gc", "Auto Renew", Kind::Boolean),
    f("Discount__gc", "Discount", Kind::Percentage),
    f("Kickoff__gc", "Kick-off", Kind::DateTime),
    CREATED,
    MODIFIED,
    CREATED_BY,
    MODIFIED_BY,
];

const PERSON: &[Field] = &[
    GSID,
    required(f("Email", "Email", Kind::Email)),
    f("FirstName", "First Name", Kind::Text(255)),
    f("MiddleName", "Middle Name", Kind::Text(255)),
    f("LastName", "Last Name", Kind::Text(255)),
    f("Name", "Name", Kind::Text(255)),
    f("Prefix", "Prefix", Kind::Text(40)),
    f("LinkedinUrl", "LinkedIn URL", Kind::Url),
    f("Location", "Location", Kind::Text(255)),
    f("Timezone", "Time Zone", Kind::Text(80)),
    f("SfdcContactId", "SFDC Contact Id", Kind::Text(18)),
    f("IsActive", "Active", Kind::Boolean),
    // What follows this tenant's rules keep: the person's primary company, and what of it journeys are chosen by.
    f("Company_ID", "Company", Kind::Lookup("Company")),
    f("External_ID__gc", "External ID", Kind::Text(255)),
    f("Role__gc", "Product Role", Kind::Text(40)),
    f("Lifecycle__gc", "Lifecycle", Kind::Text(40)),
    f("Active_Users__gc", "Active Users", Kind::Number),
    f("Seats__gc", "Seats", Kind::Number),
    CREATED,
    MODIFIED,
    CREATED_BY,
    MODIFIED_BY,
];

const COMPANY_PERSON: &[Field] = &[
    GSID,
    required(f("Person_ID", "Person", Kind::Lookup("Person"))),
    required(f("Company_ID", "Company", Kind::Lookup("Company"))),
    f("Title", "Title", Kind::Text(255)),
    f("Role", "Role", Kind::Text(255)),
    f("IsPrimaryCompany", "Primary Company", Kind::Boolean),
    f("Manager", "Manager", Kind::Lookup("Person")),
    CREATED,
    MODIFIED,
];

const USER: &[Field] = &[
    GSID,
    f("Name", "Name", Kind::Text(255)),
    f("FirstName", "First Name", Kind::Text(255)),
    f("LastName", "Last Name", Kind::Text(255)),
    f("Email", "Email", Kind::Email),
    f("SFDCUserName", "SFDC User Name", Kind::Text(255)),
    f("SfdcUserId", "SFDC User Id", Kind::Text(18)),
    f("LicenseType", "License Type", Kind::Text(40)),
    f("IsActiveUser", "Active", Kind::Boolean),
    CREATED,
    MODIFIED,
];

const CTA: &[Field] = &[
    GSID,
    required(f("Name", "Name", Kind::Text(255))),
    required(f("CompanyId", "Company", Kind::Lookup("Company"))),
    f("TypeId", "Type", Kind::Picklist("CTA_TYPE")),
    f("StatusId", "Status", Kind::Picklist("CTA_STATUS")),
    f("PriorityId", "Priority", Kind::Picklist("CTA_PRIORITY")),
    f("ReasonId", "Reason", Kind::Picklist("CTA_REASON")),
    f("OwnerId", "Owner", Kind::Lookup("gsuser")),
    f("CtaGroupId", "Success Plan", Kind::Lookup("cta_group")),
    f("DueDate", "Due Date", Kind::Date),
    f("Comments", "Comments", Kind::RichText),
    f("EntityType", "Entity Type", Kind::Text(40)),
    f("IsClosed", "Closed", Kind::Boolean),
    f("IsImportant", "Important", Kind::Boolean),
    f("ClosedDate", "Closed Date", Kind::DateTime),
    CREATED,
    MODIFIED,
    CREATED_BY,
    MODIFIED_BY,
];

const SUCCESS_PLAN: &[Field] = &[
    GSID,
    required(f("Name", "Name", Kind::Text(255))),
    required(f("CompanyId", "Company", Kind::Lookup("Company"))),
    f("TypeId", "Type", Kind::Picklist("SUCCESS_PLAN_TYPE")),
    f("StatusId", "Status", Kind::Picklist("SUCCESS_PLAN_STATUS")),
    f("OwnerId", "Owner", Kind::Lookup("gsuser")),
    f("DueDate", "Due Date", Kind::Date),
    CREATED,
    MODIFIED,
    CREATED_BY,
    MODIFIED_BY,
];

const TASK: &[Field] = &[
    GSID,
    f("Name", "Name", Kind::Text(255)),
    f("CtaId", "Call To Action", Kind::Lookup("call_to_action")),
    f("OwnerId", "Owner", Kind::Lookup("gsuser")),
    f("DueDate", "Due Date", Kind::Date),
    f("StatusId", "Status", Kind::Picklist("CTA_STATUS")),
    f("PriorityId", "Priority", Kind::Picklist("CTA_PRIORITY")),
    f("IsClosed", "Closed", Kind::Boolean),
    CREATED,
    MODIFIED,
];

const PICKLIST: &[Field] = &[
    GSID,
    f("Name", "Name", Kind::Text(255)),
    f("Category", "Category", Kind::Text(80)),
    f("DisplayOrder", "Display Order", Kind::Number),
    f("IsActive", "Active", Kind::Boolean),
];

const ACTIVITY: &[Field] = &[
    GSID,
    f("ExternalId", "External Id", Kind::Text(255)),
    f("ContextName", "Context", Kind::Text(40)),
    f("ContextId", "Context Id", Kind::Text(36)),
    f("GsCompanyId", "Company", Kind::Lookup("Company")),
    f("AuthorId", "Author", Kind::Lookup("gsuser")),
    f("TypeName", "Type", Kind::Text(80)),
    f("Subject", "Subject", Kind::Text(255)),
    f("Notes", "Notes", Kind::RichText),
    f("ActivityDate", "Activity Date", Kind::DateTime),
    CREATED,
    // This object's change field is named otherwise than everybody's.
    read_only(f("LastModifiedDate", "Last Modified Date", Kind::DateTime)),
];

const DELETE_LOG: &[Field] =
    &[GSID, f("RecordId", "Record Id", Kind::Text(36)), f("ObjectName", "Object Name", Kind::Text(80)), f("DeletedOn", "Deleted On", Kind::DateTime)];

const MEASURE_SCORES: &[Field] = &[
    GSID,
    f("Name", "Name", Kind::Text(255)),
    required(f("CompanyId__gc", "Company", Kind::Lookup("Company"))),
    required(f("Measure__gc", "Measure", Kind::Text(255))),
    f("Score__gc", "Score", Kind::Number),
    f("Comments__gc", "Comments", Kind::Text(4000)),
    f("Date__gc", "Date", Kind::Date),
    CREATED,
    MODIFIED,
    CREATED_BY,
    MODIFIED_BY,
];

const USAGE_DATA: &[Field] = &[
    GSID,
    f("Name", "Name", Kind::Text(255)),
    required(f("CompanyId__gc", "Company", Kind::Lookup("Company"))),
    required(f("Date__gc", "Date", Kind::Date)),
    f("Level__gc", "Level", Kind::Text(80)),
    f("InstanceId__gc", "Instance Id", Kind::Text(255)),
    f("InstanceName__gc", "Instance Name", Kind::Text(255)),
    f("Active_Users__gc", "Active Users", Kind::Number),
    f("Active_Visitors_30d__gc", "Active Visitors (30d)", Kind::Number),
    f("Time_on_Site_30d__gc", "Time on Site (30d)", Kind::Number),
    f("Page_Views__gc", "Page Views", Kind::Number),
    f("Feature_Clicks__gc", "Feature Clicks", Kind::Number),
    f("Sign_In_Frequency__gc", "Sign-in Frequency", Kind::Percentage),
    f("Nps_Score__gc", "NPS Score", Kind::Number),
    f("Last_Visit__gc", "Last Visit", Kind::Date),
    CREATED,
    MODIFIED,
    CREATED_BY,
    MODIFIED_BY,
];
