//! As much of CSS as hides text: in attributes, and in rules with simple selectors.

use std::collections::HashMap;

/// Most rules of a message's style sheets that are read, and most that are asked about one element.
const MAX_RULES: usize = 2_000;
const MAX_ASKED: usize = 200;
/// Letters smaller than this, in pixels, are not read by anybody.
pub(super) const READABLE_PX: f32 = 2.0;
const DEFAULT_PX: f32 = 16.0;
/// How far outside of the window text has to stand to be out of sight, in pixels.
const OUTSIDE_PX: f32 = -400.0;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// What is said of how an element looks; `None` where nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Style {
    /// `display: none`, or what comes to the same.
    pub(super) gone: Option<bool>,
    pub(super) block: Option<bool>,
    pub(super) invisible: Option<bool>,
    pub(super) transparent: Option<bool>,
    pub(super) outside: Option<bool>,
    pub(super) no_height: Option<bool>,
    pub(super) no_width: Option<bool>,
    pub(super) clips: Option<bool>,
    /// In pixels, or as a share of what is around where negative.
    pub(super) size: Option<f32>,
    pub(super) color: Option<Paint>,
    pub(super) background: Option<Paint>,
    pub(super) keeps_breaks: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Solid(Rgb),
    /// Seen through.
    None,
    /// A picture, or a name that is not known.
    Unknown,
}

impl Style {
    fn over(&mut self, other: &Self) {
        macro_rules! take {
            ($($field:ident),*) => { $(self.$field = other.$field.or(self.$field);)* };
        }
        take!(
            gone,
            block,
            invisible,
            transparent,
            outside,
            no_height,
            no_width,
            clips,
            size,
            color,
            background,
            keeps_breaks
        );
    }

    /// Tells whether nothing of an element is seen, whatever its children say.
    pub(super) fn hides(&self) -> bool {
        let is = |flag: Option<bool>| flag == Some(true);
        let shut = is(self.clips) && (is(self.no_height) || is(self.no_width));
        is(self.gone) || is(self.transparent) || is(self.outside) || shut
    }
}

/// Declarations: those that give way, and those marked `!important`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Declared {
    plain: Style,
    important: Style,
}

/// Reads declarations, as a `style` attribute holds them.
pub(super) fn declarations(text: &str) -> Declared {
    let mut declared = Declared::default();
    for one in text.split(';') {
        let Some((name, value)) = one.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().to_ascii_lowercase();
        let (value, important) = match value.split_once('!') {
            Some((value, mark)) => (value.trim().to_owned(), mark.trim() == "important"),
            None => (value, false),
        };
        declare(if important { &mut declared.important } else { &mut declared.plain }, &name, &value);
    }
    declared
}

