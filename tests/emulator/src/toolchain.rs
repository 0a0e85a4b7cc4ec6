//! Compiles and links the variants of the emulated driver. Shared by the build script and the mutation check.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

/// A build of the kernels on the host. Each is a folder with a `libcuda.so.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Every access is checked: races, uninitialised and out-of-bounds accesses, barriers, deadlock.
    Checked,
    /// GCC's address and undefined-behaviour sanitisers, which also see overruns within static shared memory. A process
    /// that uses it needs [`Variant::environment`].
    Address,
    /// Multiply-adds contracted, library functions moved by up to 2 ulp: no integer may change. No access is checked.
    Perturbed,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::Checked, Self::Address, Self::Perturbed];

    /// As in the environment variable `TRAWL_EMULATOR`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Address => "address",
            Self::Perturbed => "perturbed",
        }
    }

    /// The variant of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }

    fn kernel_flags(self) -> &'static [&'static str] {
        match self {
            // Every access becomes a call of the runtime's __tsan_* functions; libtsan is not linked. What would merge
            // or widen accesses before they are seen is off.
            Self::Checked => {
                &["-fsanitize=thread", "-fno-tree-vectorize", "-fno-tree-slp-vectorize", "-ffp-contract=off"]
            }
            Self::Address => &[
                "-fsanitize=address,undefined,float-cast-overflow",
                "-fno-sanitize-recover=all",
                "-fno-sanitize=vptr",
                "-ffp-contract=off",
            ],
            Self::Perturbed => &["-mfma", "-ffp-contract=fast", "-DEMULATOR_PERTURBED"],
        }
    }

    fn runtime_flags(self) -> &'static [&'static str] {
        match self {
            Self::Checked => &[],
            Self::Address => &["-DEMULATOR_ADDRESS", "-DEMULATOR_WITHOUT_HOOKS"],
            Self::Perturbed => &["-DEMULATOR_WITHOUT_HOOKS"],
        }
    }

    fn link_flags(self) -> &'static [&'static str] {
        match self {
            Self::Address => &["-fsanitize=address,undefined"],
            Self::Checked | Self::Perturbed => &[],
        }
    }
}

/// One compilation: a source, its object, and the flags between.
#[derive(Debug, Clone)]
pub struct Unit {
    /// C++ source.
    pub source: PathBuf,
    /// Object to write.
    pub object: PathBuf,
    /// Flags besides the common ones.
    pub flags: Vec<String>,
}

/// The compiler and where the emulator's own sources are.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// C++ compiler.
    pub compiler: PathBuf,
    /// Folder of the emulator's C++ sources.
    pub cpp: PathBuf,
}

/// Sources of the runtime that differ between variants.
const VARIANT_SOURCES: [&str; 4] =
    ["runtime/checker.cpp", "runtime/fibers.cpp", "runtime/memory.cpp", "runtime/shared.cpp"];
/// Sources that all variants share.
const COMMON_SOURCES: [&str; 11] = [
    "runtime/async_copy.cpp",
    "runtime/barriers.cpp",
    "runtime/profile.cpp",
    "runtime/reports.cpp",
    "runtime/scheduler.cpp",
    "driver/devices.cpp",
    "driver/memory.cpp",
    "driver/modules.cpp",
    "driver/statistics.cpp",
    "driver/streams.cpp",
    "driver/trace.cpp",
];

impl Toolchain {
    /// Compilations of the runtime and the driver for a variant; those shared by the variants appear in each.
    pub fn runtime_units(&self, objects: &Path, variant: Variant) -> Vec<Unit> {
        let unit = |source: &&str, folder: &str, flags: &[&str]| Unit {
            source: self.cpp.join(source),
            object: objects.join(folder).join(source).with_extension("o"),
            flags: flags.iter().map(ToString::to_string).collect(),
        };
        let common = COMMON_SOURCES.iter().map(|source| unit(source, "common", &[]));
        let own = VARIANT_SOURCES.iter().map(|source| unit(source, variant.name(), variant.runtime_flags()));
        common.chain(own).collect()
    }

    /// Compilation of a kernel's host unit. `include` holds the project's headers, rewritten for the host; `beside` is
    /// the folder of the `.cu` within it.
    pub fn kernel_unit(
        &self,
        source: PathBuf,
        object: PathBuf,
        variant: Variant,
        include: &Path,
        beside: &Path,
    ) -> Unit {
        let mut flags: Vec<String> = variant.kernel_flags().iter().map(ToString::to_string).collect();
        flags.push(format!("-I{}", self.cpp.join("device/shim").display()));
        flags.push(format!("-iquote{}", include.join(beside).display()));
        flags.push(format!("-I{}", include.display()));
        // Kernels are written for nvcc; whether the host compiler would warn says nothing about them.
        flags.push("-w".to_string());
        Unit { source, object, flags }
    }

