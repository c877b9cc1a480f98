//! Tokens to a query: one function per rule of the grammar in section 3.3 of the API notes.

use crate::sandbox::salesforce::soql::ast::{Condition, Expr, Item, Literal, Op, Order, Path, Query};
use crate::sandbox::salesforce::soql::dates;
use crate::sandbox::salesforce::soql::fault::QueryFault;
use crate::sandbox::salesforce::soql::lex::{PERCENT, Sort, Token, UNDERSCORE, tokens};
use smol_str::{SmolStr, ToSmolStr};

type Parsed<T> = Result<T, QueryFault>;

struct Reader<'a> {
    query: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

/// How deep brackets, negations and function calls may be nested.
const DEEPEST: usize = 100;

/// Words that end a name list, so that they are never taken for an alias.
const RESERVED: [&str; 14] = ["FROM", "WHERE", "WITH", "GROUP", "ORDER", "LIMIT", "OFFSET", "FOR", "UPDATE", "USING", "HAVING", "ALL", "WHEN", "END"];

/// Parses one query.
pub(crate) fn parse(query: &str) -> Parsed<Query> {
    if query.trim().is_empty() {
        return Err(QueryFault::malformed("SOQL statements cannot be empty or null"));
    }
    if query.chars().count() > 100_000 {
        return Err(QueryFault::malformed("SOQL statements can not be longer than 100000 characters"));
    }
    let first = query.split_whitespace().next().unwrap_or_default();
    if !first.eq_ignore_ascii_case("select") {
        return Err(QueryFault::malformed(format!("unexpected token: '{first}'")));
    }
    let mut reader = Reader { query, tokens: tokens(query)?, at: 0, depth: 0 };
    let parsed = reader.query()?;
    match reader.peek() {
        Sort::End => Ok(parsed),
        _ => Err(reader.unexpected()),
    }
}

