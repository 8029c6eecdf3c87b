use bailey_gate::{ActionId, Effect, Outcome, Settled};

fn main() {
    let _settled = Settled { id: ActionId::from_bytes([0; 16]), outcome: Outcome::new(Effect::Done, "") };
}
