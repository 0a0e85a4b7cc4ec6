//! Compiles `kernels/**/*.cu` to fatbins with nvcc and embeds them as a table; without nvcc the table is empty.
//!
//! * `TRAWL_NVCC`, `.cuda/` (scripts/cuda-toolkit), `CUDA_HOME` and `PATH` are searched for nvcc, in this order.
//! * `TRAWL_CUDA_ARCHS="80 90"` shortens the list of architectures for quick builds; `none` leaves the kernels out.
//! * `TRAWL_REQUIRE_KERNELS=1` makes a missing nvcc an error.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

/// Ampere to Blackwell. The PTX of the lowest one admits later devices.
const ARCHITECTURES: &[&str] = &["80", "86", "89", "90", "100", "120"];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for path in ["kernels", "build.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["TRAWL_NVCC", "CUDA_HOME", "TRAWL_CUDA_ARCHS", "TRAWL_REQUIRE_KERNELS"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    record_versions(&root);
    let requested = env::var("TRAWL_CUDA_ARCHS").unwrap_or_else(|_| ARCHITECTURES.join(" "));
    let architectures: Vec<&str> = requested.split_whitespace().collect();
    let table = match find_nvcc(&root).filter(|_| requested != "none") {
        Some(nvcc) => compile_all(&nvcc, &root, &out, &architectures),
        None if env::var("TRAWL_REQUIRE_KERNELS").is_ok_and(|value| value == "1") => {
            panic!("TRAWL_REQUIRE_KERNELS=1 and no nvcc was found. Run scripts/cuda-toolkit.")
        }
        None if requested == "none" => table(&[], &[], None),
        None => {
            println!("cargo::warning=no nvcc found: building without CUDA kernels (scripts/cuda-toolkit installs one)");
            table(&[], &[], None)
        }
    };
    fs::write(out.join("kernels.rs"), table).expect("OUT_DIR can be written");
}

/// The git revision and the compiler, for the manifests of runs; left out where they are not known.
fn record_versions(root: &Path) {
    let first_line = |program: &str, arguments: &[&str]| -> Option<String> {
        let output = Command::new(program).args(arguments).current_dir(root).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.lines().next().unwrap_or("").trim().to_owned())
    };
    // A tree with changes is not the revision that it started from.
    let changed =
        first_line("git", &["status", "--porcelain", "--untracked-files=no"]).is_none_or(|line| !line.is_empty());
    if let Some(revision) = first_line("git", &["rev-parse", "HEAD"]).filter(|revision| !revision.is_empty()) {
        println!("cargo::rustc-env=TRAWL_GIT_REVISION={revision}{}", if changed { " with changes" } else { "" });
    }
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    if let Some(version) = first_line(&rustc, &["--version"]) {
        println!("cargo::rustc-env=TRAWL_RUSTC_VERSION={version}");
    }
    // Only paths that exist: one that does not would make every build run this script again.
    for path in [".git/HEAD", ".git/logs/HEAD"] {
        if root.join(path).is_file() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

fn find_nvcc(root: &Path) -> Option<PathBuf> {
    let wheels = fs::read_dir(root.join(".cuda/lib")).ok().into_iter().flatten().flatten();
    let wheel =
        wheels.map(|python| python.path().join("site-packages/nvidia/cu13/bin/nvcc")).find(|path| path.exists());
    let home = || env::var_os("CUDA_HOME").map(|home| Path::new(&home).join("bin/nvcc")).filter(|path| path.exists());
    let path = || env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("nvcc")).find(|path| path.exists());
    env::var_os("TRAWL_NVCC").map(PathBuf::from).or(wheel).or_else(home).or_else(path)
}

