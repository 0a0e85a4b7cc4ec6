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

/// Declarations of shared memory, rewritten for the host.
///
/// `extern __shared__ T name[];` becomes a pointer to the launch's dynamic shared memory, and `__shared__ T name[N];` a
/// reference to an array that the runtime keeps between guards of its own, so that any overrun is seen. (A section for
/// all static arrays would do neither, and GCC 12 ignores section attributes within templates.)
pub fn with_shared_memory(source: &str) -> String {
    let code = without_comments(source);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut out, mut from) = (String::new(), 0);
    for (at, qualifier) in code.match_indices("__shared__") {
        if code[..at].ends_with(is_word) || code[at + qualifier.len()..].starts_with(is_word) {
            continue;
        }
        let Some(end) = code[at..].find(';').map(|n| at + n) else { continue };
        let declaration = code[at + qualifier.len()..end].trim();
        let before = code[from..at].trim_end();
        let is_dynamic = before.ends_with("extern");
        let start = if is_dynamic { from + before.len() - "extern".len() } else { at };
        let Some(host) = host_declaration(declaration, is_dynamic) else { continue };
        out.push_str(&source[from..start]);
        out.push_str(&host);
        // Lines below keep their numbers even where the declaration was spread over several.
        out.extend(code[start..end].chars().filter(|c| *c == '\n'));
        from = end;
    }
    out.push_str(&source[from..]);
    out
}

/// `[alignas(n)] T name[N]` for the host; `None` if it cannot be read, and the compiler then complains at that line.
fn host_declaration(declaration: &str, is_dynamic: bool) -> Option<String> {
    let (alignment, declaration) = split_alignment(declaration);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let typed_name = declaration.split('[').next()?.trim();
    let name_at = typed_name.rfind(|c: char| !is_word(c))? + 1;
    let (element, name) = (typed_name[..name_at].trim(), &typed_name[name_at..]);
    let bounds = &declaration[declaration.find('[').unwrap_or(declaration.len())..];
    if name.is_empty() || element.is_empty() || declares_several(bounds) {
        return None;
    }
    if is_dynamic {
        return Some(format!("{element}* {name} = static_cast<{element}*>(emulator::dynamic_shared_memory())"));
    }
    let bounds: String = bounds.chars().map(|c| if c == '\n' { ' ' } else { c }).collect();
    Some(format!(
        "typedef {element} emulator_type_{name}{bounds}; \
         static emulator::SharedArray emulator_array_{name} = \
         {{sizeof(emulator_type_{name}), {alignment} + 0, alignof(emulator_type_{name}), \"{name}\"}}; \
         emulator_type_{name}& {name} = \
         *static_cast<emulator_type_{name}*>(emulator::shared_array(emulator_array_{name}))"
    ))
}

/// Whether a comma outside all brackets follows the first name.
fn declares_several(bounds: &str) -> bool {
    let mut depth = 0;
    bounds.chars().any(|c| {
        depth += i32::from(matches!(c, '[' | '(' | '<')) - i32::from(matches!(c, ']' | ')' | '>'));
        c == ',' && depth == 0
    })
}

/// The alignment that a declaration asks for (0 if none), and the declaration without it.
fn split_alignment(declaration: &str) -> (String, String) {
    for word in ["__align__", "alignas"] {
        if let Some(at) = declaration.find(word)
            && let (Some(open), Some(end)) = (declaration[at..].find('('), closing_bracket(&declaration[at..]))
        {
            let rest = format!("{}{}", &declaration[..at], &declaration[at + end + 1..]);
            return (declaration[at + open + 1..at + end].to_string(), rest.trim().to_string());
        }
    }
    ("0".to_string(), declaration.to_string())
}

/// Name of a file's translation unit, also a C identifier: `toys/throw.cu` becomes `toys__throw`.
pub fn unit_name(relative: &str) -> String {
    let stem = relative.strip_suffix(".cu").unwrap_or(relative);
    stem.replace('/', "__").replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
}

/// The whole host translation unit of a `.cu`: everything in an unnamed namespace, as nvcc keeps the device code of
/// each file apart, so that functions of the same name in two files cannot replace each other at the link.
pub fn host_unit(path: &str, source: &str) -> String {
    let mut text =
        format!("#include \"device/kernel_unit.h\"\nnamespace {{\n#include \"device/library.h\"\n#line 1 \"{path}\"\n");
    text.push_str(&with_shared_memory(source));
    text.push('\n');
    for KernelDefinition { name, launch_bounds } in kernels(source) {
        let separator = if launch_bounds.is_empty() { "" } else { ", " };
        text.push_str(&format!("EMULATOR_REGISTER({name}{separator}{launch_bounds})\n"));
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_blanks() {
        assert_eq!(without_comments("a // b\nc /* d\n */ \"// e\""), "a     \nc     \n    \"// e\"");
    }

    #[test]
    fn kernels_are_found_with_their_launch_bounds() {
        let source = "// extern \"C\" __global__ void no() {}\n\
                      extern \"C\" __global__ void plain(int n) {}\n\
                      extern \"C\" __global__ void __launch_bounds__(f(2), 4)\nbounded(\n  float* x) {}\n\
                      extern \"C\" __global__ void declared(int n);\n";
        let found: Vec<_> = kernels(source).into_iter().map(|k| (k.name, k.launch_bounds)).collect();
        assert_eq!(found, [("plain".into(), String::new()), ("bounded".into(), "f(2), 4".into())]);
    }

    #[test]
    fn shared_memory_is_rewritten_line_by_line() {
        let dynamic = with_shared_memory("extern __shared__ __align__(16)\n unsigned char raw[]; // kept\nint x;");
        let pointer = "unsigned char* raw = static_cast<unsigned char*>(emulator::dynamic_shared_memory())";
        assert_eq!(dynamic, format!("{pointer}\n; // kept\nint x;"));
        let fixed = with_shared_memory("{ __shared__ alignas(16) Pair<int, 2> tile[N + 1][2]; }");
        assert!(fixed.starts_with("{ typedef Pair<int, 2> emulator_type_tile[N + 1][2]; static "), "{fixed}");
        assert!(
            fixed.contains("{sizeof(emulator_type_tile), 16 + 0, alignof(emulator_type_tile), \"tile\"}"),
            "{fixed}"
        );
        assert!(fixed.ends_with("(emulator_array_tile)); }"), "{fixed}");
        assert!(with_shared_memory("__shared__ int a[max(N, M)];").contains("emulator_type_a[max(N, M)];"));
        for unchanged in ["// __shared__ int a;\n", "__shared__ int a[2], b[2];", "my__shared__x;"] {
            assert_eq!(with_shared_memory(unchanged), unchanged);
        }
    }
}
