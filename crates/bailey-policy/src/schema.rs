//! The Cedar schema, made of the gate's own tables: facts, groups and kinds of action. There is no second list to keep.

use bailey_gate::Class;
use bailey_gate::family::{ActionKind, Group, Level};
use bailey_gate::policy::{FACT_DOCS, Fact, Facts};

/// Names what a policy sees beside the facts: what stands behind the action, and what its kind says.
pub(crate) const APPROVED: &str = "approved";
pub(crate) const STEP_UP: &str = "stepUp";
pub(crate) const CLASS: &str = "class";
pub(crate) const NEEDS_LEVEL: &str = "needsLevel";

/// Returns the Cedar group of all kinds of a family, such as `mail.*`.
pub(crate) fn family_group(family: &str) -> String {
    format!("{family}.*")
}

/// Writes the schema.
pub(crate) fn text() -> String {
    let levels: Vec<String> = Level::ALL.iter().map(|level| format!("{} {}", *level as u8 + 1, level.name())).collect();
    let classes: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
    let beside = [
        (APPROVED, "Bool", "Whether the person approved exactly this.".to_owned()),
        (STEP_UP, "Bool", "Whether they proved presence for this very answer.".to_owned()),
        (CLASS, "String", format!("How far it can be taken back: {}.", classes.join(", "))),
        (NEEDS_LEVEL, "Long", format!("The level the action needs: 0 none, {}.", levels.join(", "))),
    ];
    let facts = Facts::default().list();
    let docs = |name: &str| FACT_DOCS.iter().find(|(one, _)| *one == name).map_or("", |(_, doc)| doc.trim());
    let facts = facts.iter().map(|(name, fact)| (*name, cedar_type(fact), docs(name).to_owned()));
    let mut out = String::from(
        "// What policies can speak about. Everything in the context is computed by the gate; nothing of it comes from the model.\n\n\
         entity Agent;\nentity Home;\n\ntype Facts = {\n",
    );
    for (name, kind, doc) in beside.into_iter().chain(facts) {
        out.push_str(&format!("  // {doc}\n  {name}: {kind},\n"));
    }
    out.push_str("};\n\n// What an action does.\n");
    for group in Group::ALL {
        // Rules of a person's own may still say it so: the name before it was \"fetch\".
        let parents = if group == Group::Fetch { " in [observe]" } else { "" };
        if group == Group::Fetch {
            out.push_str("action observe;\n");
        }
        out.push_str(&format!("action {}{parents};\n", group.name()));
    }
    out.push_str("\n// Whose it is.\n");
    let mut families: Vec<&str> = ActionKind::all().map(ActionKind::family).collect();
    families.dedup();
    for family in families {
        out.push_str(&format!("action \"{}\";\n", family_group(family)));
    }
    out.push('\n');
    for kind in ActionKind::all() {
        let (group, family) = (kind.group().name(), family_group(kind.family()));
        out.push_str(&format!(
            "action \"{}\" in [{group}, \"{family}\"] appliesTo {{ principal: Agent, resource: Home, context: Facts }};\n",
            kind.name()
        ));
    }
    out
}

const fn cedar_type(fact: &Fact) -> &'static str {
    match fact {
        Fact::Flag(_) => "Bool",
        Fact::Count(_) => "Long",
        Fact::Text(_) => "String",
        Fact::Texts(_) => "Set<String>",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn schema_in_the_documents_is_the_one_in_force() {
        expect_test::expect_file!["../../../docs/policy.cedarschema"].assert_eq(&super::text());
    }
}
