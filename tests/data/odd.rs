//! Every odd value into every type of field of every system: kept as it is or refused with a reason, and a second run writes nothing.

use serde_json::{Value, json};

use super::types::{ADD_FIELD, rejections};
use crate::support::{Sandbox, Workspace};

/// What a value is in each family of types; none where it has to be refused.
struct Odd {
    script: &'static str,
    text: Option<&'static str>,
    /// Digits, with a point and a sign where there are.
    number: Option<&'static str>,
    truth: Option<bool>,
    /// RFC 3339, UTC.
    instant: Option<&'static str>,
    day: Option<&'static str>,
    time: Option<&'static str>,
    email: bool,
    /// The labels of choices, in the order of the alphabet.
    choice: Option<&'static str>,
    choices: Option<&'static str>,
}

const fn odd(script: &'static str, text: Option<&'static str>) -> Odd {
    Odd { script, text, number: None, truth: None, instant: None, day: None, time: None, email: false, choice: None, choices: None }
}

const fn number(script: &'static str, text: &'static str, number: &'static str) -> Odd {
    Odd { number: Some(number), ..odd(script, Some(text)) }
}

const fn moment(script: &'static str, text: &'static str, instant: Option<&'static str>, day: &'static str) -> Odd {
    Odd { instant, day: Some(day), ..odd(script, Some(text)) }
}

const AT: Option<&str> = Some("2026-01-31T10:00:00.000Z");
const MIDNIGHT: Option<&str> = Some("2026-01-31T00:00:00.000Z");

const ODD: &[Odd] = &[
    number("0", "0", "0"),
    number("-7", "-7", "-7"),
    number("1.5", "1.5", "1.5"),
    number("-2.25", "-2.25", "-2.25"),
    number("\"1.005\"", "1.005", "1.005"),
    number("-0.05", "-0.05", "-0.05"),
    number("999.995", "999.995", "999.995"),
    number("99999999", "99999999", "99999999"),
    number("100000000", "100000000", "100000000"),
    number("2147483647", "2147483647", "2147483647"),
    number("2147483648", "2147483648", "2147483648"),
    number("\"123456789012345.67\"", "123456789012345.67", "123456789012345.67"),
    number("-98765432101234.56", "-98765432101234.56", "-98765432101234.56"),
    odd("9007199254740993", Some("9007199254740993")),
    odd("\"9007199254740993\"", Some("9007199254740993")),
    odd("\"1234567890123456.78\"", Some("1234567890123456.78")),
    number("\" 12 \"", "12", "12"),
    number("\"1e3\"", "1e3", "1000"),
    odd("\"1,5\"", Some("1,5")),
    odd("\"1.234,56\"", Some("1.234,56")),
    odd("\"12%\"", Some("12%")),
    odd("\"$5\"", Some("$5")),
    odd("\"NaN\"", Some("NaN")),
    odd("0.0 / 0.0", None),
    Odd { truth: Some(true), ..odd("true", Some("true")) },
    Odd { truth: Some(false), ..odd("\"FALSE\"", Some("FALSE")) },
    odd("\"yes\"", Some("yes")),
    moment("\"2026-01-31\"", "2026-01-31", MIDNIGHT, "2026-01-31"),
    moment("date(\"2026-01-31\")", "2026-01-31", MIDNIGHT, "2026-01-31"),
    moment("\"2026-01-31 10:00:00\"", "2026-01-31 10:00:00", None, "2026-01-31"),
    moment("\"2026-01-31T10:00:00\"", "2026-01-31T10:00:00", None, "2026-01-31"),
    moment("\"2026-01-31T11:00:00[Europe/Berlin]\"", "2026-01-31T11:00:00[Europe/Berlin]", AT, "2026-01-31"),
    moment("\"2026-01-31T12:00:00+02:00\"", "2026-01-31T12:00:00+02:00", AT, "2026-01-31"),
    moment("\"2026-01-31T10:00:00.000Z\"", "2026-01-31T10:00:00.000Z", AT, "2026-01-31"),
    moment("timestamp(\"2026-01-31T10:00:00Z\")", "2026-01-31T10:00:00Z", AT, "2026-01-31"),
    odd("\"01/31/2026\"", Some("01/31/2026")),
    Odd { time: Some("10:30:00.000Z"), ..odd("\"10:30\"", Some("10:30")) },
    Odd { time: Some("10:30:15.500Z"), ..odd("\"10:30:15.5Z\"", Some("10:30:15.5Z")) },
    odd("\"25:00\"", Some("25:00")),
    Odd { email: true, ..odd("\"Ana.Lima@Example.com\"", Some("Ana.Lima@Example.com")) },
    odd("\"ana@nowhere\"", Some("ana@nowhere")),
    Odd { choice: Some("Adoption"), ..odd("\"aDOPTION\"", Some("aDOPTION")) },
    Odd { choices: Some("Beta;Partner"), ..odd("\"partner;BETA;\"", Some("partner;BETA;")) },
    Odd { choices: Some("Beta;Partner"), ..odd("[\"Partner\", \"beta\", \"Beta\"]", None) },
    odd("[\"A\", \"B\"]", None),
    odd("\"#N/A\"", Some("#N/A")),
    odd("\"null\"", Some("null")),
    odd("\"quote \\\" comma, 'tick'\"", Some("quote \" comma, 'tick'")),
    odd("\"Ärger 😀\"", Some("Ärger 😀")),
    odd("\"😀😀😀\"", Some("😀😀😀")),
    odd("#{ a: 1 }", None),
];

