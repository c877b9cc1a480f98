//! Evaluating stages: each takes the rows of the one before as they come.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    datum::{Datum, Key},
    expression::Expression,
    group::{Group, Groups},
    listed,
    narrow::{Narrow, narrowed},
    row::{Body, Context, Name, Path, Row},
    shown,
    source::{Blacklist, Kind, Source},
    stage::{self, Stage},
    usage,
    window::Window,
};
use crate::sandbox::pendo::people;

type Rows = Box<dyn Iterator<Item = Row> + Send>;

/// Rows between two stages, and what is known about them.
pub(super) struct Flow {
    pub(super) rows: Rows,
    /// Rows with an equal value of one of these fields have the same block, and blocks are neighbours.
    local: Vec<Name>,
    /// Rows are in the order of this field.
    ascending: Option<Name>,
}

impl Flow {
    fn plain(rows: impl Iterator<Item = Row> + Send + 'static) -> Self {
        Self { rows: Box::new(rows), local: Vec::new(), ascending: None }
    }

    /// The same knowledge about other rows.
    fn with(self, change: impl FnOnce(Rows) -> Rows) -> Self {
        Self { rows: change(self.rows), ..self }
    }

    /// Knows no more than about these fields.
    fn keeping(mut self, keeps: impl Fn(&Name) -> bool) -> Self {
        self.local.retain(&keeps);
        self.ascending = self.ascending.filter(keeps);
        self
    }
}

/// The rows that come out of a pipeline; `window` stands for the source's own.
pub(super) fn run(stages: &[Stage], window: Option<Window>, context: &Context) -> Flow {
    run_on(Flow::plain(std::iter::empty()), stages, window, context)
}

fn run_on(input: Flow, stages: &[Stage], window: Option<Window>, context: &Context) -> Flow {
    let stages = filters_first(stages);
    let mut flow = input;
    let mut rest = stages.iter().peekable();
    while let Some(stage) = rest.next() {
        let limit = match rest.peek() {
            Some(Stage::Limit(limit)) => Some(*limit),
            _ => None,
        };
        flow = match stage {
            Stage::Source(source) => read(source, window, &narrowed(&stages[1..], context), context),
            stage => step(flow, stage, limit, context),
        };
    }
    flow
}

/// The same stages with filters before a sort that stands before them: the order of what is left stays.
fn filters_first(stages: &[Stage]) -> Vec<Stage> {
    let mut ordered: Vec<Stage> = Vec::with_capacity(stages.len());
    for stage in stages {
        let place = match (stage, ordered.last()) {
            (Stage::Filter(_), Some(Stage::Sort(_))) => ordered.len() - 1,
            _ => ordered.len(),
        };
        ordered.insert(place, stage.clone());
    }
    ordered
}

fn step(flow: Flow, stage: &Stage, limit: Option<usize>, context: &Context) -> Flow {
    let of = context.clone();
    match stage {
        Stage::Spawn(branches) => spawn(flow, branches, context),
        Stage::Join { fields, width } => Flow::plain(join(flow.rows, fields, *width, context).into_iter()),
        Stage::Merge { fields, mappings, pipeline } => merge(flow, fields, mappings, pipeline, context),
        Stage::Identified { path, wanted } => {
            let (path, wanted) = (path.clone(), *wanted);
            flow.with(|rows| Box::new(rows.filter(move |row| is_identified(&row.get(&path, &of)) == wanted)))
        }
        Stage::Filter(condition) => {
            let condition = Arc::clone(condition);
            flow.with(|rows| Box::new(rows.filter(move |row| condition.evaluate(row, &of).is_true())))
        }
        Stage::Select(fields) => select(flow, fields, of),
        Stage::Eval(fields) => {
            let overwritten = Arc::clone(fields);
            let fields = Arc::clone(fields);
            flow.with(|rows| Box::new(rows.map(move |row| evaluated(row, &fields, &of))))
                .keeping(|name| !overwritten.iter().any(|(put, _)| put == name))
        }
        Stage::Group(group) => grouped(flow, group, of),
        Stage::Count => {
            #[allow(clippy::cast_precision_loss)]
            let counted = flow.rows.count() as f64;
            let names: Arc<[Name]> = Arc::from([Name::from("count")]);
            Flow::plain(std::iter::once(Row::new(0, Body::Fields(names, Box::new([Datum::Number(counted)])))))
        }
        Stage::Sort(keys) => sorted(flow, keys, limit, context),
        Stage::Limit(limit) => {
            let limit = *limit;
            flow.with(|rows| Box::new(rows.take(limit)))
        }
        Stage::Unwind(path) => {
            let (unwound, path) = (Arc::clone(&path.first), path.clone());
            flow.with(|rows| Box::new(rows.flat_map(move |row| unwind(row, &path, &of)))).keeping(|name| *name != unwound)
        }
        // A source begins its pipeline; what it makes is there already.
        Stage::Cat | Stage::Source(_) => flow,
        Stage::Segment(membership) => {
            let (membership, visitor, account) = (Arc::clone(membership), Path::new("visitorId", Vec::new()), Path::new("accountId", Vec::new()));
            flow.with(|rows| Box::new(rows.filter(move |row| membership.has(&row.get(&visitor, &of), &row.get(&account, &of), &of))))
        }
        Stage::Expand(records) => {
            let (put, records) = (Arc::clone(records), Arc::clone(records));
            flow.with(|rows| Box::new(rows.map(move |row| expanded(row, &records, &of)))).keeping(|name| !put.iter().any(|(put, ..)| put == name))
        }
    }
}

