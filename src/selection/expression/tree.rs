//! The syntax tree.

use super::Span;

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub node: Node,
    pub span: Span,
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    pub span: Span,
}

/// What an expression is made of. Operators of one precedence stand in one list, so that a long sum is no deep tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Number(f64),
    Name(String),
    /// `a.b`
    Member(Box<Tree>, Word),
    /// `a[b]`
    Index(Box<Tree>, Box<Tree>),
    /// `f(a, b)`
    Call(Word, Vec<Tree>),
    /// `-a`
    Negate(Box<Tree>),
    /// `!a`
    Not(Box<Tree>),
    /// `a + b - c`, from the left.
    Sum(Box<Tree>, Vec<(Sign, Tree)>),
    /// `a * b / c`, from the left.
    Product(Box<Tree>, Vec<(Factor, Tree)>),
    /// `a > b`
    Comparison(Box<Tree>, Comparison, Box<Tree>),
    /// `a && b && c`
    All(Vec<Tree>),
    /// `a || b || c`
    Any(Vec<Tree>),
}

/// How a term enters a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
}

/// How a factor enters a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Factor {
    Times,
    Over,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    Unequal,
}