impl Reader<'_> {
    fn peek(&self) -> &Sort {
        &self.tokens[self.at].sort
    }

    fn place(&self) -> usize {
        self.tokens[self.at].place
    }

    fn step(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn unexpected(&self) -> QueryFault {
        let token = &self.tokens[self.at];
        let found = if token.sort == Sort::End { "<EOF>" } else { &self.query[token.place..token.end] };
        QueryFault::at("MALFORMED_QUERY", self.query, token.place, &format!("unexpected token: '{found}'"))
    }

    fn word_ahead(&self, ahead: usize) -> Option<&SmolStr> {
        match self.tokens.get(self.at + ahead).map(|t| &t.sort) {
            Some(Sort::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn is_word(&self, word: &str) -> bool {
        self.word_ahead(0).is_some_and(|w| w.eq_ignore_ascii_case(word))
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.step();
        }
        found
    }

    fn need_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_mark(&self, mark: &str) -> bool {
        matches!(self.peek(), Sort::Mark(m) if *m == mark)
    }

    fn eat_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        if found {
            self.step();
        }
        found
    }

    fn need_mark(&mut self, mark: &str) -> Parsed<()> {
        if self.eat_mark(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn name(&mut self) -> Parsed<SmolStr> {
        let Some(word) = self.word_ahead(0).cloned() else { return Err(self.unexpected()) };
        self.step();
        Ok(word)
    }

    fn path(&mut self) -> Parsed<Path> {
        let place = self.place();
        let mut parts = vec![self.name()?];
        while self.eat_mark(".") {
            parts.push(self.name()?);
        }
        Ok(Path { parts, place })
    }

    fn query(&mut self) -> Parsed<Query> {
        let place = self.place();
        self.need_word("SELECT")?;
        let mut select = vec![self.item()?];
        while self.eat_mark(",") {
            select.push(self.item()?);
        }
        self.need_word("FROM")?;
        let from_place = self.place();
        let from = self.path()?.text().to_smolstr();
        let alias = self.alias()?;
        let mut further = Vec::new();
        while self.eat_mark(",") {
            let path = self.path()?;
            if let Some(name) = self.alias()? {
                further.push((name, path));
            }
        }
        self.scope()?;
        let filter = if self.eat_word("WHERE") { Some(self.condition()?) } else { None };
        self.with_clause()?;
        let (group, rollup) = self.group()?;
        let having = if self.eat_word("HAVING") { Some(self.condition()?) } else { None };
        let order = self.order()?;
        let limit = if self.eat_word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.eat_word("OFFSET") { self.count()? } else { 0 };
        self.tail()?;
        Ok(Query { place, select, from: from.to_smolstr(), from_place, alias, further, filter, group, rollup, having, order, limit, offset })
    }

    fn alias(&mut self) -> Parsed<Option<SmolStr>> {
        self.eat_word("AS");
        let reserved = self.word_ahead(0).is_some_and(|word| RESERVED.iter().any(|r| word.eq_ignore_ascii_case(r)));
        if self.word_ahead(0).is_some() && !reserved { self.name().map(Some) } else { Ok(None) }
    }

    fn scope(&mut self) -> Parsed<()> {
        if self.eat_word("USING") {
            self.need_word("SCOPE")?;
            let known = ["everything", "mine", "team", "delegated", "my_territory", "my_team_territory", "queue_owned"];
            if !self.word_ahead(0).is_some_and(|w| known.iter().any(|k| w.eq_ignore_ascii_case(k))) {
                return Err(self.unexpected());
            }
            self.step();
        }
        Ok(())
    }

    fn with_clause(&mut self) -> Parsed<()> {
        if self.eat_word("WITH") && !(self.eat_word("SECURITY_ENFORCED") || self.eat_word("USER_MODE") || self.eat_word("SYSTEM_MODE")) {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn group(&mut self) -> Parsed<(Vec<Expr>, bool)> {
        if !self.eat_word("GROUP") {
            return Ok((Vec::new(), false));
        }
        self.need_word("BY")?;
        if self.is_word("CUBE") {
            return Err(self.unexpected());
        }
        let rollup = self.is_word("ROLLUP") && matches!(self.tokens.get(self.at + 1).map(|t| &t.sort), Some(Sort::Mark("(")));
        if rollup {
            self.step();
            self.need_mark("(")?;
        }
        let mut group = vec![self.expr()?];
        while self.eat_mark(",") {
            group.push(self.expr()?);
        }
        if rollup {
            self.need_mark(")")?;
        }
        Ok((group, rollup))
    }

    fn order(&mut self) -> Parsed<Vec<Order>> {
        let mut out = Vec::new();
        if !self.eat_word("ORDER") {
            return Ok(out);
        }
        self.need_word("BY")?;
        loop {
            let expr = self.expr()?;
            let descending = self.eat_word("DESC");
            if !descending {
                self.eat_word("ASC");
            }
            let nulls_last = if self.eat_word("NULLS") {
                let last = self.eat_word("LAST");
                if !last {
                    self.need_word("FIRST")?;
                }
                Some(last)
            } else {
                None
            };
            out.push(Order { expr, descending, nulls_last });
            if !self.eat_mark(",") {
                return Ok(out);
            }
        }
    }

    fn count(&mut self) -> Parsed<usize> {
        let text = &self.query[self.tokens[self.at].place..self.tokens[self.at].end];
        let Ok(count) = text.parse() else { return Err(self.unexpected()) };
        self.step();
        Ok(count)
    }

    fn tail(&mut self) -> Parsed<()> {
        while self.eat_word("FOR") {
            if !(self.eat_word("VIEW") || self.eat_word("REFERENCE")) {
                return Err(self.unexpected());
            }
            self.eat_mark(",");
        }
        if self.eat_word("UPDATE") && !(self.eat_word("TRACKING") || self.eat_word("VIEWSTAT")) {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn item(&mut self) -> Parsed<Item> {
        if self.is_mark("(") {
            self.step();
            let query = self.deeper(Self::query)?;
            self.need_mark(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        if self.is_word("TYPEOF") && self.word_ahead(2).is_some_and(|w| w.eq_ignore_ascii_case("WHEN")) {
            return self.type_of();
        }
        let place = self.place();
        let expr = self.expr()?;
        if let Expr::Call { name, argument: Some(argument), .. } = &expr
            && name.eq_ignore_ascii_case("FIELDS")
            && let Expr::Path(path) = argument.as_ref()
        {
            return Ok(Item::Fields { which: path.text().to_ascii_uppercase().to_smolstr(), place });
        }
        let before_end = matches!(self.tokens.get(self.at + 1).map(|t| &t.sort), Some(Sort::Mark(",")))
            || self.word_ahead(1).is_some_and(|w| w.eq_ignore_ascii_case("FROM"));
        let alias = if !self.is_word("FROM") && before_end && self.word_ahead(0).is_some() { Some(self.name()?) } else { None };
        Ok(Item::Value { expr, alias })
    }

    fn type_of(&mut self) -> Parsed<Item> {
        self.step();
        let place = self.place();
        let relationship = self.name()?;
        let mut arms = Vec::new();
        while self.eat_word("WHEN") {
            let kind = self.name()?;
            self.need_word("THEN")?;
            arms.push((kind, self.paths()?));
        }
        let otherwise = if self.eat_word("ELSE") { self.paths()? } else { Vec::new() };
        self.need_word("END")?;
        Ok(Item::Typeof { relationship, place, arms, otherwise })
    }

    fn paths(&mut self) -> Parsed<Vec<Path>> {
        let mut out = vec![self.path()?];
        while self.eat_mark(",") {
            out.push(self.path()?);
        }
        Ok(out)
    }

    /// One level further down, for rules that contain themselves.
    fn deeper<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(QueryFault::new(
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too complicated.",
            ));
        }
        self.depth += 1;
        let parsed = rule(self);
        self.depth -= 1;
        parsed
    }

    fn expr(&mut self) -> Parsed<Expr> {
        let path = self.path()?;
        if path.parts.len() > 1 || !self.is_mark("(") {
            return Ok(Expr::Path(path));
        }
        self.step();
        let argument = if self.is_mark(")") { None } else { Some(Box::new(self.deeper(Self::expr)?)) };
        self.need_mark(")")?;
        Ok(Expr::Call { name: path.parts[0].clone(), place: path.place, argument })
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.unary()?];
        let joint = ["AND", "OR"].into_iter().find(|word| self.is_word(word));
        let Some(joint) = joint else { return Ok(parts.remove(0)) };
        while self.eat_word(joint) {
            parts.push(self.unary()?);
        }
        if self.is_word("AND") || self.is_word("OR") {
            return Err(self.unexpected());
        }
        Ok(if joint == "AND" { Condition::All(parts) } else { Condition::Any(parts) })
    }

    fn unary(&mut self) -> Parsed<Condition> {
        if self.eat_word("NOT") {
            return Ok(Condition::Not(Box::new(self.deeper(Self::unary)?)));
        }
        if self.eat_mark("(") {
            let inner = self.deeper(Self::condition)?;
            self.need_mark(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        let left = self.expr()?;
        let negated = self.eat_word("NOT");
        if self.eat_word("IN") {
            self.need_mark("(")?;
            if self.is_word("SELECT") {
                let query = Box::new(self.deeper(Self::query)?);
                self.need_mark(")")?;
                return Ok(Condition::InQuery { left, negated, query });
            }
            return Ok(Condition::In { left, negated, list: self.list()? });
        }
        if negated {
            return Err(self.unexpected());
        }
        for (word, negated) in [("INCLUDES", false), ("EXCLUDES", true)] {
            if self.eat_word(word) {
                self.need_mark("(")?;
                return Ok(Condition::Includes { left, negated, list: self.list()? });
            }
        }
        let like = self.eat_word("LIKE");
        let op = if like { Op::Like } else { self.operator()? };
        Ok(Condition::Compare { left, op, right: self.literal(like)? })
    }

    fn operator(&mut self) -> Parsed<Op> {
        let op = match self.peek() {
            Sort::Mark("=") => Op::Eq,
            Sort::Mark("!=") => Op::Ne,
            Sort::Mark("<") => Op::Lt,
            Sort::Mark("<=") => Op::Le,
            Sort::Mark(">") => Op::Gt,
            Sort::Mark(">=") => Op::Ge,
            _ => return Err(self.unexpected()),
        };
        self.step();
        Ok(op)
    }

    fn list(&mut self) -> Parsed<Vec<Literal>> {
        let mut out = vec![self.literal(false)?];
        while self.eat_mark(",") {
            out.push(self.literal(false)?);
        }
        self.need_mark(")")?;
        Ok(out)
    }

    fn literal(&mut self, like: bool) -> Parsed<Literal> {
        let place = self.place();
        let literal = match self.peek().clone() {
            Sort::Text(text) => {
                if text.chars().count() > 4000 {
                    return Err(QueryFault::malformed("maximum number of characters (4000) in a filter value exceeded"));
                }
                if !like && text.contains([PERCENT, UNDERSCORE]) {
                    let detail = "Invalid string literal. Illegal character sequence in string literal";
                    return Err(QueryFault::at("MALFORMED_QUERY", self.query, place, detail));
                }
                Literal::Text(text)
            }
            Sort::Number(number) => Literal::Number(number),
            Sort::Date(day) => Literal::Date(day),
            Sort::Datetime(ms) => Literal::Datetime(ms),
            Sort::Word(word) => return self.word_literal(&word),
            Sort::Mark(_) | Sort::End => return Err(self.unexpected()),
        };
        self.step();
        Ok(literal)
    }

    fn word_literal(&mut self, word: &SmolStr) -> Parsed<Literal> {
        let upper = word.to_ascii_uppercase();
        let literal = match upper.as_str() {
            "NULL" => Literal::Null,
            "TRUE" => Literal::Bool(true),
            "FALSE" => Literal::Bool(false),
            _ if dates::is_counted(&upper) => {
                self.step();
                self.need_mark(":")?;
                let count = self.count()?;
                let Ok(count) = i32::try_from(count) else { return Err(self.unexpected()) };
                return Ok(Literal::Relative(upper.to_smolstr(), count.min(100_000)));
            }
            _ if dates::is_plain(&upper) => Literal::Relative(upper.to_smolstr(), 1),
            _ => match currency(&upper) {
                Some(amount) => Literal::Number(amount),
                None => return Err(self.unexpected()),
            },
        };
        self.step();
        Ok(literal)
    }
}

/// `USD5000`.
fn currency(word: &str) -> Option<f64> {
    let (code, amount) = word.split_at_checked(3)?;
    (code.bytes().all(|b| b.is_ascii_uppercase()) && !amount.is_empty()).then(|| amount.parse().ok())?
}
