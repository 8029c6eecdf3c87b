//! The person's files: folders, one file with its versions, and the trash.

use bailey_interface::{FileVersionView, FileVersionsView, FileView, FolderView};
use maud::{Markup, html};
use serde_json::json;

use crate::assets::{FILES, path};
use crate::carried::Seen;
use crate::frame::{Frame, icon, page};
use crate::records::address;
use crate::touch::{self, Then, Touch};
use crate::words;

/// Returns the address of a folder's page.
fn folder_at(folder: &str) -> String {
    address("/files", [("folder", folder)].into_iter())
}

/// Returns the name at the end of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Returns the folder of a path.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Makes the way from the top to a folder.
fn crumbs(folder: &str) -> Markup {
    let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
    let above: Vec<&str> = ends.filter_map(|at| folder.get(..at)).filter(|path| !path.is_empty()).collect();
    html! {
        p class="crumb" {
            a href="/files" { "Files" }
            @for path in above { " / " a href=(folder_at(path)) { bdi { (name_of(path)) } } }
        }
    }
}

/// Says when a version was made, by whom, and what they had read.
fn made(frame: &Frame<'_>, one: &FileVersionView) -> Markup {
    html! {
        (frame.moment(one.made_ms)) " by "
        @match &one.action {
            None => "you",
            Some(action) => a href={ "/activity/" (action) } { "the agent" },
        }
        @if one.after_reading { " " span class="mark l-others" { "after reading what others wrote" } }
        @if one.after_secrets { " " span class="mark l-others" { "after seeing secrets" } }
    }
}

/// Makes the page of a folder.
#[must_use]
pub fn files(frame: &Frame<'_>, view: &FolderView) -> String {
    let FolderView { folder, folders, files, more, used_bytes, most_bytes } = view;
    let above = folder_of(folder);
    let main = html! {
        @if !folder.is_empty() { (crumbs(above)) }
        h1 { @if folder.is_empty() { "Files" } @else { bdi { (name_of(folder)) } } }
        @if folder.is_empty() {
            p class="lead" { "Kept encrypted here, with every version. The agent reads them freely, and asks before it writes, unless a rule of yours says otherwise." }
        }
        @if folders.is_empty() && files.is_empty() { p class="none" { "Nothing lies here yet." } }
        @else {
            ul class="listed lying" {
                @for path in folders { li { a href=(folder_at(path)) { (icon("folder")) bdi { (name_of(path)) } span class="off" { ", a folder" } } } }
                @for file in files { (row(frame, file)) }
            }
            @if *more {
                @if let Some(last) = files.last() {
                    p class="older" { a class="button plain" rel="next" href=(address("/files", [("folder", folder.as_str()), ("after", last.path.as_str())].into_iter())) { "The next ones" } }
                }
            }
        }
        details id="put-files" open[folders.is_empty() && files.is_empty()] { summary class="button plain" { "Put files here" } (put(folder)) }
        div class="between" {
            p class="dim" { (words::size(*used_bytes)) " of " (most_bytes >> 30) " GiB in use, with every version and the trash." }
            a class="button plain" href="/files/trash" { "Trash" }
        }
        script type="module" src=(path(&FILES)) {}
    };
    page(frame, "Files", &main)
}

fn row(frame: &Frame<'_>, file: &FileView) -> Markup {
    html! {
        li {
            a href={ "/files/" (file.id) } { (icon("file")) bdi { (name_of(&file.path)) } }
            span class="dim" { (words::size(file.newest.bytes)) " · " (made(frame, &file.newest)) }
        }
    }
}

/// Makes the form that files are put with. Without scripts they go in one request, which has its bound; with them in pieces.
fn put(folder: &str) -> Markup {
    html! {
        form id="put" class="write" method="post" action="/do/files/put" enctype="multipart/form-data" data-folder=(folder) {
            input type="hidden" name="folder" value=(folder);
            label { span { "Files of this device" } input type="file" name="file" multiple required; }
            label { span { "In a folder " small { "made where there is none" } } input name="into" maxlength="500" autocomplete="off" spellcheck="false"; }
            p id="put-said" class="dim" role="status" { "Where a file of this name lies, this becomes its newest version. Without scripts, up to 4 MB at once." }
            div class="answers" { button type="submit" class="go" { "Put" } }
        }
    }
}

