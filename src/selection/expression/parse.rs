//! Recursive descent over the tokens; one function a rule of the grammar, each named after it.
//!
//! ```text
//! requirement := value ('>' | '>=' | '<' | '<=' | '==') value
//! object_cut  := (word | 'abs' '(' word ')') comparison number
//! value       := number | 'count' '(' word ')' | ('mass' | 'pt') '(' place '+' place ')'
//!              | 'delta_r' '(' place ',' place ')' | ('max' | 'min') '(' value ',' value ')' | 'abs' '(' value ')'
//!              | place '.' word | word
//! place       := word '[' integer ']'
//! ```

use super::token::{Placed, Token, tokens};
use super::{Comparison, Expression, Extreme, Magnitude, Name, ObjectCut, PairFunction, Place, Requirement};
use crate::error::nearest;

const FUNCTIONS: [&str; 7] = ["count", "mass", "pt", "delta_r", "max", "min", "abs"];

/// Parses a variable: `mass(jet[0] + jet[1])`.
///
/// # Errors
/// What was expected and got, with its column, in one sentence without a full stop.
pub fn parse_expression(text: &str) -> Result<Expression, String> {
    whole(text, Parser::value)
}

/// Parses an event cut: `count(jet) >= 2`.
///
/// # Errors
/// As [`parse_expression`]; also `==` between values that are not integers.
pub fn parse_requirement(text: &str) -> Result<Requirement, String> {
    whole(text, Parser::requirement)
}

/// Parses a cut on an object: `abs(eta) < 2.0`.
///
/// # Errors
/// As [`parse_expression`].
pub fn parse_object_cut(text: &str) -> Result<ObjectCut, String> {
    whole(text, Parser::object_cut)
}

/// A problem at a column.
type Rule<T> = Result<T, (usize, String)>;