/// Blank values follow; they change nothing.
const BLANK: [&str; 3] = ["()", "\"\"", "\"  \""];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Text of so many UTF-16 units at most.
    Text(usize),
    /// Digits before the point, and behind it where they are counted.
    Number(usize, Option<usize>),
    /// Without a fraction, of eight digits at most.
    Whole,
    Truth,
    Instant,
    Day,
    Time,
    Email,
    Choice,
    Choices,
}

use Family::{Choice, Choices, Day, Email, Instant, Number, Text, Time, Truth, Whole};

/// A field of a system: as the script names it, as the documents do, its family, the type that the script declares.
type Place = (&'static str, &'static str, Family, &'static str);

/// A system, the object of its documents, what is mapped to, by which key, and fields of all its types.
struct System {
    name: &'static str,
    object: &'static str,
    to: &'static str,
    key: &'static str,
    places: &'static [Place],
}

const SALESFORCE: System = System {
    name: "salesforce",
    object: "Account",
    to: "salesforce::object(\"Account\")",
    key: "Id",
    places: &[
        ("Odd_Text__c", "Odd_Text__c", Text(255), "text(255)"),
        ("Odd_Short__c", "Odd_Short__c", Text(5), ""),
        ("Odd_Long__c", "Odd_Long__c", Text(256), ""),
        ("Odd_Number__c", "Odd_Number__c", Number(16, Some(2)), "number(18,2)"),
        ("Odd_Tenth__c", "Odd_Tenth__c", Number(4, Some(1)), ""),
        ("Odd_Percent__c", "Odd_Percent__c", Number(3, Some(2)), ""),
        ("Odd_Currency__c", "Odd_Currency__c", Number(14, Some(2)), ""),
        ("NumberOfEmployees", "NumberOfEmployees", Whole, ""),
        ("Odd_Truth__c", "Odd_Truth__c", Truth, "boolean"),
        ("Odd_Instant__c", "Odd_Instant__c", Instant, "datetime"),
        ("Odd_Day__c", "Odd_Day__c", Day, "date"),
        ("Odd_Time__c", "Odd_Time__c", Time, ""),
        ("Odd_Mail__c", "Odd_Mail__c", Email, ""),
        ("Odd_Choice__c", "Odd_Choice__c", Choice, ""),
        ("Odd_Choices__c", "Odd_Choices__c", Choices, ""),
    ],
};

const PENDO: System = System {
    name: "pendo",
    object: "account",
    to: "pendo::account_metadata(\"custom\")",
    key: "accountId",
    places: &[
        ("odd_text", "metadata.custom.odd_text", Text(255), "text(255)"),
        ("odd_number", "metadata.custom.odd_number", Number(16, None), "number(18,2)"),
        ("odd_truth", "metadata.custom.odd_truth", Truth, "boolean"),
        ("odd_instant", "metadata.custom.odd_instant", Instant, "datetime"),
    ],
};

const GAINSIGHT: System = System {
    name: "gainsight",
    object: "Company",
    to: "gainsight::object(\"Company\")",
    key: "SfdcAccountId",
    places: &[
        ("Summary", "Summary", Text(131_072), ""),
        ("TickerSymbol", "TickerSymbol", Text(20), ""),
        ("Employees", "Employees", Number(15, Some(9)), ""),
        ("Arr", "Arr", Number(15, Some(9)), ""),
        ("Discount__gc", "Discount__gc", Number(15, Some(9)), ""),
        ("Auto_Renew__gc", "Auto_Renew__gc", Truth, ""),
        ("Kickoff__gc", "Kickoff__gc", Instant, ""),
        ("RenewalDate", "RenewalDate", Day, ""),
        ("Stage", "Stage", Choice, ""),
        ("Tags", "Tags", Choices, ""),
    ],
};

const PX: System = System {
    name: "px",
    object: "accounts",
    to: "px::object(\"accounts\")",
    key: "id",
    places: &[
        ("customAttributes.onboardingStatus", "customAttributes.onboardingStatus", Text(1_000), ""),
        ("customAttributes.seats", "customAttributes.seats", Number(16, None), ""),
        ("customAttributes.strategic", "customAttributes.strategic", Truth, ""),
        ("customAttributes.kickoffOn", "customAttributes.kickoffOn", Instant, ""),
    ],
};

fn mapping(name: &str, system: &System, (field, _, _, kind): &Place) -> String {
    let values: Vec<&str> = ODD.iter().map(|odd| odd.script).chain(BLANK).collect();
    let arms: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("\"{at}\" => {value}")).collect();
    let closure = format!("|row| switch row.Site {{ {}, _ => () }}", arms.join(", "));
    let from = if kind.is_empty() { closure } else { format!("#{{ from: {closure}, type: \"{kind}\" }}") };
    let (to, key) = (system.to, system.key);
    format!(
        r#"mapping("{name}", #{{ from: salesforce::soql("SELECT Id, Site FROM Account WHERE Site != null ORDER BY Id"), to: {to},
               match_on: #{{ {key}: "Id" }}, fields: #{{ "{field}": {from} }} }});
"#
    )
}

