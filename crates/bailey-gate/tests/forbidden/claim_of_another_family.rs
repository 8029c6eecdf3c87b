use bailey_gate::family::calendar::CalendarAction;
use bailey_gate::family::mail::MailAction;
use bailey_gate::{Claimed, Connector};

fn act(mail: &dyn Connector<MailAction>, claimed: Claimed<CalendarAction>) {
    let _settled = mail.execute(claimed);
}

fn main() {
    let _ = act;
}
