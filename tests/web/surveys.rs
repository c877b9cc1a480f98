//! Surveys by e-mail: answered by one click, or on the page. (B13-B17)

use super::bench::{Bench, form, get, head, link};

const NPS: &str = r#"
journey("trial", #{
    model: "nps",
    participants: [#{ email: "ana@example.com" }, #{ email: "ben@example.com" }],
    unique_on: "email",
    steps: [
        survey("ask", #{ survey: "Mailed NPS", by: "email", template: "ask" }),
        wait_for("answered?", #{ when: responded("ask"), within: days(7), then: [wait("a while", days(1)), drop("answered")] }),
    ],
});
"#;

const ASK: (&str, &str) = (
    "ask.html",
    "Subject: One question\n<p>{{ survey.question }}</p>{% for one in survey.scores %}<a href=\"{{ one.url }}\">{{ one.score }}</a>{% endfor %}\
     <a href=\"{{ survey_url }}\">or here</a> <a href=\"{{ unsubscribe_url }}\">no more</a>",
);

#[test]
fn one_click_answers_and_the_page_takes_a_comment_and_another_score_b13_b16_b17() {
    let bench = Bench::start(NPS, &[ASK], "");
    let mail = bench.mail("ana@example.com");
    let nine = link(&mail, "score=9");
    assert_eq!(head(&nine).status, 200);
    assert_eq!(get(&nine, &[("user-agent", "Mozilla/5.0 (compatible; Barracuda Sentinel)")]).status, 200);
    assert_eq!(bench.report()["surveys"][0]["responded"], 0, "programs do not answer for people");
    let page = get(&nine, &[]);
    assert!(page.text.contains("value=\"9\" checked") && page.text.contains("noted"), "{}", page.text);
    let report = bench.until(|report| report["surveys"][0]["responded"] == 1);
    assert_eq!((&report["surveys"][0]["responded_email"], &report["surveys"][0]["responded_px"]), (&1.into(), &0.into()));
    assert_eq!(report["surveys"][0]["viewed"], 1);
    let three = get(&link(&mail, "score=3"), &[]);
    assert!(three.text.contains("make it 3"), "{}", three.text);
    let url = link(&mail, "/survey/");
    let url = url.split('?').next().unwrap();
    assert_eq!(form(url, "q0=11").status, 422);
    assert_eq!(form(url, "q0=3&comment=%3Cscript%3Ealert(1)%3C%2Fscript%3E").status, 200);
    assert_eq!(form(url, "q0=3&comment=%3Cscript%3Ealert(1)%3C%2Fscript%3E").status, 200, "twice is once");
    while bench.timeline("ana", "responded").len() < 2 {
        bench.line(|_| true);
    }
    let answers = bench.timeline("ana", "responded");
    assert_eq!(answers.iter().map(|one| one["detail"]["score"].as_i64().unwrap()).collect::<Vec<_>>(), [9, 3]);
    assert_eq!(answers[1]["detail"]["comment"], "<script>alert(1)</script>");
    assert_eq!(answers[1]["detail"]["channel"], "email");
    let page = get(url, &[]);
    assert!(!page.text.contains("<script>") && page.text.contains("&lt;script&gt;"), "{}", page.text);
    assert_eq!(bench.report()["surveys"][0]["responded"], 1);
}

#[test]
fn a_survey_of_several_questions_keeps_all_answers_b16() {
    let questions = r#"questions: [
        #{ ask: "How satisfied are you?", type: "csat", required: true },
        #{ ask: "What next?", type: "choice", choices: ["Reports", "<b>Mobile</b>"] },
        #{ ask: "Anything else?", type: "text" },
    ], survey: "#;
    let bench = Bench::start(&NPS.replace("survey: \"", &format!("{questions}\"")), &[ASK], "");
    let mail = bench.mail("ben@example.com");
    let url = link(&mail, "/survey/");
    let url = url.split('?').next().unwrap();
    let page = get(url, &[]);
    assert!(page.text.contains("&lt;b&gt;Mobile"), "{}", page.text);
    assert!(form(url, "q1=Reports").text.contains("Please answer: How satisfied are you?"));
    assert_eq!(form(url, "q0=4&q1=Reports&q2=More+of+it").status, 200);
    bench.until(|report| report["surveys"][0]["responded"] == 1);
    let answer = &bench.timeline("ben", "responded")[0]["detail"];
    assert_eq!(answer["score"], 4);
    let said: Vec<&str> = answer["answers"].as_array().unwrap()[1..].iter().map(|one| one["answer"].as_str().unwrap()).collect();
    assert_eq!(said, ["Reports", "More of it"]);
}
