//! Kernels with one barrier or wait removed: each must be caught, or nothing checks that it is needed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::Variant;
use crate::direct::Kernels;
use crate::source;
use crate::toolchain::{self, Toolchain};

/// A driver in whose kernel one wait is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The kernel's path below `kernels/`, without its ending: `toys/throw`.
    pub kernel: String,
    /// The file that was changed, below `kernels/`.
    pub file: String,
    /// The line of the call that was removed.
    pub line: usize,
    /// The call: `__syncthreads()`.
    pub what: String,
    /// Folder with the `libcuda.so.1`.
    pub folder: PathBuf,
}

impl Mutant {
    /// What a child process needs in its environment to run on this mutant.
    pub fn environment(&self) -> Vec<(String, String)> {
        crate::environment_of(Variant::Checked, &self.folder)
    }
}

/// Calls that wait for other threads or for a copy.
const WAITS: [&str; 6] = [
    "__syncthreads",
    "__syncthreads_count",
    "__syncthreads_and",
    "__syncthreads_or",
    "__syncwarp",
    "__pipeline_wait_prior",
];

/// The kernels (paths below `kernels/`, without `.cu`) whose threads share memory.
pub fn sharing_kernels() -> Vec<String> {
    let tree = Kernels::Project.tree();
    let mut sharing = Vec::new();
    for file in toolchain::files_below(&tree) {
        let relative = toolchain::relative_name(&file, &tree);
        let Some(kernel) = relative.strip_suffix(".cu") else { continue };
        let shares = |file: &String| {
            let text = fs::read_to_string(tree.join(file)).unwrap_or_default();
            source::without_comments(&text).contains("__shared__")
        };
        if with_included_headers(&tree, &relative).iter().any(shares) {
            sharing.push(kernel.to_string());
        }
    }
    sharing
}

/// Builds every mutant of a kernel (`toys/throw` for `kernels/toys/throw.cu`): one for each barrier or wait in the file
/// and in the headers that it includes. They are kept, so that a second call costs little.
///
/// # Panics
/// If a mutant does not compile, or the kernel does not exist.
pub fn mutants(kernel: &str) -> Vec<Mutant> {
    mutants_of(Kernels::Project, kernel)
}

/// The same for either set of kernels.
///
/// # Panics
/// As [`mutants`].
pub fn mutants_of(kernels: Kernels, kernel: &str) -> Vec<Mutant> {
    let tree = kernels.tree();
    let cu = format!("{kernel}.cu");
    assert!(tree.join(&cu).is_file(), "kernels/{cu} does not exist");
    let base = out().join(kernels.name()).join("mutants").join(source::unit_name(&cu));
    fs::create_dir_all(&base).unwrap_or_else(|e| panic!("{}: {e}", base.display()));
    // Test processes that ask for the same mutants build them once.
    let lock = File::create(base.join("lock")).unwrap_or_else(|e| panic!("{}: {e}", base.display()));
    lock.lock().unwrap_or_else(|e| panic!("{}: {e}", base.display()));

    let mut found = Vec::new();
    let mut builds = Vec::new();
    for file in with_included_headers(&tree, &cu) {
        let text = fs::read_to_string(tree.join(&file)).unwrap_or_else(|e| panic!("kernels/{file}: {e}"));
        for wait in waits(&text) {
            let folder = base.join(found.len().to_string());
            let changed = format!("{}{}{}", &text[..wait.start], wait.replacement, &text[wait.end..]);
            builds.push(Build::new(kernels, &cu, &file, &changed, &folder));
            found.push(Mutant {
                kernel: kernel.to_string(),
                file: file.clone(),
                line: text[..wait.start].matches('\n').count() + 1,
                what: text[wait.start..wait.end].split_whitespace().collect::<Vec<_>>().join(" "),
                folder,
            });
        }
    }
    build_all(&builds).unwrap_or_else(|message| panic!("mutants of {kernel}: {message}"));
    found
}

/// A call that waits: its place in the text, and what stands for it in the mutant.
struct Wait {
    start: usize,
    end: usize,
    replacement: String,
}

fn waits(text: &str) -> Vec<Wait> {
    let code = source::without_comments(text);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (start, _) in code.match_indices("__") {
        if code[..start].ends_with(is_word) {
            continue;
        }
        let name: String = code[start..].chars().take_while(|c| is_word(*c)).collect();
        let after = &code[start + name.len()..];
        if !WAITS.contains(&name.as_str()) || !after.trim_start().starts_with('(') {
            continue;
        }
        let Some(close) = source::closing_bracket(after) else { continue };
        let arguments = &after[after.find('(').map_or(0, |open| open + 1)..close];
        // A barrier that votes leaves the thread's own vote; one that does not leaves nothing. Lines keep their numbers.
        let value = if name.starts_with("__syncthreads_") { format!("({arguments})") } else { "((void)0)".to_string() };
        let removed = &code[start..start + name.len() + close + 1];
        let lines = "\n".repeat(removed.matches('\n').count() - value.matches('\n').count());
        found.push(Wait { start, end: start + name.len() + close + 1, replacement: value + &lines });
    }
    found
}

