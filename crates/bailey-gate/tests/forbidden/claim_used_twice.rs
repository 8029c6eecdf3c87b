use bailey_gate::{Claimed, Connector};

fn twice(connector: &dyn Connector, claimed: Claimed) {
    let _first = connector.execute(claimed);
    let _second = connector.execute(claimed);
}

fn main() {
    let _ = twice;
}
