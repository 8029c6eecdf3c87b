//! The dashboard's pages: pure functions from views of the interface to HTML, and the files they name.
//!
//! Invariant of absence: nothing here opens anything, reads a clock, or decides; and nothing writes HTML that is not escaped: the name
//! of what would let it through stands nowhere in this crate (`cargo xtask layers`).
//!
//! # What the pages expect of whoever serves them
//!
//! Every page is `text/html; charset=utf-8` with `Cache-Control: no-store` and [`CONTENT_SECURITY_POLICY`]. Files are those of
//! [`asset()`], to be kept for ever. A page asks for itself anew, with `Accept: text/html`, whenever `/v1/events` (and the task's own
//! events, on its page) tells of a change, and takes over the parts whose `data-v` is another.
//!
//! ## Forms, which need no script
//!
//! `POST` with `application/x-www-form-urlencoded`; the answer is `303` to a page, or a page that says what is wrong.
//!
//! | path | fields | like |
//! |---|---|---|
//! | `/do/pause` | | `POST /v1/pause` |
//! | `/do/reject` | `id`, `note` | `POST /v1/approvals/reject` |
//! | `/do/take-back` | `id` | `POST /v1/cancel` |
//! | `/do/happened` | `id`, `happened` (`yes`, `no`) | `POST /v1/actions/{id}/resolve` |
//! | `/do/edit/{id}` | `to`, `cc`, `bcc` (one on a line), `subject`, `body`; of an entry `what`, `begins`, `ends`, `where`, `notes` | `POST /v1/approvals/{id}/edit`, then the new card; or the page again, with what cannot be used |
//! | `/do/task` | `words` | `POST /v1/tasks`, then `/talk/{id}` |
//! | `/do/task/files` | `multipart/form-data`: `words`, `file` (several) | puts the files into a folder of `Given`, then `POST /v1/tasks` with where they are |
//! | `/do/task/{id}/more` | `words` | `POST /v1/tasks/{id}/more` |
//! | `/do/task/{id}/stop` | | `POST /v1/tasks/{id}/stop` |
//! | `/do/task/{id}/take-back` | `ids` (a space between two) | `POST /v1/tasks/{id}/undo` of what only waits, then `/talk/{id}/undo` |
//! | `/do/connect/find` | `kind`, `address`, `name`, and where they are known `imap`, `submission`, `url`, `user` | looks for servers, then [`connect()`] with what was found |
//! | `/do/connections/{id}/revoke` | `to` (`/models`) | `POST /v1/connections/{id}/revoke`, then what the provider said |
//! | `/do/connections/{id}/default` | | `POST /v1/connections/{id}/default` |
//! | `/do/models/no-fallback` | | `POST /v1/config/narrow` that takes the other model away |
//! | `/do/first-steps/hide` | | `POST /v1/first-steps/hide` |
//! | `/do/rules/try` | `words` | `POST /v1/rules/try`, then [`autonomy()`] with the trial |
//! | `/do/rules/lockdown` | | `POST /v1/rules/lockdown` |
//! | `/do/rules/dismiss` | `id` | `POST /v1/rules/suggestions/{id}/dismiss` |
//! | `/do/schedules/preview` | `name`, `when`, `words`, `use-CONNECTION`, `late`, `overlap`, `zone`, `until`, `run_tokens`, `month_tokens`; `id` of one that is changed | `POST /v1/schedules/preview`, then [`schedules()`] or [`schedule()`] with what it would be |
//! | `/do/schedules/{id}/run`, `…/stop`, `…/delete` | | `POST /v1/schedules/{id}/run`, `…/stop`, `…/delete` |
//! | `/do/missed` | `times` (a space between two), `what` (`run`, `forget`) | `POST /v1/missed` |
//! | `/do/sessions/{id}/end`, `/do/sessions/end-all`, `/do/sign-out` | | ends sessions; then `/sign-in` where it was this one |
//! | `/do/notifications/{id}/try`, `/do/notifications/{id}/end` | | `POST /v1/notifications/{id}/try`, `…/end` |
//! | `/do/files/put` | `multipart/form-data`: `folder`, `into`, `file` (several) | puts files, up to 4 MB in all |
//! | `/do/files/{id}/move`, `/do/files/{id}/trash` | `version`, `to` | `POST /v1/files/{id}/move`, `…/trash` |
//! | `/do/files/{id}/restore`, `/do/files/{id}/versions/{n}/restore` | | `POST /v1/files/{id}/restore`, `…/versions/{n}/restore` |
//! | `/do/computer/start`, `/do/computer/stop` | | `POST /v1/computer/start`, `…/stop`, without waiting for it |
//! | `/do/log/export` | | `POST /v1/log/export`, as a file |
//! | `/do/log/export-readable`, `/do/log/export-csv` | `proof` | `POST /v1/log/export-readable`, `…/export-csv`, as a file; the script fills in what the touch gave |
//! | `/do/recover` | `code` | takes a recovery code, then [`claim()`] |
//!
//! Pages ask with `GET` for `/approvals/{id}/files/N`, `/approvals/{id}/original?html=`, its frame `/approvals/{id}/original/frame`, `/activity?q=&kind=&state=&account=&by=&from=&to=&before=`, `/talk?q=&before=`, `/context?q=&label=&before=`, `/connect?kind=`, `/models?offered=`, `/files?folder=&after=`, `/files/trash`, `/files/ID?version=`, `/autonomy?like=ACTION` and `/context/TASK/N`.
//!
//! ## Touches, which need a passkey and so the script
//!
//! A form with `data-touch` (the route) and `data-body` (JSON; `{"$": "x"}` stands for the value of its field `x`) makes the script
//!
//! 1. `POST /v1/challenge/passkey` with `{"path", "body"}` (a `RequestBody`), answered with a `PasskeyChallenge`; where nobody is signed in,
//!    `POST /v1/sessions/challenge`;
//! 2. call `navigator.credentials.get()`, nothing awaited in between;
//! 3. `POST` the body with its `proof` (a `ProofBody`) to the route.
//!
//! | route | body besides `proof` |
//! |---|---|
//! | `/v1/sessions` (sign in) | |
//! | `/v1/approvals/approve` | `shown` |
//! | `/v1/resume` | `epoch` |
//! | `/v1/actions/{id}/undo` | |
//! | `/v1/tasks/{id}/undo` (on [`undo_task()`]) | `undo`, `take_back` |
//! | `/v1/connections`, `/v1/sign-ins` (then the browser goes to its `url`, and comes back to `/oauth/back`) | `settings`, `level`, `password`, `replaces`, `back` |
//! | `/v1/config` | `change` |
//! | `/v1/connections/{id}/level` | `level` |
//! | `/v1/schedules` | `plan` |
//! | `/v1/rules` | `change` |
//! | `/v1/notifications` | `place`, `password` |
//! | `/v1/passkeys/{id}/end` | |
//! | `/v1/recovery-codes` (shown on [`recovery_codes()`]) | |
//! | `/v1/browsers/link` (before a passkey is made from the settings; its token is shown on [`passphrase_code()`]) | |
//! | `/v1/log/export-readable` (posted to `/do/log/export-readable`) | |
//! | `/v1/log/export-csv` (posted to `/do/log/export-csv`) | |
//! | `/v1/files/trash/empty` | |
//! | `/v1/computer/destroy` | |
//! | `/v1/home/delete` | |
//!
//! A new passkey is made by a form with `data-create`, on [`claim()`] by the token behind `#` in the address, in the settings by one of
//! `/v1/browsers/link`: `POST /v1/browsers/options`, `navigator.credentials.create()`, `POST /v1/browsers/claim`. The codes that come with the
//! first are shown on [`recovery_codes()`].

