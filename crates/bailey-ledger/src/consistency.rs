//! Proofs that the log only grew since somebody saw it: RFC 6962, section 2.1.2 (RFC 9162, 2.1.4).
//!
//! Every hash is made of the entries as they lie there when the home was opened, never of a stored tree: an entry that was rewritten
//! shows, even where each checkpoint was left as it was.

use std::sync::PoisonError;

use bailey_gate::ledger::StoreError;
use rusqlite::Connection;

use crate::backend::Header;
use crate::queries;
use crate::rows::{damaged, store_error};
use crate::store::Ledger;
use crate::tree::{Hash, Tree, leaf};

/// Entries of which one hash is kept in memory, a power of two: 32 bytes for each.
const BLOCK: u64 = 256;

/// What shows that a log of `to` entries is one of `from` entries, and further ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistency {
    /// Entries that were seen before.
    pub from: u64,
    /// Entries that the note covers.
    pub to: u64,
    /// The nodes of RFC 6962, section 2.1.2, in its order; none where `from` is 0 or `to`.
    pub proof: Vec<Hash>,
    /// The root of all entries up to `to`, made anew of them.
    pub root: Hash,
    /// The signed checkpoint of `to` entries.
    pub note: String,
}

/// Returns where the left part of a tree of `size` leaves ends: the largest power of two below it (RFC 6962, section 2.1).
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Lists the ranges of leaves whose hashes prove that a tree of `to` leaves begins with one of `from`; `0 < from <= to`.
fn ranges(from: u64, to: u64) -> Vec<(u64, u64)> {
    let (mut out, mut start, mut old, mut size, mut whole) = (Vec::new(), 0, from, to, true);
    loop {
        if old == size {
            if !whole {
                out.push((start, start + size));
            }
            break;
        }
        let left = split(size);
        if old <= left {
            out.push((start + left, start + size));
            size = left;
        } else {
            out.push((start, start + left));
            start += left;
            old -= left;
            size -= left;
            whole = false;
        }
    }
    out.reverse();
    out
}

impl Ledger {
    /// Signs a checkpoint of the log as it is, and proves that it begins with the first `from` entries. Nothing where the log has
    /// fewer: then what was seen before is not this log.
    ///
    /// Reads every entry once, and then only those that came since.
    pub fn consistency(&self, from: u64) -> Result<Option<Consistency>, StoreError> {
        self.checkpoint()?;
        let (to, note): (u64, String) = self
            .reader()
            .query_row("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(store_error)?;
        if from > to {
            return Ok(None);
        }
        let mut blocks = self.blocks().lock().unwrap_or_else(PoisonError::into_inner);
        while (blocks.len() as u64 + 1) * BLOCK <= to {
            let start = blocks.len() as u64 * BLOCK;
            let root = appended(&self.reader(), Tree::default(), start, start + BLOCK)?.root();
            blocks.push(root);
        }
        let wanted = if from == 0 { Vec::new() } else { ranges(from, to) };
        let hash = |(start, end): (u64, u64)| self.subtree(&blocks, start, end);
        let proof = wanted.into_iter().map(hash).collect::<Result<_, _>>()?;
        Ok(Some(Consistency { from, to, proof, root: hash((0, to))?, note }))
    }

    /// Returns the root of a range of leaves that is a subtree.
    fn subtree(&self, blocks: &[Hash], start: u64, end: u64) -> Result<Hash, StoreError> {
        let reader = self.reader();
        if !start.is_multiple_of(BLOCK) || end - start < BLOCK {
            return Ok(appended(&reader, Tree::default(), start, end)?.root());
        }
        let at = |entries: u64| usize::try_from(entries / BLOCK).unwrap_or(usize::MAX);
        let whole = blocks.get(at(start)..at(end)).ok_or_else(|| damaged("log"))?;
        let tree = Tree::of_blocks(whole, BLOCK);
        let rest = start + tree.size();
        Ok(appended(&reader, tree, rest, end)?.root())
    }
}

/// Appends entries to a tree, each hashed anew.
fn appended(db: &Connection, mut tree: Tree, start: u64, end: u64) -> Result<Tree, StoreError> {
    let size = tree.size() + (end - start);
    let mut query = db.prepare_cached(queries::LEAVES).map_err(store_error)?;
    let mut rows = query.query((start, end)).map_err(store_error)?;
    while let Some(row) = rows.next().map_err(store_error)? {
        let Header(header) = row.get(0).map_err(store_error)?;
        tree.append(leaf(header.as_bytes()));
    }
    if tree.size() == size { Ok(tree) } else { Err(damaged("log")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::hash;

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.append(*leaf));
        tree.root()
    }

    fn node(left: &Hash, right: &Hash) -> Hash {
        hash(&[&[1], left, right])
    }

    /// Checks a proof as RFC 9162, section 2.1.4.2, says.
    fn holds(from: u64, to: u64, old: Hash, new: Hash, proof: &[Hash]) -> bool {
        if from == to {
            return proof.is_empty() && old == new;
        }
        let mut path: Vec<Hash> = proof.to_vec();
        if from.is_power_of_two() {
            path.insert(0, old);
        }
        let (mut fr, mut sr) = match path.first() {
            Some(first) => (*first, *first),
            None => return false,
        };
        let (mut of, mut last) = (from - 1, to - 1);
        while of & 1 == 1 {
            of >>= 1;
            last >>= 1;
        }
        for one in &path[1..] {
            if last == 0 {
                return false;
            }
            if of & 1 == 1 || of == last {
                (fr, sr) = (node(one, &fr), node(one, &sr));
                while of & 1 == 0 && of != 0 {
                    of >>= 1;
                    last >>= 1;
                }
            } else {
                sr = node(&sr, one);
            }
            of >>= 1;
            last >>= 1;
        }
        last == 0 && fr == old && sr == new
    }

    proptest! {
        #[test]
        fn proofs_are_those_of_the_standard(to in 1_u64..200, part in 0.0_f64..1.0, other in any::<u8>()) {
            let leaves: Vec<Hash> = (0..to).map(|n| leaf(&n.to_be_bytes())).collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "below 200")]
            let from = 1 + (part * (to - 1) as f64) as u64;
            let part_of = |(start, end): (u64, u64)| root(&leaves[start as usize..end as usize]);
            let proof: Vec<Hash> =
                if from == to { Vec::new() } else { ranges(from, to).into_iter().map(part_of).collect() };
            let (old, new) = (part_of((0, from)), part_of((0, to)));
            prop_assert!(holds(from, to, old, new, &proof), "{from} {to}");
            prop_assert!(!holds(from, to, leaf(&[other]), new, &proof));
            prop_assert!(!holds(from, to, old, leaf(&[other]), &proof));
        }
    }
}