/// The file and every header of the project that it includes, directly or not.
fn with_included_headers(tree: &Path, file: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut todo = vec![file.to_string()];
    while let Some(file) = todo.pop() {
        let Ok(text) = fs::read_to_string(tree.join(&file)) else { continue };
        let beside = Path::new(&file).parent().unwrap_or(Path::new("")).to_path_buf();
        for line in source::without_comments(&text).lines() {
            let Some(name) = line.trim_start().strip_prefix("#include").and_then(|rest| rest.split('"').nth(1)) else {
                continue;
            };
            for candidate in [beside.join(name), PathBuf::from(name)] {
                if tree.join(&candidate).is_file() {
                    todo.push(normalised(&candidate));
                    break;
                }
            }
        }
        known.insert(file);
        todo.retain(|other| !known.contains(other));
    }
    known
}

/// `toys/../common/x.cuh` as `common/x.cuh`.
fn normalised(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            std::path::Component::CurDir => {}
            other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

struct Build {
    unit: toolchain::Unit,
    other_objects: Vec<PathBuf>,
    folder: PathBuf,
}

impl Build {
    /// Writes the mutant's sources: its own copy of all headers, so that no original is found beside another, and its
    /// unit with `changed` in place of `file`.
    fn new(kernels: Kernels, cu: &str, file: &str, changed: &str, folder: &Path) -> Self {
        let tree = &kernels.tree();
        let write = |path: &Path, text: &str| {
            toolchain::write_if_changed(path, text).unwrap_or_else(|message| panic!("{message}"));
        };
        let include = folder.join("include");
        let text_of = |path: &Path, relative: &str| {
            if relative == file { changed.to_string() } else { fs::read_to_string(path).unwrap_or_default() }
        };
        for path in toolchain::files_below(tree) {
            let relative = toolchain::relative_name(&path, tree);
            if toolchain::is_header(&path) {
                write(&include.join(&relative), &toolchain::host_header(&path, &text_of(&path, &relative)));
            }
        }
        let path = tree.join(cu);
        let source_file = folder.join("unit.cpp");
        write(&source_file, &source::host_unit(&path.to_string_lossy(), &text_of(&path, cu)));

        let beside = Path::new(cu).parent().unwrap_or(Path::new(""));
        let object = folder.join("unit.o");
        let unit = compiler().kernel_unit(source_file, object, Variant::Checked, &include, beside);
        let objects = out().join("objects");
        let mut other_objects: Vec<PathBuf> =
            compiler().runtime_units(&objects, Variant::Checked).into_iter().map(|unit| unit.object).collect();
        for path in toolchain::files_below(tree) {
            let relative = toolchain::relative_name(&path, tree);
            if relative.ends_with(".cu") && relative != cu {
                let object = format!("{}.o", source::unit_name(&relative));
                other_objects.push(objects.join(Variant::Checked.name()).join(kernels.name()).join(object));
            }
        }
        Self { unit, other_objects, folder: folder.to_path_buf() }
    }
}

fn build_all(builds: &[Build]) -> Result<(), String> {
    let units: Vec<toolchain::Unit> = builds.iter().map(|build| build.unit.clone()).collect();
    compiler().compile(&units)?;
    for build in builds {
        let mut objects = build.other_objects.clone();
        objects.push(build.unit.object.clone());
        let changed = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
        let linked = changed(&build.folder.join("libcuda.so.1"));
        if linked.is_none() || objects.iter().any(|object| changed(object) > linked) {
            compiler().link(&objects, &build.folder, Variant::Checked)?;
        }
    }
    Ok(())
}

fn compiler() -> Toolchain {
    Toolchain {
        compiler: PathBuf::from(env!("TRAWL_EMULATOR_COMPILER")),
        cpp: Path::new(env!("CARGO_MANIFEST_DIR")).join("cpp"),
    }
}

fn out() -> PathBuf {
    PathBuf::from(env!("OUT_DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_found_outside_comments_and_keep_the_lines() {
        let text = "// __syncthreads();\n__syncthreads();\nif (__syncthreads_or(a\n  > b)) {}\nmy__syncwarp();\n__syncwarp(0xff);\n";
        let found: Vec<(&str, String)> =
            waits(text).into_iter().map(|wait| (&text[wait.start..wait.end], wait.replacement)).collect();
        assert_eq!(
            found,
            [
                ("__syncthreads()", "((void)0)".to_string()),
                ("__syncthreads_or(a\n  > b)", "(a\n  > b)".to_string()),
                ("__syncwarp(0xff)", "((void)0)".to_string()),
            ]
        );
    }
}
