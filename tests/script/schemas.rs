//! Declarations against what the systems describe.

use tabi::{
    model::{Field, FieldType, ObjectSchema, System},
    script::{Declaration, check_against, check_enabled},
};

use super::bench::{Workspace, findings};

fn field(name: &str, kind: FieldType) -> Field {
    Field {
        name: name.into(),
        label: name.into(),
        kind,
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    }
}

fn account() -> ObjectSchema {
    let mut created = field("CreatedDate", FieldType::DateTime { millis: false });
    (created.updateable, created.createable) = (false, false);
    let fields = vec![
        field("Id", FieldType::Id),
        field("Name", FieldType::Text { max: 255 }),
        field("Renewal_Date__c", FieldType::Date),
        field("Health_Score__c", FieldType::Number { digits: 5, scale: 1 }),
        field("Active__c", FieldType::Bool),
        field("OwnerId", FieldType::Reference { to: vec!["User".into()] }),
        field("Pendo_visitors__c", FieldType::Date),
        created,
    ];
    ObjectSchema { system: System::Salesforce, name: "Account".into(), label: "Account".into(), fields }
}

fn against(script: &str) -> Vec<String> {
    let generation = Workspace::new(&[("scripts/a.rhai", script)]).load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    let declarations: Vec<&Declaration> = generation.declarations().map(AsRef::as_ref).collect();
    let found = check_against(&declarations, |system, object| (system == System::Salesforce && object == "Account").then(account));
    found.iter().map(|d| format!("{}:{} {} ({})", d.code, d.line, d.message, d.hint.as_deref().unwrap_or(""))).collect()
}

#[test]
fn a1_missing_fields_of_a_push_are_created_but_present_ones_have_to_fit() {
    let script = "pendo::salesforce_integration(\"p\", #{
        push: [#{ report: pendo::account_report(#{ columns: [\"active_visitors\", \"last_visit\"] }), fields: #{
            Pendo_new__c: \"active_visitors\",
            Pendo_visitors__c: \"active_visitors\",
        } }],
        pull: [\"Renewal_Date__c\", \"Renewal_Dat__c\"],
    });";
    assert_eq!(
        against(script),
        [
            "E0503:4 `active_visitors` is integer, which does not fit `Pendo_visitors__c` (date) (convert it in a closure: `|row| ...`)",
            "E0502:6 salesforce Account has no field `Renewal_Dat__c` (did you mean `Renewal_Date__c`?)",
        ]
    );
}

/// Before the first run of a workspace, too.
#[test]
fn a1_what_one_declaration_creates_another_may_read() {
    let script = "pendo::salesforce_integration(\"p\", #{
        push: [#{ report: pendo::account_report(#{ columns: [\"active_visitors\"] }), fields: #{ Pendo_week__c: \"active_visitors\" } }],
    });
    rule(\"r\", #{
        from: salesforce::object(\"Account\").filter(#{ a: [\"Pendo_week__c\", \">\", 0], b: [\"Pendo_weak__c\", \">\", 0] }),
        actions: [set_score(\"Habits\", |row| row.Pendo_week__c)],
    });";
    assert_eq!(against(script), ["E0502:4 salesforce Account has no field `Pendo_weak__c` (did you mean `Pendo_week__c`?)"]);
}

#[test]
fn a_declared_type_has_to_be_the_fields_own() {
    let script = "pendo::salesforce_integration(\"p\", #{
        push: [#{ report: pendo::account_report(#{ columns: [\"active_visitors\"] }), fields: #{
            Pendo_visitors__c: #{ from: \"active_visitors\", type: \"number(18,0)\" },
        } }],
    });";
    assert_eq!(against(script).len(), 2, "{:?}", against(script));
    assert!(against(script)[0].starts_with("E0503:3 `Pendo_visitors__c` is declared as number, but is date"));
}

#[test]
fn a13_unknown_read_only_and_unfitting_targets_are_told_by_field() {
    let script = "rule(\"r\", #{ from: salesforce::object(\"Account\"), show: [\"Id\", \"Name\", \"Active__c\", \"Renewl_Date__c\"], actions: [
        load_to_sfdc(#{ object: \"Account\", fields: #{
            Id: \"Id\",
            Helth_Score__c: \"Name\",
            CreatedDate: rule_date(),
            Renewal_Date__c: \"Active__c\",
            Health_Score__c: constant(1234567.0),
            Active__c: |row| row.Name == \"x\",
        } }),
    ] });";
    let said = against(script);
    let starts = ["E0502:1 salesforce Account has no field `Renewl_Date__c`", "E0504:5", "E0502:4", "E0503:7", "E0503:6"];
    for start in starts {
        assert!(said.iter().any(|line| line.starts_with(start)), "{start} is not in {said:?}");
    }
    assert_eq!(said.len(), starts.len(), "{said:?}");
}

#[test]
fn sources_relations_and_filters_are_checked() {
    let script = "mapping(\"m\", #{
        from: salesforce::object(\"Account\").filter(#{ a: [\"Nam\", \"=\", \"x\"] }),
        to: gainsight::object(\"Company\"), match_on: #{ SfdcAccountId: \"Id\" }, cursor: \"LastModified\",
        fields: #{ Owner: |row| row.Owner.Name, Bad: |row| row.Ownr, Name: \"Name\" },
    });";
    let said = against(script);
    assert_eq!(said.iter().map(|line| line[..7].to_owned()).collect::<Vec<_>>(), ["E0502:4", "E0502:1", "E0502:3"], "{said:?}");
}

#[test]
fn fields_that_rules_write_have_to_be_on_the_list_when_there_is_one_a13() {
    let script = "rule(\"back\", #{ rule_for: \"account\", from: gainsight::object(\"customer_info\"), show: [\"AccountId\", \"HealthScore\"],
        actions: [load_to_sfdc(#{ object: \"Account\", operation: \"update\", identifiers: [\"Id\"],
            fields: #{ Id: \"AccountId\", Health_Score__c: \"HealthScore\" } })] });";
    let generation = Workspace::new(&[("scripts/a.rhai", script)]).load();
    let declarations: Vec<&Declaration> = generation.declarations().map(AsRef::as_ref).collect();
    let list = |fields: &[&str]| [("account".to_owned(), fields.iter().map(ToString::to_string).collect())].into();
    let codes = |list: Option<&std::collections::BTreeMap<_, _>>, real: bool| {
        check_enabled(&declarations, list, real).iter().map(|d| format!("{}:{}:{}", d.code, d.line, d.column)).collect::<Vec<_>>()
    };
    assert_eq!(codes(Some(&list(&["id"])), false), ["E0505:3:41"]);
    assert_eq!(codes(Some(&list(&["id", "Health_Score__c"])), true), Vec::<String>::new());
    assert_eq!(codes(Some(&std::collections::BTreeMap::new()), true), ["E0505:3:24", "E0505:3:41"]);
    assert_eq!((codes(None, true), codes(None, false)), (vec!["W0506:2:19".to_owned()], vec![]));
}
