use bailey_gate::Permit;

fn copy(permit: &Permit) -> Permit {
    permit.clone()
}

fn main() {
    let _ = copy;
}
