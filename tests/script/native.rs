//! Closures in their native form give what the interpreter gives, value for value and fault for fault.

use tabi::{
    model::{Record, TimeZone, Value},
    script::{Body, Cell, Closure, Generation, Limits},
};

use super::bench::{Workspace, closure, findings, first_closure, mapping};

/// Closures that have a native form.
const KNOWN: &[&str] = &[
    "row.a",
    "row[\"a\"]",
    "row.a.b",
    "row.a?.b",
    "row?.a?.b.c",
    "row.a?[\"b\"]",
    "row.a[\"b\"]",
    "row[\"m.b\"]",
    "row.m?.b?.c ?? row.a",
    "1",
    "-9223372036854775808",
    "()",
    "\"é😀\"",
    "row.a + row.b",
    "row.a - row.b",
    "row.a * row.b",
    "row.a / row.b",
    "row.a % row.b",
    "row.a / row.b > 5",
    "row.a % row.b != row.a",
    "row.a * row.b > 1 && row.a + row.b > 1",
    "row.a + \", \" + row.b",
    "\"<\" + row.a + row.b + \">\"",
    "row.a + row.b + \"|\" + row.a",
    "row.a + (\"x\" + row.b)",
    "(row.a - 1) + (row.b + 1)",
    "`${row.a} and ${row.b}`",
    "`${row.a}${row.a}`",
    "``",
    "row.a == row.b",
    "row.a != row.b",
    "row.a < row.b",
    "row.a <= row.b",
    "row.a > row.b",
    "row.a >= row.b",
    "row.a == ()",
    "row.a != ()",
    "row.a && row.b",
    "row.a || row.b",
    "!row.a",
    "-row.a",
    "-(-row.a)",
    "row.a ?? row.b ?? 7",
    "if row.a > 10 { \"big\" } else if row.a > 1 { \"some\" } else { \"few\" }",
    "if row.a == row.b { 1 }",
    "if row.a { }",
    "{ let x = row.a; let y = x + 1; let z = { let x = y * 2; x }; x + z }",
    "{ let x = 1; let x = row.a + x; const y = x; y }",
    "{ let x = row.a; }",
    "{ row.a; row.b; }",
    "{ if row.a == () { return 0; } if row.b == () { return; } row.a }",
    "{ let x = if row.a == row.b { return \"same\"; } else { 2 }; x + 1 }",
    "math::round(row.a, 1)",
    "math::round(row.a, row.b)",
    "math::round(row.a)",
    "math::floor(row.a)",
    "math::ceil(row.a)",
    "math::clamp(row.a, 0, row.b)",
    "math::clamp(row.a, (), 10)",
    "math::percent(row.a, row.b)",
    "math::ratio(row.a, row.b)",
    "date(row.a)",
    "date(row.a, 1, row.b)",
    "timestamp(row.a)",
    "date(row.a) - date(row.b)",
    "row.a + days(row.b)",
    "row.a - days(1)",
    "days(row.a)",
    "days(1) == row.a",
    "row.a.year * 100 + row.a.month",
    "row.a.day + row.a.weekday",
    "row.a.hour * 60 + row.a.minute",
    "row.a.millis",
    "row.a.date",
    "row.a.len",
    "row.a.is_empty",
    "row.a.len()",
    "len(row.a)",
    "row.a.is_empty()",
    "row.a.to_upper()",
    "to_lower(row.a)",
    "row.a?.to_upper() ?? \"none\"",
    "row.a.contains(row.b)",
    "row.a.contains(\"e\")",
    "row.a.starts_with(row.b)",
    "row.a.ends_with(\"o\")",
    "row.a.to_string() + row.b.to_string()",
    "(row.a ?? 0) * 100 / (row.b ?? 1)",
    "row.a.year",
    "row.missing",
    "row.missing ?? 1",
    "row.a.missing.more",
    "(row.a).b",
    "k + row.a",
    "word + row.a",
    "day == row.a",
    "`${half} ${word} ${nothing}`",
];