fn declare(style: &mut Style, name: &str, value: &str) {
    match name {
        "display" => {
            style.gone = Some(value == "none");
            style.block = match value {
                "block" | "flex" | "grid" | "list-item" | "table" => Some(true),
                "inline" | "inline-block" => Some(false),
                _ => None,
            };
        }
        "visibility" => style.invisible = Some(matches!(value, "hidden" | "collapse")),
        "mso-hide" if value == "all" => style.gone = style.gone.or(Some(false)),
        "opacity" => {
            style.transparent = number(value).map(|(share, unit)| if unit == "%" { share < 5.0 } else { share < 0.05 })
        }
        "font-size" => style.size = size(value),
        "font" => {
            let sizes =
                value.split([' ', '/']).filter(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '.'));
            style.size = sizes
                .filter(|word| word.contains(|c: char| c.is_ascii_alphabetic() || c == '%') || *word == "0")
                .find_map(size)
                .or(style.size);
        }
        "color" | "-webkit-text-fill-color" => style.color = Some(paint(value)),
        "background-image" if value.contains('(') => style.background = Some(Paint::Unknown),
        "background-color" | "background" => style.background = Some(background(value)),
        "height" | "max-height" | "line-height" => {
            let none = pixels(value).is_some_and(|height| height < READABLE_PX) && !value.contains('%');
            // Lines without height overlap, and are read all the same unless what holds them is shut.
            if name != "line-height" {
                style.no_height = Some(none);
            }
        }
        "width" | "max-width" => style.no_width = Some(pixels(value).is_some_and(|width| width < READABLE_PX)),
        "overflow" | "overflow-y" | "overflow-x" => {
            style.clips = Some(matches!(value.split(' ').next(), Some("hidden" | "clip")))
        }
        "text-indent" | "left" | "top" | "right" | "bottom" | "margin-left" | "margin-top"
            if pixels(value).is_some_and(|place| place < OUTSIDE_PX) =>
        {
            style.outside = Some(true);
        }
        "clip" => {
            let inner = value.trim_start_matches("rect(").trim_end_matches(')');
            let sides: Vec<f32> = inner.split([',', ' ']).filter(|side| !side.is_empty()).filter_map(pixels).collect();
            if value.starts_with("rect(") && sides.len() == 4 && sides.iter().all(|side| side.abs() < READABLE_PX) {
                style.outside = Some(true);
            }
        }
        "clip-path"
            if value.starts_with("inset(100%") || value.starts_with("inset(50%") || value.starts_with("circle(0") =>
        {
            style.outside = Some(true);
        }
        "transform" if value.replace(' ', "").contains("scale(0)") => style.outside = Some(true),
        "white-space" => style.keeps_breaks = Some(matches!(value, "pre" | "pre-wrap" | "pre-line" | "break-spaces")),
        _ => {}
    }
}

fn number(value: &str) -> Option<(f32, &str)> {
    let value = value.trim();
    let end = value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(value.len());
    let (digits, unit) = value.split_at(end);
    digits.parse().ok().map(|number| (number, unit.trim()))
}

fn pixels(value: &str) -> Option<f32> {
    let (number, unit) = number(value)?;
    let factor = match unit {
        "px" => 1.0,
        "" if number == 0.0 => 1.0,
        "" => return None,
        "pt" => 4.0 / 3.0,
        "em" | "rem" | "ch" | "ex" => DEFAULT_PX,
        "in" => 96.0,
        "cm" => 38.0,
        "mm" => 3.8,
        "vw" | "vh" | "%" => 10.0,
        _ => return None,
    };
    Some(number * factor)
}

/// Returns a size of letters: pixels, or a share of what is around, negative.
fn size(value: &str) -> Option<f32> {
    match number(value)? {
        (share, "em") => Some(-share),
        (share, "%") => Some(-share / 100.0),
        (0.0, _) => Some(0.0),
        _ => pixels(value),
    }
}

fn background(value: &str) -> Paint {
    if value.contains("url(") || value.contains("gradient(") {
        return Paint::Unknown;
    }
    if value.starts_with("rgb") || value.starts_with("hsl") {
        return paint(value);
    }
    let painted = value.split_whitespace().map(paint).find(|paint| *paint != Paint::Unknown);
    painted.unwrap_or(if matches!(value, "" | "none" | "initial" | "inherit") { Paint::None } else { Paint::Unknown })
}

