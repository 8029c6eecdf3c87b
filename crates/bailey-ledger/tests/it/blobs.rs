//! Content by hash.

use bailey_keys::KeyError;
use bailey_ledger::BlobOwner;

use crate::support::Folder;

const MAIL: BlobOwner<'_> = BlobOwner { kind: "action", owner: b"a mail" };
const FILE: BlobOwner<'_> = BlobOwner { kind: "file", owner: b"a file" };

#[test]
fn the_same_content_is_kept_once_and_goes_with_its_last_reference() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let content = vec![7; 300_000];
    let stored = || ledger.keys().numbers(u64::MAX).unwrap().into_iter();
    let (before, _) = ledger.keys().draw().unwrap();
    let digests = ledger.write(|tx| {
        let first = tx.put_blob(MAIL, &content)?;
        Ok([first, tx.put_blob(FILE, &content)?, tx.put_blob(FILE, &content)?])
    });
    let [digest, ..] = digests.clone().unwrap();
    assert!(digests.unwrap().iter().all(|one| *one == digest));
    let key = before + 1;
    assert!(stored().any(|number| number == key));
    let (after, _) = ledger.keys().draw().unwrap();
    assert_eq!(after, key + 1, "one key for all three");
    assert_eq!(ledger.blob(&digest).unwrap().unwrap(), content);

    ledger.write(|tx| tx.release_blobs(MAIL)).unwrap();
    assert_eq!(ledger.blob(&digest).unwrap().unwrap(), content, "another refers to it");
    ledger.write(|tx| tx.release_blobs(FILE)).unwrap();
    assert_eq!(ledger.blob(&digest).unwrap(), None);
    assert!(matches!(ledger.keys().fetch(key), Err(KeyError::Destroyed)));
    // Kept anew, it is sealed under another key.
    let again = ledger.write(|tx| tx.put_blob(MAIL, &content)).unwrap();
    assert_eq!((again, ledger.blob(&again).unwrap().unwrap()), (digest, content));
}

#[test]
fn what_is_undone_keeps_its_content() {
    let folder = Folder::new();
    let (ledger, _) = folder.open(true);
    let digest = ledger.write(|tx| tx.put_blob(MAIL, b"text")).unwrap();
    let undone = ledger.write(|tx| {
        tx.release_blobs(MAIL)?;
        Err::<(), _>(bailey_gate::ledger::StoreError::Broken("planted".into()))
    });
    assert!(undone.is_err());
    drop(ledger);
    let (ledger, _) = folder.open(false);
    assert_eq!(ledger.blob(&digest).unwrap().unwrap(), b"text");
}
