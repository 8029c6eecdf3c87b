//! The agent's answers, which are Markdown: a list of what is let through. HTML in them stays text, pictures become their words, and a link is
//! followed only where the person wrote its address themselves; else its address stands beside it, to be read.

use maud::{Markup, html};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Deepest lists and quotations that are shown as such: what is nested deeper is shown on that level.
const MAX_DEPTH: usize = 8;

/// An element that was begun: what closes it, and what it holds so far.
struct Open {
    tag: Tag<'static>,
    inside: Vec<Markup>,
}

/// Makes HTML of an answer. `said` is what the person wrote.
pub(crate) fn render(answer: &str, said: &str) -> Markup {
    let mut open: Vec<Open> = Vec::new();
    let mut done: Vec<Markup> = Vec::new();
    // Tags beyond the depth that is drawn: what they hold is, they are not.
    let mut skipped = 0_usize;
    for event in Parser::new_ext(answer, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES) {
        let piece = match event {
            Event::Start(_) if open.len() > MAX_DEPTH => {
                skipped += 1;
                continue;
            }
            Event::End(_) if skipped > 0 => {
                skipped -= 1;
                html! { " " }
            }
            Event::Start(tag) => {
                open.push(Open { tag: tag.into_static(), inside: Vec::new() });
                continue;
            }
            Event::End(end) => match open.pop() {
                Some(one) => close(one, end, said),
                None => continue,
            },
            Event::Code(text) => html! { code { (text.as_ref()) } },
            Event::SoftBreak => html! { "\n" },
            Event::HardBreak => html! { br; },
            Event::Rule => html! { hr; },
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => html! { (text.as_ref()) },
            Event::TaskListMarker(done) => html! { @if done { "[x] " } @else { "[ ] " } },
        };
        match open.last_mut() {
            Some(one) => one.inside.push(piece),
            None => done.push(piece),
        }
    }
    html! { div class="prose" dir="auto" { @for piece in done { (piece) } } }
}

fn close(open: Open, _: TagEnd, said: &str) -> Markup {
    let Open { tag, inside } = open;
    let inside = html! { @for piece in &inside { (piece) } };
    match tag {
        Tag::Paragraph => html! { p { (inside) } },
        // Below the page's own headings.
        Tag::Heading { level: HeadingLevel::H1 | HeadingLevel::H2, .. } => {
            html! { p class="heading" { strong { (inside) } } }
        }
        Tag::Heading { .. } => html! { p { strong { (inside) } } },
        Tag::BlockQuote(_) => html! { blockquote { (inside) } },
        Tag::CodeBlock(_) => html! { pre { code { (inside) } } },
        Tag::List(None) => html! { ul { (inside) } },
        Tag::List(Some(from)) => html! { ol start=(from) { (inside) } },
        Tag::Item => html! { li { (inside) } },
        Tag::Emphasis => html! { em { (inside) } },
        Tag::Strong => html! { strong { (inside) } },
        Tag::Strikethrough => html! { s { (inside) } },
        Tag::Table(_) => {
            html! { div class="wide" tabindex="0" role="region" aria-label="Table" { table { (inside) } } }
        }
        Tag::TableHead => html! { thead { tr { (inside) } } },
        Tag::TableRow => html! { tr { (inside) } },
        Tag::TableCell => html! { td { (inside) } },
        Tag::Link { dest_url, .. } => link(&dest_url, said, &inside),
        Tag::Image { dest_url, .. } => html! { (inside) " (picture at " bdi { (dest_url.as_ref()) } ")" },
        _ => html! { (inside) },
    }
}

fn link(to: &str, said: &str, label: &Markup) -> Markup {
    let is_web = to.starts_with("https://") || to.starts_with("http://");
    html! {
        @if is_web && wrote(said, to) { a href=(to) rel="noreferrer noopener" { (label) } }
        @else if label.0 == to { bdi class="url" { (to) } }
        @else { (label) " (" bdi class="url" { (to) } ")" }
    }
}

/// Tells whether an address stands in words of the person, whole.
fn wrote(said: &str, address: &str) -> bool {
    said.split(|c: char| c.is_whitespace() || "<>\"'()".contains(c))
        .any(|word| word.trim_end_matches(['.', ',', ';', ':', '!', '?']) == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(answer: &str, said: &str, expected: &str) {
        let shown = render(answer, said).into_string();
        let inside =
            shown.strip_prefix("<div class=\"prose\" dir=\"auto\">").and_then(|rest| rest.strip_suffix("</div>"));
        assert_eq!(inside, Some(expected));
    }

    #[test]
    fn what_answers_are_made_of_is_shown() {
        shows("Ana **can** on *Tuesday*.", "", "<p>Ana <strong>can</strong> on <em>Tuesday</em>.</p>");
        shows("- one\n- two", "", "<ul><li>one</li><li>two</li></ul>");
        shows("# Big", "", "<p class=\"heading\"><strong>Big</strong></p>");
        shows("`a<b`", "", "<p><code>a&lt;b</code></p>");
    }

    #[test]
    fn html_and_pictures_stay_words() {
        shows("<script>alert(1)</script>", "", "&lt;script&gt;alert(1)&lt;/script&gt;");
        shows("a <img src=x onerror=y> b", "", "<p>a &lt;img src=x onerror=y&gt; b</p>");
        shows(
            "![cat](https://evil.example/c.png)",
            "",
            "<p>cat (picture at <bdi>https://evil.example/c.png</bdi>)</p>",
        );
    }

    #[test]
    fn links_lead_only_where_the_person_wrote() {
        let answer = "[the page](https://example.org/a)";
        let text = "<p>the page (<bdi class=\"url\">https://example.org/a</bdi>)</p>";
        shows(answer, "", text);
        shows(answer, "look at https://example.org/ab", text);
        let leads = "<p><a href=\"https://example.org/a\" rel=\"noreferrer noopener\">the page</a></p>";
        shows(answer, "look at https://example.org/a.", leads);
        shows("[x](javascript:alert)", "javascript:alert", "<p>x (<bdi class=\"url\">javascript:alert</bdi>)</p>");
    }
}
