//! Tells whether this machine can run the local model, and if not, why.

use std::fs;
use std::path::Path;

use crate::process::command;

/// What the build of the server uses without asking the processor first (x86-64). AVX-512 is not among it.
const INSTRUCTIONS: [&str; 4] = ["avx2", "fma", "f16c", "bmi2"];
/// The oldest C library the server was linked for.
const GLIBC: (u32, u32) = (2, 17);
/// The oldest Python its module loads into.
const PYTHON: (u32, u32) = (3, 10);
/// Free memory in MB: 1.5 GB of weights and context were measured, the rest is for Bailey and the test servers beside it.
const MEMORY_MB: u64 = 2_500;

/// What was found out about a machine. What could not be found out is `None`.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    architecture: String,
    /// `/proc/cpuinfo`.
    processor: String,
    memory_mb: Option<u64>,
    disk_mb: Option<u64>,
    glibc: Option<(u32, u32)>,
    python: Option<(u32, u32)>,
}

impl Machine {
    /// Looks at this machine; `folder` is where the model is to lie.
    pub(super) fn look(folder: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            architecture: std::env::consts::ARCH.into(),
            processor: read("/proc/cpuinfo"),
            memory_mb: free_memory_mb(&read("/proc/meminfo"), &read("/sys/fs/cgroup/memory.max")),
            disk_mb: free_disk_mb(folder),
            glibc: said(&["getconf", "GNU_LIBC_VERSION"]),
            python: said(&["python3", "--version"]),
        }
    }

    /// Returns everything that keeps the model from running here, for people; nothing if it can. `disk_mb` is what has yet to
    /// be fetched and unpacked.
    pub(super) fn lacks(&self, disk_mb: u64) -> Vec<String> {
        let mut why = Vec::new();
        match self.architecture.as_str() {
            "x86_64" => why.extend(lacking_instructions(&self.processor)),
            "aarch64" => {}
            other => why.push(format!("there is no build of its server for `{other}`, only for x86-64 and aarch64")),
        }
        if let Some(free) = self.memory_mb.filter(|free| *free < MEMORY_MB) {
            why.push(format!("{free} MB of memory are free, and it needs {MEMORY_MB}"));
        }
        if let Some(free) = self.disk_mb.filter(|free| *free < disk_mb) {
            why.push(format!("{free} MB of disk are free, and fetching and unpacking it takes {disk_mb}"));
        }
        why.extend(too_old("glibc", self.glibc, GLIBC));
        why.extend(too_old("Python", self.python, PYTHON));
        why
    }
}

fn lacking_instructions(processor: &str) -> Option<String> {
    let flags = processor.lines().find_map(|line| line.strip_prefix("flags")).unwrap_or_default();
    let has = |name: &str| flags.split_whitespace().any(|flag| flag == name);
    let lacking: Vec<String> = INSTRUCTIONS.iter().filter(|name| !has(name)).map(|name| name.to_uppercase()).collect();
    (!lacking.is_empty()).then(|| format!("this processor lacks {}, which its server uses", lacking.join(", ")))
}

fn too_old(what: &str, found: Option<(u32, u32)>, least: (u32, u32)) -> Option<String> {
    let needed = format!("it needs {what} {}.{} or later", least.0, least.1);
    match found {
        None => Some(format!("{needed}, and none was found")),
        Some(found) if found < least => Some(format!("{needed}, and {}.{} is here", found.0, found.1)),
        Some(_) => None,
    }
}

/// Returns what can be had without pushing others out, or what the container may have, if that is less.
fn free_memory_mb(meminfo: &str, limit: &str) -> Option<u64> {
    let free = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free: u64 = free?.split_whitespace().next()?.parse().ok()?;
    let limit = limit.trim().parse().unwrap_or(u64::MAX);
    Some((free.saturating_mul(1_024) / 1_000_000).min(limit / 1_000_000))
}

fn free_disk_mb(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize) / 1_000_000)
}

/// Returns the version a program prints.
fn said(words: &[&str]) -> Option<(u32, u32)> {
    let (program, arguments) = words.split_first()?;
    let output = command(program).args(arguments).output().ok()?;
    version(&String::from_utf8_lossy(&output.stdout))
}

/// Returns the version in `glibc 2.36` or `Python 3.11.7`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASWELL: &str = "processor\t: 0\nflags\t\t: fpu sse4_2 avx f16c fma bmi1 avx2 bmi2 erms\n";

    fn haswell() -> Machine {
        Machine {
            architecture: "x86_64".into(),
            processor: HASWELL.into(),
            memory_mb: Some(4_000),
            disk_mb: Some(10_000),
            glibc: Some((2, 36)),
            python: Some((3, 11)),
        }
    }

    #[test]
    fn a_processor_of_2013_can_run_it() {
        assert_eq!(haswell().lacks(2_600), Vec::<String>::new());
    }

    #[test]
    fn an_older_processor_is_told_what_it_lacks() {
        let processor = "flags\t\t: fpu sse4_2 avx f16c avx512f_not bmi1\n".into();
        let why = Machine { processor, ..haswell() }.lacks(0);
        assert_eq!(why, ["this processor lacks AVX2, FMA, BMI2, which its server uses"]);
    }

    #[test]
    fn a_processor_that_says_nothing_is_not_trusted_with_it() {
        let why = Machine { processor: String::new(), ..haswell() }.lacks(0);
        assert_eq!(why, ["this processor lacks AVX2, FMA, F16C, BMI2, which its server uses"]);
    }

    #[test]
    fn another_architecture_is_told_so_and_aarch64_is_not_asked_for_flags() {
        let other = Machine { architecture: "riscv64".into(), ..haswell() };
        assert_eq!(other.lacks(0), ["there is no build of its server for `riscv64`, only for x86-64 and aarch64"]);
        let arm = Machine { architecture: "aarch64".into(), processor: "Features: asimd".into(), ..haswell() };
        assert_eq!(arm.lacks(0), Vec::<String>::new());
    }

    #[test]
    fn every_reason_is_told_at_once() {
        let small =
            Machine { memory_mb: Some(900), disk_mb: Some(100), glibc: None, python: Some((3, 9)), ..haswell() };
        let why = small.lacks(2_600);
        assert_eq!(
            why,
            [
                "900 MB of memory are free, and it needs 2500",
                "100 MB of disk are free, and fetching and unpacking it takes 2600",
                "it needs glibc 2.17 or later, and none was found",
                "it needs Python 3.10 or later, and 3.9 is here",
            ]
        );
    }

    #[test]
    fn what_is_already_here_needs_no_disk_and_what_is_unknown_is_no_reason() {
        let machine = Machine { disk_mb: Some(0), memory_mb: None, ..haswell() };
        assert_eq!(machine.lacks(0), Vec::<String>::new());
    }

    #[test]
    fn memory_is_what_the_container_may_have() {
        let meminfo = "MemTotal: 9000000 kB\nMemAvailable:    8000000 kB\n";
        assert_eq!(free_memory_mb(meminfo, "max\n"), Some(8_192));
        assert_eq!(free_memory_mb(meminfo, ""), Some(8_192));
        assert_eq!(free_memory_mb(meminfo, "2000000000\n"), Some(2_000));
        assert_eq!(free_memory_mb("", "max"), None);
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version("glibc 2.36\n"), Some((2, 36)));
        assert_eq!(version("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(version("musl libc"), None);
    }
}
