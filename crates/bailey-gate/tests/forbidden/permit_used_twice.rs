use bailey_gate::{Gate, Now, Permit};

fn twice(gate: &Gate, permit: Permit, now: Now) {
    let _first = gate.claim(permit, now);
    let _second = gate.claim(permit, now);
}

fn main() {
    let _ = twice;
}