/// Closures that are the interpreter's.
const UNKNOWN: &[&str] = &[
    "row",
    "row.keys()",
    "rule_date()",
    "own(row.a)",
    "to_int(row.a)",
    "'x'",
    "[row.a]",
    "#{ a: row.a }",
    "row.a in [1, 2]",
    "{ let x = row.a; x += 1; x }",
    "{ let s = 0; for i in 0..3 { s += i; } s }",
    "{ let x = row.a; x.trim(); x }",
    "switch row.a { 1 => 2, _ => 3 }",
    "{ try { row.a + 1 } catch { return 0; } }",
    "throw row.a",
    "global::K",
    "letter + row.a",
    "list[0]",
    "row.a?.contains(row.missing)",
    "score::colour(row.a)",
    "row[\"a\" + \"b\"]",
    "row.a[0]",
];

fn values() -> Vec<Value> {
    let inner = Record::from_iter([("b".into(), Value::Map(Record::from_iter([("c".into(), Value::Int(5))]))), ("n".into(), Value::Null)]);
    let mut values = vec![
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::Date("2026-01-31".parse().unwrap()),
        Value::Date("9999-12-31".parse().unwrap()),
        Value::Instant("2026-01-31T23:10:00.5Z".parse().unwrap()),
        Value::List(vec![Value::Int(1)]),
        Value::Map(inner),
        Value::Map(Record::from_iter([("b".into(), Value::Null)])),
    ];
    values.extend([0, 1, -1, 3, 12, 2026, 1_769_817_600_000, i64::MIN, i64::MAX].map(Value::Int));
    let floats = [0.0, -0.0, 0.1 + 0.2, 0.3, 2.5, -7.0, 1e13, 1.5e300, 1e-9, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 9.0e15];
    values.extend(floats.map(Value::Float));
    let texts = ["", "o", "Hello", "é😀 ǆ", "HELLO", "hello", "2026-02-28", "2026-01-31T23:30:00-05:00", "31/01/2026", "12"];
    values.extend(texts.map(Value::text));
    values
}

/// Every value beside itself and beside every sixth other one, and rows that lack a field.
fn rows() -> Vec<Record> {
    let values = values();
    let pair = |a: &Value, b: &Value| Record::from_iter([("a".into(), a.clone()), ("b".into(), b.clone())]);
    let mut rows = Vec::new();
    for (i, a) in values.iter().enumerate() {
        let beside = values.iter().enumerate().filter(|(j, _)| i == *j || (i + j) % 6 == 0);
        rows.extend(beside.map(|(_, b)| pair(a, b)));
    }
    rows.push(Record::new());
    rows.push(Record::from_iter([("m".into(), Value::Null), ("a".into(), Value::Int(2))]));
    rows.push(Record::from_iter([("m.b".into(), Value::Int(1)), ("b".into(), Value::Int(2))]));
    rows.push(Record::from_iter([("m".into(), Value::Map(Record::from_iter([("b".into(), Value::Int(3))])))]));
    rows
}

/// The closures, each the only field of a mapping of its own, in files of a hundred.
fn load(before: &str, texts: &[String]) -> (Workspace, Vec<Closure>) {
    load_with(before, texts, &Limits::default())
}

/// Which of the closures have types that cannot work together.
fn refused(before: &str, texts: &[String], limits: &Limits) -> std::collections::BTreeSet<usize> {
    let workspace = written(before, texts);
    let generation = workspace.load_with(limits, None);
    let types = generation.diagnostics().iter().filter(|finding| ["E0209", "E0210"].contains(&finding.code));
    let index = |finding: &tabi::script::Diagnostic| {
        let file: usize = finding.file.trim_start_matches("scripts/s").trim_end_matches(".rhai").parse().unwrap();
        let line = generation.text(&finding.file).unwrap().lines().nth(finding.line as usize - 1).unwrap();
        let field = line.find(&format!("f{file}_")).map(|at| &line[at..]).unwrap();
        let at: usize = field.split_once('_').unwrap().1[..4].parse().unwrap();
        file * 100 + at
    };
    types.map(index).collect()
}

fn written(before: &str, texts: &[String]) -> Workspace {
    let mut workspace = Workspace::new(&[]);
    for (n, part) in texts.chunks(100).enumerate() {
        let fields: Vec<String> = part.iter().enumerate().map(|(at, text)| format!("f{n}_{at:04}: |row| {text}")).collect();
        let script = mapping(before, "1").replace("X: 1", &fields.join(",\n")).replace("\"m\"", &format!("\"m{n:03}\""));
        workspace.write(&format!("scripts/s{n:03}.rhai"), script);
    }
    workspace
}