/// The rows of a source.
fn read(source: &Source, window: Option<Window>, narrow: &Narrow, context: &Context) -> Flow {
    let window = window.or(source.window);
    let (visitor, account) = (Name::from("visitorId"), Name::from("accountId"));
    let both = vec![visitor.clone(), account.clone()];
    let local = |rows: Rows| Flow { rows, local: both.clone(), ascending: Some(account.clone()) };
    let flow = match (&source.kind, window) {
        (Kind::Usage { class, apps, item, blacklist }, Some(window)) => {
            let (rows, orderly, ascending) = usage::rows(context, window, *class, *apps, item.as_deref(), *blacklist, narrow.accounts.clone());
            let local = if orderly { both.clone() } else { vec![account.clone()] };
            Flow { rows, local, ascending: ascending.then(|| account.clone()) }
        }
        (Kind::GuideEvents { apps, guide, step }, Some(window)) => local(shown::guide_events(context, window, *apps, guide.clone(), step.clone())),
        (Kind::PollEvents { apps, guide, poll }, Some(window)) => local(shown::poll_events(context, window, *apps, guide.clone(), poll.clone())),
        (Kind::GuidesSeen { apps, guide }, window) => local(shown::guides_seen(context, window, *apps, guide.clone())),
        (Kind::PollsSeen { apps, guide, poll }, window) => local(shown::polls_seen(context, window, *apps, guide.clone(), poll.clone())),
        (Kind::Visitors { from, to, identified, blacklist }, _) => {
            let all = listed::visitors(context, *from, *to, narrow.visitors.clone());
            Flow { rows: wanted_visitors(all, *identified, *blacklist, context), local: vec![visitor], ascending: None }
        }
        (Kind::Accounts, _) => {
            let (rows, ascending) = listed::accounts(context, narrow.accounts.clone());
            Flow { rows, local: vec![account.clone()], ascending: ascending.then_some(account) }
        }
        (Kind::Catalogue(kind), _) => Flow::plain(listed::catalogue(context, kind)),
        (Kind::Apps, _) => Flow::plain(listed::apps()),
        (Kind::DoNotProcess, _) => Flow::plain(listed::do_not_process(context)),
        (Kind::Nothing | Kind::Usage { .. } | Kind::GuideEvents { .. } | Kind::PollEvents { .. }, _) => Flow::plain(std::iter::empty()),
    };
    with_metadata(flow, source.metadata, context)
}

/// Of visitors those who are identified, where that is asked for, and those who are to be processed.
fn wanted_visitors(rows: Rows, identified: bool, blacklist: Blacklist, context: &Context) -> Rows {
    let (of, id, marked) = (context.clone(), Path::new("visitorId", Vec::new()), usage::marked(context));
    Box::new(rows.filter(move |row| {
        let visitor = row.get(&id, &of);
        let is_marked = !marked.is_empty() && marked.contains(&visitor.key(&of.company));
        let processed = match blacklist {
            Blacklist::Apply => !is_marked,
            Blacklist::Ignore => true,
            Blacklist::Only => is_marked,
        };
        processed && (!identified || is_identified(&visitor))
    }))
}

/// Attaches the metadata of visitor and account as `metadata.visitor` and `metadata.account`.
fn with_metadata(flow: Flow, (visitor, account): (bool, bool), context: &Context) -> Flow {
    if !visitor && !account {
        return flow;
    }
    let (of, name) = (context.clone(), Name::from("metadata"));
    let fields = [("visitor", stage::Kind::Visitor, "visitorId", visitor), ("account", stage::Kind::Account, "accountId", account)];
    let fields: Vec<_> =
        fields.into_iter().filter(|(.., wanted)| *wanted).map(|(name, kind, id, _)| (name, kind, Path::new(id, Vec::new()))).collect();
    flow.with(|rows| {
        Box::new(rows.map(move |mut row| {
            let attached = fields.iter().map(|(name, kind, path)| {
                let found = record(*kind, &row.get(path, &of), &of);
                ((*name).to_owned(), found.map_or(Value::Null, |row| people::metadata(&row, None)))
            });
            let attached: Map<String, Value> = attached.collect();
            row.put(&name, Value::Object(attached).into());
            row
        }))
    })
}

