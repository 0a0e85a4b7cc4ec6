//! Reads CUDA source text just closely enough to register, rewrite and mutate it. Shared with the build script.

/// The text with every comment replaced by blanks: offsets and line numbers stay as they were.
pub fn without_comments(source: &str) -> String {
    #[derive(PartialEq)]
    enum State {
        Code,
        Text(u8),
        Line,
        Block,
    }
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let (mut state, mut i) = (State::Code, 0);
    while i < bytes.len() {
        let pair = bytes.get(i..i + 2).unwrap_or(&[]);
        match state {
            State::Code if pair == b"//" => state = State::Line,
            State::Code if pair == b"/*" => {
                out[i..i + 2].fill(b' ');
                state = State::Block;
                i += 2;
                continue;
            }
            State::Code if bytes[i] == b'"' || bytes[i] == b'\'' => state = State::Text(bytes[i]),
            State::Text(_) if bytes[i] == b'\\' => i += 1,
            // A quote also ends at the line's end: digit separators (1'000) must not swallow the rest of the file.
            State::Text(quote) if bytes[i] == quote || bytes[i] == b'\n' => state = State::Code,
            State::Line if bytes[i] == b'\n' => state = State::Code,
            State::Block if pair == b"*/" => {
                out[i..i + 2].fill(b' ');
                state = State::Code;
                i += 2;
                continue;
            }
            _ => {}
        }
        if matches!(state, State::Line | State::Block) && bytes[i] != b'\n' {
            out[i] = b' ';
        }
        i += 1;
    }
    // Only whole bytes of comments were replaced, each by an ASCII blank, so the text is still UTF-8.
    String::from_utf8(out).unwrap_or_else(|_| source.to_string())
}

/// A kernel that a file defines, with the arguments of its `__launch_bounds__` (empty if it has none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelDefinition {
    /// The symbol.
    pub name: String,
    /// What stands between the brackets of `__launch_bounds__`.
    pub launch_bounds: String,
}

/// The kernels that a file defines: `extern "C" __global__ void [__launch_bounds__(..)] name(..) {`.
pub fn kernels(source: &str) -> Vec<KernelDefinition> {
    let code = without_comments(source);
    let mut found = Vec::new();
    for after in code.split("__global__").skip(1) {
        let Some(mut rest) = after.trim_start().strip_prefix("void") else { continue };
        rest = rest.trim_start();
        let mut launch_bounds = String::new();
        if let Some(bounds) = rest.strip_prefix("__launch_bounds__") {
            let (Some(start), Some(end)) = (bounds.find('('), closing_bracket(bounds)) else { continue };
            launch_bounds = bounds[start + 1..end].trim().to_string();
            rest = bounds[end + 1..].trim_start();
        }
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        // A declaration without a body is not the definition, and would be registered twice.
        let is_definition = closing_bracket(&rest[name.len()..])
            .is_some_and(|end| rest[name.len() + end + 1..].trim_start().starts_with('{'));
        if !name.is_empty() && is_definition {
            found.push(KernelDefinition { name, launch_bounds });
        }
    }
    found
}

/// Offset of the bracket that closes the first one in `text`.
pub fn closing_bracket(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `extern __shared__ [__align__(n)] T name[];` becomes a pointer to the launch's dynamic shared memory: on the host
/// `__shared__` is `static`, and nothing can be both static and extern.
pub fn with_dynamic_shared_memory(source: &str) -> String {
    let code = without_comments(source);
    let (mut out, mut from) = (String::new(), 0);
    for (at, _) in code.match_indices("extern") {
        let Some(end) = code[at..].find(';').map(|n| at + n) else { continue };
        let declaration = &code[at + "extern".len()..end];
        let Some(declaration) = declaration.trim_start().strip_prefix("__shared__") else { continue };
        let declaration = without_alignment(declaration);
        let Some(declaration) = declaration.trim_end().strip_suffix(']') else { continue };
        let Some((typed_name, _)) = declaration.rsplit_once('[') else { continue };
        let typed_name = typed_name.trim();
        let name_at = typed_name.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |n| n + 1);
        let (element, name) = (typed_name[..name_at].trim(), &typed_name[name_at..]);
        out.push_str(&source[from..at]);
        out.push_str(&format!("{element}* {name} = static_cast<{element}*>(emulator::dynamic_shared_memory())"));
        // Lines below keep their numbers even where the declaration was spread over several.
        out.extend(code[at..end].chars().filter(|c| *c == '\n'));
        from = end;
    }
    out.push_str(&source[from..]);
    out
}

fn without_alignment(declaration: &str) -> String {
    for word in ["__align__", "alignas"] {
        if let Some(at) = declaration.find(word)
            && let Some(end) = closing_bracket(&declaration[at..])
        {
            return format!("{}{}", &declaration[..at], &declaration[at + end + 1..]);
        }
    }
    declaration.to_string()
}

/// Name of a file's translation unit, also a C identifier: `toys/throw.cu` becomes `toys__throw`.
pub fn unit_name(relative: &str) -> String {
    let stem = relative.strip_suffix(".cu").unwrap_or(relative);
    stem.replace('/', "__").replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
}

/// The whole host translation unit of a `.cu`: everything in an unnamed namespace, as nvcc keeps the device code of
/// each file apart, so that functions of the same name in two files cannot replace each other at the link.
pub fn host_unit(unit: &str, path: &str, source: &str) -> String {
    let mut text = format!(
        "#define EMULATOR_SHARED_SECTION \"shared_{unit}\"\n\
         #define EMULATOR_SHARED_BEGIN __start_shared_{unit}\n\
         #define EMULATOR_SHARED_END __stop_shared_{unit}\n\
         #include \"device/kernel_unit.h\"\n\
         namespace {{\n\
         #include \"device/library.h\"\n\
         #line 1 \"{path}\"\n"
    );
    text.push_str(&with_dynamic_shared_memory(source));
    text.push('\n');
    for KernelDefinition { name, launch_bounds } in kernels(source) {
        let separator = if launch_bounds.is_empty() { "" } else { ", " };
        text.push_str(&format!("EMULATOR_REGISTER({name}{separator}{launch_bounds})\n"));
    }
    text.push_str("}\n");
    text
}
