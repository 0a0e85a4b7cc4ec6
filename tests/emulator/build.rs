//! Compiles the project's unmodified `.cu` files for the host and links them into an emulated `libcuda.so.1`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

#[path = "src/source.rs"]
mod source;

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("set by cargo"));
    let cpp = here.join("cpp");
    let tree = here.join("../../kernels");
    println!("cargo::rerun-if-changed={}", cpp.display());
    println!("cargo::rerun-if-changed=src/source.rs");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", tree.display());

    let include = out.join("include");
    let mut units = Vec::new();
    for file in files_below(&tree) {
        let relative = file.strip_prefix(&tree).expect("listed below the tree").to_path_buf();
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        match file.extension().and_then(|e| e.to_str()) {
            Some("cu") => {
                let name = relative.with_extension("").to_string_lossy().replace(['/', '\\'], "__");
                let unit = out.join("units").join(format!("{name}.cpp"));
                write_if_changed(&unit, &source::host_unit(&file.to_string_lossy(), &text));
                units.push(unit);
            }
            Some("cuh" | "h") => {
                let text = source::with_dynamic_shared_memory(&text);
                let header = format!("#line 1 \"{}\"\n{text}", file.display());
                write_if_changed(&include.join(relative), &header);
            }
            _ => {}
        }
    }

    let base = || {
        let mut build = cc::Build::new();
        build.cpp(true).std("c++17").opt_level(2).debug(true).pic(true).warnings(false).cargo_metadata(false);
        build.include(&cpp).include(cpp.join("shim")).include(&include);
        build.flag("-fno-strict-aliasing").flag("-fno-threadsafe-statics").flag("-ffp-contract=off");
        build
    };
    // Kernels: every access becomes a call of the runtime's __tsan_* functions (libtsan is not linked).
    let kernels = if units.is_empty() {
        Vec::new()
    } else {
        let mut build = base();
        build.flag("-fsanitize=thread").flag("-fno-tree-vectorize").flag("-fno-tree-slp-vectorize");
        build.files(&units).compile_intermediates()
    };
    let runtime = base().file(cpp.join("rt.cpp")).file(cpp.join("driver.cpp")).compile_intermediates();

    let library = out.join("libcuda.so.1");
    let mut link: Command = base().get_compiler().to_command();
    // The runtime comes first: of an inline function in both, the linker keeps the copy without hooks.
    link.arg("-shared").arg("-Wl,-soname,libcuda.so.1").arg("-Wl,-z,defs").args(&runtime).args(&kernels);
    let status = link.arg("-o").arg(&library).status().expect("the C++ compiler starts");
    assert!(status.success(), "linking {} failed", library.display());
}

/// Every file below a folder, in the order of their paths; none if the folder does not exist.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn write_if_changed(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a file has a folder"))
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    fs::write(path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