pub(super) fn paint(value: &str) -> Paint {
    let value = value.trim().to_ascii_lowercase();
    if value == "transparent" {
        return Paint::None;
    }
    if let Some(digits) = value.strip_prefix('#') {
        return hex(digits);
    }
    if let Some(inner) = value.strip_prefix("rgba(").or_else(|| value.strip_prefix("rgb(")) {
        let parts: Vec<f32> = inner
            .trim_end_matches(')')
            .split([',', ' ', '/'])
            .filter(|part| !part.is_empty())
            .filter_map(|part| number(part).map(|(number, unit)| if unit == "%" { number * 2.55 } else { number }))
            .collect();
        let [red, green, blue, rest @ ..] = parts.as_slice() else { return Paint::Unknown };
        if rest.first().is_some_and(|alpha| *alpha < 0.05) {
            return Paint::None;
        }
        let byte = |part: &f32| part.clamp(0.0, 255.0) as u8;
        return Paint::Solid([byte(red), byte(green), byte(blue)]);
    }
    const NAMES: [(&str, Rgb); 22] = [
        ("white", [255, 255, 255]),
        ("snow", [255, 250, 250]),
        ("ghostwhite", [248, 248, 255]),
        ("whitesmoke", [245, 245, 245]),
        ("floralwhite", [255, 250, 240]),
        ("ivory", [255, 255, 240]),
        ("azure", [240, 255, 255]),
        ("mintcream", [245, 255, 250]),
        ("black", [0, 0, 0]),
        ("gray", [128, 128, 128]),
        ("grey", [128, 128, 128]),
        ("silver", [192, 192, 192]),
        ("lightgray", [211, 211, 211]),
        ("lightgrey", [211, 211, 211]),
        ("red", [255, 0, 0]),
        ("green", [0, 128, 0]),
        ("blue", [0, 0, 255]),
        ("navy", [0, 0, 128]),
        ("yellow", [255, 255, 0]),
        ("orange", [255, 165, 0]),
        ("purple", [128, 0, 128]),
        ("maroon", [128, 0, 0]),
    ];
    match NAMES.iter().find(|(name, _)| *name == value) {
        Some((_, rgb)) => Paint::Solid(*rgb),
        // `bgcolor` takes digits alone.
        None if value.len() == 6 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) => hex(&value),
        None => Paint::Unknown,
    }
}

fn hex(digits: &str) -> Paint {
    let values: Option<Vec<u8>> =
        digits.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    match values.as_deref() {
        Some([red, green, blue]) => Paint::Solid([red * 17, green * 17, blue * 17]),
        Some([red, green, blue, alpha]) if *alpha > 0 => Paint::Solid([red * 17, green * 17, blue * 17]),
        Some([r, red, g, green, b, blue]) => Paint::Solid([r * 16 + red, g * 16 + green, b * 16 + blue]),
        Some([r, red, g, green, b, blue, a, alpha]) if a * 16 + alpha > 12 => {
            Paint::Solid([r * 16 + red, g * 16 + green, b * 16 + blue])
        }
        Some([_, _, _, 0] | [_, _, _, _, _, _, _, _]) => Paint::None,
        _ => Paint::Unknown,
    }
}

/// Tells whether letters of one colour on another are not to be told from it.
pub(super) fn blends(letters: Rgb, ground: Rgb) -> bool {
    let apart: u32 = letters.iter().zip(ground).map(|(one, other)| u32::from(one.abs_diff(other))).sum();
    apart <= 24
}

/// An element as selectors see it.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    pub(super) tag: String,
    pub(super) id: String,
    pub(super) classes: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    /// The element itself last; those before are around it.
    parts: Vec<Compound>,
    weight: (usize, usize, usize),
    declared: Declared,
}

#[derive(Debug, Default)]
struct Compound {
    tag: Option<String>,
    ids: Vec<String>,
    classes: Vec<String>,
}

impl Compound {
    fn fits(&self, element: &Named) -> bool {
        self.tag.as_ref().is_none_or(|tag| *tag == element.tag)
            && self.ids.iter().all(|id| *id == element.id)
            && self.classes.iter().all(|class| element.classes.contains(class))
    }
}

/// The rules of a message's style sheets, by what the element itself has to be.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: Vec<Rule>,
    by_key: HashMap<String, Vec<usize>>,
}

impl Sheet {
    /// Takes the text of one `style` element.
    pub(super) fn take(&mut self, text: &str) {
        let text = without_comments(text);
        self.block(&text);
    }

