//! The initrd: an archive in the form of cpio(5), "new ASCII", with the daemon and modules in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Copies the modules that are wanted, and those they depend on, in the order they have to be loaded in.
pub(super) fn pick_modules(from: &Path, to: &Path, wanted: &[&str]) -> Result<(), String> {
    let mut all = BTreeMap::new();
    find(from, &mut all)?;
    let mut order = Vec::new();
    for name in wanted {
        add(name, &all, &mut order)?;
    }
    fs::create_dir_all(to).map_err(|error| format!("`{}`: {error}", to.display()))?;
    let mut list = String::new();
    for name in &order {
        let Some(path) = all.get(name) else { continue };
        fs::copy(path, to.join(format!("{name}.ko"))).map_err(|error| format!("`{}`: {error}", path.display()))?;
        list += &format!("{name}.ko\n");
    }
    fs::write(to.join("order"), list).map_err(|error| format!("`{}`: {error}", to.display()))
}

/// Finds modules by their names, in which a hyphen counts as an underscore.
fn find(folder: &Path, all: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, all)?;
        } else if path.extension().is_some_and(|kind| kind == "ko") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('-', "_");
            all.insert(name, path);
        }
    }
    Ok(())
}

fn add(name: &str, all: &BTreeMap<String, PathBuf>, order: &mut Vec<String>) -> Result<(), String> {
    if order.iter().any(|known| known == name) {
        return Ok(());
    }
    // One that is no file is built into the kernel.
    let Some(path) = all.get(name) else { return Ok(()) };
    let bytes = fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    for other in depends(&bytes) {
        add(&other, all, order)?;
    }
    order.push(name.to_owned());
    Ok(())
}

/// Reads what a module depends on, from the line it carries about that (`modinfo`).
fn depends(module: &[u8]) -> Vec<String> {
    const MARK: &[u8] = b"\0depends=";
    let Some(at) = module.windows(MARK.len()).position(|window| window == MARK) else { return Vec::new() };
    let rest = module.get(at + MARK.len()..).unwrap_or_default();
    let line = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(line).replace('-', "_");
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A folder's, a program's, a file's and a device's kind and permissions.
const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const FILE: u32 = 0o100_644;
const DEVICE: u32 = 0o020_600;

/// Writes the initrd. The same daemon and modules make the same bytes.
pub(super) fn initrd(daemon: &Path, modules: &Path, to: &Path) -> Result<(), String> {
    let read = |path: &Path| fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()));
    let mut archive = Archive::default();
    for folder in ["dev", "modules"] {
        archive.add(folder, FOLDER, (0, 0), &[]);
    }
    // The kernel opens it for process 1 before anything is mounted.
    archive.add("dev/console", DEVICE, (5, 1), &[]);
    archive.add("init", PROGRAM, (0, 0), &read(daemon)?);
    let mut names: Vec<PathBuf> = fs::read_dir(modules)
        .map_err(|error| format!("`{}`: {error}", modules.display()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    names.sort();
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        archive.add(&format!("modules/{name}"), FILE, (0, 0), &read(&path)?);
    }
    archive.add("TRAILER!!!", 0, (0, 0), &[]);
    fs::write(to, archive.bytes).map_err(|error| format!("`{}`: {error}", to.display()))
}

#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    count: u32,
}

impl Archive {
    fn add(&mut self, name: &str, mode: u32, (major, minor): (u32, u32), content: &[u8]) {
        self.count += 1;
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let name_size = u32::try_from(name.len() + 1).unwrap_or(u32::MAX);
        self.bytes.extend(b"070701");
        // inode, mode, owner, group, links, time, size, device, device of a node, length of the name, checksum
        for field in [self.count, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name_size, 0] {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_name_what_they_depend_on() {
        assert_eq!(depends(b"ELF\0license=GPL\0depends=virtio-ring,virtio\0name=x\0"), ["virtio_ring", "virtio"]);
        assert!(depends(b"ELF\0depends=\0").is_empty() && depends(b"ELF").is_empty());
    }

    #[test]
    fn archives_begin_each_file_at_a_border_of_four_bytes() {
        let mut archive = Archive::default();
        archive.add("a", FILE, (0, 0), b"12345");
        assert_eq!(archive.bytes.len(), 112 + 8);
        assert!(archive.bytes.starts_with(b"070701000000010000"));
    }
}
