//! A journey's flow, drawn: an outline for terminals, and Mermaid.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{Channel, Does, Graph, Step};

/// Nested ways are drawn at most so deep; deeper ones follow at the margin.
const DEEPEST: usize = 12;

impl Graph {
    /// The flow as an indented outline, one step a line: its name, what it does, and below it the ways out where there is more than one.
    /// Ways that meet again go on at the margin; a way that leads to a step drawn elsewhere says so.
    pub fn outline(&self) -> String {
        let mut outline = Outline { graph: self, drawn: BTreeSet::new(), lines: Vec::new() };
        if let Some(start) = self.start() {
            outline.walk(&start.name, None, &Indent::default());
        }
        for step in &self.steps {
            if !outline.drawn.contains(step.name.as_str()) {
                outline.lines.push(Line::note(String::new(), String::new()));
                outline.walk(&step.name, None, &Indent::default());
            }
        }
        outline.text()
    }

    /// The flow as a Mermaid flowchart, top down. Labels are escaped, so that any name is safe.
    pub fn mermaid(&self) -> String {
        let ids: BTreeMap<&str, String> = self.steps.iter().enumerate().map(|(at, step)| (step.name.as_str(), format!("s{at}"))).collect();
        let id = |name: &str| ids.get(name).map_or("done", String::as_str);
        let mut text = String::from("flowchart TD\n    enter((enter))\n");
        for step in &self.steps {
            let label = format!("{}<br/>{}", escaped(&step.name), escaped(&step.does.sentence()));
            let (open, close) = brackets(&step.does);
            writeln!(text, "    {}{open}\"{label}\"{close}", id(&step.name)).ok();
        }
        let exits: Vec<(&Step, String, Option<&str>)> =
            self.steps.iter().flat_map(|step| step.exits().into_iter().map(move |(word, to)| (step, word, to))).collect();
        if exits.iter().any(|(_, _, to)| to.is_none()) || self.steps.is_empty() {
            text.push_str("    done((completed))\n");
        }
        writeln!(text, "    enter --> {}", self.start().map_or("done", |start| id(&start.name))).ok();
        for (step, word, to) in exits {
            let label = if word.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&word)) };
            writeln!(text, "    {} -->{label} {}", id(&step.name), to.map_or("done", id)).ok();
        }
        text
    }
}

impl Does {
    /// What it does, in a few words.
    pub fn sentence(&self) -> String {
        let by = |channel: &Channel| if *channel == Channel::Px { "in the product" } else { "by e-mail" };
        match self {
            Self::SendEmail { template } => format!("send e-mail \"{template}\""),
            Self::Survey { survey, channel, .. } => format!("survey \"{survey}\" {}", by(channel)),
            Self::Remind { of, channel, .. } => format!("remind of \"{of}\" {}", by(channel)),
            Self::Engagement { engagement } => format!("engagement \"{engagement}\""),
            Self::Wait { length } => format!("wait {length}"),
            Self::WaitFor { when, within, .. } => format!("wait at most {within} for {when}"),
            Self::Branch { .. } => "the first that holds".to_owned(),
            Self::Split { .. } => "split by weight".to_owned(),
            Self::Action { word } => match word.as_str() {
                "create_cta" => "create a call to action".to_owned(),
                "log_timeline" => "log a timeline entry".to_owned(),
                "create_success_plan" => "create a success plan".to_owned(),
                "set_score" => "set a score".to_owned(),
                "load_to_usage" => "load usage data".to_owned(),
                "load_to_sfdc" => "load to Salesforce".to_owned(),
                "load_to_object" => "load to a Gainsight object".to_owned(),
                "load_to_company" => "load to the company".to_owned(),
                "load_to_people" => "load to the person".to_owned(),
                other => other.replace('_', " "),
            },
            Self::CloseCta { reason } => format!("close the call to action \"{reason}\""),
            Self::SetField { fields } => format!("set {}", fields.join(", ")),
            Self::Webhook { url } => format!("post to {url}"),
            Self::Run => "run a closure".to_owned(),
            Self::Finish => "completed".to_owned(),
            Self::Drop { reason } => format!("dropped: {reason}"),
        }
    }
}

const fn brackets(does: &Does) -> (&'static str, &'static str) {
    match does {
        Does::WaitFor { .. } | Does::Branch { .. } | Does::Split { .. } => ("{", "}"),
        Does::Wait { .. } => ("([", "])"),
        Does::Finish | Does::Drop { .. } => ("((", "))"),
        _ => ("[", "]"),
    }
}

/// Text within a quoted Mermaid label: what could end it, or be read as markup, as entities.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | '`' => {
                write!(safe, "#{};", u32::from(c)).ok();
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// What stands before a line, and before the lines below it.
#[derive(Debug, Clone, Default)]
struct Indent {
    text: String,
    depth: usize,
}

