//! Places: folders and sites, as rules name them. A rule about a folder is about everything beneath it, and one about a site
//! about everything at it and at the sites beneath its name.

/// Deepest place that can be read: folders of a path, or labels of a host and folders behind it.
pub const MAX_DEPTH: usize = 32;
/// Folders of an address that rules can name, counted from its host: deeper ones belong to the last of these.
const MAX_SITE_FOLDERS: usize = 8;
/// Stands behind a host where the path cannot be read: it may be any path there.
const ANY_PATH: &str = "/?";

/// Lists what holds a place: each folder above it, each site it is at, as `folder:Clients/` and `site:example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    holders: Vec<String>,
}

impl Place {
    /// The kind of value that is a folder.
    pub const FOLDER: &'static str = "folder";
    /// The kind of value that is an address on the web, with a scheme or without.
    pub const URL: &'static str = "url";
    /// The kind of value that is a file by a name of the tool's own: it lies somewhere, and does not say where.
    pub const FILE: &'static str = "file";
    /// The kinds of values that are places.
    pub const KINDS: [&'static str; 4] = ["path", Self::FOLDER, Self::URL, Self::FILE];

    /// Returns the place a value of a kind is; `None` where that cannot be read.
    #[must_use]
    pub fn of(kind: &str, value: &str) -> Option<Self> {
        match kind {
            Self::FILE => None,
            Self::FOLDER if !value.ends_with('/') => Self::new(&format!("{value}/")),
            Self::URL if !value.contains("://") => Self::new(&format!("https://{value}")),
            _ => Self::new(value),
        }
    }

    /// Reads a path, a folder (with a stroke at its end), or an address with a host. What could mean another place than it says is not read: `..`, `.`, empty
    /// parts, back strokes, control characters, an address with a name in front of its host, escapes in a host.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        // A letter and a mark apart are one letter in another folder's name.
        let marks = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
        if text.is_empty() || text.chars().any(|c| c.is_control() || c == '\\' || marks(c)) {
            return None;
        }
        match text.split_once("://") {
            Some((_, rest)) => Self::at_site(rest),
            None => Self::in_folder(text),
        }
    }

    /// Returns a folder as a rule names it: it holds itself.
    #[must_use]
    pub fn folder(text: &str) -> Option<String> {
        Self::in_folder(text).filter(|_| text.ends_with('/'))?.holders.pop()
    }

    /// Returns a site as a rule names it: a host, or a folder at one, with a stroke at its end.
    #[must_use]
    pub fn site(text: &str) -> Option<String> {
        let place = Self::at_site(text)?;
        let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
        let whole = match path {
            None => format!("site:{}", host.to_lowercase()),
            Some(path) => format!("site:{}/{path}", host.to_lowercase()),
        };
        place.holders.contains(&whole).then_some(whole)
    }

    /// Returns what holds an address at the same host whose path cannot be read, of a site that a rule names with a path: it may be there.
    #[must_use]
    pub fn unread_at(site: &str) -> Option<String> {
        let (host, _) = site.split_once('/')?;
        Some(format!("{host}{ANY_PATH}"))
    }

    fn in_folder(path: &str) -> Option<Self> {
        // One tree: whether a path begins at its root is the tool's business.
        let path = path.strip_prefix('/').unwrap_or(path);
        let bare = path.strip_suffix('/').unwrap_or(path);
        let parts: Vec<&str> = bare.split('/').collect();
        let readable = |part: &&str| !part.is_empty() && !part.chars().all(|c| c == '.') && part.trim() == *part;
        if parts.len() > MAX_DEPTH || !parts.iter().all(readable) {
            return None;
        }
        let above = (1..parts.len())
            .map(|count| format!("folder:{}/", parts.iter().take(count).copied().collect::<Vec<_>>().join("/")));
        Some(Self { holders: above.chain([format!("folder:{path}")]).collect() })
    }

