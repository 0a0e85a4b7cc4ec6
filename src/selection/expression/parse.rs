//! Recursive descent over the tokens, one function a rule of the grammar.
//!
//! ```text
//! any        := all ('||' all)*
//! all        := comparison ('&&' comparison)*
//! comparison := sum (('>' | '>=' | '<' | '<=' | '==' | '!=') sum)?
//! sum        := product (('+' | '-') product)*
//! product    := unary (('*' | '/') unary)*
//! unary      := ('-' | '!') unary | place
//! place      := primary ('.' word | '[' any ']')*
//! primary    := number | word | word '(' (any (',' any)*)? ')' | '(' any ')'
//! ```

use super::token::{Placed, Token, tokens};
use super::tree::{Comparison, Factor, Node, Sign, Tree, Word};
use super::{Slip, Span};

/// The longest text, in characters.
pub(crate) const LONGEST: usize = 10_000;
/// How deep parentheses, calls, indices and signs may nest: recursion ends here, not the stack.
pub(crate) const DEEPEST: usize = 64;

/// Parses a whole text.
///
/// # Errors
/// What was expected and got, and where.
pub(crate) fn parse(text: &str) -> Result<Tree, Slip> {
    let length = text.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        let message = format!("an expression has at most {LONGEST} characters; split it with [define]");
        return Err(Slip::new(Span::new(LONGEST, LONGEST + 1), message));
    }
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    if *parser.peek() == Token::End {
        return Err(Slip::new(parser.span(), "the text is empty"));
    }
    let tree = parser.any()?;
    match parser.peek() {
        Token::End => Ok(tree),
        other => Err(Slip::new(parser.span(), after_an_expression(other))),
    }
}

/// The sign for a word by which other languages write an operator.
fn of_another_language(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "and" => Some("&&"),
        "or" => Some("||"),
        "not" => Some("!"),
        _ => None,
    }
}

