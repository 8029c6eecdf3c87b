use bailey_gate::{Claimed, Connector};

fn twice(connector: &dyn Connector, claimed: Claimed) {
    let _first = connector.carry_out(claimed);
    let _second = connector.carry_out(claimed);
}

fn main() {
    let _ = twice;
}