    fn at_site(rest: &str) -> Option<Self> {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        // Whatever stands before an `@` is not the host.
        if authority.contains('@') || !port.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let host = host.to_lowercase();
        let labels: Vec<&str> = host.split('.').collect();
        let readable = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if labels.len() < 2 || labels.len() > MAX_DEPTH || !labels.iter().all(readable) {
            return None;
        }
        let sites: Vec<String> = (0..labels.len() - 1)
            .map(|from| format!("site:{}", labels.iter().skip(from).copied().collect::<Vec<_>>().join(".")))
            .collect();
        let folders = folders_of(rest.get(authority.len()..).unwrap_or_default());
        let within = sites.iter().flat_map(|site| folders.iter().map(move |folder| format!("{site}{folder}")));
        Some(Self { holders: sites.iter().cloned().chain(within).collect() })
    }

    /// Returns the place itself, in small letters and without a stroke at its end: what is done to it is done to all it holds.
    #[must_use]
    pub fn itself(&self) -> String {
        // Of a site, the host; of a path, the whole.
        let is_site = |holder: &&String| holder.starts_with("site:") && holder.contains('/');
        let itself = self
            .holders
            .iter()
            .filter(|holder| !is_site(holder))
            .max_by_key(|holder| holder.len())
            .map(String::as_str)
            .unwrap_or_default();
        itself.trim_end_matches('/').to_lowercase()
    }

    /// Places that hold this folder, or are it, as [`Self::itself`] names them: removing one of them removes the folder.
    #[must_use]
    pub fn holders_of(folder: &str) -> Vec<String> {
        let bare = folder.trim_end_matches('/').to_lowercase();
        let ends = bare.match_indices('/').map(|(at, _)| at).chain([bare.len()]);
        ends.filter_map(|at| bare.get(..at)).map(str::to_owned).collect()
    }

    /// Lists what holds all of these places: a rule that lets something go wants every place where it says.
    #[must_use]
    pub fn within(places: &[Self]) -> Vec<String> {
        let Some((first, rest)) = places.split_first() else { return Vec::new() };
        let all = first.holders.iter().filter(|holder| rest.iter().all(|place| place.holders.contains(holder)));
        all.cloned().collect()
    }

    /// Lists what holds any of them, in small letters: a rule that stops something is met by one, and where a tool's folders do not
    /// tell capitals apart, by one that is written otherwise.
    #[must_use]
    pub fn touches(places: &[Self]) -> Vec<String> {
        let mut out: Vec<String> =
            places.iter().flat_map(|place| place.holders.iter().map(|holder| holder.to_lowercase())).collect();
        out.sort();
        out.dedup();
        out
    }
}