/// Why an expression cannot go on like this.
fn after_an_expression(token: &Token) -> String {
    let hint = match token {
        Token::Word(word) => match of_another_language(word) {
            Some("&&") => "; 'and' is written '&&'",
            Some("||") => "; 'or' is written '||'",
            _ => "",
        },
        Token::Sign("=") => "; equality is written '=='",
        Token::Sign(")") => ", which closes nothing",
        Token::Sign(",") => "; only calls have several values: f(a, b)",
        Token::Sign("(") => "; only functions are called",
        Token::Sign("!") => "; 'differs from' is written '!='",
        _ => "",
    };
    format!("expected an operator or the end, got {token}{hint}")
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn span(&self) -> Span {
        self.tokens[self.next].span
    }

    /// Takes the next token; the last one, `End`, is never passed.
    fn take(&mut self) -> Placed {
        let placed = self.tokens[self.next].clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        placed
    }

    fn accept(&mut self, sign: &'static str) -> Option<Span> {
        (*self.peek() == Token::Sign(sign)).then(|| self.take().span)
    }

    fn expected<T>(&self, what: &str) -> Result<T, Slip> {
        Err(Slip::new(self.span(), format!("expected {what}, got {}", self.peek())))
    }

    /// The closing sign of what was opened at `opened`.
    fn close(&mut self, sign: &'static str, opened: Span) -> Result<Span, Slip> {
        match (self.accept(sign), self.peek()) {
            (Some(span), _) => Ok(span),
            (None, Token::End) => Err(Slip::new(opened, format!("this is never closed: '{sign}' is missing"))),
            (None, Token::Word(_) | Token::Sign("=" | "!")) => {
                Err(Slip::new(self.span(), after_an_expression(self.peek())))
            }
            (None, _) => self.expected(&format!("an operator or '{sign}'")),
        }
    }

    /// Runs a rule one level deeper.
    fn deeper(&mut self, rule: fn(&mut Self) -> Result<Tree, Slip>) -> Result<Tree, Slip> {
        if self.depth == DEEPEST {
            let message = format!("more than {DEEPEST} levels of nesting; name a part of it in [define]");
            return Err(Slip::new(self.span(), message));
        }
        self.depth += 1;
        let result = rule(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Tree, Slip> {
        self.list("||", Self::all, Node::Any)
    }

    fn all(&mut self) -> Result<Tree, Slip> {
        self.list("&&", Self::comparison, Node::All)
    }

    fn list(
        &mut self,
        sign: &'static str,
        rule: fn(&mut Self) -> Result<Tree, Slip>,
        node: fn(Vec<Tree>) -> Node,
    ) -> Result<Tree, Slip> {
        let first = rule(self)?;
        let mut rest = Vec::new();
        while self.accept(sign).is_some() {
            rest.push(rule(self)?);
        }
        let Some(last) = rest.last() else { return Ok(first) };
        let span = first.span.to(last.span);
        rest.insert(0, first);
        Ok(Tree { node: node(rest), span })
    }

    fn comparison(&mut self) -> Result<Tree, Slip> {
        let left = self.sum()?;
        let Some(comparison) = self.comparison_sign() else { return Ok(left) };
        self.take();
        let right = self.sum()?;
        if self.comparison_sign().is_some() {
            let message = "comparisons do not chain; write a < b && b < c";
            return Err(Slip::new(self.span(), message));
        }
        let span = left.span.to(right.span);
        Ok(Tree { node: Node::Comparison(Box::new(left), comparison, Box::new(right)), span })
    }

    fn comparison_sign(&self) -> Option<Comparison> {
        match self.peek() {
            Token::Sign(">") => Some(Comparison::Above),
            Token::Sign(">=") => Some(Comparison::AtLeast),
            Token::Sign("<") => Some(Comparison::Below),
            Token::Sign("<=") => Some(Comparison::AtMost),
            Token::Sign("==") => Some(Comparison::Equal),
            Token::Sign("!=") => Some(Comparison::Unequal),
            _ => None,
        }
    }

    fn sum(&mut self) -> Result<Tree, Slip> {
        let first = self.product()?;
        let mut rest = Vec::new();
        loop {
            let sign = match self.peek() {
                Token::Sign("+") => Sign::Plus,
                Token::Sign("-") => Sign::Minus,
                _ => break,
            };
            self.take();
            rest.push((sign, self.product()?));
        }
        let Some((_, last)) = rest.last() else { return Ok(first) };
        let span = first.span.to(last.span);
        Ok(Tree { node: Node::Sum(Box::new(first), rest), span })
    }

    fn product(&mut self) -> Result<Tree, Slip> {
        let first = self.unary()?;
        let mut rest = Vec::new();
        loop {
            let factor = match self.peek() {
                Token::Sign("*") => Factor::Times,
                Token::Sign("/") => Factor::Over,
                _ => break,
            };
            self.take();
            rest.push((factor, self.unary()?));
        }
        let Some((_, last)) = rest.last() else { return Ok(first) };
        let span = first.span.to(last.span);
        Ok(Tree { node: Node::Product(Box::new(first), rest), span })
    }

    fn unary(&mut self) -> Result<Tree, Slip> {
        let node: fn(Box<Tree>) -> Node = match self.peek() {
            Token::Sign("-") => Node::Negate,
            Token::Sign("!") => Node::Not,
            _ => return self.place(),
        };
        let sign = self.take().span;
        let inner = self.deeper(Self::unary)?;
        let span = sign.to(inner.span);
        Ok(Tree { node: node(Box::new(inner)), span })
    }

    fn place(&mut self) -> Result<Tree, Slip> {
        // Enough for `event.EventInfoAuxDyn.runNumber` and `z.first.pt`.
        const MOST: usize = 8;
        let mut tree = self.primary()?;
        for _ in 0..MOST {
            if self.accept(".").is_some() {
                let span = self.span();
                let Token::Word(text) = self.peek().clone() else { return self.expected("a name after '.'") };
                self.take();
                tree = Tree { span: tree.span.to(span), node: Node::Member(Box::new(tree), Word { text, span }) };
            } else if let Some(opened) = self.accept("[") {
                let inner = self.deeper(Self::any)?;
                let end = self.close("]", opened)?;
                tree = Tree { span: tree.span.to(end), node: Node::Index(Box::new(tree), Box::new(inner)) };
            } else {
                return Ok(tree);
            }
        }
        match self.peek() {
            Token::Sign("." | "[") => Err(Slip::new(self.span(), format!("more than {MOST} names in a row"))),
            _ => Ok(tree),
        }
    }

    fn primary(&mut self) -> Result<Tree, Slip> {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(number) => {
                self.take();
                Ok(Tree { node: Node::Number(number), span })
            }
            Token::Word(text) => {
                self.take();
                match (self.accept("("), of_another_language(&text)) {
                    (Some(_), Some(sign)) => Err(Slip::new(span, format!("'{text}' is written '{sign}'"))),
                    // In capitals it may be a column's name.
                    (None, Some(sign)) if text.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                        Err(Slip::new(span, format!("'{text}' is written '{sign}'")))
                    }
                    (Some(opened), None) => self.call(Word { text, span }, opened),
                    (None, _) => Ok(Tree { node: Node::Name(text), span }),
                }
            }
            Token::Sign("(") => {
                self.take();
                let inner = self.deeper(Self::any)?;
                let end = self.close(")", span)?;
                Ok(Tree { node: inner.node, span: span.to(end) })
            }
            Token::Sign("=") => Err(Slip::new(span, "equality is written '=='")),
            _ => self.expected("a value"),
        }
    }

    fn call(&mut self, name: Word, opened: Span) -> Result<Tree, Slip> {
        let mut arguments = Vec::new();
        let start = name.span;
        if let Some(end) = self.accept(")") {
            return Ok(Tree { node: Node::Call(name, arguments), span: start.to(end) });
        }
        loop {
            arguments.push(self.deeper(Self::any)?);
            if self.accept(",").is_none() {
                break;
            }
        }
        let end = self.close(")", opened)?;
        Ok(Tree { node: Node::Call(name, arguments), span: start.to(end) })
    }
}
