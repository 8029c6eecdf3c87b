use super::*;

fn text(html: &str) -> String {
    render(html).text
}

#[test]
fn words_stand_as_a_reader_sees_them() {
    for (html, shown) in [
        ("<p>Hello,</p><p>a &amp; b&nbsp;&euro;5</p>", "Hello,\n\na & b €5"),
        ("one<br>two<br/>three</br>four", "one\ntwo\nthree\nfour"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<div>a<div>b</div>c</div>", "a\nb\nc"),
        ("a\n  b\t c", "a b c"),
        ("<b>bo</b>ld", "bold"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<ul><li>one<li>two<ul><li>deep</ul></ul>after", "- one\n- two\n  - deep\nafter"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        (
            "x<blockquote>quoted<br>twice<blockquote>deep</blockquote></blockquote>y",
            "x\n\n> quoted\n> twice\n>\n> > deep\n\ny",
        ),
        ("a<hr>b", "a\n---\nb"),
        ("<s>100</s> 80", "~~100~~ 80"),
        ("<html><head><title>t</title><style>p{}</style></head><body>b<script>x()</script></body>", "b"),
        ("<!-- no --><!--[if mso]>no<![endif]--><![if !mso]>yes<![endif]>", "yes"),
        (
            "<img src=cid:1><img src=cid:2 alt='A cat'><img src=http://x/p.gif width=1 height=1 alt=no>",
            "[picture][picture: A cat]",
        ),
        ("<textarea>typed</textarea>", "typed"),
        ("<p>no end", "no end"),
        ("</p></div>x</td>", "x"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("", ""),
    ] {
        assert_eq!(text(html), shown, "{html}");
    }
}

#[test]
fn columns_are_kept_apart() {
    let table =
        "<table><tr><th>Item<th>Price</tr><tr><td>Tea</td><td>3,50 €</td></tr><tr><td></td><td>Sum</td></tr></table>";
    assert_eq!(text(table), "Item | Price\nTea | 3,50 €\n | Sum");
    let layout = "<table role=presentation><tr><td>&nbsp;</td><td><table><tr><td>Hello</td></tr><tr><td><p>Two</p><p>parts</p></td><td>side</td></tr></table></td></tr></table>";
    assert_eq!(text(layout), "Hello\nTwo\n\nparts\nside");
    assert_eq!(text("<table><tr><td>a<td>b<tr><td>c<td>d</table>after"), "a | b\nc | d\nafter");
    assert_eq!(
        text("<table><tbody><tr><td>Mon</td><td>9:00</td><td>10:00</td></tr></tbody></table>"),
        "Mon | 9:00 | 10:00"
    );
}

#[test]
fn links_are_told_with_where_they_lead() {
    for (html, shown) in [
        ("<a href='https://example.org/x'>Read on</a>.", "Read on <https://example.org/x>."),
        ("<a href='https://example.org/'>https://example.org</a>", "https://example.org"),
        ("<a href='mailto:a@example.org'>a@example.org</a>", "a@example.org"),
        ("<a name=x>anchor</a>", "anchor"),
        ("<a href='https://example.org/t'></a>x", "x"),
        ("<a href='https://example.org/t'><img alt=Shop src=x></a>", "[picture: Shop] <https://example.org/t>"),
        (
            "<a href=https://example.org/1>a<a href=https://example.org/2>b</a>",
            "a <https://example.org/1>b <https://example.org/2>",
        ),
    ] {
        assert_eq!(text(html), shown, "{html}");
    }
    let lie = render("<a href=\"http://evil.example/x\">http://good.example/account</a>");
    assert_eq!(
        lie.text,
        "http://good.example/account <http://evil.example/x> [careful: this link shows good.example, but leads to evil.example]"
    );
    assert_eq!(lie.misleading.len(), 1);
}

#[test]
fn hidden_text_is_left_out_or_marked() {
    for hiding in [
        "<div style='display:none'>SECRET</div>",
        "<div style='display:none'><p style='display:block'>SECRET</p></div>",
        "<p hidden>SECRET</p>",
        "<span style='visibility:hidden'>SECRET</span>",
        "<span style='font-size:0'>SECRET</span>",
        "<span style='font-size:1px'>SECRET</span>",
        "<span style='font:0/0 a'>SECRET</span>",
        "<div style='font-size:0.01em'>SECRET</div>",
        "<div style='max-height:0px;overflow:hidden'>SECRET</div>",
        "<div style='height:0;width:0;overflow:hidden'>SECRET</div>",
        "<div style='opacity:0'>SECRET</div>",
        "<div style='position:absolute;left:-10000px'>SECRET</div>",
        "<style>.x{display:none}</style><p class=x>SECRET</p>",
        "<p class=x>SECRET</p><style>.x{display:none}</style>",
        "<template>SECRET</template>",
        "<!-- SECRET -->",
        "<div aria-hidden=true style='display:none;font-size:1px'>SECRET</div>",
        "<table style='display:none'><tr><td>SECRET</td></tr></table>",
        "<a href=https://example.org style='display:none'>SECRET</a>",
        "<img alt=SECRET style='display:none' src=x>",
        "<p style='display:none'>SECRET<span>SECRET</p>",
    ] {
        let rendered = render(&format!("<p>before</p>{hiding}<p>after</p>"));
        assert!(!rendered.text.contains("SECRET"), "{hiding}: {}", rendered.text);
        assert!(rendered.text.contains("before") && rendered.text.contains("after"), "{hiding}: {}", rendered.text);
    }
    for marked in [
        "<span style='color:#fff'>SECRET</span>",
        "<font color=white>SECRET</font>",
        "<div style='background:#000'><span style='color:black'>SECRET</span></div>",
        "<td bgcolor=#eeeeee><span style='color:#efefef'>SECRET</span></td>",
        "<span style='color:transparent'>SECRET</span>",
        "<style>.w{color:#fefefe}</style><b class=w>SECRET</b>",
    ] {
        let rendered = render(marked);
        assert_eq!(rendered.text, "[not visible to a reader: SECRET]", "{marked}");
        assert_eq!(rendered.hidden.marked, 1);
    }
}

#[test]
fn what_is_seen_is_not_taken_for_hidden() {
    for shown in [
        "<td style='font-size:0'><div style='font-size:14px'>SEEN</div></td>",
        "<div style='visibility:hidden'><b style='visibility:visible'>SEEN</b></div>",
        "<div style='background:#000'><b style='color:#fff'>SEEN</b></div>",
        "<table bgcolor=#003366><tr><td><font color=#ffffff>SEEN</font></td></tr></table>",
        "<div style='background-image:url(x.png)'><b style='color:#fff'>SEEN</b></div>",
        "<div style='color:#fff;background:#36c'><a href=mailto:a@example.org>SEEN</a></div>",
        "<style>@media (max-width:600px){.m{display:none}}</style><p class=m>SEEN</p>",
        "<p style='line-height:0'>SEEN</p>",
        "<p style='display:none'></p>SEEN",
        "<div style='max-height:0;max-height:none'>SEEN</div>",
    ] {
        let rendered = render(shown);
        assert!(rendered.text.starts_with("SEEN"), "{shown}: {}", rendered.text);
        assert_eq!(rendered.hidden, crate::Hidden::default(), "{shown}");
    }
}

#[test]
fn hostile_documents_come_to_an_end() {
    for piece in [
        "<div>",
        "<table><tr><td>",
        "<blockquote>",
        "<a href=x>",
        "<b><i>",
        "</div>",
        "<p>x",
        "<li>x",
        "<ul>",
        "<style>",
        "<td class='a b c d e'>",
        "&amp",
        "<!--",
        "<",
        "<x y=z ",
    ] {
        let html = piece.repeat(40_000 / piece.len());
        let _ = render(&html);
        let styled = format!("<style>{}</style>{}", ".a{color:red} ".repeat(3_000), html);
        let _ = render(&styled);
    }
}
