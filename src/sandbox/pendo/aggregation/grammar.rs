//! The text of an expression into an expression: C-like, texts in `"` or backticks.

use winnow::{
    Result,
    ascii::{digit1, multispace0},
    combinator::{alt, delimited, opt, preceded, repeat, separated},
    error::ContextError,
    prelude::*,
    token::{any, none_of, one_of, take_while},
};

use super::{
    datum::Datum,
    expression::{Expression, Function, Operator},
    row::{Path, Step},
};

/// Longer or deeper ones are refused.
const LONGEST: usize = 100_000;
const DEEPEST: usize = 64;

/// Reads a whole expression, or says in a few words what is wrong.
pub(super) fn parse(text: &str) -> std::result::Result<Expression, String> {
    let wrong = || format!("unable to parse expression: {text}");
    if text.len() > LONGEST || deepest(text) > DEEPEST {
        return Err("expression is too complex".to_owned());
    }
    delimited(multispace0, or, multispace0).parse(text).map_err(|_| wrong())
}

/// Reads a dotted path, as `group` and `sort` take it.
pub(super) fn parse_path(text: &str) -> std::result::Result<Path, String> {
    path.parse(text).map_err(|_| format!("not a field: {text}"))
}

fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in text.chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn or(input: &mut &str) -> Result<Expression> {
    let first = and(input)?;
    chain(first, preceded((multispace0, "||", multispace0), and).map(|right| (Operator::Or, right)), input)
}

fn and(input: &mut &str) -> Result<Expression> {
    let first = comparison(input)?;
    chain(first, preceded((multispace0, "&&", multispace0), comparison).map(|right| (Operator::And, right)), input)
}

fn comparison(input: &mut &str) -> Result<Expression> {
    let first = sum(input)?;
    let operator = alt((
        "==".value(Operator::Equal),
        "!=".value(Operator::Unequal),
        "<=".value(Operator::LessOrEqual),
        ">=".value(Operator::MoreOrEqual),
        "<".value(Operator::Less),
        ">".value(Operator::More),
        ("in", winnow::combinator::peek(one_of([' ', '[', '(', '\t', '\n']))).value(Operator::In),
    ));
    let right = opt((delimited(multispace0, operator, multispace0), sum)).parse_next(input)?;
    Ok(match right {
        Some((operator, right)) => Expression::Binary(operator, Box::new(first), Box::new(right)),
        None => first,
    })
}

fn sum(input: &mut &str) -> Result<Expression> {
    let first = product(input)?;
    let operator = alt(('+'.value(Operator::Plus), '-'.value(Operator::Minus)));
    chain(first, (delimited(multispace0, operator, multispace0), product), input)
}

fn product(input: &mut &str) -> Result<Expression> {
    let first = unary(input)?;
    let operator = alt(('*'.value(Operator::Times), '/'.value(Operator::Divided), '%'.value(Operator::Remainder)));
    chain(first, (delimited(multispace0, operator, multispace0), unary), input)
}

fn chain<'i>(first: Expression, next: impl Parser<&'i str, (Operator, Expression), ContextError>, input: &mut &'i str) -> Result<Expression> {
    let rest: Vec<(Operator, Expression)> = repeat(0.., next).parse_next(input)?;
    Ok(rest.into_iter().fold(first, |left, (operator, right)| Expression::Binary(operator, Box::new(left), Box::new(right))))
}

fn unary(input: &mut &str) -> Result<Expression> {
    let signs: Vec<char> = repeat(0..64, preceded(multispace0, one_of(['!', '-']))).parse_next(input)?;
    let inner = preceded(multispace0, primary).parse_next(input)?;
    Ok(signs.into_iter().rev().fold(inner, |inner, sign| match (sign, inner) {
        ('!', inner) => Expression::Not(Box::new(inner)),
        (_, Expression::Constant(Datum::Number(number))) => Expression::Constant(Datum::Number(-number)),
        (_, inner) => Expression::Minus(Box::new(inner)),
    }))
}

fn primary(input: &mut &str) -> Result<Expression> {
    let group = delimited(('(', multispace0), or, (multispace0, ')'));
    let list = delimited(('[', multispace0), items, (multispace0, ']')).map(Expression::List);
    alt((group, list, number, text.map(|text| Expression::Constant(Datum::text(&text))), call, word)).parse_next(input)
}

fn items(input: &mut &str) -> Result<Vec<Expression>> {
    separated(0.., or, (multispace0, ',', multispace0)).parse_next(input)
}

fn number(input: &mut &str) -> Result<Expression> {
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    let digits = (digit1, opt(('.', digit1)), opt(exponent)).take();
    digits.try_map(|digits: &str| digits.parse::<f64>()).map(|number| Expression::Constant(Datum::Number(number))).parse_next(input)
}

fn text(input: &mut &str) -> Result<String> {
    let mut quote = one_of(['"', '`']).parse_next(input)?;
    let letter = alt((preceded('\\', any), none_of([quote, '\\'])));
    let read = repeat(0.., letter).parse_next(input)?;
    quote.parse_next(input)?;
    Ok(read)
}

fn call(input: &mut &str) -> Result<Expression> {
    let called = (name, delimited((multispace0, '(', multispace0), items, (multispace0, ')')));
    called
        .verify_map(|(name, arguments)| {
            let (function, count) = Function::named(name)?;
            count.contains(&arguments.len()).then_some(Expression::Call(function, arguments))
        })
        .parse_next(input)
}

fn word(input: &mut &str) -> Result<Expression> {
    let constant = |path: Path| match path.text.as_ref() {
        "null" => Expression::Constant(Datum::Null),
        "true" => Expression::Constant(Datum::Bool(true)),
        "false" => Expression::Constant(Datum::Bool(false)),
        _ => Expression::Path(path),
    };
    path.map(constant).parse_next(input)
}

fn path(input: &mut &str) -> Result<Path> {
    let first = name(input)?;
    let index = delimited('[', digit1, ']').try_map(|digits: &str| digits.parse::<usize>()).map(Step::Index);
    let field = preceded('.', name).map(|name: &str| Step::Field(name.into()));
    let rest: Vec<Step> = repeat(0.., alt((index, field))).parse_next(input)?;
    Ok(Path::new(first, rest))
}

fn name<'i>(input: &mut &'i str) -> Result<&'i str> {
    let begins = |letter: char| letter.is_alphabetic() || matches!(letter, '_' | '$');
    let goes_on = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
    (one_of(begins), take_while(0.., goes_on)).take().parse_next(input)
}
