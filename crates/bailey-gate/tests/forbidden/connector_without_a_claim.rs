use bailey_gate::Connector;
use bailey_gate::content::Content;

fn act(connector: &dyn Connector, content: Content) {
    let _settled = connector.execute(content);
}

fn main() {
    let _ = act;
}