    /// Compiles what has changed, on all cores. Returns the compiler's messages if one fails.
    pub fn compile(&self, units: &[Unit]) -> Result<(), String> {
        let mut todo: Vec<&Unit> = Vec::new();
        for unit in units {
            if !todo.iter().any(|other| other.object == unit.object) && !self.is_fresh(unit) {
                todo.push(unit);
            }
        }
        let next = AtomicUsize::new(0);
        let workers = thread::available_parallelism().map_or(1, |n| n.get()).min(todo.len());
        thread::scope(|scope| {
            let running: Vec<_> = (0..workers)
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(unit) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                            self.compile_one(unit)?;
                        }
                        Ok(())
                    })
                })
                .collect();
            running.into_iter().try_for_each(|worker| worker.join().expect("compiling does not panic"))
        })
    }

    fn command(&self, unit: &Unit) -> Command {
        let mut command = Command::new(&self.compiler);
        // DWARF 4: addr2line 2.40 mistakes the file of a #line directive in DWARF 5 as written by GCC 12.
        command.args(["-std=gnu++17", "-O2", "-g1", "-gdwarf-4", "-fPIC", "-fvisibility=hidden", "-pthread"]);
        command.args(["-fno-strict-aliasing", "-fno-threadsafe-statics", "-MMD"]);
        command.arg(format!("-I{}", self.cpp.display())).args(&unit.flags);
        command.arg("-c").arg(&unit.source).arg("-o").arg(&unit.object);
        command
    }

    fn compile_one(&self, unit: &Unit) -> Result<(), String> {
        let folder = unit.object.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut command = self.command(unit);
        run(&mut command)?;
        let record = unit.object.with_extension("command");
        fs::write(&record, format!("{command:?}")).map_err(|e| format!("{}: {e}", record.display()))
    }

    /// Whether the object was made by the same command from files that have not changed since.
    fn is_fresh(&self, unit: &Unit) -> bool {
        let made_by = fs::read_to_string(unit.object.with_extension("command")).unwrap_or_default();
        let (Ok(object), Ok(rule)) = (fs::metadata(&unit.object), fs::read_to_string(unit.object.with_extension("d")))
        else {
            return false;
        };
        let Ok(made_at) = object.modified() else { return false };
        let (_, dependencies) = rule.split_once(':').unwrap_or_default();
        made_by == format!("{:?}", self.command(unit))
            && dependencies
                .split_whitespace()
                .filter(|word| *word != "\\")
                .all(|path| fs::metadata(path).and_then(|file| file.modified()).is_ok_and(|changed| changed <= made_at))
    }

    /// Links `folder/libcuda.so.1`. The runtime's objects come first: of an inline function that kernels also have, the
    /// linker then keeps the copy without hooks.
    pub fn link(&self, objects: &[PathBuf], folder: &Path, variant: Variant) -> Result<(), String> {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let library = folder.join("libcuda.so.1");
        // Linked beside and renamed: a process that has the old library open keeps it whole.
        let fresh = folder.join(format!("libcuda.so.1.{}", std::process::id()));
        let mut command = Command::new(&self.compiler);
        command.args(["-shared", "-pthread", "-Wl,-soname,libcuda.so.1", "-Wl,-z,defs"]);
        command.args(variant.link_flags()).args(objects).arg("-ldl").arg("-o").arg(&fresh);
        run(&mut command)?;
        fs::rename(&fresh, &library).map_err(|e| format!("{}: {e}", library.display()))
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    // Messages in English, and no colours in a log.
    let output = command.env("LC_ALL", "C").output().map_err(|e| format!("{command:?}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// Every file below a folder, in the order of their paths; none if the folder does not exist.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Path below a folder, with `/` between its parts.
pub fn relative_name(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// Writes a file unless it has this text already, so that what depends on it stays fresh.
pub fn write_if_changed(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// A `.cuh` as the host sees it.
pub fn host_header(path: &Path, text: &str) -> String {
    format!("#line 1 \"{}\"\n{}", path.display(), crate::source::with_shared_memory(text))
}

/// Whether a file is a header that kernels include.
pub fn is_header(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "cuh" || extension == "h")
}
