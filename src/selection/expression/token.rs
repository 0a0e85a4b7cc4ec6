//! Words, numbers and signs with their spans.

use std::fmt;

use super::{Slip, Span};

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(f64),
    Sign(&'static str),
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub token: Token,
    pub span: Span,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "'{word}'"),
            Self::Number(number) => write!(f, "the number {number}"),
            Self::Sign(sign) => write!(f, "'{sign}'"),
            Self::End => write!(f, "the end"),
        }
    }
}

// Longer signs first, so that '>=' is not read as '>' and '='.
const SIGNS: [&str; 20] =
    [">=", "<=", "==", "!=", "&&", "||", ">", "<", "(", ")", "[", "]", ",", ".", "+", "-", "*", "/", "!", "="];

/// Signs of other languages and what to write here.
const FOREIGN: [(&str, &str); 8] = [
    ("**", "powers are written pow(x, y)"),
    ("^", "powers are written pow(x, y)"),
    ("&", "'and' is written '&&'"),
    ("|", "'or' is written '||'"),
    ("%", "the remainder of a / b is a - b * floor(a / b)"),
    ("?", "a choice is written where(condition, a, b)"),
    (";", "a text holds one expression"),
    ("~", "'not' is written '!'"),
];

/// Takes `text` apart; the list ends with [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Slip> {
    let characters: Vec<char> = text.chars().collect();
    let mut placed = Vec::new();
    let mut here = 0;
    while here < characters.len() {
        if characters[here].is_whitespace() {
            here += 1;
            continue;
        }
        let (token, length) = next_token(&characters[here..])
            .map_err(|(length, message)| Slip::new(Span::new(here, here + length), message))?;
        placed.push(Placed { token, span: Span::new(here, here + length) });
        here += length;
    }
    placed.push(Placed { token: Token::End, span: Span::new(characters.len(), characters.len() + 1) });
    Ok(placed)
}

/// The first token and its length; or how many characters are wrong, and why.
fn next_token(rest: &[char]) -> Result<(Token, usize), (usize, String)> {
    let first = rest[0];
    if first.is_ascii_alphabetic() || first == '_' {
        let word: String = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
        let length = word.len();
        return Ok((Token::Word(word), length));
    }
    // '.5' is a number; in `jet[0].pt` a letter follows the dot.
    if first.is_ascii_digit() || (first == '.' && rest.get(1).is_some_and(char::is_ascii_digit)) {
        return number(rest);
    }
    let starts_with = |sign: &str| sign.chars().enumerate().all(|(index, c)| rest.get(index) == Some(&c));
    if let Some((sign, hint)) =
        FOREIGN.into_iter().find(|(sign, _)| starts_with(sign) && !starts_with("&&") && !starts_with("||"))
    {
        return Err((sign.len(), format!("'{sign}' is no operator here: {hint}")));
    }
    SIGNS
        .into_iter()
        .find(|sign| starts_with(sign))
        .map(|sign| (Token::Sign(sign), sign.len()))
        .ok_or_else(|| (1, format!("'{}' has no meaning here", if first.is_control() { ' ' } else { first })))
}

fn number(rest: &[char]) -> Result<(Token, usize), (usize, String)> {
    let digits = |from: usize| rest[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut length = digits(0);
    if rest.get(length) == Some(&'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(rest.get(length), Some('e' | 'E')) {
        let sign = usize::from(matches!(rest.get(length + 1), Some('+' | '-')));
        let exponent = digits((length + 1 + sign).min(rest.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let text: String = rest[..length].iter().collect();
    let follows = rest.get(length).copied().unwrap_or(' ');
    if follows.is_alphanumeric() || follows == '_' || follows == '.' {
        let whole = rest.iter().take_while(|c| c.is_alphanumeric() || matches!(**c, '_' | '.')).count();
        let text: String = rest[..whole.min(40)].iter().collect();
        return Err((whole, format!("'{text}' is neither a number nor a name")));
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Number(value), length)),
        _ => Err((length, format!("the number '{}' is too large", text.chars().take(40).collect::<String>()))),
    }
}
