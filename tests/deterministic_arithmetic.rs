//! What decides uses + - * / sqrt and `math::det`: no function of the host's or the device's mathematical library, and no
//! fused multiply-add, on either side.

use std::fs;
use std::path::{Path, PathBuf};

/// Sources whose results feed a decision, a table or a count. `probe` only names functions.
const DECIDING: [&str; 9] = [
    "src/math",
    "src/features",
    "src/selection",
    "src/spectrum/fill",
    "src/spectrum/smooth",
    "src/spectrum/expectation.rs",
    "src/hunt",
    "src/toys",
    "src/events/generate",
];

/// Methods of f64 and f32 that call the library or fuse; `sqrt`, `abs`, `floor` and their like are exact.
const METHODS: &[&str] = &[
    "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "sin", "cos", "tan", "sin_cos", "asin", "acos",
    "atan", "atan2", "sinh", "cosh", "tanh", "powf", "powi", "hypot", "cbrt", "mul_add", "asinh", "acosh", "atanh",
];

/// The functions of CUDA's mathematical library that kernels might call, in both precisions and as intrinsics.
const DEVICE: &[&str] = &[
    "expf",
    "logf",
    "sinf",
    "cosf",
    "tanf",
    "powf",
    "tanhf",
    "sinhf",
    "coshf",
    "atan2f",
    "fma",
    "fmaf",
    "__expf",
    "__logf",
    "__fmaf_rn",
    "__fma_rn",
    "log",
    "log1p",
    "expm1",
    "exp2",
    "exp10",
    "log2",
    "log10",
    "cbrt",
    "tan",
    "asin",
    "acos",
    "erf",
    "lgamma",
    "tgamma",
    "rsqrt",
    "rsqrtf",
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        return found.push(path.to_owned());
    }
    for entry in fs::read_dir(path).unwrap() {
        files(&entry.unwrap().path(), found);
    }
}

/// The code of a Rust source: without comments, strings' contents left alone, and without its tests.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]") || line.contains("mod tests;"));
    lines.map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Places where `name(` stands as a word of its own, with what stands before it.
fn calls<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = (usize, Option<char>)> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(name).filter_map(move |(at, _)| {
        let after = code[at + name.len()..].trim_start();
        let whole = !is_word(at.checked_sub(1).and_then(|before| bytes.get(before))) && after.starts_with('(');
        whole.then(|| (at, code[..at].chars().next_back()))
    })
}

fn line_of(code: &str, at: usize) -> usize {
    1 + code[..at].matches('\n').count()
}

#[test]
fn deciding_rust_calls_no_library_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    DECIDING.iter().for_each(|place| files(&root.join(place), &mut found));
    found.retain(|file| !file.file_name().is_some_and(|name| name.to_string_lossy().contains("test")));
    // Networks: multiply-adds that are written as fused are rounded once on every processor.
    found.retain(|file| !file.ends_with("src/math/floats.rs"));
    assert!(found.len() > 30, "only {} files", found.len());
    let mut wrong = Vec::new();
    for file in &found {
        let code = code(&fs::read_to_string(file).unwrap());
        for name in METHODS {
            // A method (`x.exp()`) or an associated function (`f64::exp(x)`); `det::exp(x)` is ours.
            let library = calls(&code, name).filter(|(at, before)| {
                *before == Some('.') || code[..*at].ends_with("f64::") || code[..*at].ends_with("f32::")
            });
            wrong.extend(library.map(|(at, _)| format!("{}:{}: {name}", file.display(), line_of(&code, at))));
            // Also as a value: `.map(f64::exp)`.
            for path in [format!("f64::{name}"), format!("f32::{name}")] {
                let whole = |at: usize| !is_word(code.as_bytes().get(at + path.len()));
                wrong.extend(
                    code.match_indices(&path)
                        .filter(|(at, _)| whole(*at))
                        .map(|_| format!("{}: {path}", file.display())),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kernels_call_no_library_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
    let mut found = Vec::new();
    files(&root, &mut found);
    found.retain(|file| file.extension().is_some_and(|ending| ending == "cu" || ending == "cuh"));
    assert!(found.len() > 8, "only {} files", found.len());
    let mut wrong = Vec::new();
    for file in &found {
        let code = code(&fs::read_to_string(file).unwrap());
        // Networks: multiply-adds that are written as fused are rounded once on every processor.
        let is_network = file.starts_with(root.join("models"));
        for name in DEVICE.iter().filter(|name| !(is_network && **name == "__fmaf_rn")) {
            wrong
                .extend(calls(&code, name).map(|(at, _)| format!("{}:{}: {name}", file.display(), line_of(&code, at))));
        }
        // In double precision the library's names are also ours; a call that names the global one is the library's.
        let global =
            code.match_indices("::").filter(|(at, _)| !is_word(at.checked_sub(1).and_then(|b| code.as_bytes().get(b))));
        for (at, _) in global.filter(|(at, _)| !code[at + 2..].starts_with("sqrt")) {
            wrong.push(format!(
                "{}:{}: {}",
                file.display(),
                line_of(&code, at),
                code[at..].lines().next().unwrap_or("")
            ));
        }
        // Whoever calls `exp(` without a prefix must have taken it from `det`, or define it there.
        for name in ["exp", "ln", "sin", "cos", "sinh", "cosh", "tanh", "pow", "atan2", "hypot"] {
            let bare = calls(&code, name).any(|(_, before)| before != Some(':'));
            let ours = code.contains(&format!("using det::{name};")) || code.contains("namespace det");
            if bare && !ours {
                wrong.push(format!("{}: {name} is called and is not det's", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_call_is_found_and_a_look_alike_is_not() {
    let found = |text: &str, name: &'static str| calls(&code(text), name).count();
    assert_eq!(found("let y = x.exp();", "exp"), 1);
    assert_eq!(found("let y = det::exp(x); // x.exp()", "exp"), 1);
    assert_eq!(found("let y = exp_m1(x) + lexp(x) + exp;", "exp"), 0);
    assert_eq!(calls("x.exp()", "exp").next().unwrap().1, Some('.'));
}
