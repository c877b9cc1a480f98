//! The mapping engine alone: twelve fields of a row by a script, against a hand-written Rust function with the same input and output.
//! `cargo bench --bench mapping` prints both and, at its end, their ratio: that is what counts, for machines differ.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tabi::{
    flow::transform,
    model::{Date, Record, Value},
    script::{Body, FieldMap, Generation, Limits},
};

const ROWS: usize = 1_000;

/// Eight fields as they are, four computed: what account mappings look like.
const SCRIPT: &str = r#"
mapping("accounts", #{
    from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ Id: "SfdcAccountId" },
    fields: #{
        Name: "Name", Industry: "Industry", Website: "Website", Phone: "Phone", BillingCity: "City", BillingCountry: "Country",
        NumberOfEmployees: "Employees", AnnualRevenue: "Arr",
        Site: |c| c.City + ", " + c.Country,
        Rating: |c| if c.Score >= 80 { "Hot" } else if c.Score >= 50 { "Warm" } else { "Cold" },
        Health_Score__c: |c| math::round(c.Score * 1.0, 1),
        Pendo_timeonsite_last30d__c: |c| math::round(c.Minutes / 60.0, 2),
    },
});
"#;

fn fields() -> Vec<FieldMap> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("scripts")).unwrap();
    fs::write(folder.path().join("scripts/accounts.rhai"), SCRIPT).unwrap();
    let generation = Generation::load(folder.path(), &["scripts/accounts.rhai"], &Limits::default(), None);
    assert!(generation.is_sound(), "{:?}", generation.diagnostics());
    let declaration = generation.declarations().next().unwrap();
    let Body::Mapping(mapping) = &declaration.body else { panic!("not a mapping") };
    mapping.fields.clone()
}

fn row(n: usize) -> Record {
    let number = i64::try_from(n).unwrap();
    let fields = [
        ("SfdcAccountId", Value::text(format!("001{n:012}AAA"))),
        ("Name", Value::text(format!("Company number {n} of the north"))),
        ("Industry", Value::text("Technology")),
        ("Website", Value::text(format!("https://www.company-{n}.example.com"))),
        ("Phone", Value::text("+41 44 000 00 00")),
        ("City", Value::text("Winterthur")),
        ("Country", Value::text("Switzerland")),
        ("Employees", Value::Int(number % 5_000)),
        ("Arr", Value::Int(number * 100)),
        ("Score", Value::Int(number % 101)),
        ("Minutes", Value::Int(number % 10_000)),
    ];
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// The same by hand.
fn by_hand(row: &Record) -> Record {
    let get = |name: &str| row.get(name).cloned().unwrap_or_default();
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or_default();
    let mut out = Record::with_capacity(12);
    out.push("Name".into(), get("Name"));
    out.push("Industry".into(), get("Industry"));
    out.push("Website".into(), get("Website"));
    out.push("Phone".into(), get("Phone"));
    out.push("BillingCity".into(), get("City"));
    out.push("BillingCountry".into(), get("Country"));
    out.push("NumberOfEmployees".into(), get("Employees"));
    out.push("AnnualRevenue".into(), get("Arr"));
    out.push("Site".into(), Value::text(format!("{}, {}", text("City"), text("Country"))));
    let score = number("Score");
    let rating = if score >= 80.0 {
        "Hot"
    } else if score >= 50.0 {
        "Warm"
    } else {
        "Cold"
    };
    out.push("Rating".into(), Value::text(rating));
    out.push("Health_Score__c".into(), Value::Float((score * 10.0).round() / 10.0));
    out.push("Pendo_timeonsite_last30d__c".into(), Value::Float((number("Minutes") / 60.0 * 100.0).round() / 100.0));
    out
}

fn bench(c: &mut Criterion) {
    let maps = fields();
    let date = Date::constant(2026, 11, 21);
    let rows: Vec<Record> = (0..ROWS).map(row).collect();
    for row in &rows {
        let sorted = |record: Record| {
            let mut fields: Vec<_> = record.into_iter().map(|(name, value)| (name, value.to_string())).collect();
            fields.sort();
            fields
        };
        assert_eq!(sorted(transform(&maps, row, date).unwrap()), sorted(by_hand(row)));
    }
    let mut group = c.benchmark_group("mapping of 12 fields");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("script", |b| {
        b.iter_batched(|| (), |()| rows.iter().for_each(|row| drop(black_box(transform(&maps, row, date)))), BatchSize::SmallInput);
    });
    group.bench_function("by hand", |b| {
        b.iter_batched(|| (), |()| rows.iter().for_each(|row| drop(black_box(by_hand(row)))), BatchSize::SmallInput);
    });
    group.finish();
    print_ratio(&maps, &rows, date);
}

/// Both in turns, so that a busy machine is equally busy for both; the median round of each.
fn print_ratio(maps: &[FieldMap], rows: &[Record], date: Date) {
    let timed = |work: &dyn Fn(&Record)| {
        let began = Instant::now();
        rows.iter().for_each(work);
        began.elapsed()
    };
    let (mut script, mut hand): (Vec<Duration>, Vec<Duration>) =
        (0..1_001).map(|_| (timed(&|row| drop(black_box(transform(maps, row, date)))), timed(&|row| drop(black_box(by_hand(row)))))).unzip();
    let rate = |rounds: &mut Vec<Duration>| {
        rounds.sort_unstable();
        rows.len() as f64 / rounds[rounds.len() / 2].as_secs_f64()
    };
    let (script, hand) = (rate(&mut script), rate(&mut hand));
    println!("mapping of 12 fields: {script:.0} rows/s by script, {hand:.0} by hand, ratio {:.2}", script / hand);
}

criterion_group!(benches, bench);
criterion_main!(benches);
