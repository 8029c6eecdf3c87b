//! `bailey search`: actions, tasks and model requests by their words; and who received what.

use std::io::{self, Write};

use bailey_home::routes;
use bailey_interface::{FoundRequestsView, FoundTasksView, FoundView, ReceivedView};

use crate::args::Search;
use crate::client::{Client, Trouble};
use crate::commands::cards;
use crate::show;

/// Writes a value for a query (RFC 3986, section 2.1).
fn encoded(value: &str) -> String {
    let one = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    value.bytes().map(one).collect()
}

/// Finds what is asked for.
pub(crate) async fn run(client: &Client, search: Search, json: bool) -> Result<(), Trouble> {
    let words = encoded(&search.words.join(" "));
    let place = search.before.map(|before| before.to_string()).unwrap_or_default();
    if search.tasks {
        let route = with(routes::SEARCH_TASKS.here().with("q", words).with("limit", search.limit), "before", &place);
        let found: FoundTasksView = client.get(&route).await?;
        return Ok(show::print(json, &found, |out| {
            found.tasks.iter().try_for_each(|one| show::task_summary(out, one))?;
            rest(out, found.tasks.is_empty(), found.before, (found.indexed, found.entries))
        })?);
    }
    if search.requests {
        let route = with(routes::SEARCH_REQUESTS.here().with("q", words).with("limit", search.limit), "before", &place);
        let found: FoundRequestsView = client.get(&route).await?;
        return Ok(show::print(json, &found, |out| requests(out, &found))?);
    }
    let mut route = routes::SEARCH.here().with("q", words).with("limit", search.limit);
    for (name, value) in [
        ("kind", search.kind),
        ("state", search.state),
        ("account", search.account),
        ("by", search.by),
        ("from", search.from),
        ("to", search.to),
        ("before", Some(place)),
    ] {
        route = with(route, name, &value.unwrap_or_default());
    }
    let found: FoundView = client.get(&route).await?;
    Ok(show::print(json, &found, |out| {
        cards(out, &found.actions)?;
        rest(out, false, found.before, (found.indexed, found.entries))
    })?)
}

/// Adds a value to a query where there is one.
fn with<A>(route: routes::Address<(), A>, name: &str, value: &str) -> routes::Address<(), A> {
    if value.is_empty() { route } else { route.with(name, encoded(value)) }
}

fn rest(out: &mut dyn Write, none: bool, before: Option<u64>, (found, all): (u64, u64)) -> io::Result<()> {
    if none {
        writeln!(out, "Nothing like that.")?;
    }
    if found < all {
        writeln!(out, "The search index is being made: {found} of {all} entries can be found so far.")?;
    }
    match before {
        Some(before) => writeln!(out, "There may be more: the same again with --before {before}"),
        None => Ok(()),
    }
}

fn requests(out: &mut dyn Write, found: &FoundRequestsView) -> io::Result<()> {
    for piece in &found.pieces {
        let from = if piece.source.is_empty() { String::new() } else { format!(" ({})", piece.source) };
        writeln!(out, "{}{from}", piece.label)?;
        piece.excerpt.split('\n').try_for_each(|line| writeln!(out, "   | {line}"))?;
        for [first, last] in &piece.held {
            let until = if first == last { String::new() } else { format!(" to {last}") };
            writeln!(out, "  bailey context show {} {first}{until}", piece.task)?;
        }
    }
    rest(out, found.pieces.is_empty(), found.before, (found.indexed, found.entries))
}

/// Says who received what.
pub(crate) async fn received(client: &Client, json: bool) -> Result<(), Trouble> {
    let all: Vec<ReceivedView> = client.get(&routes::RECEIVED.here()).await?;
    Ok(show::print(json, &all, |out| {
        for one in &all {
            let ReceivedView { month, provider, model, requests, bytes, input_tokens, output_tokens, .. } = one;
            writeln!(out, "{month}  {provider}  {model}")?;
            writeln!(out, "  {requests} request(s), {bytes} bytes, {} secret(s) kept back", one.kept_back)?;
            writeln!(out, "  {input_tokens} tokens read, {output_tokens} written, {:.4} at your prices", one.cost)?;
        }
        if all.is_empty() { writeln!(out, "Nothing was sent to a model yet.") } else { Ok(()) }
    })?)
}
