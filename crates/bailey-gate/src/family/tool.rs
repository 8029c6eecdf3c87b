//! Tools of others: a call to a server that is not ours, held to a manifest that says what each argument can do.
//!
//! The manifest is written or reviewed by the person, never taken from the server, and is part of what an approval binds. A
//! tool nobody described has none: then it reaches others, and every argument decides whom.

mod value;

use super::kind::{AskedBy, Group, kinds};
use super::text::Line;
use super::{ActionKind, Family, Party, Taint, Traits};
use crate::codec::{CodecError, Decoder, Encoder};
use crate::intent::Verb;
use crate::place::Place;
use crate::preview::Preview;
use crate::verdict::Class;

use value::hundredths;
pub use value::{Amount, MAX_DEPTH, MAX_TEXT_BYTES, Value};

kinds! {
    /// Looks something up.
    READ = {
        name: "tool.read", group: Group::Read, level: None, local: false, asked_by: AskedBy::Always, suggest: None,
    };
    /// Looks something up, and what it asks reaches others.
    FETCH = {
        name: "tool.fetch", group: Group::Fetch, level: None, local: false,
        asked_by: AskedBy::Always, suggest: Some("fetching"),
    };
    /// Writes something new, in the person's own scope.
    WRITE = {
        name: "tool.write", group: Group::Write, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Create, Verb::Change, Verb::Delegated]), suggest: Some("new things"),
    };
    /// Lets others have something.
    SEND = {
        name: "tool.send", group: Group::Outward, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Send, Verb::Invite, Verb::Share, Verb::Delegated]),
        suggest: Some("what reaches others"),
    };
    /// Changes something that exists.
    CHANGE = {
        name: "tool.change", group: Group::Destroy, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Change, Verb::Cancel, Verb::Trash, Verb::Sort]),
        suggest: Some("changing things"),
    };
    /// Removes something that exists. Never offered: what is gone is gone.
    REMOVE = {
        name: "tool.remove", group: Group::Destroy, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Cancel, Verb::Trash]), suggest: None,
    };
    /// Spends something.
    PAY = {
        name: "tool.pay", group: Group::Spend, level: None, local: false,
        asked_by: AskedBy::Verbs(&[Verb::Pay]), suggest: Some("payments"),
    };
}

/// Longest name of a server, a tool or an argument, in bytes.
pub const MAX_NAME_BYTES: usize = 128;
/// Most values of one call, nested ones included. Far above what a person reads in one preview.
pub const MAX_VALUES: usize = 1_024;

/// In the place of the method of a request that says none.
pub const UNSAID_METHOD: &str = "?";

/// The kind of a value nobody described.
const UNDESCRIBED: &str = "value";

