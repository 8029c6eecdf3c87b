//! The hash tree over log entries: RFC 6962, section 2.1, appended to one leaf at a time.

use aws_lc_rs::digest::{Context, SHA256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// Returns the hash of an entry: `SHA-256(0x00 ‖ entry)`.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Returns SHA-256 of the parts one after another.
#[must_use]
pub fn hash(parts: &[&[u8]]) -> Hash {
    sha256(parts)
}

/// A tree by its size and the roots of its perfect subtrees, largest first: all that appending needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// Returns the number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Makes a tree of the roots of perfect subtrees of `each` leaves, a power of two.
    #[must_use]
    pub fn of_blocks(roots: &[Hash], each: u64) -> Self {
        let mut tree = Self::default();
        roots.iter().for_each(|root| tree.append(*root));
        Self { size: tree.size * each, ..tree }
    }

    /// Appends the hash of an entry.
    pub fn append(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        // Every trailing one bit of the size is a perfect subtree as large as the one in hand.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                subtree = node(&left, &subtree);
            }
        }
        self.peaks.push(subtree);
        self.size += 1;
    }

    /// Returns the root; of the empty tree, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return sha256(&[]) };
        peaks.fold(*last, |right, left| node(left, &right))
    }

    /// Returns the tree as bytes, for a checkpoint's row.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.size.to_be_bytes().to_vec();
        self.peaks.iter().for_each(|peak| out.extend_from_slice(peak));
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (size, peaks) = bytes.split_at_checked(8)?;
        let size = u64::from_be_bytes(size.try_into().ok()?);
        let peaks: Vec<Hash> = peaks.chunks(32).map(Hash::try_from).collect::<Result<_, _>>().ok()?;
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns the definition, straight from the RFC.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            many => {
                let split = many.len().next_power_of_two() / 2;
                node(&by_definition(&many[..split]), &by_definition(&many[split..]))
            }
        }
    }

    proptest! {
        #[test]
        fn appending_matches_the_definition(count in 0_usize..200) {
            let leaves: Vec<Hash> = (0..count).map(|n| leaf(&n.to_be_bytes())).collect();
            let mut tree = Tree::default();
            leaves.iter().for_each(|leaf| tree.append(*leaf));
            prop_assert_eq!(tree.root(), by_definition(&leaves));
            prop_assert_eq!(Tree::from_bytes(&tree.to_bytes()), Some(tree));
        }

        #[test]
        fn a_tree_of_blocks_goes_on_as_one_of_leaves(blocks in 0_usize..9, more in 0_usize..8) {
            let leaves: Vec<Hash> = (0..blocks * 8 + more).map(|n| leaf(&n.to_be_bytes())).collect();
            let roots: Vec<Hash> = leaves.chunks_exact(8).map(by_definition).collect();
            let mut tree = Tree::of_blocks(&roots, 8);
            leaves[blocks * 8..].iter().for_each(|leaf| tree.append(*leaf));
            prop_assert_eq!(tree.root(), by_definition(&leaves));
        }
    }
}