/// Makes the page of a file: what can be seen of one of its versions, all versions, and what can be done with it.
#[must_use]
pub fn own_file(frame: &Frame<'_>, view: &FileVersionsView, shown: &FileVersionView, seen: &Seen<'_>) -> String {
    let FileVersionsView { file, versions } = view;
    let FileView { id, path, newest, trashed_ms } = file;
    let content = format!("/v1/files/{id}/versions/{}", shown.version);
    let main = html! {
        (crumbs(folder_of(path)))
        h1 { bdi { (name_of(path)) } }
        @if let Some(at) = trashed_ms { p class="lead" { "In the trash since " (frame.moment(*at)) "." } }
        p class="lead" { (words::size(shown.bytes)) " · version " (shown.version) " of " (newest.version) " · " (made(frame, shown)) }
        @match seen {
            Seen::Picture => p { img class="seen" src=(content) alt={ "The file " (name_of(path)) }; },
            Seen::Text { text, whole } => {
                pre class="body" dir="auto" { (text) }
                @if !whole { p class="dim" { "There is more of it; keep the file to read the rest." } }
            },
            Seen::Nothing => p class="note" { "It is not shown here. Keep it, and open it with a program you trust with it." },
        }
        div class="answers" {
            a class="button plain" href=(content) download=(name_of(path)) { "Keep the file" }
            @if trashed_ms.is_some() { (touch::post(&format!("/do/files/{id}/restore"), &[], "Take it out of the trash", "plain")) }
            @else { (touch::post(&format!("/do/files/{id}/trash"), &[("version", &newest.version.to_string())], "Move to the trash", "plain")) }
        }
        @if trashed_ms.is_none() {
            details {
                summary { "Move or rename" }
                form method="post" class="write" action={ "/do/files/" (id) "/move" } {
                    input type="hidden" name="version" value=(newest.version);
                    label { span { "Its path" } input name="to" value=(path) maxlength="1024" required autocomplete="off" spellcheck="false"; }
                    div class="answers" { button type="submit" class="plain" { "Move" } }
                }
            }
        }
        section class="group" aria-labelledby="versions" {
            h2 id="versions" { "Versions" }
            ul class="listed lying" { @for one in versions { (version_row(frame, file, one)) } }
        }
        details class="closer" id="exactly" {
            summary { "Exactly what it holds" }
            dl class="items" {
                dt { "Bytes" } dd { (words::number(shown.bytes)) }
                dt { "SHA-256" } dd { code { (shown.sha256) } }
            }
        }
    };
    page(frame, "File", &main)
}

fn version_row(frame: &Frame<'_>, file: &FileView, one: &FileVersionView) -> Markup {
    let number = one.version.to_string();
    let here = address(&format!("/files/{}", file.id), [("version", number.as_str())].into_iter());
    let earlier = one.version != file.newest.version && file.trashed_ms.is_none();
    html! {
        li {
            a href=(here) { "Version " (number) }
            span class="dim" { (words::size(one.bytes)) " · " (made(frame, one)) }
            @if earlier {
                (touch::post(&format!("/do/files/{}/versions/{number}/restore", file.id), &[], &format!("Bring back {number}"), "plain"))
            }
        }
    }
}

/// Makes the page of the trash.
#[must_use]
pub fn trash(frame: &Frame<'_>, files: &[FileView]) -> String {
    let empty = Touch { path: "/v1/files/trash/empty", body: json!({}), said: "Emptied.", then: Then::Renew };
    let main = html! {
        p class="crumb" { a href="/files" { "Files" } }
        h1 { "Trash" }
        @if files.is_empty() { p class="none" { "Nothing lies in the trash." } }
        @else {
            p class="lead" { "What lies here is kept with every version until you empty the trash. Then it is gone for good, and its keys with it." }
            ul class="listed lying" { @for file in files { li {
                a href={ "/files/" (file.id) } { (icon("file")) bdi { (file.path) } }
                span class="dim" { (words::size(file.newest.bytes)) @if let Some(at) = file.trashed_ms { " · trashed " (frame.moment(at)) } }
                (touch::post(&format!("/do/files/{}/restore", file.id), &[], "Restore", "plain"))
            } } }
            div class="answers" { (touch::button(&empty, "Empty the trash", "danger")) }
        }
    };
    page(frame, "Trash", &main)
}
