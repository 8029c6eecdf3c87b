//! Looking for words in names and texts of files. Nothing is indexed: files are read one after the other, within bounds.

use bailey_gate::family::files::Folder;
use bailey_vault::{FileRow, Files, Vault};
use serde_json::{Value, json};

use super::told;
use crate::mail::mime::text_of_file;

/// Files that one search tells. A model that wants others says more words.
const MAX_FOUND: usize = 40;
/// Longest file whose text is looked into, in bytes; bytes and files looked into by one search. It takes seconds then.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
const MAX_ALL_BYTES: u64 = 64 * 1024 * 1024;
const MAX_FILES: usize = 2_000;
/// Characters shown before and behind the words.
const AROUND: usize = 80;

/// Looks for words, in whatever case, in a folder and beneath.
pub(super) fn search(vault: &Vault, words: &str, folder: &Folder) -> Result<Value, String> {
    let files = vault.files();
    let (words, within) = (words.to_lowercase(), format!("{}/", folder.as_str()));
    let (mut found, mut unread, mut left, mut after) = (Vec::new(), 0_usize, (MAX_ALL_BYTES, MAX_FILES), String::new());
    loop {
        let part = files.after(&after).map_err(|error| error.to_string())?;
        let Some(last) = part.last() else { break };
        after = last.path.as_str().to_owned();
        for file in part.iter().filter(|file| folder.as_str().is_empty() || file.path.as_str().starts_with(&within)) {
            let named = file.path.name().to_lowercase().contains(&words);
            let text = if named { Look::Not } else { look(&files, file, &words, &mut left)? };
            match text {
                Look::Found(excerpt) => found.push(with(told(file), &excerpt)),
                Look::Not if named => found.push(told(file)),
                Look::Not => {}
                Look::Unread => unread += 1,
            }
            if found.len() >= MAX_FOUND {
                return Ok(json!({ "files": found, "more": true, "not_looked_into": unread }));
            }
        }
    }
    Ok(json!({ "files": found, "more": false, "not_looked_into": unread }))
}

enum Look {
    Found(String),
    Not,
    Unread,
}

fn look(files: &Files<'_>, file: &FileRow, words: &str, left: &mut (u64, usize)) -> Result<Look, String> {
    let size = file.newest.seen.size;
    // Secrets come into a task by reading a file, which is noted, and not by looking for one.
    if file.newest.labels.confidential || size > MAX_FILE_BYTES || size > left.0 || left.1 == 0 {
        return Ok(Look::Unread);
    }
    *left = (left.0 - size, left.1 - 1);
    let Some(bytes) = files.content(&file.newest.seen, size).map_err(|error| error.to_string())? else {
        return Ok(Look::Unread);
    };
    let Some(text) = text_of_file(&bytes, file.path.name()) else { return Ok(Look::Not) };
    Ok(excerpt(&text, words).map_or(Look::Not, Look::Found))
}

/// Returns what stands around words, in whatever case.
fn excerpt(text: &str, words: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let at = lower.find(words)?;
    let before = lower.get(..at)?.chars().count();
    let (from, long) = (before.saturating_sub(AROUND), words.chars().count() + 2 * AROUND);
    Some(text.chars().skip(from).take(long).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" "))
}

fn with(mut file: Value, excerpt: &str) -> Value {
    if let Some(fields) = file.as_object_mut() {
        fields.insert("excerpt".into(), json!(excerpt));
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_show_what_stands_around_the_words() {
        let text = format!("{}The RENT is due\non Monday.{}", "x ".repeat(200), " y".repeat(200));
        let shown = excerpt(&text, "rent").unwrap();
        assert!(shown.contains("The RENT is due on Monday.") && shown.chars().count() < 200, "{shown}");
        assert_eq!(excerpt("nothing", "rent"), None);
    }
}