/// A name of a server, tool, argument or kind of value: one line of printable text, not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Refuses control characters, blanks at the ends, nothing at all, and more than [`MAX_NAME_BYTES`].
    pub fn new(text: &str) -> Result<Self, CodecError> {
        if text.is_empty() || text.len() > MAX_NAME_BYTES || text.trim() != text || Line::new(text).is_err() {
            return Err(CodecError::Malformed("a name"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says what a tool does when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It only looks, and its arguments stay with the account it looks into.
    Read,
    /// It looks, but its arguments reach somebody else: a request to a chosen address is a message to it.
    Fetch,
    /// Something is another afterwards.
    Write,
}

/// Says what an argument can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Nothing of its own.
    Plain,
    /// It decides who gets something; the kind of value it holds.
    Sink(Name),
    /// It decides which existing thing is changed; the kind of value it holds.
    Target(Name),
    /// Words that others will read.
    Content,
    /// How much is spent.
    Amount,
    /// Where it looks or makes something; the kind of value it holds.
    Place(Name),
    /// The method of the request it makes.
    Method,
}

/// Describes what a tool does, as the person has it: see the module text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Says what a call does.
    pub effect: Effect,
    /// Arguments that can do something, by name, each once.
    pub roles: Vec<(Name, Role)>,
    /// Tells whether a call that stays in the person's own scope can be undone.
    pub undoable: bool,
    /// Tells whether a call removes something.
    pub removes: bool,
    /// Tells whether a call always needs the person.
    pub critical: bool,
    /// Tells whether what comes back holds nothing that others wrote.
    pub trusted_output: bool,
    /// Tells whether what comes back holds identity documents, card numbers or other secrets.
    pub confidential: bool,
}

impl Manifest {
    /// Returns the manifest of a tool nobody described.
    #[must_use]
    pub const fn unknown() -> Self {
        Self {
            effect: Effect::Write,
            roles: Vec::new(),
            undoable: false,
            removes: false,
            critical: false,
            trusted_output: false,
            confidential: false,
        }
    }
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolUse {
    /// Whose tool it is.
    pub server: Name,
    /// Names the tool.
    pub tool: Name,
    /// Says what it does; `None` where nobody described it.
    pub manifest: Option<Manifest>,
    /// Its arguments, by name.
    pub arguments: Vec<(Name, Value)>,
}

impl ToolUse {
    /// Returns what the manifest says; for a tool nobody described, the worst.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.manifest.as_ref().map_or(Effect::Write, |manifest| manifest.effect)
    }

    /// Says what an argument can do.
    #[must_use]
    pub fn role_of(&self, argument: &Name) -> Role {
        // What nobody described may decide who gets something: of a whole tool, or of one argument.
        let found = self.manifest.iter().flat_map(|manifest| &manifest.roles).find(|(name, _)| name == argument);
        found.map_or_else(|| Role::Sink(Name(UNDESCRIBED.into())), |(_, role)| role.clone())
    }

    /// Tells who gets something: kind and value, as far as any is given. What is fetched from an address, the address gets to
    /// know.
    #[must_use]
    pub fn sinks(&self) -> Vec<(String, String)> {
        let fetches = self.effect() == Effect::Fetch;
        self.values(|role| match role {
            Role::Sink(kind) => Some(kind),
            Role::Place(kind) if fetches && kind.0 == Place::URL => Some(kind),
            Role::Plain | Role::Target(_) | Role::Content | Role::Amount | Role::Place(_) | Role::Method => None,
        })
    }

    /// Returns everyone who gets something, as far as it can be read who they are, and how many cannot be read.
    fn recipients(&self) -> (Vec<Party>, usize) {
        if self.effect() == Effect::Read {
            return (Vec::new(), 0);
        }
        let read: Vec<_> = self.sinks().iter().map(|(kind, value)| Party::read(kind, value)).collect();
        let unread = read.iter().filter(|read| read.is_none()).count();
        // A request goes to somebody, whether or not it says to whom.
        let nobody = read.is_empty() && self.effect() == Effect::Fetch;
        (read.into_iter().flatten().flatten().collect(), unread + usize::from(nobody))
    }

    /// Returns the existing things it changes.
    #[must_use]
    pub fn targets(&self) -> Vec<(String, String)> {
        self.values(|role| match role {
            Role::Target(kind) => Some(kind),
            Role::Plain | Role::Sink(_) | Role::Content | Role::Amount | Role::Place(_) | Role::Method => None,
        })
    }

    /// Folders and addresses it touches, whether it makes, changes or asks something there.
    #[must_use]
    pub fn places(&self) -> Vec<(String, String)> {
        let all = self.values(|role| match role {
            Role::Place(kind) | Role::Sink(kind) | Role::Target(kind) => Some(kind),
            Role::Plain | Role::Content | Role::Amount | Role::Method => None,
        });
        all.into_iter().filter(|(kind, _)| Place::KINDS.contains(&kind.as_str())).collect()
    }

    /// Returns the method of its request, in capitals; [`UNSAID_METHOD`] where it makes one and does not say how.
    #[must_use]
    pub fn method(&self) -> String {
        let method = self.arguments.iter().find(|(name, _)| self.role_of(name) == Role::Method);
        let said = method.map(|(_, value)| value.scalars().join(" ").trim().to_uppercase()).unwrap_or_default();
        let requests = self.effect() == Effect::Fetch
            || self.manifest.iter().flat_map(|manifest| &manifest.roles).any(|(_, role)| *role == Role::Method);
        if said.is_empty() && requests { UNSAID_METHOD.into() } else { said }
    }

    fn values(&self, wanted: impl Fn(Role) -> Option<Name>) -> Vec<(String, String)> {
        let mut out = Vec::new();
        for (name, value) in &self.arguments {
            if let Some(kind) = wanted(self.role_of(name)) {
                out.extend(value.scalars().into_iter().map(|scalar| (kind.0.clone(), scalar)));
            }
        }
        out
    }

    /// Returns words that others will read; those of every argument, where nobody described the tool.
    #[must_use]
    pub fn words(&self) -> String {
        let told = |name: &Name| self.manifest.is_none() || self.role_of(name) == Role::Content;
        let words = self.arguments.iter().filter(|(name, _)| told(name)).flat_map(|(_, value)| value.scalars());
        words.collect::<Vec<_>>().join("\n")
    }

    /// Tells how much it spends. Of several sums, the largest; one that cannot be read makes the call unreadable.
    #[must_use]
    pub fn amount(&self) -> Amount {
        let mut most = Amount::None;
        for (_, value) in self.arguments.iter().filter(|(name, _)| self.role_of(name) == Role::Amount) {
            match (value, &most) {
                (Value::Null, _) => {}
                (Value::Number(digits) | Value::Text(digits), _) => match (hundredths(digits), &most) {
                    (Some(sum), Amount::Hundredths(before)) => most = Amount::Hundredths(sum.max(*before)),
                    (Some(sum), _) => most = Amount::Hundredths(sum),
                    (None, _) => return Amount::Unreadable,
                },
                (Value::Flag(_) | Value::List(_) | Value::Fields(_), _) => return Amount::Unreadable,
            }
        }
        most
    }

    /// Tells whether it has an argument that says how much is spent, given or not.
    #[must_use]
    pub fn spends(&self) -> bool {
        let is_amount = |(_, role): &(Name, Role)| *role == Role::Amount;
        self.manifest.as_ref().is_some_and(|manifest| manifest.roles.iter().any(is_amount))
    }

    /// Returns the checks that span fields: bounded, each name once.
    pub fn check(&self) -> Result<(), CodecError> {
        let mut names: Vec<&Name> = self.arguments.iter().map(|(name, _)| name).collect();
        let roles = self.manifest.iter().flat_map(|manifest| &manifest.roles);
        let mut roles: Vec<&Name> = roles.map(|(name, _)| name).collect();
        for list in [&mut names, &mut roles] {
            let count = list.len();
            list.sort();
            list.dedup();
            if list.len() != count {
                return Err(CodecError::Malformed("a name that stands twice"));
            }
        }
        let count: usize = self.arguments.iter().map(|(_, value)| value.count()).sum();
        if count > MAX_VALUES { Err(CodecError::TooLong) } else { Ok(()) }
    }
}

impl Family for ToolUse {
    fn kind(&self) -> ActionKind {
        match (&self.manifest, self.effect()) {
            (_, Effect::Read) => READ,
            (_, Effect::Fetch) => FETCH,
            (_, Effect::Write) if self.spends() => PAY,
            (Some(manifest), Effect::Write) if manifest.removes => REMOVE,
            (_, Effect::Write) if !self.targets().is_empty() => CHANGE,
            (None, Effect::Write) => SEND,
            (Some(_), Effect::Write) if !self.sinks().is_empty() => SEND,
            (Some(manifest), Effect::Write) if manifest.undoable => WRITE,
            (Some(_), Effect::Write) => CHANGE,
        }
    }

    fn class(&self) -> Class {
        let kind = self.kind();
        if self.manifest.as_ref().is_some_and(|manifest| manifest.critical) {
            Class::Critical
        } else if kind == READ || kind == WRITE {
            Class::Undoable
        } else {
            Class::Compensable
        }
    }

    fn traits(&self) -> Traits {
        let (kind, effect, manifest) = (self.kind(), self.effect(), self.manifest.as_ref());
        let (recipients, unreadable_recipients) = self.recipients();
        // What a tool nobody described was given says nothing of anybody; nor is whom something is taken from thereby known.
        let teaches = manifest.is_some_and(|manifest| !manifest.removes);
        let writes = effect == Effect::Write;
        Traits {
            learns: if teaches { recipients.clone() } else { Vec::new() },
            recipients,
            unreadable_recipients,
            is_mail: effect != Effect::Read && self.sinks().iter().any(|(kind, _)| kind == Party::EMAIL),
            // Who has what is changed reads it, too.
            text_for_others: if writes && kind != WRITE { self.words() } else { String::new() },
            attachments: 0,
            foreign_attachments: 0,
            files: Vec::new(),
            sender_unproven: false,
            targets: if writes { self.targets().into_iter().map(|(_, value)| value).collect() } else { Vec::new() },
            places: self.places().into_iter().map(|(kind, value)| Place::of(&kind, &value)).collect(),
            method: self.method(),
            amount: match self.amount() {
                Amount::None if kind == PAY => Amount::Unsaid,
                amount => amount,
            },
            tool: format!("{}.{}", self.server.as_str(), self.tool.as_str()),
            undescribed: manifest.is_none(),
            taint: Taint {
                untrusted: manifest.is_none_or(|manifest| !manifest.trusted_output),
                confidential: manifest.is_some_and(|manifest| manifest.confidential),
            },
            behind: Taint::default(),
            into_sent_or_drafts: false,
            among_own_folders: false,
        }
    }

    fn artefact(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        encode(self, &mut out);
        out.finish()
    }

    fn check(&self) -> Result<(), CodecError> {
        Self::check(self)
    }

    fn encode(&self, out: &mut Encoder) {
        encode(self, out.byte(TAG));
    }

    /// Shows every argument, and what the manifest says it can do.
    fn preview(&self, out: &mut Preview) {
        const HEADLINES: [(ActionKind, &str); 7] = [
            (READ, "Look something up with a tool"),
            (FETCH, "Fetch something with a tool"),
            (PAY, "Spend money with a tool"),
            (SEND, "Let others have something, with a tool"),
            (REMOVE, "Remove something with a tool"),
            (CHANGE, "Change or remove something with a tool"),
            (WRITE, "Write something with a tool"),
        ];
        let kind = self.kind();
        let described = HEADLINES.iter().find(|(one, _)| self.manifest.is_some() && *one == kind);
        out.headline = described.map_or("Use a tool that nobody has described", |(_, headline)| headline).into();
        out.item("Tool", self.tool.as_str());
        out.item("Of", self.server.as_str());
        for (name, value) in &self.arguments {
            let label = match self.role_of(name) {
                Role::Plain => "With",
                Role::Sink(_) => "Goes to",
                Role::Target(_) => "Changes",
                Role::Content => "Others will read",
                Role::Amount => "Spends",
                Role::Place(_) => "Where",
                Role::Method => "By the method",
            };
            out.item(label, &format!("{} = {}", name.as_str(), value.literal()));
        }
        if self.manifest.is_none() {
            out.warnings.push("Nobody has described this tool, so every value may decide who gets something.".into());
        }
    }
}

/// The family's tag in the encoding of an action.
pub(super) const TAG: u8 = 5;

const EFFECTS: [(Effect, u8); 3] = [(Effect::Read, 0), (Effect::Fetch, 1), (Effect::Write, 2)];

fn encode(call: &ToolUse, out: &mut Encoder) {
    out.text(call.server.as_str()).text(call.tool.as_str());
    out.option(call.manifest.as_ref(), encode_manifest);
    out.list(&call.arguments, |out, (name, value)| value.encode(out.text(name.as_str())));
}

fn encode_manifest(out: &mut Encoder, manifest: &Manifest) {
    let tag = EFFECTS.iter().find(|(effect, _)| *effect == manifest.effect).map_or(2, |(_, tag)| *tag);
    out.byte(tag);
    out.list(&manifest.roles, |out, (name, role)| {
        out.text(name.as_str());
        match role {
            Role::Plain => out.byte(0),
            Role::Sink(kind) => out.byte(1).text(kind.as_str()),
            Role::Target(kind) => out.byte(2).text(kind.as_str()),
            Role::Content => out.byte(3),
            Role::Amount => out.byte(4),
            Role::Place(kind) => out.byte(5).text(kind.as_str()),
            Role::Method => out.byte(6),
        };
    });
    for flag in [manifest.undoable, manifest.removes, manifest.critical, manifest.trusted_output, manifest.confidential]
    {
        out.byte(u8::from(flag));
    }
}

/// Reads what [`Family::encode`] wrote behind the family's tag.
pub(super) fn decode(_: u8, bytes: &mut Decoder<'_>) -> Result<ToolUse, CodecError> {
    let name = |bytes: &mut Decoder<'_>| Name::new(&bytes.text()?);
    let call = ToolUse {
        server: name(bytes)?,
        tool: name(bytes)?,
        manifest: bytes.option(decode_manifest)?,
        arguments: bytes.list(|bytes| Ok((name(bytes)?, Value::decode(bytes, 0)?)))?,
    };
    call.check()?;
    Ok(call)
}

fn decode_manifest(bytes: &mut Decoder<'_>) -> Result<Manifest, CodecError> {
    let tag = bytes.byte()?;
    let effect = EFFECTS.iter().find(|(_, known)| *known == tag).ok_or(CodecError::UnknownTag(tag))?.0;
    let roles = bytes.list(|bytes| {
        let name = Name::new(&bytes.text()?)?;
        let role = match bytes.byte()? {
            0 => Role::Plain,
            1 => Role::Sink(Name::new(&bytes.text()?)?),
            2 => Role::Target(Name::new(&bytes.text()?)?),
            3 => Role::Content,
            4 => Role::Amount,
            5 => Role::Place(Name::new(&bytes.text()?)?),
            6 => Role::Method,
            tag => return Err(CodecError::UnknownTag(tag)),
        };
        Ok((name, role))
    })?;
    let mut flag = || bytes.byte().map(|byte| byte == 1);
    Ok(Manifest {
        effect,
        roles,
        undoable: flag()?,
        removes: flag()?,
        critical: flag()?,
        trusted_output: flag()?,
        confidential: flag()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn call(roles: &[(&str, Role)], arguments: &[(&str, Value)]) -> ToolUse {
        ToolUse {
            server: name("bank"),
            tool: name("pay"),
            manifest: Some(Manifest {
                roles: roles.iter().map(|(argument, role)| (name(argument), role.clone())).collect(),
                ..Manifest::unknown()
            }),
            arguments: arguments.iter().map(|(argument, value)| (name(argument), value.clone())).collect(),
        }
    }

    #[test]
    fn sums_are_whole_hundredths_or_nothing() {
        for (text, sum) in [("0", 0), ("12", 1_200), ("12.5", 1_250), ("12.34", 1_234), ("12.341", 1_235), ("0.001", 1)]
        {
            assert_eq!(hundredths(text), Some(sum), "{text}");
        }
        for text in ["", "-1", "+1", "1e9", ".5", "1,5", "NaN", "184467440737095517", "0x10", "1.-5"] {
            assert_eq!(hundredths(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_that_cannot_be_read_is_not_small() {
        let roles = [("sum", Role::Amount)];
        let spends = |value: Value| call(&roles, &[("sum", value)]).amount();
        assert_eq!(spends(Value::Number("-5".into())), Amount::Unreadable);
        assert_eq!(spends(Value::List(vec![])), Amount::Unreadable);
        assert_eq!(spends(Value::Text("7.50".into())), Amount::Hundredths(750));
        assert_eq!(spends(Value::Null), Amount::None);
        assert_eq!(call(&roles, &[]).amount(), Amount::None);
    }

    #[test]
    fn every_argument_of_an_undescribed_tool_decides_who_gets_something() {
        let nested = Value::Fields(vec![("to".into(), Value::List(vec![Value::Text("eve@evil.example".into())]))]);
        let roles = [("options", Role::Plain), ("n", Role::Plain)];
        let mut call = call(&roles, &[("options", nested), ("n", Value::Number("3".into()))]);
        assert!(call.sinks().is_empty());
        // One argument that the manifest does not speak of is as bad as a tool that nobody speaks of.
        call.arguments.push((name("bcc"), Value::Text("eve@evil.example".into())));
        assert_eq!(call.sinks(), [("value".to_owned(), "eve@evil.example".to_owned())]);
        call.arguments.pop();
        call.manifest = None;
        let sinks: Vec<String> = call.sinks().into_iter().map(|(_, value)| value).collect();
        assert_eq!((sinks, call.effect()), (vec!["eve@evil.example".to_owned(), "3".to_owned()], Effect::Write));
        assert_eq!(call.words(), "eve@evil.example\n3");
    }

    #[test]
    fn a_name_stands_once() {
        let twice = call(&[("sum", Role::Amount), ("sum", Role::Plain)], &[]);
        assert!(twice.check().is_err());
        let twice = call(&[], &[("sum", Value::Null), ("sum", Value::Null)]);
        assert!(twice.check().is_err());
    }
}
