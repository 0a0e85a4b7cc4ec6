//! A tiny builder for XML: every text and attribute is escaped where it is written, so that nothing a card, a path or a
//! column name holds can break a page. HTML and SVG are built from the same [`Element`]; the output is well-formed XML
//! and valid HTML at once (only void elements close themselves).

use std::fmt::{self, Write};

/// Elements that HTML forbids to have an end tag, and the SVG shapes, which never have children here without needing one.
const SELF_CLOSING: [&str; 10] = ["meta", "br", "col", "hr", "rect", "line", "path", "circle", "stop", "use"];

/// One element with its attributes and children.
///
/// ```
/// use trawl::report::markup::Element;
/// let cell = Element::new("td").with("class", "a\"b").text("p < 0.05");
/// assert_eq!(cell.to_string(), "<td class=\"a&quot;b\">p &lt; 0.05</td>");
/// ```
#[derive(Debug, Clone)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Child>,
}

#[derive(Debug, Clone)]
enum Child {
    Element(Element),
    Text(String),
}

/// How raised and lowered text is written: HTML has elements for it, SVG moves a `tspan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `<sup>`, `<sub>`, `<i>`.
    Html,
    /// `<tspan dy=...>`.
    Svg,
}

impl Element {
    /// An empty element. Names come from the code, never from data.
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new() }
    }

    /// Adds an attribute.
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.attributes.push((key, value.to_string()));
        self
    }

    /// Adds a length or coordinate in user units, rounded to 0.01; a number that is not finite becomes 0.
    pub fn at(self, key: &'static str, value: f64) -> Self {
        self.with(key, coordinate(value))
    }

    /// Appends text.
    pub fn text(mut self, text: impl fmt::Display) -> Self {
        self.children.push(Child::Text(text.to_string()));
        self
    }

    /// Appends text in the [rich notation](super::rich).
    pub fn rich(mut self, text: &str, dialect: Dialect) -> Self {
        for run in super::rich::runs(text) {
            self.children.extend(run_of(&run, dialect));
        }
        self
    }

    /// Appends an element.
    pub fn child(mut self, child: Element) -> Self {
        self.children.push(Child::Element(child));
        self
    }

    /// Appends elements.
    pub fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children.into_iter().map(Child::Element));
        self
    }

    /// Appends an element to a place that is not consumed.
    pub fn push(&mut self, child: Element) {
        self.children.push(Child::Element(child));
    }
}

fn run_of(run: &super::rich::Run, dialect: Dialect) -> Vec<Child> {
    use super::rich::Style;
    let text = run.text.clone();
    let element = match (run.style, dialect) {
        (Style::Plain, _) => return vec![Child::Text(text)],
        (Style::Italic, Dialect::Html) => Element::new("i").text(text),
        (Style::Above, Dialect::Html) => Element::new("sup").text(text),
        (Style::Below, Dialect::Html) => Element::new("sub").text(text),
        (Style::Italic, Dialect::Svg) => Element::new("tspan").with("font-style", "italic").text(text),
        (Style::Above, Dialect::Svg) => return shifted(text, "-0.5em", "0.35em"),
        (Style::Below, Dialect::Svg) => return shifted(text, "0.35em", "-0.245em"),
    };
    vec![Child::Element(element)]
}

/// A smaller run moved by `there`; an invisible run moves the baseline back (in the em of the full size).
fn shifted(text: String, there: &str, back: &str) -> Vec<Child> {
    let small = Element::new("tspan").with("dy", there).with("font-size", "70%").text(text);
    let anchor = Element::new("tspan").with("dy", back).text("\u{200b}");
    vec![Child::Element(small), Child::Element(anchor)]
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.name)?;
        for (key, value) in &self.attributes {
            write!(f, " {key}=\"")?;
            escape(f, value)?;
            f.write_char('"')?;
        }
        if self.children.is_empty() && SELF_CLOSING.contains(&self.name) {
            return f.write_str("/>");
        }
        f.write_char('>')?;
        for child in &self.children {
            match child {
                Child::Element(element) => element.fmt(f)?,
                Child::Text(text) => escape(f, text)?,
            }
        }
        write!(f, "</{}>", self.name)
    }
}

/// Escapes what has a meaning in XML; characters that XML does not know at all become U+FFFD.
fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for character in text.chars() {
        match character {
            '&' => f.write_str("&amp;")?,
            '<' => f.write_str("&lt;")?,
            '>' => f.write_str("&gt;")?,
            '"' => f.write_str("&quot;")?,
            '\t' | '\n' | '\r' => f.write_char(character)?,
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
            _ => f.write_char(character)?,
        }
    }
    Ok(())
}

/// A number as SVG wants it: at most two decimals, never an exponent, `NaN` or `inf`.
pub fn coordinate(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let element = Element::new("a").with("href", "x?a=1&b=\"2\"").text("1 < 2 & 3 > 2\u{0}");
        assert_eq!(element.to_string(), "<a href=\"x?a=1&amp;b=&quot;2&quot;\">1 &lt; 2 &amp; 3 &gt; 2\u{fffd}</a>");
    }

    #[test]
    fn only_void_elements_close_themselves() {
        assert_eq!(Element::new("rect").at("x", 1.0).to_string(), "<rect x=\"1\"/>");
        assert_eq!(Element::new("td").to_string(), "<td></td>");
    }

    #[test]
    fn coordinates_are_always_numbers() {
        assert_eq!(coordinate(f64::NAN), "0");
        assert_eq!(coordinate(f64::NEG_INFINITY), "0");
        assert_eq!(coordinate(-0.001), "0");
        assert_eq!(coordinate(12.340), "12.34");
        assert_eq!(coordinate(100.0), "100");
    }
}
