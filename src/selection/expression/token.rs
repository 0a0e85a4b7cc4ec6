//! Words, numbers and signs with their columns.

use std::fmt;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(f64),
    Sign(&'static str),
    End,
}

/// A token and the column (from 1) at which it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub token: Token,
    pub column: usize,
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
const SIGNS: [&str; 12] = [">=", "<=", "==", ">", "<", "(", ")", "[", "]", ",", ".", "+"];

/// Takes `text` apart; the list ends with [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, (usize, String)> {
    let characters: Vec<char> = text.chars().collect();
    let mut placed = Vec::new();
    let mut here = 0;
    while here < characters.len() {
        let character = characters[here];
        if character.is_whitespace() {
            here += 1;
            continue;
        }
        let (token, length) = next_token(&characters[here..], placed.last().map(|last: &Placed| &last.token))
            .map_err(|why| (here + 1, why))?;
        placed.push(Placed { token, column: here + 1 });
        here += length;
    }
    placed.push(Placed { token: Token::End, column: characters.len() + 1 });
    Ok(placed)
}

fn next_token(rest: &[char], previous: Option<&Token>) -> Result<(Token, usize), String> {
    let first = rest[0];
    if first.is_alphabetic() || first == '_' {
        let word: String = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
        let length = word.chars().count();
        return Ok((Token::Word(word), length));
    }
    // '-' only begins a number: the language has no subtraction. '.' begins one unless it follows ']'.
    let after_bracket = previous == Some(&Token::Sign("]"));
    let digit_at = |index: usize| rest.get(index).is_some_and(char::is_ascii_digit);
    let starts_number = match first {
        '-' => digit_at(1) || (rest.get(1) == Some(&'.') && digit_at(2)),
        '.' => digit_at(1) && !after_bracket,
        digit => digit.is_ascii_digit(),
    };
    if starts_number {
        return number(rest);
    }
    SIGNS
        .into_iter()
        .find(|sign| sign.chars().enumerate().all(|(index, c)| rest.get(index) == Some(&c)))
        .map(|sign| (Token::Sign(sign), sign.len()))
        .ok_or_else(|| match first {
            '=' => "'=' compares nothing; write '=='".to_owned(),
            '!' => "'!=' and 'not' are not known; write the opposite comparison".to_owned(),
            '&' | '|' => "one comparison a cut; write a second [[select]] for 'and'".to_owned(),
            other => format!("'{other}' has no meaning here"),
        })
}

fn number(rest: &[char]) -> Result<(Token, usize), String> {
    let mut length = usize::from(rest[0] == '-');
    let mut after_exponent = false;
    while let Some(character) = rest.get(length) {
        match character {
            '0'..='9' | '.' => {}
            'e' | 'E' if !after_exponent => after_exponent = true,
            '+' | '-' if matches!(rest[length - 1], 'e' | 'E') => {}
            _ => break,
        }
        length += 1;
    }
    let text: String = rest[..length].iter().collect();
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Number(value), length)),
        _ => Err(format!("'{text}' is not a finite number")),
    }
}
