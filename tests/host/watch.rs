//! The scripts folder: what is found in it, however it is arranged, and that every way of saving is noticed. (H3)

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    sync::mpsc,
    time::{Duration, Instant},
};

use tabi::host::{
    scan::scan,
    watch::{Settle, Watch, checkout},
};

fn workspace(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn names(root: &Path) -> Vec<String> {
    scan(root).files.into_keys().collect()
}

#[test]
fn every_script_below_the_folder_is_found_and_nothing_else() {
    let dir = workspace(&[
        ("scripts/b.rhai", "1"),
        ("scripts/deep/er/a.rhai", "2"),
        ("scripts/.#b.rhai", "x"),
        ("scripts/notes.txt", "x"),
        ("c.rhai", "x"),
    ]);
    assert_eq!(names(dir.path()), ["scripts/b.rhai", "scripts/deep/er/a.rhai"]);
}

#[test]
fn binary_files_and_dangling_links_are_problems_and_an_empty_file_is_none() {
    let dir = workspace(&[("scripts/empty.rhai", "")]);
    fs::write(dir.path().join("scripts/binary.rhai"), [0xff, 0xfe, 0x00]).unwrap();
    symlink("nowhere.rhai", dir.path().join("scripts/link.rhai")).unwrap();
    let found = scan(dir.path());
    assert_eq!(found.files.keys().collect::<Vec<_>>(), ["scripts/empty.rhai"]);
    let mut problems: Vec<_> = found.problems.iter().map(|p| (p.file.as_str(), p.reason.as_str())).collect();
    problems.sort_unstable();
    assert_eq!(problems, [("scripts/binary.rhai", "not text (UTF-8): not a script"), ("scripts/link.rhai", "a link to a file that is not there")]);
}

#[test]
fn a_scripts_folder_that_is_a_dangling_link_is_one_problem_and_no_panic() {
    let dir = workspace(&[]);
    symlink("nowhere", dir.path().join("scripts")).unwrap();
    let found = scan(dir.path());
    assert!(found.files.is_empty());
    assert_eq!(found.problems[0].reason, "a link to a folder that is not there");
}

#[test]
fn linked_folders_are_followed_and_a_circle_ends() {
    let dir = workspace(&[("elsewhere/a.rhai", "1"), ("scripts/b.rhai", "2")]);
    symlink("../elsewhere", dir.path().join("scripts/linked")).unwrap();
    symlink("../scripts", dir.path().join("scripts/circle")).unwrap();
    assert_eq!(names(dir.path()), ["scripts/b.rhai", "scripts/linked/a.rhai"]);
}

#[test]
fn hints_close_together_are_one_look_and_a_restless_folder_is_looked_at_all_the_same() {
    let (start, ms) = (Instant::now(), Duration::from_millis);
    let mut settle = Settle::default();
    assert_eq!(settle.ripe(), None);
    for hint in 0..500 {
        settle.hint(start + ms(hint));
    }
    assert_eq!(settle.ripe(), Some(start + ms(499 + 25)));
    for hint in 500..5000 {
        settle.hint(start + ms(hint));
    }
    assert_eq!(settle.ripe(), Some(start + ms(1000)));
    settle.looked();
    assert_eq!(settle.ripe(), None);
}

/// Follows the folder and waits until what is found in it satisfies the condition.
struct Follower<'a> {
    root: &'a Path,
    watch: Watch,
    hints: mpsc::Receiver<()>,
}

impl<'a> Follower<'a> {
    fn start(root: &'a Path) -> Self {
        let (send, hints) = mpsc::channel();
        let mut watch = Watch::start(move || {
            let _ = send.send(());
        });
        watch.follow(&scan(root).folders);
        Self { root, watch, hints }
    }

    fn sees(&mut self, what: impl Fn(&std::collections::BTreeMap<String, std::sync::Arc<str>>) -> bool) {
        loop {
            let found = scan(self.root);
            let new = self.watch.follow(&found.folders);
            if what(&found.files) {
                return;
            }
            if !new {
                self.hints.recv_timeout(Duration::from_secs(10)).expect("a hint");
            }
        }
    }
}

