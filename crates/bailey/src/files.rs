//! `bailey files`: the home's files, from the command line.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bailey_gate::family::escape::{visible, visible_lines};
use bailey_home::{purposes, routes};
use bailey_interface::{
    EmptiedView, FileVersionBody, FileVersionView, FileVersionsView, FileView, FolderView, MoveFileBody, PieceBody,
    ProvenBody, UploadBody, UploadView,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::args::Files;
use crate::client::{Client, Trouble};
use crate::{prompt, show};

/// Bytes of one piece of an upload.
const PIECE_BYTES: usize = 2_000_000;
/// Longest file that is printed, in bytes.
const MAX_SHOWN: u64 = 4 * 1024 * 1024;

/// Runs one of the commands.
pub(crate) async fn run(command: Files, client: &Client, json: bool) -> Result<(), Trouble> {
    match command {
        Files::List { trash: true, .. } => {
            let list: Vec<FileView> = client.get(&routes::TRASHED_FILES.here()).await?;
            Ok(show::print(json, &list, |out| list.iter().try_for_each(|file| line(out, file)))?)
        }
        Files::List { folder, .. } => list(client, &folder, json).await,
        Files::Show { path } => print(client, &path).await,
        Files::Get { path, to: Some(to), versions: true, .. } => get_all(client, &path, &to).await,
        Files::Get { path, to, version, .. } => {
            let file = one(client, &path).await?;
            let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
            let version = version.unwrap_or(file.newest.version);
            get(client, &file.id, version, to.as_deref().unwrap_or_else(|| Path::new(&name))).await
        }
        Files::Put { file, to, replace } => {
            let put = put(client, &file, to.as_deref().unwrap_or_default(), replace).await?;
            Ok(show::print(json, &put, |out| line(out, &put))?)
        }
        Files::Move { path, to } => {
            let file = one(client, &path).await?;
            let to = within(&to, file.path.rsplit('/').next().unwrap_or_default());
            let body = MoveFileBody { version: file.newest.version, to };
            let moved: FileView = client.post(&routes::MOVE_FILE.at(&[&file.id]), &body).await?;
            Ok(show::print(json, &moved, |out| line(out, &moved))?)
        }
        Files::Trash { path } => {
            let file = one(client, &path).await?;
            let body = FileVersionBody { version: file.newest.version };
            let moved: FileView = client.post(&routes::TRASH_FILE.at(&[&file.id]), &body).await?;
            Ok(show::print(json, &moved, |out| {
                writeln!(out, "Moved to the trash; `bailey files restore {}` takes it out again.", visible(&moved.path))
            })?)
        }
        Files::Restore { path, version } => restore(client, &path, version, json).await,
        Files::Versions { path } => {
            let id = one(client, &path).await?.id;
            let all: FileVersionsView = client.get(&routes::FILE.at(&[&id])).await?;
            Ok(show::print(json, &all, |out| all.versions.iter().try_for_each(|one| version(out, one)))?)
        }
        Files::EmptyTrash => {
            let words = prompt::passphrase("Approval passphrase")?;
            let proof = client.prove(&purposes::empty_trash(), &words).await?;
            let gone: EmptiedView = client.post(&routes::EMPTY_TRASH.here(), &ProvenBody { proof }).await?;
            let files = if gone.files == 1 { "file is" } else { "files are" };
            Ok(show::print(json, &gone, |out| writeln!(out, "{} {files} gone, and the keys with them.", gone.files))?)
        }
    }
}

/// Returns a value of a query, with every byte written out that could mean something else (RFC 3986, 2.3).
fn in_query(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

/// Returns a path as it is meant: in a folder where it ends with a stroke, or names none.
fn within(to: &str, name: &str) -> String {
    if to.is_empty() || to.ends_with('/') { format!("{to}{name}") } else { to.to_owned() }
}

async fn one(client: &Client, path: &str) -> Result<FileView, Trouble> {
    let found: FolderView = client.get(&routes::FILES.here().with("path", in_query(path))).await?;
    found.files.into_iter().next().ok_or_else(|| Trouble::Here(format!("there is no file `{}`", visible(path))))
}

/// Lists a folder whole, however much lies in it.
async fn folder(client: &Client, folder: &str) -> Result<FolderView, Trouble> {
    let at = routes::FILES.here().with("folder", in_query(folder));
    let mut all: FolderView = client.get(&at).await?;
    while all.more {
        let Some(last) = all.files.last().map(|file| in_query(&file.path)) else { break };
        let at = routes::FILES.here().with("folder", in_query(folder)).with("after", last);
        let next: FolderView = client.get(&at).await?;
        all.more = next.more && !next.files.is_empty();
        all.files.extend(next.files);
    }
    Ok(all)
}

async fn list(client: &Client, path: &str, json: bool) -> Result<(), Trouble> {
    let view = folder(client, path).await?;
    Ok(show::print(json, &view, |out| {
        view.folders.iter().try_for_each(|path| writeln!(out, "{}/", visible(path)))?;
        view.files.iter().try_for_each(|file| line(out, file))?;
        writeln!(out, "{} of {} in use, with every version", size(view.used_bytes), size(view.most_bytes))
    })?)
}

fn line(out: &mut dyn Write, file: &FileView) -> io::Result<()> {
    let FileView { path, newest, .. } = file;
    writeln!(out, "{}  {}  {}  by {}", visible(path), size(newest.bytes), show::moment(newest.made_ms), by(newest))
}

fn version(out: &mut dyn Write, one: &FileVersionView) -> io::Result<()> {
    let (at, size) = (show::moment(one.made_ms), size(one.bytes));
    writeln!(out, "{}  {size}  {at}  by {}  {}", one.version, by(one), one.sha256)
}

fn by(one: &FileVersionView) -> String {
    let marks = match (one.after_reading, one.after_secrets) {
        (true, true) => ", after reading what others wrote and secrets",
        (true, false) => ", after reading what others wrote",
        (false, true) => ", after seeing secrets",
        (false, false) => "",
    };
    one.action.as_ref().map_or_else(|| format!("you{marks}"), |action| format!("the agent ({action}){marks}"))
}

/// Returns a number of bytes as people read it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

async fn print(client: &Client, path: &str) -> Result<(), Trouble> {
    let file = one(client, path).await?;
    if file.newest.bytes > MAX_SHOWN {
        return Err(Trouble::Here("the file is longer than is printed; copy it with `bailey files get`".into()));
    }
    let mut bytes = Vec::new();
    let at = routes::FILE_CONTENT.at(&[&file.id, &file.newest.version.to_string()]);
    client.get_into(&at, &mut bytes).await?;
    let no_text = || Trouble::Here("the file is no text; copy it with `bailey files get`".into());
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(no_text)?;
    Ok(writeln!(io::stdout(), "{}", visible_lines(text.trim_end_matches('\n')))?)
}

/// Copies a version to a file that is not there yet; one that breaks off leaves none.
async fn get(client: &Client, id: &str, version: u64, to: &Path) -> Result<(), Trouble> {
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let there = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Trouble::Here(format!("`{}` is there already; choose another name with --to", to.display()))
        }
        _ => Trouble::Here(format!("`{}` cannot be written: {error}", to.display())),
    };
    let mut out = made.map_err(there)?;
    let at = routes::FILE_CONTENT.at(&[id, &version.to_string()]);
    let got = client.get_into(&at, &mut out).await;
    if got.is_err() {
        let _ = fs::remove_file(to);
    }
    got
}

