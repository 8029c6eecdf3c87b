use std::sync::Arc;

use bailey_gate::family::Action;
use bailey_gate::handoff::Trigger;
use bailey_gate::Claimed;

fn forge(action: Action, trigger: Arc<Trigger>) -> Claimed {
    Claimed { action, bound: unreachable!(), artefact: Vec::new(), trigger }
}

fn main() {
    let _ = forge;
}
