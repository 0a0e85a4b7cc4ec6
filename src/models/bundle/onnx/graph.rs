//! Graphs of ONNX in the making: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>, whose field numbers these
//! are.

use super::protobuf::Message;

/// Of operators; every runtime since 2020 has it, and `ReduceMean` takes its axes as an attribute until 17.
const OPERATOR_SET: u64 = 13;

/// Of the format: that which came with the set of operators 15, read since 2021.
const INTERMEDIATE_VERSION: u64 = 8;

/// `TensorProto.DataType`.
const SINGLES: u64 = 1;
const INTEGERS: u64 = 7;

/// A setting of a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attribute {
    Single(f32),
    Integer(u64),
    /// A list of one.
    Integers(u64),
}

impl Attribute {
    fn message(self, name: &str) -> Message {
        let named = Message::default().text(1, name);
        // The last field is `AttributeProto.type`.
        match self {
            Self::Single(value) => named.single(2, value).integer(20, 1),
            Self::Integer(value) => named.integer(3, value).integer(20, 2),
            Self::Integers(value) => named.integer(8, value).integer(20, 7),
        }
    }
}

/// Nodes and constants, in the order of the computation.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

impl Graph {
    /// Adds a node, named as what it makes.
    pub fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]) {
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let node = node.text(2, output).text(3, output).text(4, operator);
        let add = |node: Message, (name, value): &(&str, Attribute)| node.message(5, &value.message(name));
        self.nodes.push(attributes.iter().fold(node, add));
    }

    /// Adds a constant tensor of numbers.
    pub fn singles(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, shape, SINGLES, &bytes);
    }

    /// Adds a constant list of integers.
    pub fn integers(&mut self, name: &str, values: &[u32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| i64::from(*value).to_le_bytes()).collect();
        self.constant(name, &[values.len()], INTEGERS, &bytes);
    }

    fn constant(&mut self, name: &str, shape: &[usize], kind: u64, bytes: &[u8]) {
        let tensor = shape.iter().fold(Message::default(), |tensor, length| tensor.integer(1, *length as u64));
        self.constants.push(tensor.integer(2, kind).text(8, name).bytes(9, bytes));
    }

    /// The model: one input and one output of rows of so many numbers, a text about it, and texts by their names.
    pub fn model(
        &self,
        name: &str,
        about: &str,
        [input, output]: [(&str, usize); 2],
        texts: &[(&str, String)],
    ) -> Vec<u8> {
        let graph = self.nodes.iter().fold(Message::default(), |graph, node| graph.message(1, node)).text(2, name);
        let graph = self.constants.iter().fold(graph, |graph, constant| graph.message(5, constant));
        let graph = graph.text(10, about).message(11, &rows(input)).message(12, &rows(output));
        let model = Message::default().integer(1, INTERMEDIATE_VERSION).text(2, "trawl");
        let model = model.text(3, env!("CARGO_PKG_VERSION")).message(7, &graph);
        let model = model.message(8, &Message::default().text(1, "").integer(2, OPERATOR_SET));
        let add = |model: Message, (key, value): &(&str, String)| {
            model.message(14, &Message::default().text(1, key).text(2, value))
        };
        texts.iter().fold(model, add).finish()
    }
}

/// `ValueInfoProto` of N rows of so many numbers.
fn rows((name, width): (&str, usize)) -> Message {
    let events = Message::default().text(2, "N");
    let numbers = Message::default().integer(1, width as u64);
    let shape = Message::default().message(1, &events).message(1, &numbers);
    let tensor = Message::default().integer(1, SINGLES).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}
