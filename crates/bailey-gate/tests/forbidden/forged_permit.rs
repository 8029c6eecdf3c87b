use bailey_gate::{ActionId, Digest, Permit};

fn main() {
    let _permit = Permit { id: ActionId::from_bytes([0; 16]), digest: Digest::from_bytes([0; 32]) };
}
