//! What goes over a connection with a guard before it: a server on this machine notes what arrives, and answers when told to.

use std::sync::Arc;

use bailey_gate::handoff::{HandoffLock, Mode, PauseState, SystemEgress};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use bailey_gate::family::mail::{Mark, Summary};

use super::*;

/// A connection for an errand, and its other end.
struct Both {
    here: ImapStream,
    there: TcpStream,
}

impl Both {
    async fn new(errand: Errand) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = Link::Plain(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let lock = Arc::new(HandoffLock::new(PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 }));
        let authority = EgressAuthority::System(lock, SystemEgress::Preparation);
        let there = listener.accept().await.unwrap().0;
        Self { here: ImapStream::new(link, errand, authority), there }
    }

    /// Says a line; tells whether it may be said, and if so, that it arrived.
    async fn says(&mut self, line: &str) -> bool {
        if self.here.write_all(format!("{line}\r\n").as_bytes()).await.is_err() {
            return false;
        }
        let mut arrived = vec![0; line.len() + 2];
        self.there.read_exact(&mut arrived).await.unwrap();
        assert_eq!(arrived, format!("{line}\r\n").as_bytes());
        true
    }

    async fn hears(&mut self, answer: &str) {
        self.there.write_all(answer.as_bytes()).await.unwrap();
        let mut heard = vec![0; answer.len()];
        self.here.read_exact(&mut heard).await.unwrap();
    }

    /// Returns what arrived, in all, once the connection ended.
    async fn arrived(self) -> Vec<u8> {
        let Self { here, mut there } = self;
        drop(here);
        let mut rest = Vec::new();
        there.read_to_end(&mut rest).await.unwrap();
        rest
    }
}

fn moving() -> Errand {
    let folder = |name| FolderName::new(name).unwrap();
    let message = MessageRef { folder: folder("INBOX"), uid_validity: 1, uid: 7 };
    Errand::Move { message, to: folder("Archive"), makes: false }
}

/// A line ahead of an announced message would be read as a command of its own, before the server has asked for anything.
#[tokio::test]
async fn two_lines_at_once_do_not_pass_whatever_they_end_in() {
    let keep =
        || Errand::Keep { folder: FolderName::new("Sent").unwrap(), bytes: b"a message\r\n".to_vec(), effect: false };
    let announcement = "A2 APPEND \"Sent\" (\\Seen) {11}\r\n";
    for first in ["A1 DELETE \"INBOX\"\r\n", "A1 NOOP\r\n", "A1 DELETE \"INBOX\"\n", "\r\n", "\r"] {
        let mut both = Both::new(keep()).await;
        let two = format!("{first}{announcement}");
        assert!(both.here.write_all(two.as_bytes()).await.is_err(), "{two:?}");
        assert!(both.arrived().await.is_empty(), "{two:?}");
    }
    for two in ["A1 NOOP\r\nA2 NOOP\r\n", "A1 NOOP\r\n\r\n", "A1 NOOP\rA2 NOOP\r\n", "A1 NOOP\nA2 NOOP\r\n"] {
        let mut both = Both::new(Errand::Look).await;
        assert!(both.here.write_all(two.as_bytes()).await.is_err(), "{two:?}");
        assert!(both.arrived().await.is_empty(), "{two:?}");
    }
    let mut both = Both::new(keep()).await;
    assert!(both.says(announcement.trim_end()).await);
    assert!(both.here.write_all(b"A3 DELETE \"INBOX\"\r\n").await.is_err(), "before the server asks");
    both.hears("+ go\r\n").await;
    assert!(both.here.write_all(b"A3 DELETE \"INBOX\"\r\n").await.is_err(), "in place of the message");
    assert!(both.arrived().await.is_empty());
}