    fn block(&mut self, text: &str) {
        let mut rest = text;
        while self.rules.len() < MAX_RULES {
            let Some(open) = rest.find('{') else { return };
            let (selectors, body) = rest.split_at(open);
            let body = body.get(1..).unwrap_or_default();
            let selectors = selectors.rsplit([';', '}']).next().unwrap_or_default().trim();
            if let Some(condition) = selectors.strip_prefix('@') {
                let (inner, after) = nested(body);
                let condition = condition.to_ascii_lowercase();
                // What holds on every screen; other conditions are those of small or dark ones, or of printers.
                if matches!(condition.split_whitespace().collect::<Vec<_>>().as_slice(), ["media", "all" | "screen"]) {
                    self.flat(inner);
                }
                rest = after;
                continue;
            }
            let Some(close) = body.find('}') else { return };
            let (declared, after) = body.split_at(close);
            self.rule(selectors, declared);
            rest = after.get(1..).unwrap_or_default();
        }
    }

    /// Rules without further blocks within.
    fn flat(&mut self, text: &str) {
        for one in text.split('}') {
            if let Some((selectors, declared)) = one.split_once('{') {
                self.rule(selectors, declared);
            }
        }
    }

    fn rule(&mut self, selectors: &str, declared: &str) {
        let declared = declarations(declared);
        for selector in selectors.split(',').take(100) {
            let Some(parts) = compounds(selector) else { continue };
            let Some(last) = parts.last() else { continue };
            let key = last
                .ids
                .first()
                .map(|id| format!("#{id}"))
                .or_else(|| last.classes.first().map(|class| format!(".{class}")));
            let key = key.or_else(|| last.tag.clone()).unwrap_or_else(|| "*".into());
            let sum = |count: fn(&Compound) -> usize| parts.iter().map(count).sum();
            let weight =
                (sum(|one| one.ids.len()), sum(|one| one.classes.len()), sum(|one| usize::from(one.tag.is_some())));
            if self.rules.len() >= MAX_RULES {
                return;
            }
            self.by_key.entry(key).or_default().push(self.rules.len());
            self.rules.push(Rule { parts, weight, declared });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Tells how an element looks: by the rules, then by its attribute, then by what is marked important.
    pub(super) fn style(&self, element: &Named, around: &[&Named], inline: &Declared) -> Style {
        let mut keys = vec!["*".to_owned(), element.tag.clone()];
        if !element.id.is_empty() {
            keys.push(format!("#{}", element.id));
        }
        keys.extend(element.classes.iter().map(|class| format!(".{class}")));
        let mut fitting: Vec<(usize, &Rule)> = if self.rules.is_empty() {
            Vec::new()
        } else {
            let indices = keys.iter().filter_map(|key| self.by_key.get(key)).flatten();
            let asked = indices.take(MAX_ASKED).filter_map(|index| Some((*index, self.rules.get(*index)?)));
            asked.filter(|(_, rule)| fits(rule, element, around)).collect()
        };
        fitting.sort_by_key(|(index, rule)| (rule.weight, *index));
        let mut style = Style::default();
        for (_, rule) in &fitting {
            style.over(&rule.declared.plain);
        }
        style.over(&inline.plain);
        for (_, rule) in &fitting {
            style.over(&rule.declared.important);
        }
        style.over(&inline.important);
        style
    }
}

fn fits(rule: &Rule, element: &Named, around: &[&Named]) -> bool {
    let Some((last, outer)) = rule.parts.split_last() else { return false };
    if !last.fits(element) {
        return false;
    }
    let mut ancestors = around.iter().rev();
    outer.iter().rev().all(|part| ancestors.by_ref().any(|ancestor| part.fits(ancestor)))
}

/// Returns a selector of tags, classes and ids, one within another. Anything else selects nothing here.
fn compounds(selector: &str) -> Option<Vec<Compound>> {
    let selector = selector.replace('>', " ");
    let mut parts = Vec::new();
    for word in selector.split_whitespace().take(8) {
        if word.contains([':', '[', '+', '~', '\\', '@', '{']) {
            return None;
        }
        let mut part = Compound::default();
        let mut rest = word;
        let end = rest.find(['.', '#']).unwrap_or(rest.len());
        let (tag, after) = rest.split_at(end);
        part.tag = (!tag.is_empty() && tag != "*").then(|| tag.to_ascii_lowercase());
        rest = after;
        while let Some(sign) = rest.chars().next() {
            rest = rest.get(1..).unwrap_or_default();
            let (name, after) = rest.split_at(rest.find(['.', '#']).unwrap_or(rest.len()));
            if sign == '.' {
                part.classes.push(name.to_owned())
            } else {
                part.ids.push(name.to_owned())
            }
            rest = after;
        }
        parts.push(part);
    }
    (!parts.is_empty()).then_some(parts)
}

/// Returns what stands within the braces of a block that has begun, and what follows it.
fn nested(text: &str) -> (&str, &str) {
    let mut depth = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        }
    }
    (text, "")
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.replace("<!--", " ").replace("-->", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(text: &str) -> Style {
        Sheet::default().style(&Named::default(), &[], &declarations(text))
    }

    #[test]
    fn what_hides_is_recognised() {
        for hiding in [
            "display:none",
            "DISPLAY : NONE !important; display:block",
            "opacity:0",
            "max-height:0;overflow:hidden",
            "height:0px; width:100%; overflow:hidden",
            "position:absolute; left:-9999px",
            "text-indent:-9999em",
            "clip: rect(0 0 0 0)",
            "clip-path:inset(100%)",
        ] {
            assert!(inline(hiding).hides(), "{hiding}");
        }
        for showing in [
            "display:block",
            "opacity:0.6",
            "max-height:0",
            "overflow:hidden; height:20px",
            "left:-10px",
            "display:none; display:block",
            "line-height:0",
        ] {
            assert!(!inline(showing).hides(), "{showing}");
        }
    }

    #[test]
    fn colours_are_read_in_every_form() {
        for (text, rgb) in [
            ("#fff", [255; 3]),
            ("#FFFFFF", [255; 3]),
            ("rgb(255, 255,255)", [255; 3]),
            ("White", [255; 3]),
            ("rgb(100% 100% 100%)", [255; 3]),
        ] {
            assert_eq!(paint(text), Paint::Solid(rgb), "{text}");
        }
        assert_eq!(paint("rgba(0,0,0,0)"), Paint::None);
        assert_eq!(paint("#00000000"), Paint::None);
        assert_eq!(background("url(x.png) no-repeat #fff"), Paint::Unknown);
        assert_eq!(background("#fff none"), Paint::Solid([255; 3]));
    }

    #[test]
    fn rules_of_a_sheet_hide_too() {
        let mut sheet = Sheet::default();
        sheet.take("/* x */ @import url(a); @media (max-width:600px) { .a { display:none } .b { display:none } } .c, p.d { display : none } @media screen { #e { display:none } } div .f{display:none} .g:hover{display:none}");
        let named =
            |tag: &str, id: &str, class: &str| Named { tag: tag.into(), id: id.into(), classes: vec![class.into()] };
        let div = named("div", "", "x");
        let hides = |element: Named| sheet.style(&element, &[&div], &Declared::default()).hides();
        for (element, hidden) in [
            (named("p", "", "a"), false),
            (named("p", "", "c"), true),
            (named("p", "", "d"), true),
            (named("b", "", "d"), false),
            (named("b", "e", ""), true),
            (named("b", "", "f"), true),
            (named("b", "", "g"), false),
        ] {
            assert_eq!(hides(element.clone()), hidden, "{element:?}");
        }
        assert!(!sheet.style(&named("b", "", "f"), &[], &Declared::default()).hides());
    }
}
