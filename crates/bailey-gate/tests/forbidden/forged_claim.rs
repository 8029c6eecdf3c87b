use std::sync::Arc;

use bailey_gate::content::Content;
use bailey_gate::handoff::Trigger;
use bailey_gate::Claimed;

fn forge(content: Content, trigger: Arc<Trigger>) -> Claimed {
    Claimed { content, artefact: Vec::new(), trigger }
}

fn main() {
    let _ = forge;
}
