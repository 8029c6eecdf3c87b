//! Whether a log only grew since a checkpoint of it was kept elsewhere, by a consistency proof (RFC 9162, section 2.1.4.2): without reading
//! its entries again.

use serde_json::Value;

use crate::note::Checkpoint;
use crate::{Genesis, Verdict, genesis, invalid, tree};

/// Most nodes that a proof may have: two for each level of the largest tree.
const MAX_NODES: usize = 128;

/// What a home says of its log today.
#[derive(Debug, Clone, Copy)]
pub struct Today<'a> {
    /// The header of its first entry, as it stands in an export: it names the log and its key, and binds both.
    pub first_entry: &'a Value,
    /// The signed checkpoint.
    pub checkpoint: &'a str,
    /// The nodes of the proof, in the order of RFC 6962, section 2.1.2.
    pub proof: &'a [[u8; 32]],
}

/// Checks that the log of today begins with what a pinned checkpoint covers.
#[must_use]
pub fn grown(pin: &str, today: &Today<'_>) -> Verdict {
    match check(pin, today) {
        Ok(verdict) | Err(verdict) => verdict,
    }
}

fn check(pin: &str, today: &Today<'_>) -> Result<Verdict, Verdict> {
    let pin = Checkpoint::parse(pin).ok_or_else(|| invalid("the pinned checkpoint is not one"))?;
    let new = Checkpoint::parse(today.checkpoint).ok_or_else(|| invalid("the checkpoint of today is not one"))?;
    let Genesis { log, key } =
        genesis(today.first_entry).ok_or_else(|| invalid("the first entry does not name the log and its key"))?;
    let log = format!("bailey/{log}");
    if pin.origin != log {
        return Err(Verdict::Diverged(format!("the pin is of log `{}`, this is `{log}`", pin.origin)));
    }
    if !pin.is_signed_by(&key) {
        return Err(invalid("the pinned checkpoint is not signed by this log's key"));
    }
    if new.origin != log || !new.is_signed_by(&key) {
        return Err(invalid("the checkpoint of today is not signed by this log's key"));
    }
    if pin.size > new.size {
        return Err(Verdict::Incomplete { first: new.size, last: pin.size - 1, at_end: true });
    }
    if !only_grew((pin.size, pin.root), (new.size, new.root), today.proof) {
        return Err(Verdict::Diverged(format!(
            "no proof shows that its first {} entries are the ones that were seen before",
            pin.size
        )));
    }
    Ok(Verdict::Grown { entries: new.size, pinned: pin.size })
}

/// Tells whether the nodes prove that a tree begins with another: size and root of each.
fn only_grew((from, old): (u64, [u8; 32]), (to, new): (u64, [u8; 32]), proof: &[[u8; 32]]) -> bool {
    if from == to {
        return proof.is_empty() && old == new;
    }
    if from == 0 {
        // Every log begins with nothing.
        return proof.is_empty() && old == tree::Tree::default().root();
    }
    if proof.len() > MAX_NODES {
        return false;
    }
    let (mut at, mut end) = (from - 1, to - 1);
    while at & 1 == 1 {
        (at, end) = (at >> 1, end >> 1);
    }
    let mut nodes = proof.iter();
    let first = if from.is_power_of_two() { Some(&old) } else { nodes.next() };
    let Some(first) = first else { return false };
    let (mut of_old, mut of_new) = (*first, *first);
    for node in nodes {
        if end == 0 {
            return false;
        }
        if at & 1 == 1 || at == end {
            of_old = tree::node(node, &of_old);
            of_new = tree::node(node, &of_new);
            while at & 1 == 0 && at != 0 {
                (at, end) = (at >> 1, end >> 1);
            }
        } else {
            of_new = tree::node(&of_new, node);
        }
        (at, end) = (at >> 1, end >> 1);
    }
    end == 0 && of_old == old && of_new == new
}