/// Makes fields of all types, and numbers accounts that are known to every system by their `Site`.
fn prepared(workspace: &Workspace) {
    let most = ODD.len() + BLANK.len();
    let choices = |values: &str| format!("valueSet: #{{ restricted: true, valueSetDefinition: #{{ sorted: false, value: [{values}] }} }}");
    let choice = |name: &str, label: &str| format!(r#"#{{ fullName: "{name}", label: "{label}", "default": false }}"#);
    let one = choices(&choice("ADOPT", "Adoption"));
    let many = choices(&[choice("B", "Beta"), choice("P", "Partner")].join(", "));
    workspace.write(
        "prepare.rhai",
        format!(
            r#"{ADD_FIELD}
               add_field("Odd_Short__c", #{{ type: "Text", length: 5 }});
               add_field("Odd_Long__c", #{{ type: "LongTextArea", length: 256, visibleLines: 3 }});
               add_field("Odd_Tenth__c", #{{ type: "Number", precision: 5, scale: 1 }});
               add_field("Odd_Percent__c", #{{ type: "Percent", precision: 5, scale: 2 }});
               add_field("Odd_Currency__c", #{{ type: "Currency", precision: 16, scale: 2 }});
               add_field("Odd_Time__c", #{{ type: "Time" }});
               add_field("Odd_Mail__c", #{{ type: "Email" }});
               add_field("Odd_Choice__c", #{{ type: "Picklist", {one} }});
               add_field("Odd_Choices__c", #{{ type: "MultiselectPicklist", visibleLines: 4, {many} }});
               let companies = [];
               for company in gainsight::query("Company", #{{ fields: ["SfdcAccountId"] }}) {{ companies.push(company.SfdcAccountId); }}
               let n = 0;
               for account in salesforce::query("SELECT Id FROM Account ORDER BY Id") {{
                   let site = if n < {most} && account.Id in companies {{ `${{n}}` }} else {{ () }};
                   salesforce::update("Account", account.Id, #{{ Site: site }});
                   if site != () {{ n += 1; }}
               }}
               print(n);"#
        ),
    );
    let ran = workspace.tabi("exec prepare.rhai").ended(0);
    assert!(ran.stdout.lines().chain(ran.stderr.lines()).any(|line| line.trim() == most.to_string()), "{}{}", ran.stdout, ran.stderr);
}

/// Rounded half away from zero as it is written, and without the digits that say nothing.
fn rounded(text: &str, places: usize) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = format!("{fraction:0<places$}");
    let (kept, rest) = kept.split_at(places);
    let up = i128::from(rest.bytes().next().is_some_and(|digit| digit >= b'5'));
    let all = format!("{:0>width$}", format!("{whole}{kept}").parse::<i128>().unwrap() + up, width = places + 1);
    let (whole, fraction) = all.split_at(all.len() - places);
    format!("{sign}{whole}.{fraction}0")
}

/// What a field of that family holds of a value; none when it has to be refused.
fn wanted(family: Family, odd: &Odd) -> Option<Value> {
    match family {
        Text(most) => odd.text.filter(|text| text.encode_utf16().count() <= most).map(Value::from),
        Number(room, places) => {
            let number = odd.number?;
            let number = places.map_or_else(|| number.to_owned(), |places| rounded(number, places));
            let digits = number.trim_start_matches('-').split('.').next().unwrap().trim_start_matches('0').len();
            (digits <= room).then(|| json!(number.parse::<f64>().unwrap()))
        }
        Whole => odd.number?.parse::<i32>().ok().filter(|number| number.abs() < 100_000_000).map(Value::from),
        Truth => odd.truth.map(Value::from),
        Instant => odd.instant.and_then(|at| millis(&json!(at))).map(Value::from),
        Day => odd.day.map(Value::from),
        Time => odd.time.map(Value::from),
        Email => odd.text.filter(|_| odd.email).map(Value::from),
        Choice => odd.choice.map(Value::from),
        Choices => odd.choices.map(Value::from),
    }
}

fn millis(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let text = value.as_str()?.replace("+0000", "Z");
        text.parse::<tabi::model::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    })
}

/// What a record holds, in the form of `wanted`.
fn held(row: &Value, field: &str, family: Family, labels: &[(String, String)]) -> Value {
    let value = field.split('.').fold(row.clone(), |value, part| value[part].clone());
    let label = |name: &str| labels.iter().find(|(id, _)| id == name).map_or(name, |(_, label)| label).to_owned();
    match family {
        Instant => millis(&value).map_or(value, Value::from),
        Number(..) => value.as_f64().map_or(value, Value::from),
        Choice | Choices => value.as_str().map_or(Value::Null, |all| {
            let mut all: Vec<String> = all.split(';').map(label).collect();
            all.sort();
            all.join(";").into()
        }),
        _ => value,
    }
}

fn odd_values_into(system: &System, toml: &str) {
    let workspace = Workspace::new();
    workspace.write("tabi.toml", toml);
    let places: Vec<(String, &Place)> = system.places.iter().enumerate().map(|(at, place)| (format!("odd-{at}"), place)).collect();
    let sandbox = Sandbox::start(&workspace, "--accounts 120 --people 60");
    prepared(&workspace);
    workspace.write("scripts/odd.rhai", places.iter().map(|(name, place)| mapping(name, system, place)).collect::<String>());
    let accounts = sandbox.documents("salesforce", "Account");
    let at_site = |site: &str| accounts.iter().find(|account| account["Site"] == site).unwrap()["Id"].as_str().unwrap().to_owned();
    let account_of = |at: usize| at_site(&at.to_string());
    let ids: Vec<String> = (0..ODD.len() + BLANK.len()).map(account_of).collect();
    let picklist = sandbox.documents("gainsight", "da_picklist").into_iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = [("ADOPT", "Adoption"), ("B", "Beta"), ("P", "Partner")].map(|(value, label)| (value.to_owned(), label.to_owned()));
    let labels: Vec<(String, String)> = picklist.map(|option| (text(&option["Gsid"]), text(&option["Name"]))).chain(own).collect();
    let row_of =
        |rows: &[Value], id: &str| rows.iter().find(|row| row[system.key] == id).cloned().unwrap_or_else(|| panic!("{} has no {id}", system.name));
    let before = sandbox.documents(system.name, system.object);
    let first = workspace.tabi("run --json");
    let after = sandbox.documents(system.name, system.object);
    let mut wrong = Vec::new();
    for (name, (_, field, family, _)) in &places {
        let rejected = rejections(&workspace, &first, name);
        let refused = |id: &str| rejected.iter().find(|row| row["key"] == id);
        let (mut written, mut unfit) = (0, 0);
        for (odd, id) in ODD.iter().zip(&ids) {
            let of = |rows: &[Value]| held(&row_of(rows, id), field, *family, &labels);
            let (had, has, wanted) = (of(&before), of(&after), wanted(*family, odd));
            let right = match (&wanted, refused(id)) {
                (Some(wanted), None) => has == *wanted,
                (None, Some(reason)) => has == had && reason["reason"].as_str().is_some_and(|reason| reason.len() > 10),
                _ => false,
            };
            written += u64::from(wanted.as_ref().is_some_and(|wanted| *wanted != had));
            unfit += u64::from(wanted.is_none());
            if !right {
                wrong.push(format!("{field} {}: wants {wanted:?}, holds {has}, held {had}, refused {:?}", odd.script, refused(id)));
            }
        }
        for id in &ids[ODD.len()..] {
            let of = |rows: &[Value]| held(&row_of(rows, id), field, *family, &labels);
            if of(&before) != of(&after) || refused(id).is_some() {
                wrong.push(format!("{field} blank: {} became {}, {:?}", of(&before), of(&after), refused(id)));
            }
        }
        let summary = first.summary(name);
        let counts = (&summary["read"], &summary["written"], &summary["rejected"], &summary["status"]);
        if counts != (&json!(ids.len()), &json!(written), &json!(unfit), &json!("partial")) {
            wrong.push(format!("{field}: {written} to write and {unfit} to refuse, but {summary}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{}", first.stderr);
    sandbox.forget_requests();
    let second = workspace.tabi("run --json");
    for (name, place) in &places {
        let (before, after) = (first.summary(name), second.summary(name));
        assert_eq!((&after["written"], &after["rejected"]), (&json!(0), &before["rejected"]), "{name} {}: {after}", place.1);
    }
    assert_eq!(sandbox.writes(system.name), Vec::<String>::new());
}

#[test]
fn odd_values_into_salesforce() {
    odd_values_into(&SALESFORCE, "timezone = \"UTC\"");
}

#[test]
fn odd_values_into_salesforce_by_bulk_jobs() {
    odd_values_into(&SALESFORCE, "[salesforce]\nsandbox = true\nbulk_threshold = 1\n");
}

#[test]
fn odd_values_into_pendo() {
    odd_values_into(&PENDO, "");
}

#[test]
fn odd_values_into_gainsight() {
    odd_values_into(&GAINSIGHT, "");
}

#[test]
fn odd_values_into_px() {
    odd_values_into(&PX, "");
}
