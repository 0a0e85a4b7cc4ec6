//! The driver calls in their order: what was put into which stream, and what the host waited for.

use std::collections::{HashMap, HashSet};

use crate::statistics::{call, text};

/// A call of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it was.
    pub kind: CallKind,
    /// The symbol of a kernel.
    pub kernel: String,
    /// The stream, in the order of their creation from 1; 0 is the default stream, and the host.
    pub stream: u64,
    /// The bytes of a copy or an allocation.
    pub bytes: u64,
    /// Whether the host's side of a copy is page-locked.
    pub pinned: bool,
    /// The number of the operation that was put into the stream; 0 for what the host did at once.
    pub operation: u64,
    /// The operations that it runs after: the one before in its stream, and those of events. For a wait of the host: what
    /// it waited for.
    pub after: Vec<u64>,
}

/// What a call was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// A copy from the host.
    Upload,
    /// A copy to the host.
    Download,
    /// A launch.
    Kernel,
    /// An operation of another kind: a memset, a free, an event.
    Other,
    /// The host waited for an event.
    WaitForEvent,
    /// The host waited for a stream, or for the whole device.
    WaitForStream,
    /// The host waited because the device had too little memory free.
    WaitForMemory,
    /// Host memory was page-locked or given back, which stops a real device.
    Pin,
}

/// Begins a trace, without what was traced before.
pub fn start_trace() {
    call(crate::library(), b"emulator_start_trace\0");
}

/// Ends the trace, and gives it.
pub fn trace() -> Trace {
    call(crate::library(), b"emulator_stop_trace\0");
    Trace::new(text(crate::library(), b"emulator_trace\0").lines().map(read).collect())
}

fn read(line: &str) -> Call {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[kind, kernel, stream, bytes, pinned, operation, after] = &fields[..] else { panic!("not a call: {line}") };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("not a number: {line}"));
    let kind = match kind {
        "upload" => CallKind::Upload,
        "download" => CallKind::Download,
        "kernel" => CallKind::Kernel,
        "wait for event" => CallKind::WaitForEvent,
        "wait for stream" => CallKind::WaitForStream,
        "wait for memory" => CallKind::WaitForMemory,
        "pin" | "unpin" => CallKind::Pin,
        _ => CallKind::Other,
    };
    Call {
        kind,
        kernel: kernel.to_string(),
        stream: number(stream),
        bytes: number(bytes),
        pinned: pinned == "pinned",
        operation: number(operation),
        after: after.split_whitespace().map(number).collect(),
    }
}

/// Calls, oldest first.
#[derive(Debug)]
pub struct Trace {
    /// The calls.
    pub calls: Vec<Call>,
    by_operation: HashMap<u64, usize>,
}

impl Trace {
    fn new(calls: Vec<Call>) -> Self {
        let numbered = calls.iter().enumerate().filter(|(_, call)| call.operation > 0);
        let by_operation = numbered.map(|(place, call)| (call.operation, place)).collect();
        Self { calls, by_operation }
    }

    /// Places in `calls` of everything that must have run before this call can: what keeps two calls from overlapping.
    pub fn before(&self, place: usize) -> HashSet<usize> {
        let mut seen = HashSet::new();
        let mut waiting = vec![place];
        while let Some(place) = waiting.pop() {
            // What was asked for before the trace began is not in it.
            let earlier = self.calls[place].after.iter().filter_map(|operation| self.by_operation.get(operation));
            waiting.extend(earlier.filter(|place| seen.insert(**place)));
        }
        seen
    }
}