#[test]
fn every_way_of_saving_is_noticed() {
    let dir = workspace(&[("scripts/a.rhai", "1")]);
    let (a, root) = (dir.path().join("scripts/a.rhai"), dir.path());
    let mut follower = Follower::start(root);
    let holds = |text: &'static str| {
        move |files: &std::collections::BTreeMap<String, std::sync::Arc<str>>| files.get("scripts/a.rhai").is_some_and(|t| &**t == text)
    };

    fs::write(&a, "written in place").unwrap();
    follower.sees(holds("written in place"));
    fs::write(root.join("scripts/.a.swp"), "renamed over it").unwrap();
    fs::rename(root.join("scripts/.a.swp"), &a).unwrap();
    follower.sees(holds("renamed over it"));
    fs::rename(&a, root.join("scripts/a.rhai~")).unwrap();
    fs::write(&a, "moved away and written anew").unwrap();
    follower.sees(holds("moved away and written anew"));
    fs::remove_file(&a).unwrap();
    follower.sees(std::collections::BTreeMap::is_empty);
}

#[test]
fn new_replaced_and_relinked_folders_are_noticed() {
    let dir = workspace(&[("v1/a.rhai", "one"), ("v2/a.rhai", "two")]);
    let root = dir.path();
    let mut follower = Follower::start(root);
    symlink("v1", root.join("scripts")).unwrap();
    follower.sees(|files| files.get("scripts/a.rhai").is_some_and(|t| &**t == "one"));
    fs::remove_file(root.join("scripts")).unwrap();
    symlink("v2", root.join("scripts")).unwrap();
    follower.sees(|files| files.get("scripts/a.rhai").is_some_and(|t| &**t == "two"));
    fs::write(root.join("v2/a.rhai"), "three").unwrap();
    follower.sees(|files| files.get("scripts/a.rhai").is_some_and(|t| &**t == "three"));
    fs::remove_file(root.join("scripts")).unwrap();
    fs::create_dir_all(root.join("scripts/deep")).unwrap();
    fs::write(root.join("scripts/deep/b.rhai"), "four").unwrap();
    follower.sees(|files| files.len() == 1 && files.contains_key("scripts/deep/b.rhai"));
    fs::remove_dir_all(root.join("scripts")).unwrap();
    fs::create_dir_all(root.join("scripts")).unwrap();
    fs::write(root.join("scripts/c.rhai"), "five").unwrap();
    follower.sees(|files| files.len() == 1 && files.contains_key("scripts/c.rhai"));
}

#[test]
fn a_folder_that_cannot_be_followed_is_looked_at_more_often_until_it_can_be() {
    let dir = workspace(&[("scripts/a.rhai", "1")]);
    let folders = scan(dir.path()).folders;
    let mut watch = Watch::start(|| ());
    watch.follow(&folders);
    let (told, polled) = (Duration::from_secs(5), Duration::from_millis(500));
    assert_eq!((watch.look_every(), &watch.trouble), (told, &None));
    watch.follow(&[dir.path().join("gone")].into());
    assert!(watch.trouble.is_some());
    assert_eq!(watch.look_every(), polled);
    watch.follow(&folders);
    assert_eq!((watch.look_every(), &watch.trouble), (told, &None));

    let mut polling = Watch::polling();
    assert!(!polling.follow(&folders), "nothing is missed by not being told");
    assert_eq!((polling.look_every(), &polling.trouble), (polled, &None));
}

#[test]
fn a_checkout_that_goes_on_is_waited_for_and_a_lock_that_somebody_left_is_not_waited_for_twice() {
    let (start, ms) = (Instant::now(), Duration::from_millis);
    let dir = workspace(&[("repository/.git/HEAD", ""), ("repository/cs/scripts/a.rhai", "1")]);
    let (root, lock) = (dir.path().join("repository/cs"), dir.path().join("repository/.git/index.lock"));
    assert_eq!(checkout(&root), None);
    File::create(&lock).unwrap();
    let locked = checkout(&root);
    assert!(locked.is_some());

    let mut settle = Settle::default();
    settle.hint(start);
    settle.looked();
    assert!(settle.hold(start + ms(25), locked));
    assert_eq!(settle.ripe(), Some(start + ms(50)), "it is looked at soon again, also without a hint");
    assert!(settle.hold(start + ms(9_000), locked));
    fs::remove_file(&lock).unwrap();
    assert!(!settle.hold(start + ms(9_025), checkout(&root)));
    assert_eq!(settle.ripe(), None);

    assert!(settle.hold(start + ms(20_000), locked));
    assert!(settle.hold(start + ms(29_999), locked));
    assert!(!settle.hold(start + ms(30_000), locked), "whoever locked it is gone");
    assert!(!settle.hold(start + ms(40_000), locked));
    File::create(&lock).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH + ms(1)).unwrap();
    assert!(settle.hold(start + ms(50_000), checkout(&root)), "another lock is another checkout");

    // A further work tree has its index elsewhere.
    let tree = workspace(&[("scripts/a.rhai", "1"), ("git/worktrees/tree/index.lock", ""), (".git", "gitdir: git/worktrees/tree\n")]);
    assert!(checkout(tree.path()).is_some());
}

