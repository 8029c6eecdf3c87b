//! Files: versions, paths, trash, and what is gone when it is emptied.

use bailey_gate::family::files::{FilePath, Folder, Seen};
use bailey_keys::KeyError;
use bailey_ledger::{FileError, FileRefusal, Ledger, MadeBy, Target, Upload};

use crate::support::Folder as Home;

const LIMITS: (i64, u64) = (7, 1 << 30);

fn path(text: &str) -> FilePath {
    FilePath::new(text).unwrap()
}

fn put(ledger: &Ledger, at: &str, content: &[u8]) -> Result<Seen, FileError> {
    ledger.change_files(|tx| {
        let stored = tx.put_content(content)?;
        tx.put_version(Target::New(&path(at)), &stored, MadeBy::Person, false, LIMITS)
    })
}

fn refusal<T: std::fmt::Debug>(done: Result<T, FileError>) -> FileRefusal {
    match done.unwrap_err() {
        FileError::Refused(why) => why,
        FileError::Store(error) => panic!("{error}"),
    }
}

#[test]
fn nothing_is_written_over_or_moved_over_whatever_its_letters() {
    let home = Home::new();
    let (ledger, _) = home.open(true);
    let first = put(&ledger, "Reports/a.txt", b"first").unwrap();
    let other = put(&ledger, "b.txt", b"other").unwrap();
    assert!(matches!(refusal(put(&ledger, "Reports/a.txt", b"over")), FileRefusal::Taken(_)));
    for alike in ["reports/a.txt", "Reports/A.TXT", "REPORTS/new.txt"] {
        assert!(matches!(refusal(put(&ledger, alike, b"over")), FileRefusal::Alike { .. }), "{alike}");
    }
    assert!(matches!(refusal(put(&ledger, "Reports", b"over")), FileRefusal::IsFolder(_)));
    assert!(matches!(refusal(put(&ledger, "b.txt/c", b"over")), FileRefusal::IsFile(_)));
    let move_to = |to: &str| ledger.change_files(|tx| tx.move_file(&path("b.txt"), &other, &path(to), MadeBy::Person));
    assert!(matches!(refusal(move_to("Reports/a.txt")), FileRefusal::Taken(_)));
    assert_eq!(ledger.file_at(&path("Reports/a.txt")).unwrap().unwrap().newest.seen, first);
    assert_eq!(ledger.file_at(&path("b.txt")).unwrap().unwrap().newest.seen, other, "what is refused undoes all of it");
    // A file may be given other capital letters.
    move_to("B.txt").unwrap();
    let stale = ledger.change_files(|tx| tx.trash_file(&path("b.txt"), &other, MadeBy::Person, 8));
    assert!(matches!(refusal(stale), FileRefusal::Changed(_)), "by the path it had");
}

#[test]
fn versions_share_content_and_the_bound_counts_each() {
    let home = Home::new();
    let (ledger, _) = home.open(true);
    let content = vec![7; 9_000_000];
    let mut upload = Upload::begin(&ledger).unwrap();
    content.chunks(700_001).for_each(|part| upload.push(part).unwrap());
    let stored = upload.finish().unwrap();
    let seen = ledger
        .change_files(|tx| tx.put_version(Target::New(&path("a")), &stored, MadeBy::Person, false, LIMITS))
        .unwrap();
    assert_eq!(ledger.file_content(&seen, u64::MAX).unwrap().unwrap(), content);
    assert_eq!(ledger.file_content(&seen, 8_999_999).unwrap(), None);
    let again = put(&ledger, "b", &content).unwrap();
    assert_eq!((again.digest, ledger.file_bytes().unwrap()), (seen.digest, 18_000_000));
    let most = 20_000_000;
    let over = ledger.change_files(|tx| {
        let stored = tx.put_content(&content)?;
        tx.put_version(Target::Next(&path("b"), &again), &stored, MadeBy::Person, false, (8, most))
    });
    assert_eq!(refusal(over), FileRefusal::Full { most });
    let back = ledger.change_files(|tx| tx.put_earlier(&path("b"), &again, &again, MadeBy::Person, LIMITS)).unwrap();
    assert_eq!((back.version, back.digest), (2, seen.digest));
    let versions: Vec<u64> = ledger.versions(&back.file).unwrap().iter().map(|one| one.seen.version).collect();
    assert_eq!(versions, [2, 1]);
}

#[test]
fn emptying_the_trash_destroys_keys_of_what_nothing_else_holds() {
    let home = Home::new();
    let (ledger, _) = home.open(true);
    let (before, _) = ledger.keys().draw().unwrap();
    let gone = put(&ledger, "Gone/a", b"gone").unwrap();
    let key = before + 1;
    let shared = put(&ledger, "Gone/b", b"shared").unwrap();
    put(&ledger, "kept", b"shared").unwrap();
    for (at, seen) in [("Gone/a", &gone), ("Gone/b", &shared)] {
        ledger.change_files(|tx| tx.trash_file(&path(at), seen, MadeBy::Person, 9)).unwrap();
    }
    assert_eq!(ledger.folder(&Folder::new("Gone").unwrap(), "").unwrap(), None, "nothing lies in it");
    assert!(ledger.keys().fetch(key).is_ok() && ledger.trashed_files().unwrap().len() == 2);
    let emptied = ledger.write(|tx| tx.empty_trash()).unwrap();
    assert_eq!(emptied.len(), 2);
    assert!(matches!(ledger.keys().fetch(key), Err(KeyError::Destroyed)));
    assert_eq!((ledger.blob(&gone.digest).unwrap(), ledger.file(&gone.file).unwrap()), (None, None));
    assert_eq!(ledger.blob(&shared.digest).unwrap().unwrap(), b"shared", "another file holds it");
    assert_eq!(ledger.file_bytes().unwrap(), 6);
}

#[test]
fn uploads_that_broke_off_leave_nothing_behind() {
    let home = Home::new();
    let stored = {
        let (ledger, _) = home.open(true);
        let mut upload = Upload::begin(&ledger).unwrap();
        upload.push(b"never ended").unwrap();
        upload.finish().unwrap()
    };
    let (ledger, _) = home.open(false);
    assert!(ledger.blob(&stored.digest).unwrap().is_some());
    ledger.drop_uploads().unwrap();
    assert_eq!(ledger.blob(&stored.digest).unwrap(), None);
}
