//! Text with raised, lowered and slanted parts, written `*m*_{JJ} = 1.3 × 10^{3} GeV`: axis titles and numbers.
//!
//! A brace without its partner, or a lone asterisk, stands for itself.

/// How a run of characters is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Slanted: `*m*`.
    Italic,
    /// Raised: `^{2}`.
    Above,
    /// Lowered: `_{JJ}`.
    Below,
}

/// Characters of one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How it is set.
    pub style: Style,
    /// What it says.
    pub text: String,
}

/// Splits rich text into runs.
///
/// ```
/// use trawl::report::rich::{runs, Style};
/// let styles: Vec<Style> = runs("*m*_{JJ} [GeV]").iter().map(|run| run.style).collect();
/// assert_eq!(styles, [Style::Italic, Style::Below, Style::Plain]);
/// ```
pub fn runs(text: &str) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((style, inner, after)) = marked(rest) {
            found.push(Run { style, text: inner.into() });
            rest = after;
            continue;
        }
        match found.last_mut() {
            Some(run) if run.style == Style::Plain => run.text.push(first),
            _ => found.push(Run { style: Style::Plain, text: first.into() }),
        }
        rest = &rest[first.len_utf8()..];
    }
    found
}

fn marked(text: &str) -> Option<(Style, &str, &str)> {
    let forms = [("^{", "}", Style::Above), ("_{", "}", Style::Below), ("*", "*", Style::Italic)];
    forms.into_iter().find_map(|(open, close, style)| {
        let (inner, after) = text.strip_prefix(open)?.split_once(close)?;
        (!inner.is_empty()).then_some((style, inner, after))
    })
}

/// Rich text for a terminal, a tooltip or a log: digits are raised with Unicode, the other marks are dropped.
///
/// ```
/// assert_eq!(trawl::report::rich::plain("1.2 × 10^{-4} at *m*_{Y}"), "1.2 × 10⁻⁴ at m_Y");
/// ```
pub fn plain(text: &str) -> String {
    let mut words = String::new();
    for run in runs(text) {
        match run.style {
            Style::Plain | Style::Italic => words.push_str(&run.text),
            Style::Below => {
                words.push('_');
                words.push_str(&run.text);
            }
            Style::Above => match run.text.chars().map(raised).collect::<Option<String>>() {
                Some(digits) => words.push_str(&digits),
                None => {
                    words.push('^');
                    words.push_str(&run.text);
                }
            },
        }
    }
    words
}

fn raised(character: char) -> Option<char> {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    match character {
        '-' | '−' => Some('⁻'),
        '+' => Some('⁺'),
        _ => character.to_digit(10).map(|digit| DIGITS[digit as usize]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_without_a_partner_stand_for_themselves() {
        assert_eq!(plain("a * b"), "a * b");
        assert_eq!(plain("Jet_pt ^{2"), "Jet_pt ^{2");
        assert_eq!(plain(""), "");
        assert_eq!(plain("**"), "**");
    }

    #[test]
    fn raised_words_keep_their_caret() {
        assert_eq!(plain("x^{max}"), "x^max");
        assert_eq!(plain("fb^{-1}"), "fb⁻¹");
    }
}