/// Lists the folders that a path at a site lies in, the outermost first. What servers may read as another path than it says is not read:
/// escapes, parameters, points, empty parts.
fn folders_of(path: &str) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let Some(path) = path.strip_prefix('/') else { return Vec::new() };
    let parts: Vec<&str> = path.split('/').collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let readable = |part: &&str| !part.is_empty() && !part.chars().all(|c| c == '.') && part.chars().all(plain);
    // The last part is a file there, or nothing.
    let (last, folders) = parts.split_last().map_or(("", &[][..]), |(last, folders)| (*last, folders));
    if !folders.iter().all(readable) || !(last.is_empty() || readable(&last)) {
        return vec![ANY_PATH.to_owned()];
    }
    let most = folders.len().min(MAX_SITE_FOLDERS);
    (1..=most).map(|count| format!("/{}/", folders.iter().take(count).copied().collect::<Vec<_>>().join("/"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_at_a_site_holds_what_lies_beneath_it_and_no_path_that_could_mean_another() {
        let folder = Place::site("example.org/api/").unwrap();
        for inside in ["https://example.org/api/", "https://a.example.org/api/v1/x?y=/z", "https://example.org/api/x#y"]
        {
            assert!(Place::within(&[Place::new(inside).unwrap()]).contains(&folder), "{inside}");
        }
        let unread = Place::unread_at(&folder).unwrap();
        for beside in [
            "https://example.org/api",
            "https://example.org/apix/y",
            "https://example.org/x/api/y",
            "https://example.org",
        ] {
            let touches = Place::touches(&[Place::new(beside).unwrap()]);
            assert!(!touches.contains(&folder) && !touches.contains(&unread), "{beside}");
        }
        for unreadable in ["/api/../x", "/%61pi/x", "//api/x", "/api/./x", "/a;b/x", "/api/x%2f..", "/api\\x"] {
            if let Some(place) = Place::new(&format!("https://example.org{unreadable}")) {
                assert!(!Place::within(std::slice::from_ref(&place)).contains(&folder), "{unreadable}");
                assert!(Place::touches(&[place]).contains(&unread), "{unreadable}");
            }
        }
        assert_eq!((Place::site("example.org/a/../"), Place::site("example.org/?")), (None, None));
    }

    #[test]
    fn a_folder_holds_what_lies_beneath_it_and_nothing_beside() {
        let clients = Place::folder("Clients/").unwrap();
        for inside in ["Clients/a.txt", "/Clients/Acme/b.txt", "Clients/Acme", "Clients/"] {
            assert!(Place::within(&[Place::new(inside).unwrap()]).contains(&clients), "{inside}");
        }
        for beside in ["Clients", "Clients2/a.txt", "Other/Clients/a.txt", "clients/a.txt"] {
            assert!(!Place::within(&[Place::new(beside).unwrap()]).contains(&clients), "{beside}");
        }
        for unread in ["Clients/../Secrets/a", "Clients//a", "", " ", "a/./b", "a\\b", "Clients/ /a", "a/\u{7}"] {
            assert_eq!(Place::new(unread), None, "{unread}");
        }
        assert_eq!((Place::folder("Clients"), Place::folder("../"), Place::folder("/")), (None, None, None));
    }

    #[test]
    fn a_site_holds_the_sites_beneath_its_name() {
        let site = Place::site("example.org").unwrap();
        for at in ["https://example.org", "http://www.Example.org:8080/a?b#c", "https://a.b.example.org/x"] {
            assert!(Place::within(&[Place::new(at).unwrap()]).contains(&site), "{at}");
        }
        for not in ["https://example.org.evil.example/", "https://notexample.org/", "https://evil.example/example.org"]
        {
            assert!(!Place::within(&[Place::new(not).unwrap()]).contains(&site), "{not}");
        }
        for unread in [
            "https://example.org@evil.example/",
            "https://",
            "https://localhost",
            "https://ex%61mple.org",
            "https://[::1]/",
        ] {
            assert_eq!(Place::new(unread), None, "{unread}");
        }
        assert_eq!((Place::site("org"), Place::site("example.org/a")), (None, None));
    }

    #[test]
    fn a_value_is_a_place_by_its_kind() {
        let holds = |kind: &str, value: &str| Place::of(kind, value).map(|place| Place::touches(&[place]));
        assert_eq!(holds("url", "example.org/a"), holds("url", "https://example.org/a"));
        for unread in ["mailto:ana@example.org", "//example.org/a", "javascript:x", "https://example.org./"] {
            assert_eq!(holds("url", unread), None, "{unread}");
        }
        assert_eq!(holds("folder", "A"), holds("path", "A/"));
        assert_eq!(holds("file", "17"), None, "where a file lies is not in its number");
    }

    #[test]
    fn what_holds_a_folder_is_told() {
        assert_eq!(Place::holders_of("folder:A/B/"), ["folder:a", "folder:a/b"]);
        assert_eq!(Place::new("A/B/").unwrap().itself(), "folder:a/b");
        assert_eq!(Place::new("/A").unwrap().itself(), "folder:a");
        assert_eq!(Place::new("https://a.example.org/x").unwrap().itself(), "site:a.example.org");
        assert_eq!(Place::new("Bu\u{308}ro/a"), None);
    }

    #[test]
    fn going_wants_all_places_and_stopping_one() {
        let places = [Place::new("A/x").unwrap(), Place::new("B/y").unwrap()];
        assert_eq!(Place::within(&places), Vec::<String>::new());
        assert_eq!(Place::touches(&places), ["folder:a/", "folder:a/x", "folder:b/", "folder:b/y"]);
        assert_eq!(Place::within(&[]), Vec::<String>::new());
    }
}
