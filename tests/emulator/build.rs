//! Compiles the project's unmodified `.cu` files for the host and links them, per variant, into an emulated
//! `libcuda.so.1`; the same for the emulator's own test kernels.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/source.rs"]
#[allow(dead_code)]
mod source;
#[path = "src/toolchain.rs"]
#[allow(dead_code)]
mod toolchain;

use toolchain::{Toolchain, Unit, Variant};

fn main() {
    let here = set_by_cargo("CARGO_MANIFEST_DIR");
    let out = set_by_cargo("OUT_DIR");
    let compiler = cc::Build::new().cpp(true).cargo_metadata(false).get_compiler();
    let project = here.join("../../kernels");
    let own = here.join("kernels");
    for watched in [
        &here.join("cpp"),
        &here.join("src/source.rs"),
        &here.join("src/toolchain.rs"),
        &here.join("build.rs"),
        &project,
        &own,
    ] {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    println!("cargo::rustc-env=TRAWL_EMULATOR_COMPILER={}", compiler.path().display());
    for name in ["asan", "ubsan"] {
        let library = compiler.to_command().arg(format!("-print-file-name=lib{name}.so")).output();
        let path = library.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string()).unwrap_or_default();
        println!("cargo::rustc-env=TRAWL_EMULATOR_LIB{}={path}", name.to_uppercase());
    }

    let toolchain = Toolchain { compiler: compiler.path().to_path_buf(), cpp: here.join("cpp") };
    if let Err(message) = build(&toolchain, &out, &[("project", &project), ("own", &own)]) {
        panic!("the emulated driver could not be built\n{message}");
    }
}

fn set_by_cargo(name: &str) -> PathBuf {
    env::var_os(name).map(PathBuf::from).unwrap_or_else(|| panic!("cargo sets {name} for build scripts"))
}

/// Builds `OUT_DIR/<set>/<variant>/libcuda.so.1` for each set of kernels.
fn build(toolchain: &Toolchain, out: &Path, sets: &[(&str, &PathBuf)]) -> Result<(), String> {
    let objects = out.join("objects");
    let mut all: Vec<Unit> = Vec::new();
    let mut links: Vec<(Vec<PathBuf>, PathBuf, Variant)> = Vec::new();
    for (set, tree) in sets {
        let kernels = host_units(&out.join(set), tree)?;
        for variant in Variant::ALL {
            let mut units = toolchain.runtime_units(&objects, variant);
            for (source, beside) in &kernels {
                let stem = source.file_stem().unwrap_or_default();
                let object = objects.join(variant.name()).join(set).join(stem).with_extension("o");
                let include = out.join(set).join("include");
                units.push(toolchain.kernel_unit(source.clone(), object, variant, &include, beside));
            }
            links.push((
                units.iter().map(|unit| unit.object.clone()).collect(),
                out.join(set).join(variant.name()),
                variant,
            ));
            all.extend(units);
        }
    }
    toolchain.compile(&all)?;
    links.iter().try_for_each(|(objects, folder, variant)| toolchain.link(objects, folder, *variant))
}

/// Writes the host's form of every header and `.cu` below `tree`; returns the units, each with the folder of its `.cu`.
fn host_units(out: &Path, tree: &Path) -> Result<Vec<(PathBuf, PathBuf)>, String> {
    let mut units = Vec::new();
    for file in toolchain::files_below(tree) {
        let relative = toolchain::relative_name(&file, tree);
        let text = || fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()));
        if toolchain::is_header(&file) {
            toolchain::write_if_changed(
                &out.join("include").join(&relative),
                &toolchain::host_header(&file, &text()?),
            )?;
        } else if file.extension().is_some_and(|extension| extension == "cu") {
            let name = source::unit_name(&relative);
            let unit = out.join("units").join(format!("{name}.cpp"));
            toolchain::write_if_changed(&unit, &source::host_unit(&file.to_string_lossy(), &text()?))?;
            units.push((unit, Path::new(&relative).parent().unwrap_or(Path::new("")).to_path_buf()));
        }
    }
    Ok(units)
}
