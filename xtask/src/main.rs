//! Development commands; `cargo xtask help` lists them.

use std::path::Path;
use std::process::ExitCode;

use xtask::demo::Mode;
use xtask::image::Variant;
use xtask::{
    demo, faults, fuzz, image, injection, install, layers, mailbox, model, mutants, mutations, scripts, sim, test,
    tour, trial,
};

const HELP: &str = "cargo xtask COMMAND

  demo [--yes]   install what it needs, start real mail and calendar servers, and run the main job
       --check   the same without a person; prints one JSON summary
       --clean   remove what the demo made
  test [--yes]   install what the tests need, check the sources, run every test
  image [--small|--full] [--fresh] [--yes]
                 build the image of the agent's computer out of Debian packages, with the tools of a shell: a minute or two;
                 --small is Debian alone, for the tests; --full has a browser, an office and video;
                 --fresh makes its root anew, with the packages of today
  servers        install the mail, calendar and sign-in servers the tests talk to
  model [--yes]  fetch the small local model of demo and trial (1.1 GB), if it can run on this machine
       --check   show that its server runs on every x86-64 processor with AVX2: objdump, and an emulator
  tour           take the pictures of docs/tour.md anew, by the browser test that goes through the pages
  trial [--yes]  run the main job twenty times with that model; takes a quarter of an hour on an idle machine
  sim [--seed N] [--runs M] [--pauses] [--tell]
                 run the gate in a simulated world with crashes, faults and pauses; one seed is one run
      --seeded-bugs [WORD…]
                 plant bugs in a copy of the source and see that the simulator finds them
  bench [--folder FOLDER] [--entries N]
                 figures beside references of the same run; some minutes on an idle machine
  bench injection [--profile NAME] [--suite NAME] [--plain]
                 what is left to an attacker who owns the model; installs AgentDojo
  bench mailbox [--mails N]
                 a mailbox of 50,000 mails and 200 calendars, beside Python asking the same servers; installs caldav
  fuzz [TARGET…] [--minutes N | --up-to N]
                 feed hostile bytes to every parser, led by coverage; five minutes each if nobody says;
                 --up-to goes on until each has run so long in all, and may run more than once at a time
  faults [kills|pauses|disk|calls|torn [TIMES]]
                 kill, pause and starve the real processes, let their disk fail, cut their write-ahead log;
                 half an hour, as root, needs strace
  mutations [--list | --since COMMIT] [ID…]
                 take each control out of a copy of the source and see that its test fails; an hour and more;
                 ID is that of a claim (PAUSE-4), of a control (pause/hand-off-lock) or a part of one (pause/);
                 --since takes out only what lies in files changed since then
  mutants [--since COMMIT] [--part K/N] [CRATE…]
                 change gate, policy and ledger by machine and see that a test notices; takes hours, or minutes
                 for what changed since a commit, or for one part of N
  scripts        check the types of the dashboard's scripts
  layers         check which crate depends on which, and the documents against the source
  help           this text

--yes installs missing packages without asking; so does CI=true.
";

fn build_image(arguments: &[&str]) -> Result<(), String> {
    let (mut variant, mut fresh, mut yes) = (Variant::Shell, false, false);
    for argument in arguments {
        match *argument {
            "--small" => variant = Variant::Small,
            "--full" => variant = Variant::Full,
            "--fresh" => fresh = true,
            "--yes" => yes = true,
            other => {
                return Err(format!("`{other}` is not known; `cargo xtask image [--small|--full] [--fresh] [--yes]`"));
            }
        }
    }
    image::build(variant, fresh, yes)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(Mode::Shown, false),
        ["demo", "--yes"] => demo::run(Mode::Shown, true),
        ["demo", "--check"] => demo::run(Mode::Checked, false),
        ["demo", "--check", "--yes"] | ["demo", "--yes", "--check"] => demo::run(Mode::Checked, true),
        ["demo", "--clean"] => demo::clean(),
        ["test"] => test::run(false),
        ["test", "--yes"] => test::run(true),
        ["image", "--finish", work, made] => image::finish_root(Path::new(work), Path::new(made)),
        ["image", arguments @ ..] => build_image(arguments),
        ["servers"] => install::servers(),
        ["model"] => install::packages(false).and_then(|()| model::install(false)),
        ["model", "--yes"] => install::packages(true).and_then(|()| model::install(true)),
        ["model", "--check"] => model::check::run_check(false),
        ["model", "--check", "--yes"] | ["model", "--yes", "--check"] => model::check::run_check(true),
        ["tour"] => tour::run(),
        ["trial"] => trial::run(trial::RUNS, trial::WANTED, false),
        ["trial", "--yes"] => trial::run(trial::RUNS, trial::WANTED, true),
        ["trial", "--yes", runs] => match runs.parse() {
            Ok(runs) => trial::run(runs, 0, true),
            Err(_) => Err(format!("`{runs}` is no number of runs")),
        },
        ["sim", "--seeded-bugs", only @ ..] => mutations::seeded::run(only),
        ["sim", arguments @ ..] => sim::run_with(arguments),
        ["bench", "injection", arguments @ ..] => injection::run_with(arguments),
        ["bench", "mailbox", arguments @ ..] => mailbox::run_with(arguments),
        ["bench", arguments @ ..] => sim::bench_with(arguments),
        ["fuzz", arguments @ ..] => fuzz::run_with(arguments),
        ["faults", arguments @ ..] => faults::run_with(arguments),
        ["mutations", "--list"] => mutations::list(),
        ["mutations", "--since", revision] => mutations::run_since(revision),
        ["mutations", only @ ..] => mutations::run(only),
        ["mutants", arguments @ ..] => mutants::run_with(arguments),
        ["layers"] => layers::check(),
        ["scripts"] => scripts::check(),
        ["help"] | [] => {
            eprint!("{HELP}");
            Ok(())
        }
        _ => Err(format!("`{}` is not a command\n\n{HELP}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
