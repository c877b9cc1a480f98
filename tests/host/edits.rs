//! Whatever is edited in whatever order: what lives equals what a fresh start would load, or the last good version of each broken file. (H3)
//!
//! The sequences come from a small generator of their own rather than from a library of properties: a sequence is twenty edits of a handful
//! of files, its seed is all there is to say about it, and shrinking would have to replay files on disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use tabi::{
    host::{
        Loaded, Workspace,
        clock::Clock,
        reload::{limits, reload},
        scan::scan,
    },
    model::{Record, Value},
    script::{ActionKind, Body, Cell, Declaration, Generation},
};

use super::up::Host;
use crate::support;

/// Numbers that are the same for the same seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn of<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

/// Scripts by path; the second folder has a library of its own that hides the common one.
const SCRIPTS: [&str; 6] = ["scripts/a.rhai", "scripts/b.rhai", "scripts/c.rhai", "scripts/d.rhai", "scripts/sub/e.rhai", "scripts/sub/f.rhai"];
const LIBRARIES: [&str; 3] = ["scripts/lib/words.rhai", "scripts/sub/lib/words.rhai", "scripts/lib/deeper.rhai"];
const BROKEN: [&str; 5] = ["rule(\"half\", #{", "", "no_such_function(1);", "let x = ;", "import \"no/such/file\" as gone;"];

/// One workspace that is edited at random.
struct Editor<'a> {
    root: &'a Path,
    chance: Chance,
    /// Names already given.
    given: usize,
    /// Names that are used again, so that two files declare one.
    clashes: bool,
}