mod activity;
mod approvals;
mod assets;
mod autonomy;
mod card;
mod carried;
mod computer;
mod connections;
mod context;
mod enter;
mod files;
mod frame;
mod markdown;
mod models;
mod notifications;
mod records;
mod schedules;
mod settings;
mod talk;
mod touch;
mod trouble;
mod words;

pub use activity::{Filter, action, activity};
pub use approvals::{Editing, Waiting, approvals, card as one_approval, edit, mail_fields};
pub use assets::{WORKER, asset};
pub use autonomy::{Autonomy, Draft, KindRow, Profile, autonomy};
pub use carried::{Seen, file, original};
pub use computer::computer;
pub use connections::{Connecting, Offer, connect, connections, signed_in};
pub use context::{Request, context};
pub use enter::{claim, passphrase_code, recovery_codes, sign_in};
pub use files::{files, own_file, trash};
pub use frame::{Frame, Mode, Section, Step};
pub use models::models;
pub use notifications::{manifest, notifications};
pub use records::{Looked, requests};
pub use schedules::{OwnAccount, ScheduleForm, schedule, schedules};
pub use settings::{Daily, Device, Session, Settings, settings};
pub use talk::{history, talk, task, undo_task};
pub use trouble::{Reader, trouble};
pub use words::kind as kind_in_words;

macro_rules! policy {
    ($types:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
             manifest-src 'self'; worker-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; ",
            $types
        )
    };
}

/// The policy that every page is to be served with (CSP Level 3, Trusted Types): no script and no style but the crate's own files, and no
/// text that becomes HTML.
pub const CONTENT_SECURITY_POLICY: &str = policy!("trusted-types 'none'");

/// The policy of the page [`notifications()`]: its script names the service worker, and no other.
pub const NOTIFICATIONS_POLICY: &str = policy!("trusted-types worker");