/// The number names another message in another folder.
#[tokio::test]
async fn a_message_is_moved_and_copied_out_of_its_own_folder_alone() {
    for verb in ["MOVE", "COPY"] {
        let line = format!("A2 UID {verb} 7 \"Archive\"");
        let mut both = Both::new(moving()).await;
        assert!(!both.says(&line).await, "with no folder open");
        let mut both = Both::new(moving()).await;
        assert!(both.says("A1 EXAMINE \"Other\"").await);
        assert!(!both.says(&line).await, "in another folder");
        let mut both = Both::new(moving()).await;
        assert!(both.says("A1 SELECT \"INBOX\"").await && both.says("A2 EXAMINE \"INBOX\"").await);
        assert!(!both.says(&line).await, "in a folder that is only looked at");
        let mut both = Both::new(moving()).await;
        assert!(both.says("A1 EXAMINE \"Other\"").await && both.says("A1 SELECT \"INBOX\"").await);
        assert!(both.says(&line).await, "in its own");
    }
}

/// One mark, of one message, in its own folder, and nothing else that flags could say.
#[tokio::test]
async fn one_mark_of_one_message_is_set_in_its_own_folder() {
    let marking = || {
        let Errand::Move { message, .. } = moving() else { unreachable!("it moves") };
        let marking = Marking { message, mark: Mark::Read, on: true, about: Summary::default() };
        Errand::Mark(Box::new(marking))
    };
    let line = "A2 UID STORE 7 +FLAGS.SILENT (\\Seen)";
    let mut both = Both::new(marking()).await;
    assert!(!both.says(line).await, "with no folder open");
    let mut both = Both::new(marking()).await;
    assert!(both.says("A1 SELECT \"INBOX\"").await && both.says(line).await);
    for bad in [
        "A2 UID STORE 8 +FLAGS.SILENT (\\Seen)",
        "A2 UID STORE 1:* +FLAGS.SILENT (\\Seen)",
        "A2 UID STORE 7 -FLAGS.SILENT (\\Seen)",
        "A2 UID STORE 7 FLAGS.SILENT (\\Seen)",
        "A2 UID STORE 7 +FLAGS.SILENT (\\Seen \\Deleted)",
        "A2 UID STORE 7 +FLAGS.SILENT (\\Deleted)",
        "A2 STORE 7 +FLAGS.SILENT (\\Seen)",
        "A2 UID EXPUNGE 7",
        "A2 UID MOVE 7 \"Archive\"",
        "A2 SELECT \"Other\"",
    ] {
        let mut both = Both::new(marking()).await;
        assert!(both.says("A1 SELECT \"INBOX\"").await && !both.says(bad).await, "{bad}");
    }
}

/// A server that knows no moving: the message is removed where it was once it is copied, and in no other case.
#[tokio::test]
async fn a_copied_message_is_removed_once_the_server_said_so() {
    let (copy, mark, remove) =
        ("A2 UID COPY 7 \"Archive\"", "A3 UID STORE 7 +FLAGS.SILENT (\\Deleted)", "A4 UID EXPUNGE 7");
    let copied = async |answer: &'static str| {
        let mut both = Both::new(moving()).await;
        assert!(both.says("A1 SELECT \"INBOX\"").await);
        both.hears("* 1 EXISTS\r\nA1 OK\r\n").await;
        assert!(both.says(copy).await);
        both.hears(answer).await;
        both
    };
    let mut both = copied("A2 OK [COPYUID 1 7 9] copied\r\n").await;
    assert!(both.says(mark).await && both.says(remove).await);
    for refused in ["A2 NO over quota\r\n", "A2 BAD what\r\n", "* 2 EXISTS\r\n"] {
        for line in [mark, remove] {
            assert!(!copied(refused).await.says(line).await, "{refused} {line}");
        }
    }
    let mut both = copied("* 2 EXISTS\r\n").await;
    assert!(!both.says("A3 NOOP").await, "an answer to something else could be taken for the copy's");
    let mut both = copied("A2 OK\r\n").await;
    assert!(both.says("A3 EXAMINE \"Other\"").await);
    assert!(!both.says(mark).await, "in another folder");
}