/// An id that is one: anonymous visitors have one that begins in the vendor's own way.
fn is_identified(id: &Datum) -> bool {
    match id {
        Datum::Null => false,
        Datum::Text(id) => !id.is_empty() && !id.starts_with("_PENDO_T_"),
        _ => true,
    }
}

fn select(flow: Flow, fields: &Arc<[(Name, Expression)]>, of: Context) -> Flow {
    let alias = |name: &Name| {
        fields.iter().find(|(_, from)| from.as_path().is_some_and(|path| path.is_plain() && path.first == *name)).map(|(alias, _)| alias.clone())
    };
    let (local, ascending) = (flow.local.iter().filter_map(alias).collect(), flow.ascending.as_ref().and_then(alias));
    let (names, fields): (Arc<[Name]>, _) = (fields.iter().map(|(name, _)| name.clone()).collect(), Arc::clone(fields));
    let rows = flow.rows.map(move |row| {
        let values = fields.iter().map(|(_, from)| from.evaluate(&row, &of)).collect();
        Row::new(row.block, Body::Fields(Arc::clone(&names), values))
    });
    Flow { rows: Box::new(rows), local, ascending }
}

fn evaluated(mut row: Row, fields: &[(Name, Expression)], context: &Context) -> Row {
    let values: Vec<Datum> = fields.iter().map(|(_, from)| from.evaluate(&row, context)).collect();
    for ((name, _), value) in fields.iter().zip(values) {
        row.put(name, value);
    }
    row
}

/// Group by group where a block holds whole groups, else all at once when the first row is asked for.
fn grouped(flow: Flow, group: &Arc<Group>, of: Context) -> Flow {
    let is_key = |name: &Name| group.keys.iter().any(|key| key.is_plain() && key.first == *name);
    let by_block = flow.local.iter().any(is_key);
    let ascending = flow.ascending.filter(|name| by_block && is_key(name));
    let local = if by_block { flow.local.into_iter().filter(is_key).collect() } else { Vec::new() };
    let mut groups = Groups::new(group);
    let mut rows = flow.rows;
    let (mut block, mut ready, mut ended) = (None, VecDeque::new(), false);
    let rows = std::iter::from_fn(move || {
        while ready.is_empty() && !ended {
            let Some(row) = rows.next() else {
                ended = true;
                ready.extend(groups.take());
                break;
            };
            if by_block && block.is_some_and(|block| block != row.block) {
                ready.extend(groups.take());
            }
            block = Some(row.block);
            groups.add(&row, &of);
        }
        ready.pop_front()
    });
    Flow { rows: Box::new(rows), local, ascending }
}

/// Sorted when the first row is asked for; of a limit's rows only so many are held.
fn sorted(flow: Flow, keys: &Arc<[(Path, bool)]>, limit: Option<usize>, context: &Context) -> Flow {
    if let ([(path, false)], Some(ascending)) = (&keys[..], &flow.ascending)
        && path.is_plain()
        && path.first == *ascending
    {
        return flow;
    }
    let (keys, of) = (Arc::clone(keys), context.clone());
    let mut input = Some(flow.rows);
    let mut output = Vec::new().into_iter();
    Flow::plain(std::iter::from_fn(move || {
        if let Some(rows) = input.take() {
            output = sort(rows, &keys, limit, &of).into_iter();
        }
        output.next()
    }))
}

fn sort(rows: Rows, keys: &[(Path, bool)], limit: Option<usize>, context: &Context) -> Vec<Row> {
    let company = &context.company;
    let spelt = |value: Datum| match value {
        Datum::Visitor(_) => value.as_text(company).map_or(Datum::Null, |text| Datum::text(&text)),
        other => other,
    };
    let order = |one: &(Vec<Datum>, Row), other: &(Vec<Datum>, Row)| {
        let by_key = |(place, (_, down)): (usize, &(Path, bool))| {
            let order = one.0[place].order(&other.0[place], company);
            if *down { order.reverse() } else { order }
        };
        keys.iter().enumerate().map(by_key).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    };
    let mut held: Vec<(Vec<Datum>, Row)> = Vec::new();
    for row in rows {
        held.push((keys.iter().map(|(path, _)| spelt(row.get(path, context))).collect(), row));
        if let Some(limit) = limit
            && held.len() > limit.saturating_mul(2).saturating_add(1_024)
        {
            held.sort_by(order);
            held.truncate(limit);
        }
    }
    held.sort_by(order);
    held.into_iter().map(|(_, row)| row).collect()
}

