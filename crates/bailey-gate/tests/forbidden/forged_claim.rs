use std::sync::Arc;

use bailey_gate::family::Action;
use bailey_gate::handoff::EffectToken;
use bailey_gate::Claimed;

fn forge(action: Action, token: Arc<EffectToken>) -> Claimed {
    Claimed { action, bound: unreachable!(), artefact: Vec::new(), token }
}

fn main() {
    let _ = forge;
}