fn whole<T>(text: &str, rule: fn(&mut Parser) -> Rule<T>) -> Result<T, String> {
    let place = |(column, why): (usize, String)| format!("'{text}', column {column}: {why}");
    let mut parser = Parser { tokens: tokens(text).map_err(place)?, next: 0, depth: 0 };
    let result = rule(&mut parser).map_err(place)?;
    match parser.peek() {
        Token::End => Ok(result),
        other => Err(place((parser.column(), format!("expected the end, got {other}")))),
    }
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

    fn column(&self) -> usize {
        self.tokens[self.next].column
    }

    /// Takes the next token; the last one, `End`, is never passed.
    fn take(&mut self) -> Placed {
        let placed = self.tokens[self.next].clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        placed
    }

    fn expected<T>(&self, what: &str) -> Rule<T> {
        Err((self.column(), format!("expected {what}, got {}", self.peek())))
    }

    fn sign(&mut self, sign: &'static str) -> Rule<()> {
        if *self.peek() != Token::Sign(sign) {
            return self.expected(&format!("'{sign}'"));
        }
        self.take();
        Ok(())
    }

    fn word(&mut self, what: &str) -> Rule<Name> {
        let column = self.column();
        match self.peek().clone() {
            Token::Word(word) => {
                self.take();
                Ok(Name { word, column })
            }
            _ => self.expected(what),
        }
    }

    fn requirement(&mut self) -> Rule<Requirement> {
        let left = self.value()?;
        let column = self.column();
        let comparison = self.comparison()?;
        let right = self.value()?;
        if comparison == Comparison::Equal && !(left.is_integer() && right.is_integer()) {
            let why = "'==' compares counts with integers only; of a measured number write '>' and '<'";
            return Err((column, why.to_owned()));
        }
        Ok(Requirement { left, comparison, right })
    }

    fn object_cut(&mut self) -> Rule<ObjectCut> {
        let mut quantity = self.word("a quantity of the object")?;
        let mut magnitude = Magnitude::AsIs;
        if *self.peek() == Token::Sign("(") {
            if quantity.word != "abs" {
                let why = format!("a cut on an object knows abs(...) only, got '{}(...)'", quantity.word);
                return Err((quantity.column, why));
            }
            self.take();
            quantity = self.word("a quantity of the object")?;
            self.sign(")")?;
            magnitude = Magnitude::Absolute;
        }
        let column = self.column();
        let comparison = self.comparison()?;
        if comparison == Comparison::Equal {
            return Err((column, "'==' compares counts only; of a measured number write '>' and '<'".to_owned()));
        }
        match *self.peek() {
            Token::Number(threshold) => {
                self.take();
                Ok(ObjectCut { quantity, magnitude, comparison, threshold })
            }
            _ => self.expected("a number"),
        }
    }

    fn comparison(&mut self) -> Rule<Comparison> {
        let comparison = match self.peek() {
            Token::Sign(">") => Comparison::Above,
            Token::Sign(">=") => Comparison::AtLeast,
            Token::Sign("<") => Comparison::Below,
            Token::Sign("<=") => Comparison::AtMost,
            Token::Sign("==") => Comparison::Equal,
            _ => return self.expected("one of '>', '>=', '<', '<=', '=='"),
        };
        self.take();
        Ok(comparison)
    }

    fn value(&mut self) -> Rule<Expression> {
        // The parser recurses once a nested function; deeper ones do not fit the evaluation stack anyway.
        const DEEPEST: usize = 32;
        if self.depth == DEEPEST {
            return Err((self.column(), format!("more than {DEEPEST} nested functions")));
        }
        if let Token::Number(number) = *self.peek() {
            self.take();
            return Ok(Expression::Number(number));
        }
        let name = self.word("a value, for example jet[0].pt, count(jet) or 500")?;
        match self.peek() {
            Token::Sign("(") => {
                self.depth += 1;
                let value = self.function(&name);
                self.depth -= 1;
                value
            }
            Token::Sign("[") => {
                let place = self.place_of(name)?;
                self.sign(".")?;
                let quantity = self.word("the name of a quantity")?;
                Ok(Expression::Quantity { place, quantity })
            }
            _ => Ok(Expression::Name(name)),
        }
    }

    fn function(&mut self, name: &Name) -> Rule<Expression> {
        if !FUNCTIONS.contains(&name.word.as_str()) {
            let hint = match nearest(&name.word, FUNCTIONS) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("known are {}", FUNCTIONS.join(", ")),
            };
            return Err((name.column, format!("unknown function '{}'; {hint}", name.word)));
        }
        self.sign("(")?;
        let value = match name.word.as_str() {
            "count" => Expression::Count(self.word("the name of an object")?),
            "mass" => self.pair(PairFunction::Mass, "+")?,
            "pt" => self.pair(PairFunction::Pt, "+")?,
            "delta_r" => self.pair(PairFunction::DeltaR, ",")?,
            "abs" => Expression::Absolute(Box::new(self.value()?)),
            extreme => {
                let which = if extreme == "max" { Extreme::Maximum } else { Extreme::Minimum };
                let first = self.value()?;
                self.sign(",")?;
                Expression::Extreme(which, Box::new(first), Box::new(self.value()?))
            }
        };
        self.sign(")")?;
        Ok(value)
    }

    fn pair(&mut self, function: PairFunction, between: &'static str) -> Rule<Expression> {
        let first = self.place()?;
        self.sign(between)?;
        let second = self.place()?;
        Ok(Expression::Pair { function, first, second })
    }

    fn place(&mut self) -> Rule<Place> {
        let object = self.word("an object, for example jet[0]")?;
        self.place_of(object)
    }

    fn place_of(&mut self, object: Name) -> Rule<Place> {
        self.sign("[")?;
        let rank = match *self.peek() {
            Token::Number(number) if (0.0..=1e6).contains(&number) && number.trunc() == number => number as u32,
            _ => return self.expected("a place in pT order (0, 1, 2, ...)"),
        };
        self.take();
        self.sign("]")?;
        Ok(Place { object, rank })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(word: &str, column: usize) -> Name {
        Name { word: word.into(), column }
    }

    #[test]
    fn forms_of_values() {
        let jet = |rank, column| Place { object: name("jet", column), rank };
        assert_eq!(
            parse_expression("jet[0].pt"),
            Ok(Expression::Quantity { place: jet(0, 1), quantity: name("pt", 8) })
        );
        assert_eq!(parse_expression("MET_pt"), Ok(Expression::Name(name("MET_pt", 1))));
        assert_eq!(parse_expression(" -2.5e3 "), Ok(Expression::Number(-2500.0)));
        assert_eq!(parse_expression("1.5E-3"), Ok(Expression::Number(0.0015)));
        let pair = Expression::Pair { function: PairFunction::Mass, first: jet(0, 6), second: jet(1, 15) };
        assert_eq!(parse_expression("mass(jet[0] + jet[1])"), Ok(pair));
        let maximum = parse_expression("max(abs(jet[0].eta), count(jet))").unwrap();
        assert!(matches!(maximum, Expression::Extreme(Extreme::Maximum, ref a, ref b)
            if matches!(**a, Expression::Absolute(_)) && matches!(**b, Expression::Count(_))));
    }

    #[test]
    fn requirements_and_object_cuts() {
        let requirement = parse_requirement("count(jet)>=2").unwrap();
        assert_eq!(requirement.comparison, Comparison::AtLeast);
        assert_eq!(requirement.right, Expression::Number(2.0));
        let cut = parse_object_cut("abs( eta ) < 2.0").unwrap();
        let expected = ObjectCut {
            quantity: name("eta", 6),
            magnitude: Magnitude::Absolute,
            comparison: Comparison::Below,
            threshold: 2.0,
        };
        assert_eq!(cut, expected);
        assert!(parse_requirement("count(jet) == 2").is_ok());
    }

    #[test]
    fn mistakes_name_column_and_remedy() {
        let said = |text: &str| parse_requirement(text).unwrap_err();
        assert_eq!(said("jet[0]..pt > 3"), "'jet[0]..pt > 3', column 8: expected the name of a quantity, got '.'");
        assert_eq!(
            said("cuont(jet) > 3"),
            "'cuont(jet) > 3', column 1: unknown function 'cuont'; did you mean 'count'?"
        );
        assert_eq!(
            said("jet[0].pt"),
            "'jet[0].pt', column 10: expected one of '>', '>=', '<', '<=', '==', got the end"
        );
        assert_eq!(
            said("jet[-1].pt > 1"),
            "'jet[-1].pt > 1', column 5: expected a place in pT order (0, 1, 2, ...), got the number -1"
        );
        assert_eq!(said("count(jet) = 2"), "'count(jet) = 2', column 12: '=' compares nothing; write '=='");
        assert!(said("jet[0].pt == 30").contains("column 11: '==' compares counts with integers only"));
        assert!(said("").contains("column 1: expected a value"));
        assert!(said("a > 1 && b > 2").contains("column 7: one comparison a cut"));
        assert!(parse_object_cut("log(pt) > 2").unwrap_err().contains("abs(...) only"));
        assert!(parse_object_cut("pt > eta").unwrap_err().contains("expected a number, got 'eta'"));
        assert!(parse_expression("1e999").unwrap_err().contains("not a finite number"));
        assert!(
            parse_expression(&format!("{}1{}", "abs(".repeat(1000), ")".repeat(1000))).unwrap_err().contains("nested")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-c\\[\\]().,+<>=0-9e \\-é]{0,40}") {
            let _ = parse_expression(&text);
            let _ = parse_requirement(&text);
            let _ = parse_object_cut(&text);
        }
    }
}
