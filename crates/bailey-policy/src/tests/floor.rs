//! Takes each shipped rule out in turn: what it is for has to come out otherwise.

use super::*;
use bailey_gate::family::calendar::{CalendarAction, Change, Entry, Href, Writing};
use bailey_gate::family::shell::ShellAction;

/// Returns for each shipped rule something that it decides.
fn decided() -> Vec<(&'static str, Action, Facts)> {
    let note = || Action::Home(HomeAction::MemoryWrite { note: "n".into() });
    let read = Facts { untrusted_read: true, ..calm() };
    let undo = Facts { is_undo: true, ..calm() };
    let nobody = Facts { recipients: 0, others: 0, ..calm() };
    let own = tool(&[], Manifest { undoable: true, ..Manifest::unknown() });
    let fetches = tool(&[("url", sink())], Manifest { effect: Effect::Fetch, ..Manifest::unknown() });
    let pays = tool(&[("to", sink()), ("sum", Role::Amount)], Manifest::unknown());
    let looks = tool(&[], Manifest { effect: Effect::Read, ..Manifest::unknown() });
    vec![
        ("floor.level", send(1), Facts { level: Some(Level::Read), ..calm() }),
        ("floor.grant", send(1), Facts { grant_stands: false, ..calm() }),
        ("floor.critical", send(21), calm()),
        ("floor.mail-a-day", send(1), Facts { same_kind_today: 200, ..calm() }),
        ("floor.sent-and-drafts", trash(), Facts { into_sent_or_drafts: true, ..calm() }),
        ("floor.moves-a-day", trash(), Facts { same_kind_today: 300, ..calm() }),
        ("floor.unnamed-after-reading", send(1), Facts { ungrounded_recipients: 1, ..read.clone() }),
        ("floor.look-alike", send(1), Facts { look_alikes: 1, ..calm() }),
        ("floor.unreadable-recipient", pays.clone(), Facts { unreadable_recipients: true, ..calm() }),
        ("floor.amount", pays, Facts { unreadable_amount: true, ..calm() }),
        ("floor.undescribed-tool", own.clone(), Facts { undescribed: true, ..calm() }),
        ("floor.link-after-reading", send(1), Facts { foreign_links: 1, ..read.clone() }),
        ("floor.unnamed-files", send(1), Facts { attachments: 1, unnamed_files: 1, ..calm() }),
        ("floor.after-secrets", send(1), Facts { confidential_read: true, ..calm() }),
        ("floor.outside-the-task", send(1), Facts { outside_scope: true, ..calm() }),
        ("floor.more-than-meant", entry(), Facts { more_than_meant: true, ..nobody.clone() }),
        ("floor.recipients-off-the-task", send(1), Facts { off_task_recipients: 1, ..calm() }),
        ("floor.memory-after-reading", note(), read),
        ("default.command", command(), nobody.clone()),
        ("floor.beside-schedule", send(1), Facts { beside_schedule: true, ..calm() }),
        ("default.reply", Action::Home(HomeAction::Reply { words: "w".into() }), calm()),
        ("default.read", looks, calm()),
        ("default.own-mail", trash(), calm()),
        ("default.forget", Action::Home(HomeAction::MemoryForget { note: ActionId::from_bytes([1; 16]) }), undo),
        ("default.own-calendar", entry(), nobody),
        ("default.draft", Action::Mail(MailAction::Draft(message(1))), calm()),
        ("default.mailbox-draft", Action::Mail(MailAction::SaveDraft(message(1))), calm()),
        ("default.discard-draft", discard(), Facts { is_undo: true, ..calm() }),
        ("default.unmark", mark(), Facts { is_undo: true, ..calm() }),
        ("default.own-write", own, calm()),
        ("default.fetch", fetches, calm()),
    ]
}

fn command() -> Action {
    Action::Shell(ShellAction::Run { command: "ls".into(), seconds: 1, confidential: false })
}

fn discard() -> Action {
    let Action::Mail(MailAction::Trash(moving)) = trash() else { unreachable!("trashing moves a mail") };
    Action::Mail(MailAction::DiscardDraft(moving))
}

pub(super) fn mark() -> Action {
    let Action::Mail(MailAction::Trash(moving)) = trash() else { unreachable!("trashing moves a mail") };
    let (message, about) = (moving.message, moving.about);
    Action::Mail(MailAction::Mark(mail::Marking { message, mark: mail::Mark::Read, on: true, about }))
}

fn entry() -> Action {
    let after = Entry::new("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR\n").unwrap();
    let href = Href::new("/me/home/x.ics").unwrap();
    Action::Calendar(CalendarAction::Write(Writing { href, change: Change::Create { after }, told: None }))
}

/// Returns the rules a home starts with, but for one of them; under `granted`, everything goes that the floor does not stop.
fn without(rule: Option<&str>, granted: bool) -> CedarPolicy {
    let left = CedarPolicy::parts(SHIPPED).unwrap().into_iter().filter(|(id, ..)| Some(id.as_str()) != rule);
    let mut text: String = left.map(|(_, _, cedar)| cedar).collect();
    if granted {
        text.push_str("@id(\"mine\") @says(\"You said so.\") permit (principal, action, resource);");
    }
    CedarPolicy::new(&text).unwrap()
}

#[test]
fn each_shipped_rule_decides_something_that_comes_out_otherwise_without_it() {
    let decided = decided();
    let ids: Vec<String> = CedarPolicy::parts(SHIPPED).unwrap().into_iter().map(|(id, ..)| id).collect();
    for id in &ids {
        if id == "default.approved" {
            let asked = |rule| judge(&without(rule, false), mail::SEND, Class::Held, &calm()).decision;
            assert_eq!((asked(None), asked(Some(id))), (Decision::Ask, Decision::Deny));
            continue;
        }
        let (_, action, facts) =
            decided.iter().find(|(rule, ..)| rule == id).unwrap_or_else(|| panic!("nothing here is decided by `{id}`"));
        let granted = id.starts_with("floor.");
        let content = content(action.clone());
        let verdict = |policy: &CedarPolicy| judge(policy, content.action.kind(), content.class(), facts);
        let with = verdict(&without(None, granted));
        assert_eq!(with.reasons, [id.as_str()], "{with:?}");
        assert_eq!(with.decision == Decision::Auto, !granted, "{id}: {with:?}");
        assert_ne!(verdict(&without(Some(id), granted)).reasons, with.reasons, "{id}");
        // Above all, it is then less strict, or asks where it need not; what is critical stays so whatever the rules say.
        if id != "floor.critical" {
            assert_ne!(verdict(&without(Some(id), granted)).decision, with.decision, "{id}");
        }
    }
    assert!(decided.iter().all(|(rule, ..)| ids.iter().any(|id| id == rule)), "a rule that is not shipped");
}
