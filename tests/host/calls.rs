//! What a run called is counted by itself, also beside another run.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use serde_json::json;
use tabi::{
    flow::{Notify, Summary},
    host::{
        Session, Workspace as Opened,
        clock::Clock,
        up::{Tell, Told, Watching, up},
    },
    model::System,
};

use crate::support::{Sandbox, Workspace};

const SCRIPT: &str = r#"
mapping("names", #{ from: salesforce::object("Account"), to: pendo::account_metadata("custom"), match_on: #{ accountId: "Id" }, fields: #{ nm: "Name" }, daily: "03:00" });
mapping("sites", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ Id: "SfdcAccountId" }, fields: #{ Site: "Name" }, daily: "03:01" });
"#;

#[derive(Debug, PartialEq)]
enum Said {
    Ready,
    Began(String),
    Ended(Box<Summary>),
}

#[test]
fn two_runs_side_by_side_count_their_own_calls() {
    let workspace = Workspace::with_script(SCRIPT);
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 24 --faults pendo:slow=600@1");
    let clock = Clock::by_hand("2099-11-21T02:59:00Z".parse().unwrap());
    let opened = Opened::open(Some(&workspace.path()), false, clock.clone()).unwrap();
    let (say, told) = mpsc::channel();
    let tell: Tell = Arc::new(move |said| {
        let said = match said {
            Told::Ready(_) => Said::Ready,
            Told::Began(names) => Said::Began(names.join(" ")),
            Told::Ended(summary) => Said::Ended(Box::new(summary.clone())),
            _ => return,
        };
        say.send(said).unwrap();
    });
    let notify: Notify = Arc::new(|_| ());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let host = std::thread::spawn(move || {
        let session = Session::open(&opened).unwrap();
        up(&opened, &session, Watching::Told, &notify, &tell, async move { stopped.await.unwrap_or_default() });
        session.close();
    });
    let next = || told.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(next(), Said::Ready);
    sandbox.forget_requests();
    clock.set("2099-11-21T03:00:00Z".parse().unwrap());
    assert_eq!(next(), Said::Began("names".into()));
    clock.set("2099-11-21T03:01:00Z".parse().unwrap());
    assert_eq!(next(), Said::Began("sites".into()), "the first is at work still");
    let summaries: Vec<Summary> =
        [next(), next()].into_iter().map(|said| if let Said::Ended(summary) = said { *summary } else { panic!("{said:?}") }).collect();
    stop.send(()).unwrap();
    host.join().unwrap();
    let of = |name: &str, system: System| summaries.iter().find(|summary| summary.name == name).unwrap().calls[&system];
    assert!(summaries.iter().all(|summary| summary.status == tabi::flow::Status::Ok), "{summaries:?}");
    let runs = workspace.tabi("history --json").ended(0);
    for (system, word, names, sites) in [
        (System::Salesforce, "salesforce", true, true),
        (System::Pendo, "pendo", true, false),
        (System::Gainsight, "gainsight", false, true),
        (System::Px, "px", false, false),
    ] {
        let asked = sandbox.get(word, "/_sandbox/requests").as_array().unwrap().len() as u64;
        let (of_names, of_sites) = (of("names", system), of("sites", system));
        assert_eq!((of_names > 0, of_sites > 0, of_names + of_sites), (names, sites, asked), "{word}: {of_names} and {of_sites} of {asked}");
        let kept = |name: &str| runs.lines()[0].as_array().unwrap().iter().find(|run| run["name"] == name).unwrap()["calls"][word].clone();
        assert_eq!((kept("names"), kept("sites")), (json!(of_names), json!(of_sites)));
    }
}
