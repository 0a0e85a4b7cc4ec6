//! Messages that point at a place in a text.

/// A part of a text: characters `start .. end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the start of this one to the end of the `last`.
    pub(crate) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }

    /// That part of `text`; long ones are shortened in the middle.
    pub(crate) fn of(self, text: &str) -> String {
        const LONGEST: usize = 48;
        let characters = text.chars().skip(self.start).take(self.end.saturating_sub(self.start));
        let part: Vec<char> = characters.map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        if part.len() <= LONGEST {
            return part.into_iter().collect();
        }
        let half = (LONGEST - 3) / 2;
        part[..half].iter().chain(&['.'; 3]).chain(&part[part.len() - half..]).collect()
    }

    /// Two lines: the text around the place, and carets under it.
    pub(crate) fn show(self, text: &str) -> String {
        // How much of a long text is shown before the place, and in all.
        const BEFORE: usize = 40;
        const WIDTH: usize = 100;
        let length = text.chars().count();
        let start = self.start.min(length);
        let first = if length <= WIDTH { 0 } else { start.saturating_sub(BEFORE) };
        let shown: String =
            text.chars().skip(first).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (before, after) = (if first > 0 { "..." } else { "" }, if first + WIDTH < length { "..." } else { "" });
        let spaces = " ".repeat(before.len() + start - first);
        let room = (first + WIDTH).saturating_sub(start).max(1);
        let carets = "^".repeat(self.end.saturating_sub(start).clamp(1, room));
        format!("    {before}{shown}{after}\n    {spaces}{carets}")
    }
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slip {
    pub span: Span,
    pub message: String,
}

impl Slip {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// Three lines: the message, the text around the place, and carets under it.
    pub(crate) fn show(&self, text: &str) -> String {
        format!("{}\n{}", self.message, self.span.show(text))
    }
}