/// Copies every version of every file of a folder and beneath: the newest under its path, those before it beside it in a folder.
async fn get_all(client: &Client, from: &str, to: &Path) -> Result<(), Trouble> {
    let (mut folders, mut count) = (VecDeque::from([from.trim_matches('/').to_owned()]), 0_u64);
    while let Some(path) = folders.pop_front() {
        let view = folder(client, &path).await?;
        folders.extend(view.folders);
        for file in view.files {
            let place = to.join(&file.path);
            if let Some(above) = place.parent() {
                fs::create_dir_all(above)?;
            }
            let all: FileVersionsView = client.get(&routes::FILE.at(&[&file.id])).await?;
            for one in &all.versions {
                let place = if one.version == file.newest.version {
                    place.clone()
                } else {
                    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    let versions = place.with_file_name(format!("{name}.versions"));
                    fs::create_dir_all(&versions)?;
                    versions.join(format!("{}-{name}", one.version))
                };
                get(client, &file.id, one.version, &place).await?;
                count += 1;
            }
        }
    }
    Ok(writeln!(io::stdout(), "Copied {count} version(s) to `{}`.", to.display())?)
}

/// Puts a file of this machine into the home, a piece at a time.
pub(crate) async fn put(client: &Client, file: &Path, to: &str, replace: bool) -> Result<FileView, Trouble> {
    let here = |error: io::Error| Trouble::Here(format!("`{}` cannot be read: {error}", file.display()));
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Trouble::Here(format!("`{}` has no name in letters", file.display())))?;
    let path = within(to, name);
    let mut from = fs::File::open(file).map_err(here)?;
    let about = from.metadata().map_err(here)?;
    if !about.is_file() {
        return Err(Trouble::Here(format!("`{}` is no file", file.display())));
    }
    let follows = if replace { one(client, &path).await.ok().map(|there| there.newest.version) } else { None };
    let body = UploadBody { path, bytes: about.len(), follows };
    let begun: UploadView = client.post(&routes::BEGIN_UPLOAD.here(), &body).await?;
    let mut at = 0;
    loop {
        let mut piece = Vec::new();
        (&mut from).take(PIECE_BYTES as u64).read_to_end(&mut piece).map_err(here)?;
        if piece.is_empty() {
            break;
        }
        let body = PieceBody { at, base64: BASE64.encode(&piece) };
        let view: UploadView = client.post(&routes::ADD_TO_UPLOAD.at(&[&begun.id]), &body).await?;
        at = view.bytes;
    }
    client.post(&routes::END_UPLOAD.at(&[&begun.id]), &()).await
}