/// Every `.cu` below `folder`, sorted, so that the table does not depend on the file system.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "cu") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn compile_all(nvcc: &Path, root: &Path, out: &Path, architectures: &[&str]) -> String {
    let folder = root.join("kernels");
    let files = sources(&folder);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let (next, images) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    // One nvcc a core. The slowest file takes 50 s for six architectures, most a few.
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let image = compile(nvcc, &folder, file, out, architectures);
                    images.lock().expect("no compiler thread panicked").push(image);
                }
            });
        }
    });
    let mut images = images.into_inner().expect("no compiler thread panicked");
    images.sort();
    let version = Command::new(nvcc).arg("--version").output().expect("nvcc could not be started");
    let text = String::from_utf8_lossy(&version.stdout).into_owned();
    let release = text.lines().find(|line| line.contains("release")).unwrap_or("nvcc of unknown version").trim();
    table(&images, architectures, Some(release))
}

fn compile(nvcc: &Path, folder: &Path, file: &Path, out: &Path, architectures: &[&str]) -> (String, PathBuf) {
    let name = file.strip_prefix(folder).expect("the file is below the folder").with_extension("");
    let name = name.to_str().expect("kernel names are ASCII").replace('\\', "/");
    let image = out.join(format!("{}.fatbin", name.replace('/', "_")));
    let stamp = image.with_extension("stamp");
    let mut command = Command::new(nvcc);
    // No contraction: what decides gives the same bits as the CPU twin. No compression: the image names its kernels.
    command.args(["-std=c++17", "-O3", "-fatbin", "--fmad=false", "-lineinfo", "--no-compress"]).arg("-I").arg(folder);
    for (intermediate, codes) in families(architectures) {
        let codes: Vec<String> = codes.iter().map(|architecture| format!("sm_{architecture}")).collect();
        command.arg("-gencode").arg(format!("arch=compute_{intermediate},code=[{}]", codes.join(",")));
    }
    if let Some(lowest) = architectures.first() {
        command.arg("-gencode").arg(format!("arch=compute_{lowest},code=compute_{lowest}"));
    }
    command.arg(file).arg("-o").arg(&image);
    // This script also runs for a new commit, and six architectures take two minutes: an image is made again only if its
    // command or anything below kernels/ changed.
    let made_from = format!("{command:?} {:x}", contents(folder));
    if image.exists() && fs::read_to_string(&stamp).is_ok_and(|last| last == made_from) {
        return (name, image);
    }
    let output = command.output().expect("nvcc could not be started");
    assert!(output.status.success(), "nvcc {}:\n{}", file.display(), String::from_utf8_lossy(&output.stderr));
    fs::write(stamp, made_from).expect("OUT_DIR can be written");
    (name, image)
}

/// Architectures that share their PTX, which saves a quarter of the time: 8.6 and 8.9 have nothing over 8.0 that a kernel here uses.
fn families<'a>(architectures: &[&'a str]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut families: Vec<(&str, Vec<&str>)> = Vec::new();
    for &architecture in architectures {
        match families.last_mut() {
            Some((first, family)) if first.starts_with('8') && architecture.starts_with('8') => {
                family.push(architecture)
            }
            _ => families.push((architecture, vec![architecture])),
        }
    }
    families
}

/// A hash of the names and contents of everything below `folder`.
fn contents(folder: &Path) -> u64 {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        path.hash(&mut hasher);
        if path.is_dir() {
            contents(&path).hash(&mut hasher)
        } else {
            fs::read(&path).unwrap_or_default().hash(&mut hasher)
        }
    }
    hasher.finish()
}

fn table(images: &[(String, PathBuf)], architectures: &[&str], compiler: Option<&str>) -> String {
    let mut text = String::from("pub static KERNELS: &[(&str, &[u8])] = &[\n");
    for (name, image) in images {
        writeln!(text, "    ({name:?}, include_bytes!({image:?})),").expect("writing to a String cannot fail");
    }
    let architectures: Vec<String> = architectures.iter().map(|number| format!("sm_{number}")).collect();
    let architectures = if images.is_empty() { &[] } else { &architectures[..] };
    text + &format!(
        "];\npub static ARCHITECTURES: &[&str] = &{architectures:?};\npub static COMPILER: Option<&str> = {compiler:?};\n"
    )
}
