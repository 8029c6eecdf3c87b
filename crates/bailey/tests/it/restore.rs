//! Putting a backup in place.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use bailey_scripted::Turn;
use serde_json::json;

use crate::support::{PASSPHRASE, World, copy_folder, has_place_for_locks, id, send};

/// A copy of a stopped home's whole folder.
fn backup(world: &World, name: &str) -> std::path::PathBuf {
    let folder = world.folder.path().join(name);
    fs::create_dir_all(&folder).unwrap();
    for part in ["home", "keys", "state"] {
        copy_folder(&world.data().join(part), &folder.join(part));
    }
    folder
}

fn restore(world: &World, folder: &Path) -> String {
    world.ok(&["restore", folder.to_str().unwrap()], "")
}

/// A home with a mail that is held, stopped; its backup; and then the mail has left.
fn held_then_sent() -> (World, std::path::PathBuf, String) {
    let mut world = World::bare(vec![send("ana@example.org", "Hi", "Hello"), Turn::say("ok")], 3_600);
    world.serve();
    world.connect("send");
    world.task("write to Ana");
    let card = world.waiting();
    world.ok(&["approve"], PASSPHRASE);
    world.until(&id(&card), "held");
    world.kill();
    let folder = backup(&world, "backup");
    (world, folder, id(&card))
}

#[test]
fn restore_keeps_what_was_there_starts_paused_and_sends_nothing() {
    let (mut world, folder, action) = held_then_sent();
    world.serve();
    world.ok(&["undo", &action], "");
    world.kill();
    let said = restore(&world, &folder);
    assert!(said.contains("starts paused") && said.contains("replaced-1"), "{said}");
    let kept = world.data().join("replaced-1");
    assert!(kept.join("home/ledger.db").exists() && kept.join("state/mark").exists());
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o700);
    world.hold(0);
    world.serve();
    assert_eq!(world.get("/v1/status")["mode"], "paused");
    world.ok(&["resume"], PASSPHRASE);
    // Taken back where this machine knows better, and asking again elsewhere.
    let state = world.get(&format!("/v1/actions/{action}"))["state"].as_str().unwrap().to_owned();
    assert!(["cancelled", "awaiting"].contains(&state.as_str()), "{state}");
    assert!(world.sink.arrived().is_empty());
    // What was there can be put back the same way.
    world.kill();
    let said = restore(&world, &kept);
    assert!(said.contains("replaced-2"), "{said}");
    world.serve();
    assert_eq!(world.get("/v1/status")["mode"], "paused");
}

#[test]
fn restore_of_what_is_as_new_asks_again() {
    let (mut world, folder, action) = held_then_sent();
    // As on a machine that has seen nothing newer.
    if has_place_for_locks() {
        let _ = fs::remove_file(crate::support::witness(&world));
    }
    restore(&world, &folder);
    world.hold(0);
    world.serve();
    assert_eq!(world.get("/v1/status")["mode"], "paused");
    world.ok(&["resume"], PASSPHRASE);
    assert_eq!(world.until(&action, "awaiting")["state"], "awaiting");
    assert!(world.sink.arrived().is_empty());
    world.ok(&["approve"], PASSPHRASE);
    world.until(&action, "succeeded");
    assert_eq!(world.sink.arrived().len(), 1);
}

#[test]
fn restore_does_nothing_while_a_home_runs_or_where_the_backup_is_none() {
    let (mut world, folder, _) = held_then_sent();
    world.serve();
    let before = fs::read(world.data().join("home/home.json")).unwrap();
    let (_, why) = world.fails(&["restore", folder.to_str().unwrap()], "");
    assert!(why.contains("nothing of the home was changed"), "{why}");
    assert!(!world.data().join("replaced-1").exists());
    assert_eq!(world.get("/v1/status")["mode"], json!("open"));
    world.kill();
    let refused = |folder: &Path| {
        let (_, why) = world.fails(&["restore", folder.to_str().unwrap()], "");
        assert!(!world.data().join("replaced-1").exists(), "{why}");
        assert_eq!(fs::read(world.data().join("home/home.json")).unwrap(), before, "{why}");
        why
    };
    assert!(refused(&world.folder.path().join("nowhere")).contains("there is no home"));
    // A database that is damaged, and a link in the place of a file.
    let damaged = backup(&world, "damaged");
    let mut bytes = fs::read(damaged.join("home/ledger.db")).unwrap();
    // Half of its pages: what no page of a table or an index uses is read by nobody.
    let (from, to) = (bytes.len() / 4, bytes.len() / 4 * 3);
    for at in (from..to).step_by(4096) {
        bytes[at..at + 64].fill(0xff);
    }
    fs::write(damaged.join("home/ledger.db"), bytes).unwrap();
    assert!(refused(&damaged).contains("cannot be used"));
    let linked = backup(&world, "linked");
    fs::remove_file(linked.join("home/keys.db")).unwrap();
    symlink("/etc/passwd", linked.join("home/keys.db")).unwrap();
    assert!(refused(&linked).contains("neither a file nor a folder"));
    world.serve();
}