fn load_with(before: &str, texts: &[String], limits: &Limits) -> (Workspace, Vec<Closure>) {
    let workspace = written(before, texts);
    let generation = workspace.load_with(limits, None);
    let closures: Vec<Closure> = generation.declarations().flat_map(|declaration| closures_of(&declaration.body)).collect();
    let told = findings(&generation);
    assert_eq!(closures.len(), texts.len(), "{:?}", told.first());
    (workspace, closures)
}

fn closures_of(body: &Body) -> Vec<Closure> {
    let Body::Mapping(mapping) = body else { panic!("a mapping") };
    mapping.fields.iter().map(|field| if let Cell::Compute(closure) = &field.from { closure.clone() } else { panic!("a closure") }).collect()
}

/// Compares to the bit: not-a-number is itself here, and -0.0 is not 0.0.
fn assert_alike(text: &str, closure: &Closure, row: &Record) -> bool {
    let shown = |value: &Value| format!("{value:?}");
    let native = closure.call_native(row);
    if let Some(native) = &native {
        let interpreted = closure.interpreted().call_row(row);
        let alike = interpreted.as_ref().is_ok_and(|value| shown(value) == shown(native));
        assert!(alike, "{text}\non {row:?}\nnative {native:?}\ninterpreted {interpreted:?}");
    }
    native.is_some()
}

const BEFORE: &str = "const K = 2; fn own(x) { x } fn to_int(x) { 7 } let k = 3; let word = \"wörd\"; let half = 0.5; let nothing = (); \
                      let letter = 'x'; let list = [1]; let day = date(\"2026-01-31\");";

/// A comparison with what is left of a division by zero has no outcome, in neither form, in whatever way it is written.
#[test]
fn arithmetic_without_a_result_is_a_fault_of_the_row_wherever_it_stands() {
    let zero = [
        "row.a / row.b > 5",
        "row.a / row.b == row.a",
        "row.a % row.b < 5",
        "if row.a / row.b != 1 { 1 } else { 2 }",
        "!(row.a / row.b > 5) || row.a == 1",
        "{ let x = row.a; x /= row.b; x > 5 }",
        "{ let x = row.a; x %= row.b; x > 5 }",
        "{ let x = (row.a / row.b) * 0; x == 0 }",
        "[row.a / row.b].len() > 0",
        "switch row.a / row.b { 1 => 1, _ => 2 }",
        "math::round(row.a / row.b, 1) ?? 7",
        "`${row.a / row.b}`",
    ];
    let texts: Vec<String> =
        zero.iter().map(|text| (*text).to_owned()).chain(["row.a * row.a > 1".to_owned(), "row.a ** 3 > 1".to_owned()]).collect();
    let (_workspace, closures) = load(BEFORE, &texts);
    let row = |a: Value, b: Value| Record::from_iter([("a".into(), a), ("b".into(), b)]);
    let sides = [1.0, -7.5, 0.0, f64::MAX, f64::MIN_POSITIVE].map(Value::Float).into_iter().chain([0, 1, i64::MAX].map(Value::Int));
    for (text, closure) in texts.iter().zip(&closures).take(zero.len()) {
        for (a, b) in sides.clone().flat_map(|a| [Value::Float(0.0), Value::Float(-0.0)].map(|b| (a.clone(), b))) {
            let row = row(a, b);
            assert_eq!(closure.call_native(&row), None, "{text} on {row:?}");
            let fault = closure.call_row(&row).expect_err(text);
            assert!(fault.message.contains("Division by zero"), "{text} on {row:?}: {fault}");
        }
        let fine = closure.call_row(&row(Value::Float(6.0), Value::Float(3.0)));
        assert!(fine.is_ok(), "{text}: {fine:?}");
    }
    let large = row(Value::Float(1e200), Value::Float(1.0));
    for closure in &closures[zero.len()..] {
        let fault = closure.call_row(&large).expect_err("too large");
        assert!(fault.message.contains("No finite number"), "{fault}");
    }
}