#[test]
fn mounted_configuration_that_is_swapped_by_a_link_elsewhere_is_noticed() {
    // As Kubernetes mounts a ConfigMap: each file is a link to `..data/FILE`, and `..data` is a link that is replaced.
    let dir =
        workspace(&[("scripts/..one/a.rhai", "one"), ("scripts/..two/a.rhai", "two"), ("far/v1/b.rhai", "far one"), ("far/v2/b.rhai", "far two")]);
    let root = dir.path();
    symlink("..one", root.join("scripts/..data")).unwrap();
    symlink("..data/a.rhai", root.join("scripts/a.rhai")).unwrap();
    // And a folder and a file behind links that stand in a folder of their own.
    symlink("v1", root.join("far/current")).unwrap();
    symlink("../far/current", root.join("scripts/deep")).unwrap();
    symlink("../far/current/b.rhai", root.join("scripts/linked.rhai")).unwrap();
    let holds = |file: &'static str, text: &'static str| {
        move |files: &std::collections::BTreeMap<String, std::sync::Arc<str>>| files.get(file).is_some_and(|t| &**t == text)
    };
    let swap = |link: &str, to: &str| {
        symlink(to, root.join("beside")).unwrap();
        fs::rename(root.join("beside"), root.join(link)).unwrap();
    };
    let mut follower = Follower::start(root);
    follower.sees(holds("scripts/a.rhai", "one"));
    swap("scripts/..data", "..two");
    follower.sees(holds("scripts/a.rhai", "two"));
    swap("far/current", "v2");
    follower.sees(|files| holds("scripts/deep/b.rhai", "far two")(files) && holds("scripts/linked.rhai", "far two")(files));
    fs::write(root.join("far/v2/b.rhai"), "written behind the link").unwrap();
    follower.sees(holds("scripts/linked.rhai", "written behind the link"));
    fs::write(root.join("scripts/..two/a.rhai"), "in place").unwrap();
    follower.sees(holds("scripts/a.rhai", "in place"));
}

#[test]
fn the_editors_ways_of_saving_are_noticed() {
    let dir = workspace(&[("scripts/a.rhai", "1")]);
    let (root, a) = (dir.path(), dir.path().join("scripts/a.rhai"));
    let mut follower = Follower::start(root);
    let holds = |text: &'static str| {
        move |files: &std::collections::BTreeMap<String, std::sync::Arc<str>>| {
            files.len() == 1 && files.get("scripts/a.rhai").is_some_and(|t| &**t == text)
        }
    };
    // vim with `backup` and `writebackup`: a probe, the file moved to its backup, written anew, the backup removed.
    fs::write(root.join("scripts/4913"), "").unwrap();
    fs::remove_file(root.join("scripts/4913")).unwrap();
    fs::rename(&a, root.join("scripts/a.rhai~")).unwrap();
    fs::write(&a, "vim").unwrap();
    fs::remove_file(root.join("scripts/a.rhai~")).unwrap();
    follower.sees(holds("vim"));
    // VS Code: truncated and written in place.
    let file = File::options().write(true).truncate(true).open(&a).unwrap();
    std::io::Write::write_all(&mut &file, b"code").unwrap();
    drop(file);
    follower.sees(holds("code"));
    // IntelliJ's safe write: a temporary file, the old one moved away, the new one in its place, the old one removed.
    fs::write(root.join("scripts/a.rhai___jb_tmp___"), "idea").unwrap();
    fs::rename(&a, root.join("scripts/a.rhai___jb_old___")).unwrap();
    fs::rename(root.join("scripts/a.rhai___jb_tmp___"), &a).unwrap();
    fs::remove_file(root.join("scripts/a.rhai___jb_old___")).unwrap();
    follower.sees(holds("idea"));
    // Emacs: a lock that is a dangling link, and an auto-save file, are no scripts.
    symlink("me@host.1:1", root.join("scripts/.#a.rhai")).unwrap();
    fs::write(root.join("scripts/#a.rhai#"), "half").unwrap();
    fs::write(&a, "emacs").unwrap();
    follower.sees(holds("emacs"));
}
