//! What functions want and give, where their own declarations in Rust or rhai do not say it. Null is welcome everywhere.

use super::Kind::{self, Date, Days, Instant, Length, List, Map, Number, Text, Truth};

/// One function that takes the same kinds in each of its forms.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    /// By argument; none where anything may stand.
    pub(super) wants: &'static [Option<Kind>],
    pub(super) gives: Option<Kind>,
}

const fn takes(name: &'static str, wants: &'static [Option<Kind>], gives: Kind) -> Signature {
    Signature { name, wants, gives: Some(gives) }
}

const N: Option<Kind> = Some(Number);
const T: Option<Kind> = Some(Text);
const L: Option<Kind> = Some(List);

pub(super) const SIGNATURES: [Signature; 34] = [
    takes("date", &[], Date),
    takes("timestamp", &[], Instant),
    takes("days", &[N], Days),
    takes("hours", &[N], Length),
    takes("minutes", &[N], Length),
    takes("math::round", &[N, N], Number),
    takes("math::floor", &[N], Number),
    takes("math::ceil", &[N], Number),
    takes("math::clamp", &[N, N, N], Number),
    takes("math::percent", &[N, N], Number),
    takes("math::ratio", &[N, N], Number),
    takes("text::clean", &[], Text),
    takes("text::cut", &[None, N], Text),
    takes("text::domain", &[T], Text),
    takes("text::title", &[T], Text),
    takes("text::join", &[L, T], Text),
    takes("dates::days_between", &[], Number),
    takes("dates::month_start", &[], Date),
    takes("dates::week_start", &[], Date),
    takes("dates::quarter", &[], Text),
    takes("dates::within", &[None, N, None], Truth),
    takes("fields::blank", &[], Truth),
    takes("fields::truth", &[], Truth),
    takes("fields::first", &[L], Text).of_any(),
    takes("records::pluck", &[L, T], List),
    takes("records::index", &[L, T], Map),
    takes("records::group", &[L, T], Map),
    takes("records::total", &[L, T], Number),
    takes("records::batches", &[L, N], List),
    takes("score::bands", &[N, L], Number).of_any(),
    takes("score::scale", &[N, N, N], Number),
    takes("score::weighted", &[L], Number),
    takes("score::colour", &[N], Text),
    takes("score::change", &[N, N], Number),
];

impl Signature {
    /// What it gives is not known.
    const fn of_any(self) -> Self {
        Self { gives: None, ..self }
    }
}