#[test]
fn what_has_a_native_form_gives_what_the_interpreter_gives() {
    let (texts, rows) = (KNOWN.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), rows());
    let (_workspace, closures) = load(BEFORE, &texts);
    for (text, closure) in texts.iter().zip(&closures) {
        let answered = rows.iter().filter(|row| assert_alike(text, closure, row)).count();
        assert!(answered > 0 || text.contains("missing") || *text == "days(row.a)", "{text} is never native");
    }
}

#[test]
fn what_has_no_native_form_is_the_interpreters() {
    let texts: Vec<String> = UNKNOWN.iter().map(|text| (*text).to_owned()).collect();
    let (_workspace, closures) = load(BEFORE, &texts);
    for (text, closure) in texts.iter().zip(&closures) {
        assert!(rows().iter().all(|row| closure.call_native(row).is_none()), "{text}");
    }
}

#[test]
fn faults_are_the_interpreters_own() {
    let (_workspace, closure) = closure(&mapping("", "|row| row.a / row.b + row.c"));
    let row = |a: i64, b: i64| Record::from_iter([("a".into(), Value::Int(a)), ("b".into(), Value::Int(b)), ("c".into(), Value::Int(1))]);
    assert_eq!(closure.call_native(&row(6, 2)), Some(Value::Int(4)));
    for row in [row(1, 0), row(i64::MIN, -1), row(i64::MAX, 1), Record::new()] {
        assert_eq!(closure.call_row(&row).unwrap_err(), closure.interpreted().call_row(&row).unwrap_err());
    }
}

#[test]
fn names_that_a_script_takes_for_itself_are_its_own() {
    let row = Record::from_iter([("a".into(), Value::text("2026-01-31"))]);
    let (_workspace, closure) = closure(&mapping("fn date(x) { \"mine\" } fn to_upper() { \"mine too\" }", "|row| date(row.a) + row.a.to_upper()"));
    assert_eq!((closure.call_native(&row), closure.call_row(&row).unwrap()), (None, Value::text("minemine too")));
    let mut workspace = Workspace::new(&[("lib/own.rhai", "fn floor(x) { \"own\" }")]);
    workspace.write("scripts/a.rhai", mapping("import \"../lib/own\" as math;", "|row| math::floor(row.a)"));
    let closure = first_closure(&workspace.load());
    assert_eq!((closure.call_native(&row), closure.call_row(&row).unwrap()), (None, Value::text("own")));
}

#[test]
fn a_namespace_imported_by_the_calling_file_is_not_taken_for_the_librarys() {
    let mut workspace = Workspace::new(&[("lib/own.rhai", "fn floor(x) { \"own\" }")]);
    workspace.write("lib/make.rhai", mapping("fn setup() {", "|row| math::floor(row.a)") + "}");
    workspace
        .write("scripts/a.rhai", "import \"own_path\" as math; import \"../lib/make\" as make;\nmake::setup();".replace("own_path", "../lib/own"));
    let closure = first_closure(&workspace.load());
    for value in [Value::Float(2.5), Value::Int(2)] {
        let row = Record::from_iter([("a".into(), value)]);
        assert_eq!(closure.call_row(&row), closure.interpreted().call_row(&row));
    }
}

#[test]
fn limits_hold_as_they_do_without_it() {
    let limits = Limits { text: 200, ..Limits::default() };
    let long = "x".repeat(150);
    let row = Record::from_iter([("a".into(), Value::text(&long)), ("b".into(), Value::text("y".repeat(60)))]);
    let texts = ["row.a + row.b", "`${row.a}${row.b}`", "row.a + 1 + row.b + row.b", "row.a.to_upper()", "row.a"].map(ToOwned::to_owned);
    let (_workspace, closures) = load_with("", &texts, &limits);
    for (text, closure) in texts.iter().zip(&closures) {
        assert_eq!(closure.call_row(&row), closure.interpreted().call_row(&row), "{text}");
    }
    assert_eq!(closures[0].call_row(&row).unwrap_err().code.as_deref(), Some("LIMIT"));
    let few = Limits { operations: 30, ..Limits::default() };
    let long_sum = format!("|row| {}", ["row.a"; 12].join(" + "));
    let mut workspace = Workspace::new(&[]);
    workspace.write("scripts/a.rhai", mapping("", &long_sum));
    let closure = first_closure(&workspace.load_with(&few, None));
    assert_eq!(closure.call_native(&row), None, "it may reach the limit of steps");
}

