//! The seeded company: ids lead back, people have one account, usage goes on for ever.

use tabi::sandbox::company::{Company, Pattern, ids};

const SMALL: Company = Company { seed: 1, accounts: 200, people: 2_000, origin: 20_000 };
const LARGE: Company = Company { seed: 7, accounts: 1_000_000, people: 1_000_000, origin: 20_000 };
const LOPSIDED: Company = Company { seed: 3, accounts: 3, people: 50_000, origin: 20_000 };

#[test]
fn every_person_belongs_to_the_account_whose_people_hold_it() {
    for company in [SMALL, LOPSIDED, Company { accounts: 500, people: 130, ..SMALL }] {
        let mut next = 0;
        for account in 0..company.accounts {
            let people = company.people_of(account);
            assert_eq!(people.start, next);
            next = people.end;
            for person in people {
                assert_eq!(company.account_of(person), account);
            }
        }
        assert_eq!(next, company.people);
    }
}

#[test]
fn ids_names_and_addresses_lead_back_to_the_index() {
    for company in [SMALL, LARGE, LOPSIDED] {
        for step in 0..200 {
            let account = step * 4_999 % company.accounts;
            assert_eq!(company.account_of_id(&company.account_id(account)), Some(account));
            assert_eq!(company.account_of_gsid(&company.account_gsid(account)), Some(account));
            assert_eq!(company.account_of_domain(&company.domain(account)), Some(account));
            assert_eq!(company.account_of_name(&company.account_name(account)), Some(account));
            let person = step * 4_999 % company.people;
            assert_eq!(company.person_of_contact_id(&company.contact_id(person)), Some(person));
            assert_eq!(company.person_of_email(&company.email(person)), Some(person), "{}", company.email(person));
        }
        assert_eq!(company.account_of_id(&company.account_id(company.accounts)), None);
    }
}

#[test]
fn addresses_are_unique_also_among_many_people_of_one_account() {
    let addresses: std::collections::HashSet<String> = (0..LOPSIDED.people).map(|person| LOPSIDED.email(person)).collect();
    assert_eq!(addresses.len() as u64, LOPSIDED.people);
}

#[test]
fn salesforce_ids_ascend_and_carry_the_checksum() {
    let ids: Vec<String> = (0..5_000).map(|account| LARGE.account_id(account * 199)).collect();
    assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 18 && id.starts_with("001")));
    assert_eq!(ids::checksum("001D000000K0fXO"), "IAZ");
    assert_eq!(LARGE.account_of_id(&ids[3][..15]), Some(597));
    assert_eq!(LARGE.account_gsid(9).len(), 36);
}

#[test]
fn usage_is_there_before_and_after_the_origin_and_follows_the_pattern() {
    let events = |account: u64, from: i64, to: i64| -> u64 {
        SMALL
            .people_of(account)
            .flat_map(|person| (from..to).filter_map(move |day| SMALL.usage(person, day)))
            .map(|usage| u64::from(usage.events))
            .sum()
    };
    for account in 0..SMALL.accounts {
        match SMALL.pattern(account) {
            Pattern::Quiet { since } => assert_eq!(events(account, since + 400, since + 500), 0),
            Pattern::New => assert_eq!(events(account, 19_000, 19_970), 0),
            _ => {}
        }
    }
    let total = |pattern: Pattern, from, to| -> u64 {
        (0..200).filter(|account| SMALL.pattern(*account) == pattern).map(|account| events(account, from, to)).sum()
    };
    assert!(total(Pattern::Growing, 19_910, 19_940) < total(Pattern::Growing, 19_970, 20_000));
    assert!(total(Pattern::Falling, 19_910, 19_940) > total(Pattern::Falling, 19_970, 20_000));
    assert!(total(Pattern::Steady, 19_910, 19_940) > 0 && total(Pattern::Steady, 21_000, 21_030) > 0);
}

#[test]
fn page_views_and_feature_clicks_add_up_to_the_events() {
    for usage in (0..300).flat_map(|person| (19_970..20_000).filter_map(move |day| SMALL.usage(person, day))) {
        let views: u32 = (0..12).map(|page| usage.page_views(page)).sum();
        let clicks: u32 = (0..16).map(|feature| usage.feature_clicks(feature)).sum();
        assert_eq!(views + clicks, usage.events);
        assert_eq!(usage.in_app(0).unwrap_or_default().1 + usage.in_app(1).unwrap_or_default().1, usage.events);
    }
}
