//! Where this machine gets Debian from. It is used and not recorded: the image names Debian's own servers.

use std::fs;
use std::path::PathBuf;

use crate::process::command;

/// Where a Debian keeps the key its packages are signed with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Returns the name of this machine's Debian, such as `bookworm`.
pub(super) fn suite() -> Result<String, String> {
    let about = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field =
        |name: &str| about.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_matches('"'));
    match (field("ID="), field("VERSION_CODENAME=")) {
        (Some("debian"), Some(name)) => Ok(name.to_owned()),
        (other, _) => Err(format!(
            "this machine runs {}; the image is made of its own Debian's packages, so build it on Debian and copy it",
            other.unwrap_or("no Debian")
        )),
    }
}

/// Returns Debian's own sources among those of this machine, in the form of deb822. Mirrors are kept, others' packages are not.
pub(super) fn of_this_machine(suite: &str) -> Result<String, String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let texts = files.iter().filter_map(|path| Some((path.extension()?.to_str()?, fs::read_to_string(path).ok()?)));
    let found: Vec<String> = texts
        .flat_map(|(kind, text)| if kind == "sources" { stanzas(&text, suite) } else { lines(&text, suite) })
        .collect();
    if found.is_empty() {
        return Err(format!("no source of Debian's `{suite}` is listed in /etc/apt; add one, then run this again"));
    }
    Ok(found.join("\n"))
}

/// Returns the stanzas of a file in deb822 that are about Debian's main section, without comments.
fn stanzas(text: &str, suite: &str) -> Vec<String> {
    let plain: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let wanted = |stanza: &&str| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let of_suite =
            field("Suites:").split_whitespace().any(|word| word == suite || word.starts_with(&format!("{suite}-")));
        let on = field("Enabled:").trim() != "no" && field("Types:").split_whitespace().any(|word| word == "deb");
        of_suite && on && field("Components:").split_whitespace().any(|word| word == "main")
    };
    plain.join("\n").split("\n\n").filter(wanted).map(|stanza| format!("{}\n", stanza.trim())).collect()
}

/// Returns the lines of a file of the older form, as stanzas.
fn lines(text: &str, suite: &str) -> Vec<String> {
    let stanza = |line: &str| {
        let rest = line.trim().strip_prefix("deb ")?.trim();
        // Options in brackets name keys and architectures; Debian's key is known.
        let rest = if rest.starts_with('[') { rest.split_once(']')?.1.trim() } else { rest };
        let mut words = rest.split_whitespace();
        let (address, of) = (words.next()?, words.next()?);
        let fits = (of == suite || of.starts_with(&format!("{suite}-"))) && words.any(|word| word == "main");
        fits.then(|| format!("Types: deb\nURIs: {address}\nSuites: {of}\nComponents: main\nSigned-By: {KEYRING}\n"))
    };
    text.lines().filter_map(stanza).collect()
}

/// Returns Debian's own servers, which the image names.
pub(super) fn plain(suite: &str) -> String {
    let stanza = |address: &str, suites: &str| {
        format!("Types: deb\nURIs: {address}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n")
    };
    let updates = format!("{suite} {suite}-updates");
    let security = format!("{suite}-security");
    stanza("http://deb.debian.org/debian", &updates)
        + "\n"
        + &stanza("http://deb.debian.org/debian-security", &security)
}

/// Returns this machine's proxies for packages, as options of apt.
pub(super) fn proxies() -> Vec<String> {
    let said = command("apt-config")
        .args(["dump", "--format", "%f \"%v\"%n", "Acquire::http::Proxy", "Acquire::https::Proxy"])
        .output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.lines().filter(|line| line.contains("Proxy \"") && !line.ends_with("\"\"")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_others_and_of_other_releases_are_left_out() {
        let text = "# mirror\nTypes: deb\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n\
            Types: deb\nURIs: http://other.test\nSuites: nodistro\nComponents: main\n\n\
            Types: deb-src\nURIs: http://mirror.test/debian\nSuites: bookworm\nComponents: main\n";
        let found = stanzas(text, "bookworm");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("http://mirror.test/debian") && !found[0].contains('#'));
        let old = "deb [signed-by=/x] http://mirror.test/debian bookworm main contrib\ndeb http://other.test/ stable main\n# deb http://a b main\n";
        assert_eq!(
            lines(old, "bookworm"),
            [format!(
                "Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm\nComponents: main\nSigned-By: {KEYRING}\n"
            )]
        );
    }
}