/// Xorshift: the same expressions every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }
}

const LEAVES: &[&str] = &[
    "row.a",
    "row.a",
    "row.b",
    "row.b",
    "row.m",
    "row.m?.b",
    "1",
    "0",
    "2.5",
    "-3",
    "\"x\"",
    "\"\"",
    "true",
    "false",
    "()",
    "k",
    "word",
    "half",
    "day",
    "date(\"2026-02-28\")",
    "days(2)",
    "9223372036854775807",
];

fn expression(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 {
        return dice.pick(LEAVES).to_owned();
    }
    let mut inner = || expression(dice, depth - 1);
    let (a, b, c) = (inner(), inner(), inner());
    match dice.roll(12) {
        0..=3 => format!("({a} {} {b})", dice.pick(&["+", "-", "*", "/", "%", "+", "==", "!=", "<", "<=", ">", ">="])),
        4 => format!("(({a} < {b}) {} {})", dice.pick(&["&&", "||", "??"]), dice.pick(&["row.a", "row.b == k", "!row.b"])),
        5 => format!("(if {a} == {b} {{ {c} }} else {{ {b} }})"),
        6 => format!("(if {} {{ {b} }} else if {c} > 1 {{ {a} }})", dice.pick(&["row.a", "!row.b", "row.a == row.b"])),
        7 => format!("`{} ${{{a}}}-${{{b}}}`", dice.pick(&["", "é"])),
        8 => format!("math::{}({a})", dice.pick(&["round", "floor", "ceil"])),
        9 => format!("math::{}({a}, {b})", dice.pick(&["round", "percent", "ratio"])),
        10 => format!("{}({a})", dice.pick(&["date", "to_string", "to_upper", "len", "timestamp", "-"])),
        _ => format!("({{ let x = {a}; if x == {b} {{ return {c}; }} x + {b} }})"),
    }
}

#[test]
fn expressions_made_by_chance_give_what_the_interpreter_gives() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let limits = Limits { expression_depth: 64, ..Limits::default() };
    let made: Vec<String> = (0..2_000).map(|n| expression(&mut dice, 1 + n % 3)).collect();
    // What the check of types refuses is never called.
    let refused = refused(BEFORE, &made, &limits);
    let texts: Vec<String> = made.into_iter().enumerate().filter(|(at, _)| !refused.contains(at)).map(|(_, text)| text).collect();
    assert!(texts.len() > 1_000, "{}", texts.len());
    let (_workspace, closures) = load_with(BEFORE, &texts, &limits);
    let values = values();
    let mut answered = 0;
    for (text, closure) in texts.iter().zip(&closures) {
        for _ in 0..4 {
            let mut value = || values[dice.roll(values.len())].clone();
            let row = Record::from_iter([("a".into(), value()), ("b".into(), value()), ("m".into(), value())]);
            answered += usize::from(assert_alike(text, closure, &row));
        }
    }
    assert!(answered > texts.len(), "{answered} of {}", 4 * texts.len());
}

#[test]
fn a_generation_with_native_closures_can_be_handed_around() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let workspace = Workspace::new(&[("scripts/a.rhai", &mapping("", "|row| row.a"))]);
    let generation: Generation = workspace.load();
    shared(&generation);
    assert_eq!(first_closure(&generation).call_native(&Record::from_iter([("a".into(), Value::Int(1))])), Some(Value::Int(1)));
}