struct Line {
    left: String,
    right: String,
}

impl Line {
    const fn note(left: String, right: String) -> Self {
        Self { left, right }
    }
}

struct Outline<'g> {
    graph: &'g Graph,
    drawn: BTreeSet<&'g str>,
    lines: Vec<Line>,
}

impl<'g> Outline<'g> {
    /// Draws from a step on, until the way ends, meets what is drawn already, or comes to where `until` goes on.
    fn walk(&mut self, from: &str, until: Option<&str>, indent: &Indent) {
        let mut at = Some(from.to_owned());
        while let Some(name) = at {
            if until == Some(name.as_str()) {
                return;
            }
            let Some(step) = self.graph.step(&name) else { return };
            if !self.drawn.insert(step.name.as_str()) {
                self.lines.push(Line::note(format!("{}→ {}", indent.text, step.name), String::new()));
                return;
            }
            self.lines.push(Line::note(format!("{}{}", indent.text, step.name), step.does.sentence()));
            at = match &step.does {
                Does::WaitFor { .. } | Does::Branch { .. } | Does::Split { .. } => self.choose(step, until, indent),
                _ => step.next.clone(),
            };
        }
    }

    /// Draws the ways out of a step that chooses; returns where they go on together.
    fn choose(&mut self, step: &'g Step, until: Option<&str>, indent: &Indent) -> Option<String> {
        let exits = step.exits();
        let join = if indent.depth >= DEEPEST { None } else { self.join(&exits, until) };
        let count = exits.len();
        for (at, (word, to)) in exits.into_iter().enumerate() {
            let last = at + 1 == count;
            let (tick, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let inner = Indent { text: format!("{}{below}", indent.text), depth: indent.depth + 1 };
            let ends = join.as_deref().or(until);
            let goes = match to {
                None => " completed".to_owned(),
                Some(to) if Some(to) == join.as_deref() => " goes on below".to_owned(),
                Some(to) if Some(to) == until => " goes on".to_owned(),
                Some(to) if self.drawn.contains(to) => format!(" → {to}"),
                Some(_) => String::new(),
            };
            self.lines.push(Line::note(format!("{}{tick}{word}{goes}", indent.text), String::new()));
            if let Some(to) = to.filter(|_| goes.is_empty()) {
                self.walk(to, ends, &inner);
            }
        }
        join
    }

    /// The first step that more than one way comes to. With only one way that goes on, that way itself, where more choices lie on it.
    fn join(&self, exits: &[(String, Option<&'g str>)], until: Option<&str>) -> Option<String> {
        let ways: Vec<Vec<&str>> = exits.iter().filter_map(|(_, to)| *to).map(|to| self.ahead(to, until)).collect();
        let meeting = |name: &&str| ways.iter().filter(|way| way.contains(name)).count() > 1 && !self.drawn.contains(name);
        // Steps are kept in the order they are written, and what ways have in common is written behind them.
        let met = self.graph.steps.iter().map(|step| step.name.as_str()).find(meeting);
        if met.is_some() || until.is_some() {
            return met.filter(|name| Some(*name) != until).map(ToOwned::to_owned);
        }
        let long: Vec<&Vec<&str>> = ways.iter().filter(|way| way.iter().any(|name| self.chooses(name))).collect();
        match long.as_slice() {
            [only] => only.first().map(|name| (*name).to_owned()),
            _ => None,
        }
    }

    fn chooses(&self, name: &str) -> bool {
        self.graph.step(name).is_some_and(|step| matches!(step.does, Does::WaitFor { .. } | Does::Branch { .. } | Does::Split { .. }))
    }

    /// Everything from a step on that is not drawn yet, the step first.
    fn ahead(&self, from: &'g str, until: Option<&str>) -> Vec<&'g str> {
        let (mut found, mut open): (Vec<&str>, Vec<&str>) = (Vec::new(), vec![from]);
        while let Some(name) = open.pop() {
            if Some(name) == until || self.drawn.contains(name) || found.contains(&name) {
                continue;
            }
            found.push(name);
            let exits = self.graph.step(name).map(Step::exits).unwrap_or_default();
            open.extend(exits.into_iter().filter_map(|(_, to)| to));
        }
        found
    }

    fn text(&self) -> String {
        let wide = self.lines.iter().filter(|line| !line.right.is_empty()).map(|line| line.left.chars().count()).max().unwrap_or(0);
        let drawn = |line: &Line| {
            let gap = if line.right.is_empty() { 0 } else { wide + 2 - line.left.chars().count() };
            format!("{}{}{}\n", line.left, " ".repeat(gap), line.right)
        };
        self.lines.iter().map(drawn).collect()
    }
}