/// The branches one after the other; those without a source take the rows that come in.
fn spawn(flow: Flow, branches: &[Vec<Stage>], context: &Context) -> Flow {
    let has_source = |branch: &Vec<Stage>| matches!(branch.first(), Some(Stage::Source(_)));
    let input: Arc<[Row]> = if branches.iter().all(has_source) { Arc::from([]) } else { flow.rows.collect() };
    let (branches, of) = (branches.to_vec(), context.clone());
    Flow::plain(branches.into_iter().flat_map(move |branch| {
        let input = Arc::clone(&input);
        let rows = (0..input.len()).map(move |place| input[place].clone());
        run_on(Flow::plain(rows), &branch, None, &of).rows
    }))
}

/// Rows that are equal on the fields become one, which goes out as soon as `width` of them came; what is incomplete follows.
fn join(rows: Rows, fields: &[Path], width: usize, context: &Context) -> Vec<Row> {
    let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut joined: Vec<(usize, Map<String, Value>)> = Vec::new();
    for row in rows {
        let keys: Vec<Key> = fields.iter().map(|field| row.get(field, context).key(&context.company)).collect();
        let place = *places.entry(keys.clone()).or_insert_with(|| {
            joined.push((0, Map::new()));
            joined.len() - 1
        });
        let (count, fields) = &mut joined[place];
        fields.extend(row.into_json(context));
        *count += 1;
        if *count == width {
            places.remove(&keys);
        }
    }
    let (complete, incomplete): (Vec<_>, Vec<_>) = joined.into_iter().partition(|(count, _)| *count == width);
    complete.into_iter().chain(incomplete).map(|(_, fields)| Row::new(0, Body::Json(Arc::new(fields)))).collect()
}

/// Adds what another pipeline says about the row with the same fields; null where it says nothing.
fn merge(flow: Flow, fields: &[Path], mappings: &[(Name, Path)], pipeline: &[Stage], context: &Context) -> Flow {
    let (of, fields, mappings, pipeline) = (context.clone(), fields.to_vec(), mappings.to_vec(), pipeline.to_vec());
    let put = mappings.clone();
    let mut found: Option<HashMap<Vec<Key>, Box<[Datum]>>> = None;
    let keys = move |row: &Row, of: &Context| -> Vec<Key> { fields.iter().map(|field| row.get(field, of).key(&of.company)).collect() };
    flow.with(|rows| {
        Box::new(rows.map(move |mut row| {
            let found = found.get_or_insert_with(|| {
                let mut found = HashMap::new();
                for row in run(&pipeline, None, &of).rows {
                    found.entry(keys(&row, &of)).or_insert_with(|| mappings.iter().map(|(_, from)| row.get(from, &of)).collect());
                }
                found
            });
            let said = found.get(&keys(&row, &of));
            for (place, (name, _)) in mappings.iter().enumerate() {
                row.put(name, said.map_or(Datum::Null, |said| said[place].clone()));
            }
            row
        }))
    })
    .keeping(|name| !put.iter().any(|(put, _)| put == name))
}

/// One row for each item of a list; none for an empty one; the row itself when the field is no list.
fn unwind(row: Row, path: &Path, context: &Context) -> Vec<Row> {
    let Datum::Json(list) = row.get(path, context) else { return vec![row] };
    let Some(items) = list.as_array() else { return vec![row] };
    let one = |item: &Value| {
        let mut row = row.clone();
        row.put(&path.text, Datum::from(item));
        row
    };
    items.iter().map(one).collect()
}

fn record(kind: stage::Kind, id: &Datum, context: &Context) -> Option<crate::sandbox::documents::Row> {
    let pendo = &context.pendo;
    match (kind, id) {
        (stage::Kind::Account, Datum::Account(index)) => pendo.accounts.at(*index),
        (stage::Kind::Visitor, Datum::Visitor(index)) => pendo.visitors.at(*index),
        (stage::Kind::Account, id) => pendo.accounts.get(&id.as_text(&context.company)?),
        (stage::Kind::Visitor, id) => pendo.visitors.get(&id.as_text(&context.company)?),
    }
}

/// Puts the whole record under a name: `{id, metadata}`, null when there is none.
fn expanded(mut row: Row, records: &[(Name, stage::Kind, Path)], context: &Context) -> Row {
    for (name, kind, path) in records {
        let found = record(*kind, &row.get(path, context), context);
        let shown = found.map_or(Value::Null, |row| serde_json::json!({"id": row.id(), "metadata": people::metadata(&row, None)}));
        row.put(name, shown.into());
    }
    row
}