/// Field, operator and value of a condition.
type Demanded = (&'static str, &'static str, &'static str);

/// A closure, and what it demands of every row.
const DEMANDS: &[(&str, &[Demanded])] = &[
    ("row.a == \"x\"", &[("a", "=", "x")]),
    ("\"x\" == row[\"a\"]", &[("a", "=", "x")]),
    ("row.a == word", &[("a", "=", "wörd")]),
    ("row.a == true && row.b == \"x\"", &[("a", "=", "true"), ("b", "=", "x")]),
    ("row.a > 10 && row.b < 0.5", &[("a", ">", "10"), ("b", "<", "0.5")]),
    ("k > row.a", &[("a", "<", "3")]),
    ("row.a == \"x\" || row.a == \"y\"", &[("a", "in", "x, y")]),
    ("{ row.a == \"x\" }", &[("a", "=", "x")]),
    ("row.a == \"x\" && row.b.len() > 2 && row.c == \"y\"", &[("a", "=", "x")]),
    // What comes first might be an error, which has to be told.
    ("row.b.len() > 2 && row.a == \"x\"", &[]),
    ("row.a == \"x\" || row.b == \"y\"", &[]),
    ("row.a == \"x\" || row.a > 1", &[]),
    ("!(row.a == \"x\")", &[]),
    ("row.a != \"x\"", &[]),
    ("row.a == \"\"", &[]),
    ("row.a == ()", &[]),
    // Numbers are equal to a closure that a system holds to be two.
    ("row.a == 10", &[]),
    ("row.a >= 10", &[]),
    ("row.a.b == \"x\"", &[]),
    ("if row.a == \"x\" { true }", &[]),
    ("true", &[]),
];

#[test]
fn what_a_filter_says_plainly_is_demanded_of_every_row() {
    let texts: Vec<String> = DEMANDS.iter().map(|(text, _)| (*text).to_owned()).collect();
    let (_workspace, closures) = load(BEFORE, &texts);
    let rows = rows();
    for ((text, wanted), closure) in DEMANDS.iter().zip(&closures) {
        let demands = closure.demands();
        let words = |value: &Value| match value {
            Value::List(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            one => one.to_string(),
        };
        let told: Vec<_> = demands.iter().map(|one| (one.field.clone(), one.operator.word(), words(&one.value))).collect();
        let wanted: Vec<_> = wanted.iter().map(|(field, operator, value)| ((*field).to_owned(), *operator, (*value).to_owned())).collect();
        assert_eq!(told, wanted, "{text}");
        for row in rows.iter().filter(|row| closure.call_row(row) == Ok(Value::Bool(true))) {
            let meets = demands.iter().all(|one| one.matches(row.path(&one.field).unwrap_or(&Value::Null), &TimeZone::UTC));
            assert!(meets, "{text} is true of {row:?}");
        }
    }
}

#[test]
fn no_filter_is_true_of_a_row_that_does_not_meet_its_demands() {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let part = |dice: &mut Dice| {
        let field = dice.pick(&["row.a", "row.b"]);
        let literal = dice.pick(&["1", "12", "0.3", "-7", "\"Hello\"", "\"hello\"", "\"12\"", "true", "false", "word", "k", "half"]);
        let sign = dice.pick(&["==", "==", "==", "<", ">", "<=", ">=", "!="]);
        if dice.roll(2) == 0 { format!("{field} {sign} {literal}") } else { format!("{literal} {sign} {field}") }
    };
    let texts: Vec<String> = (0..600)
        .map(|_| {
            let parts: Vec<String> = (0..=dice.roll(3)).map(|_| part(&mut dice)).collect();
            parts.join(dice.pick(&[" && ", " && ", " || "]))
        })
        .collect();
    let refused = refused(BEFORE, &texts, &Limits::default());
    let texts: Vec<String> = texts.into_iter().enumerate().filter(|(at, _)| !refused.contains(at)).map(|(_, text)| text).collect();
    let (_workspace, closures) = load(BEFORE, &texts);
    let (rows, mut demanding, mut turned_away) = (rows(), 0, 0);
    for (text, closure) in texts.iter().zip(&closures) {
        let demands = closure.demands();
        demanding += usize::from(!demands.is_empty());
        for row in &rows {
            let meets = demands.iter().all(|one| one.matches(row.path(&one.field).unwrap_or(&Value::Null), &TimeZone::UTC));
            turned_away += usize::from(!meets);
            // What is turned away is sure to be turned away by the closure, which could not have failed either.
            let known = row.get("a").is_some() && row.get("b").is_some();
            assert!(meets || !known || closure.call_row(row) == Ok(Value::Bool(false)), "{text} on {row:?}: {:?}", closure.call_row(row));
        }
    }
    assert!(demanding > 100 && turned_away > 10_000, "{demanding}, {turned_away}");
}
