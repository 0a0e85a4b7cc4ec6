//! Tests of the parser.

use super::*;

/// The tree with all its parentheses.
fn shape(tree: &Tree) -> String {
    let list = |trees: &[Tree], sign: &str| {
        let parts: Vec<String> = trees.iter().map(shape).collect();
        format!("({})", parts.join(sign))
    };
    match &tree.node {
        Node::Number(number) => number.to_string(),
        Node::Name(name) => name.clone(),
        Node::Member(base, word) => format!("{}.{}", shape(base), word.text),
        Node::Index(base, index) => format!("{}[{}]", shape(base), shape(index)),
        Node::Call(name, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(shape).collect();
            format!("{}({})", name.text, arguments.join(", "))
        }
        Node::Negate(inner) => format!("(-{})", shape(inner)),
        Node::Not(inner) => format!("(!{})", shape(inner)),
        Node::Sum(first, rest) => rest.iter().fold(shape(first), |sum, (sign, term)| {
            format!("({sum} {} {})", if *sign == Sign::Plus { '+' } else { '-' }, shape(term))
        }),
        Node::Product(first, rest) => rest.iter().fold(shape(first), |product, (factor, next)| {
            format!("({product} {} {})", if *factor == Factor::Times { '*' } else { '/' }, shape(next))
        }),
        Node::Comparison(left, comparison, right) => format!("({} {comparison:?} {})", shape(left), shape(right)),
        Node::All(parts) => list(parts, " && "),
        Node::Any(parts) => list(parts, " || "),
    }
}

#[test]
fn precedence_is_that_of_other_languages() {
    let cases = [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c + d", "(((a - b) - c) + d)"),
        ("a / b / c * d", "(((a / b) / c) * d)"),
        ("(a + b) * c", "((a + b) * c)"),
        ("-a * b", "((-a) * b)"),
        ("a * -b", "(a * (-b))"),
        ("- -2.5", "(-(-2.5))"),
        ("a + 1 > b * 2", "((a + 1) Above (b * 2))"),
        ("a > 1 && b >= 2 || c < 3 && d <= 4", "(((a Above 1) && (b AtLeast 2)) || ((c Below 3) && (d AtMost 4)))"),
        ("a > 1 && b > 2 && c", "((a Above 1) && (b Above 2) && c)"),
        ("!a && !(b || c)", "((!a) && (!(b || c)))"),
        ("a == 1 && b != 2", "((a Equal 1) && (b Unequal 2))"),
        ("jet[0].pt + jet[count(jet) - 1].pt", "(jet[0].pt + jet[(count(jet) - 1)].pt)"),
        ("z.first.pt", "z.first.pt"),
        ("max(a, b, -c)", "max(a, b, (-c))"),
        (".5 + 2. + 1e3 + 2.5E-1", "(((0.5 + 2) + 1000) + 0.25)"),
        ("f()", "f()"),
        (" a\n+\tb ", "(a + b)"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).map(|tree| shape(&tree)).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn spans_are_in_characters() {
    let tree = parse("  abs( jet[0].eta ) < 2.0").unwrap();
    assert_eq!(tree.span, Span::new(2, 25));
    let Node::Comparison(left, ..) = tree.node else { panic!("a comparison") };
    assert_eq!(left.span, Span::new(2, 19));
    let slip = parse("'é' + 1").unwrap_err();
    assert_eq!(slip.span, Span::new(0, 1));
    assert_eq!(parse("a + é").unwrap_err().span, Span::new(4, 5));
    assert_eq!(parse("(a + b) + c").unwrap().span, Span::new(0, 11));
}

#[test]
fn slips_are_shown_in_three_lines() {
    let slip = Slip::new(Span::new(4, 7), "what");
    assert_eq!(slip.show("abc\nefg + 1"), "what\n    abc efg + 1\n        ^^^");
    assert_eq!(Slip::new(Span::new(3, 4), "end").show("abc"), "end\n    abc\n       ^");
    let long = format!("{}here{}", "a".repeat(500), "b".repeat(500));
    let shown = Slip::new(Span::new(500, 504), "what").show(&long);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], format!("    ...{}here{}...", "a".repeat(40), "b".repeat(56)));
    assert_eq!(lines[2], format!("    {}^^^^", " ".repeat(43)));
}

#[test]
fn every_function_is_found_by_its_name() {
    let names: Vec<&str> = Function::names().collect();
    for name in &names {
        let function = Function::named(name).unwrap();
        assert_eq!(function.name(), *name);
        assert!(function.usage().starts_with(&format!("{name}(")), "{name}");
    }
    assert_eq!(names.len(), 34);
    assert_eq!(Function::nearest("delta_r"), Some("deltaR"));
    assert_eq!(Function::nearest("DELTAPHI"), Some("deltaPhi"));
    assert_eq!(Function::nearest("len"), Some("count"));
    assert_eq!(Function::nearest("nothing_like_it"), None);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}", soup in "[a-c\\[\\]().,+*/!&|<>=0-9e \\-\né]{0,60}") {
        for text in [text, soup] {
            if let Err(slip) = parse(&text) {
                proptest::prop_assert_eq!(slip.show(&text).lines().count(), 3);
                proptest::prop_assert!(slip.span.start < slip.span.end && slip.span.start <= text.chars().count());
            }
        }
    }
}