impl Editor<'_> {
    /// By renaming, so that nobody sees half a file.
    fn save(&self, file: &str, text: &str) {
        let (path, beside) = (self.root.join(file), self.root.join(".saving"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }

    fn edit(&mut self) -> String {
        let (kind, file, other) = (self.chance.below(10), self.chance.of(&SCRIPTS), self.chance.of(&SCRIPTS));
        let library = self.chance.of(&LIBRARIES);
        match kind {
            0..=3 => {
                let text = self.script();
                self.save(file, &text);
                format!("save {file}")
            }
            4 => {
                let text = self.chance.of(&BROKEN);
                self.save(file, text);
                format!("break {file}: {text}")
            }
            5 => {
                // A rename over another file takes its place.
                let done = fs::rename(self.root.join(file), self.root.join(other)).is_ok();
                format!("rename {file} to {other}: {done}")
            }
            6 => format!("delete {file}: {}", fs::remove_file(self.root.join(file)).is_ok()),
            7 => {
                let text = self.chance.of(&["fn shown(x) { broken", "const LOST = lost;"]);
                self.save(library, text);
                format!("break {library}")
            }
            8 => format!("delete {library}: {}", fs::remove_file(self.root.join(library)).is_ok()),
            _ => {
                let text = self.library(library);
                self.save(library, &text);
                format!("save {library}")
            }
        }
    }

    /// A rule with a name and a field of its own, and a closure that calls what it imports.
    fn script(&mut self) -> String {
        self.given += 1;
        let (revision, name) = (self.given, if self.clashes { self.chance.below(3) } else { self.given });
        let (import, call) = match self.chance.below(3) {
            0 => (String::new(), format!("\"plain {revision} \" + row.Name")),
            1 => ("import \"lib/words\" as words;\n".to_owned(), format!("\"{revision} \" + words::shown(row.Name)")),
            _ => ("import \"lib/deeper\" as words;\n".to_owned(), format!("\"{revision} \" + words::shown(row.Name)")),
        };
        let actions = format!(
            "actions: [load_to_sfdc(#{{ object: \"Account\", operation: \"update\", identifiers: [\"Id\"], fields: #{{ Id: \"Id\", F{name}__c: |row| {call} }} }})]"
        );
        format!(
            "{import}rule(\"r{name}\", #{{ rule_for: \"account\", from: salesforce::object(\"Account\"), show: [\"Id\", \"Name\"], {actions} }});\n"
        )
    }

    fn library(&mut self, file: &str) -> String {
        self.given += 1;
        let said = format!("\"<{}> \"", self.given);
        if file.ends_with("deeper.rhai") {
            return format!("import \"words\" as words;\nfn shown(x) {{ import \"words\" as words; {said} + words::shown(x) }}\n");
        }
        format!("fn shown(x) {{ {said} + x }}\n")
    }
}

/// A declaration as whoever runs it would find it: its name and place, and what its closure gives.
fn shown(declaration: &Declaration) -> String {
    let row: Record = [("Id".into(), Value::text("1")), ("Name".into(), Value::text("Acme"))].into_iter().collect();
    let Body::Rule(rule) = &declaration.body else { panic!("a rule") };
    let ActionKind::Object(load) = &rule.actions[0].kind else { panic!("a load") };
    let given = load.fields.iter().filter_map(|map| match &map.from {
        Cell::Compute(closure) => {
            Some(format!("{}={}", map.target, closure.call_row(&row).map_or_else(|fault| fault.message, |value| value.to_string())))
        }
        _ => None,
    });
    format!("{} {} {} {}", declaration.name, declaration.place, &declaration.hash[..12], given.collect::<String>())
}

fn alive(loaded: &Loaded) -> Vec<String> {
    loaded.declarations().iter().map(|declaration| shown(declaration)).collect()
}

fn of_file(generation: &Generation, file: &str) -> Vec<String> {
    generation.files().iter().filter(|f| f.name == file).flat_map(|f| &f.declarations).map(|declaration| shown(declaration)).collect()
}

/// What a file is made of, told without the code under test: its text, and the libraries that it may reach.
fn made_of(root: &Path, file: &str) -> Vec<Option<Vec<u8>>> {
    let own = fs::read(root.join(file)).ok();
    let imports = own.as_ref().is_some_and(|text| text.starts_with(b"import"));
    let libraries = LIBRARIES.iter().filter(|_| imports).map(|library| fs::read(root.join(library)).ok());
    std::iter::once(own.clone()).chain(libraries).collect()
}

fn opened(root: &Path) -> Workspace {
    Workspace::open(Some(root), false, Clock::machine()).unwrap()
}

/// What is expected to live, step by step.
#[derive(Default)]
struct Expected {
    good: BTreeMap<String, Vec<String>>,
}

impl Expected {
    fn after(&mut self, fresh: &Generation) -> Vec<String> {
        let files: BTreeSet<&str> = fresh.files().iter().map(|file| file.name.as_str()).collect();
        self.good.retain(|file, _| files.contains(file.as_str()));
        for file in fresh.files().iter().filter(|file| file.sound) {
            self.good.insert(file.name.clone(), of_file(fresh, &file.name));
        }
        self.good.values().flatten().cloned().collect()
    }
}

fn fresh(workspace: &Workspace) -> Generation {
    let found = scan(&workspace.root);
    let names: Vec<&str> = found.names().collect();
    Generation::load(&workspace.root, &names, &limits(&workspace.config), None)
}

#[test]
fn after_any_edits_what_lives_is_what_a_fresh_start_loads_or_the_last_good_version_h3() {
    for seed in 0..30 {
        let dir = tempfile::tempdir().unwrap();
        let workspace = opened(dir.path());
        let mut editor = Editor { root: &workspace.root, chance: Chance(seed), given: 0, clashes: false };
        let (mut live, _) = reload(&workspace, None);
        let (mut expected, mut done) = (Expected::default(), Vec::new());
        for _ in 0..20 {
            let edits = 1 + editor.chance.below(3);
            done.extend((0..edits).map(|_| editor.edit()));
            let seen = live.look(&workspace.root);
            let before = live.number;
            if !live.is_of(&seen) {
                live = reload(&workspace, Some(&live)).0;
                assert_eq!(live.number, before + 1);
            }
            let wanted = expected.after(&fresh(&workspace));
            assert_eq!(alive(&live), wanted, "seed {seed}, after\n{}", done.join("\n"));
        }
    }
}

#[test]
fn what_is_taken_over_is_what_compiling_everything_would_give_and_no_more_is_compiled_than_has_to_be() {
    let mut taken_over = 0;
    for seed in 100..130 {
        let dir = tempfile::tempdir().unwrap();
        let workspace = opened(dir.path());
        let mut editor = Editor { root: &workspace.root, chance: Chance(seed), given: 0, clashes: seed % 2 == 0 };
        let (mut live, _) = reload(&workspace, None);
        let mut whole = fresh(&workspace);
        let mut known: BTreeMap<String, Vec<Option<Vec<u8>>>> = BTreeMap::new();
        let mut done = Vec::new();
        for step in 1..=20 {
            done.push(editor.edit());
            let found = scan(&workspace.root);
            let names: Vec<&str> = found.names().collect();
            // Other limits are another ground: nothing is taken over.
            let mut limits = limits(&workspace.config);
            limits.operations += step;
            whole = Generation::load(&workspace.root, &names, &limits, Some(&whole));
            assert_eq!(whole.compiled(), names);
            let next = reload(&workspace, Some(&live)).0;
            let told = format!("seed {seed}, after\n{}", done.join("\n"));
            assert_eq!(alive(&next), whole.declarations().map(|d| shown(d)).collect::<Vec<_>>(), "{told}");
            assert_eq!(next.generation.diagnostics(), whole.diagnostics(), "{told}");
            assert_eq!(next.generation.hash(), whole.hash(), "{told}");
            let kept = |generation: &Generation| generation.files().iter().filter(|f| f.kept).map(|f| f.name.clone()).collect::<Vec<_>>();
            assert_eq!(kept(&next.generation), kept(&whole), "{told}");

            let now: BTreeMap<String, Vec<_>> = names.iter().map(|name| ((*name).to_owned(), made_of(&workspace.root, name))).collect();
            let compiled: BTreeSet<&str> = next.generation.compiled().iter().map(String::as_str).collect();
            for name in &names {
                let (changed, is_library) = (known.get(*name) != now.get(*name), LIBRARIES.contains(name));
                let broke_before = live.generation.files().iter().any(|f| f.name == **name && !f.sound);
                // A library that another one hides may change without a need.
                let edited = known.get(*name).map(|made| &made[0]) != now.get(*name).map(|made| &made[0]);
                assert!(!edited || compiled.contains(name), "{name} was taken over although it changed; {told}");
                if !changed && !broke_before && !is_library {
                    assert!(!compiled.contains(name), "{name} was compiled although nothing of it changed; {told}");
                    taken_over += 1;
                }
            }
            (known, live) = (now, next);
        }
    }
    assert!(taken_over > 300, "{taken_over}");
}

#[test]
fn a_running_host_comes_to_the_same_generations_edit_by_edit() {
    for seed in [7, 8, 9] {
        let folder = support::Workspace::new();
        let workspace = opened(&folder.path());
        fs::create_dir_all(workspace.root.join("scripts/sub/lib")).unwrap();
        fs::create_dir_all(workspace.root.join("scripts/lib")).unwrap();
        let host = Host::start(&folder);
        host.wait("ready");
        let mut editor = Editor { root: &workspace.root, chance: Chance(seed), given: 0, clashes: false };
        let (mut by_hand, _) = reload(&workspace, None);
        let mut done = Vec::new();
        for _ in 0..12 {
            done.push(editor.edit());
            if by_hand.is_of(&by_hand.look(&workspace.root)) {
                continue;
            }
            let (next, receipt) = reload(&workspace, Some(&by_hand));
            let line = host.wait("reload");
            let told = format!("seed {seed}, after\n{}", done.join("\n"));
            assert_eq!((&line["hash"], &line["generation"]), (&receipt.hash.as_str().into(), &receipt.generation.into()), "{told}");
            assert_eq!(line["compiled"], serde_json::json!(receipt.compiled), "{told}");
            by_hand = next;
        }
        assert_eq!(host.end("-TERM"), Some(0));
    }
}
