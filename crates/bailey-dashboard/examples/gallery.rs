//! Writes every page, made of made-up views, to a folder, to be looked at in a browser: `cargo run -p bailey-dashboard --example gallery -- FOLDER`.

#![expect(clippy::indexing_slicing, reason = "the views are made up, and are as they are made")]

#[path = "../tests/it/pages.rs"]
mod pages;
#[path = "../tests/it/views.rs"]
mod views;

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/gallery".into()));
    fs::create_dir_all(&folder)?;
    let written = pages::all(&pages::Views::usual());
    for (name, page) in written {
        for path in page.split('"').filter(|part| part.starts_with("/assets/")) {
            let path = path.split('#').next().unwrap_or_default();
            let Some((_, bytes)) = bailey_dashboard::asset(path) else { continue };
            let file = folder.join(path.trim_start_matches('/'));
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(file, bytes)?;
        }
        fs::write(folder.join(format!("{name}.html")), page.replace("\"/assets/", "\"assets/"))?;
    }
    Ok(())
}
