//! RFC 6962, section 2.1: the Merkle tree hash, kept as the roots of perfect subtrees.

use sha2::{Digest as _, Sha256};

#[derive(Default)]
pub(crate) struct Tree {
    size: u64,
    /// Perfect subtrees by height, largest first.
    subtrees: Vec<(u32, [u8; 32])>,
}

/// Returns the hash of two nodes.
pub(crate) fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

impl Tree {
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn append(&mut self, entry: &[u8]) {
        let mut height = 0;
        let mut hash: [u8; 32] = Sha256::new().chain_update([0]).chain_update(entry).finalize().into();
        while let Some((_, left)) = self.subtrees.pop_if(|(top, _)| *top == height) {
            hash = node(&left, &hash);
            height += 1;
        }
        self.subtrees.push((height, hash));
        self.size += 1;
    }

    pub(crate) fn root(&self) -> [u8; 32] {
        let mut hashes = self.subtrees.iter().rev().map(|(_, hash)| *hash);
        match hashes.next() {
            None => Sha256::digest([]).into(),
            Some(smallest) => hashes.fold(smallest, |right, left| node(&left, &right)),
        }
    }
}
