//! `cargo xtask tour`: the pictures of `docs/tour.md`, taken anew by the browser test that goes through the pages.

use std::collections::BTreeSet;
use std::fs;

use crate::process::{self, command, root};

/// The document that names the pictures.
const DOCUMENT: &str = "docs/tour.md";
/// Where they are, in the tree and as the document names them.
const FOLDER: &str = "docs/tour";
const NAMED: &str = "tour/";
/// Most bytes of a picture, and of all of them: whoever clones the tree takes them along.
const MAX_BYTES: u64 = 60 * 1_024;
const MAX_BYTES_IN_ALL: u64 = 700 * 1_024;

/// Runs the test, and puts the pictures that the document names into their folder; what it names no more is removed.
pub fn run() -> Result<(), String> {
    let taken = root().join("target/tour");
    let _ = fs::remove_dir_all(&taken);
    fs::create_dir_all(&taken).map_err(|error| format!("`{}`: {error}", taken.display()))?;
    process::run(command("cargo").args(["build", "--workspace", "--bins", "--locked"]))?;
    let mut test = command("cargo");
    test.args(["test", "-p", "bailey", "--test", "it", "--locked", "tour::"]).env("BAILEY_PICTURES", &taken);
    process::run(&mut test)?;
    let (folder, named) = (root().join(FOLDER), pictures(&document()?));
    fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    for name in &named {
        let from = taken.join(name);
        fs::copy(&from, folder.join(name)).map_err(|error| format!("`{}` was not taken: {error}", from.display()))?;
    }
    for name in there()?.difference(&named) {
        fs::remove_file(folder.join(name)).map_err(|error| format!("`{name}`: {error}"))?;
    }
    match faults()?.as_slice() {
        [] => Ok(()),
        faults => Err(faults.join("\n")),
    }
}

fn document() -> Result<String, String> {
    fs::read_to_string(root().join(DOCUMENT)).map_err(|error| format!("`{DOCUMENT}`: {error}"))
}

/// Returns the pictures that a document shows, by the names of their files.
fn pictures(document: &str) -> BTreeSet<String> {
    let after = document.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let in_markdown = after.map(|(place, _)| place);
    let in_html = document.split("src=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(place, _)| place);
    in_markdown.chain(in_html).filter_map(|place| place.strip_prefix(NAMED)).map(str::to_owned).collect()
}

/// Returns the pictures that are there.
fn there() -> Result<BTreeSet<String>, String> {
    let folder = root().join(FOLDER);
    let entries = fs::read_dir(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Lists what is wrong with the tour: pictures that are named and not there, are there and not named, or are too large.
pub(crate) fn faults() -> Result<Vec<String>, String> {
    let (named, there) = (pictures(&document()?), there()?);
    let mut faults: Vec<String> = named
        .difference(&there)
        .map(|name| format!("{DOCUMENT} names the picture `{name}`, which is not there: cargo xtask tour"))
        .collect();
    faults.extend(
        there.difference(&named).map(|name| format!("{FOLDER} holds `{name}`, which {DOCUMENT} does not name")),
    );
    let size = |name: &String| fs::metadata(root().join(FOLDER).join(name)).map_or(0, |found| found.len());
    let large = there.iter().filter(|name| size(name) > MAX_BYTES);
    faults.extend(large.map(|name| format!("{FOLDER}/{name} has {} bytes, and at most {MAX_BYTES} do", size(name))));
    let all: u64 = there.iter().map(size).sum();
    if all > MAX_BYTES_IN_ALL {
        faults.push(format!("the pictures in {FOLDER} have {all} bytes, and at most {MAX_BYTES_IN_ALL} do"));
    }
    if named.is_empty() {
        faults.push(format!("{DOCUMENT} shows no picture"));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_the_tour_are_those_that_it_names() {
        assert_eq!(faults(), Ok(Vec::new()));
    }

    #[test]
    fn pictures_are_found_in_both_ways_of_showing_one() {
        let found = pictures("![a](tour/a.jpg) [b](other/b.jpg) <img src=\"tour/c.jpg\" width=\"300\">");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a.jpg", "c.jpg"]);
    }
}
