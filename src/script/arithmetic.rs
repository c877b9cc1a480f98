//! Arithmetic with decimals that has no result fails where it stands, as it does with whole numbers. The engine's own gives infinity, or what is
//! no number, and every comparison with that has an outcome that looks like one.

use rhai::{Engine, EvalAltResult, Position};

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Covers the engine's operators on decimals; beside a whole number they calculate with decimals, too.
pub(super) fn register(engine: &mut Engine) {
    // Built-in operators are otherwise taken past everything that is registered.
    engine.set_fast_operators(false);
    for (symbol, calculate) in OPERATORS {
        engine.register_fn(symbol, move |x: f64, y: f64| finite(symbol, x, y, calculate(x, y)));
        #[allow(clippy::cast_precision_loss, reason = "as the engine does it")]
        engine.register_fn(symbol, move |x: f64, y: i64| finite(symbol, x, y as f64, calculate(x, y as f64)));
        #[allow(clippy::cast_precision_loss, reason = "as the engine does it")]
        engine.register_fn(symbol, move |x: i64, y: f64| finite(symbol, x as f64, y, calculate(x as f64, y)));
        // A whole number that is divided so becomes a decimal: the engine expands that itself.
        let assigned = format!("{symbol}=");
        engine.register_fn(assigned.as_str(), move |x: &mut f64, y: f64| assign(x, finite(symbol, *x, y, calculate(*x, y))));
        #[allow(clippy::cast_precision_loss, reason = "as the engine does it")]
        engine.register_fn(assigned.as_str(), move |x: &mut f64, y: i64| assign(x, finite(symbol, *x, y as f64, calculate(*x, y as f64))));
    }
}

fn assign(x: &mut f64, result: Outcome<f64>) -> Outcome<()> {
    *x = result?;
    Ok(())
}

type Operator = (&'static str, fn(f64, f64) -> f64);

const OPERATORS: [Operator; 6] =
    [("+", |x, y| x + y), ("-", |x, y| x - y), ("*", |x, y| x * y), ("/", |x, y| x / y), ("%", |x, y| x % y), ("**", f64::powf)];

fn finite(symbol: &str, x: f64, y: f64, result: f64) -> Outcome<f64> {
    if result.is_finite() {
        return Ok(result);
    }
    let what = if matches!(symbol, "/" | "%") && y == 0.0 { "Division by zero" } else { "No finite number" };
    Err(EvalAltResult::ErrorArithmetic(format!("{what}: {x} {symbol} {y}"), Position::NONE).into())
}