/// Puts files into a folder of their own, for a task; returns what its words say of it, nothing where there are none.
///
/// Their names are not said: whoever named them would speak in the person's words.
pub(crate) async fn give(client: &Client, files: &[PathBuf]) -> Result<String, Trouble> {
    if files.is_empty() {
        return Ok(String::new());
    }
    let now = bailey_home::Clock::new(None).map_err(Trouble::Here)?.now();
    let folder = bailey_interface::given_folder(now.wall_ms);
    for file in files {
        put(client, file, &format!("{folder}/"), false).await?;
    }
    Ok(bailey_interface::given_words(&folder))
}

async fn restore(client: &Client, path: &str, version: Option<u64>, json: bool) -> Result<(), Trouble> {
    let restored: FileView = match version {
        Some(version) => {
            let id = one(client, path).await?.id;
            client.post(&routes::BRING_BACK.at(&[&id, &version.to_string()]), &()).await?
        }
        None => {
            let trash: Vec<FileView> = client.get(&routes::TRASHED_FILES.here()).await?;
            let wanted = path.trim_matches('/');
            let found = trash.into_iter().find(|file| file.path == wanted);
            let none = || {
                let why = format!("no `{}` lies in the trash; `bailey files list --trash` lists it", visible(wanted));
                Trouble::Here(why)
            };
            client.post(&routes::RESTORE_FILE.at(&[&found.ok_or_else(none)?.id]), &()).await?
        }
    };
    Ok(show::print(json, &restored, |out| line(out, &restored))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_people_read_them() {
        assert_eq!(
            [0, 1_023, 1_024, 1_536, 5 << 20, (20 << 30) + (1 << 29)].map(size),
            ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 KiB", "5.0 MiB", "20.5 GiB"]
        );
    }

    #[test]
    fn paths_in_queries_mean_nothing_else() {
        assert_eq!(in_query("Reports/März & co.txt"), "Reports%2FM%C3%A4rz%20%26%20co.txt");
        assert_eq!((within("A/", "b"), within("", "b"), within("A/c", "b")), ("A/b".into(), "b".into(), "A/c".into()));
    }
}
