//! The pages of files, and their forms.

use axum::extract::Multipart;
use bailey_dashboard::{self as html, Section, Seen};
use bailey_interface::{FileVersionBody, MoveFileBody};

use super::carried::{as_text, picture};
use super::files::{Where, changing, content_of_version, folder_of, path_of};
use super::pages::{Around, Page, shown, to};
use super::*;

/// Files that one form puts.
const MAX_FILES: usize = 100;

pub(super) async fn folder(AppState(home): Shared, Query(which): Query<Where>) -> Page {
    let around = Around::of(&home).await?;
    let Json(view) = files::folder(AppState(home), Query(which)).await?;
    Ok(shown(html::files(&around.frame(Section::Files), &view)))
}

pub(super) async fn trash(AppState(home): Shared) -> Page {
    let around = Around::of(&home).await?;
    let Json(list) = files::trashed(AppState(home)).await?;
    Ok(shown(html::trash(&around.frame(Section::Files), &list)))
}

/// Which version is shown.
#[derive(Default, Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    version: Option<u64>,
}

pub(super) async fn file(AppState(home): Shared, Path(id): Path<String>, Query(which): Query<Shown>) -> Page {
    let around = Around::of(&home).await?;
    let Json(view) = files::versions(AppState(Arc::clone(&home)), Path(id)).await?;
    let wanted = which.version.unwrap_or(view.file.newest.version);
    let missing = || failure(Code::NotFound, format!("the file has no version {wanted}; look at its versions"));
    let version = view.versions.iter().find(|one| one.version == wanted).cloned().ok_or_else(missing)?;
    let bytes = content_of_version(&home, &view.file.id, wanted).await?;
    // By its bytes and by nothing that anybody says of it.
    let picture = bytes.as_deref().and_then(picture);
    let text = bytes.as_deref().filter(|bytes| picture.is_none() && !bytes.contains(&0)).and_then(as_text);
    let seen = match (picture, &text) {
        (Some(_), _) => Seen::Picture,
        (None, Some((text, whole))) => Seen::Text { text, whole: *whole },
        (None, None) => Seen::Nothing,
    };
    Ok(shown(html::own_file(&around.frame(Section::Files), &view, &version, &seen)))
}

/// Returns the address of the page of a folder.
fn page_of(folder: &str) -> String {
    let encoded = folder.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("/files?folder={}", encoded.collect::<String>())
}

/// A form with files, read whole: it is as short as any request's body.
#[derive(Default)]
struct FilesForm {
    /// Its other fields, by name.
    fields: Vec<(String, String)>,
    /// Its files, by the names they have without folders: some browsers say the folder a file came from.
    files: Vec<(String, Vec<u8>)>,
}

impl FilesForm {
    async fn read(mut form: Multipart) -> Result<Self, Failure> {
        let bad = |error: &dyn std::fmt::Display| failure(Code::Malformed, format!("the form cannot be read: {error}"));
        let mut out = Self::default();
        while let Some(field) = form.next_field().await.map_err(|error| bad(&error))? {
            let name = field.name().unwrap_or_default().to_owned();
            let called =
                field.file_name().map(|called| called.rsplit(['/', '\\']).next().unwrap_or_default().to_owned());
            let bytes = field.bytes().await.map_err(|error| bad(&error))?;
            match called {
                Some(called) if !called.is_empty() && out.files.len() < MAX_FILES => {
                    out.files.push((called, bytes.to_vec()))
                }
                Some(_) => {}
                None => out.fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
        if out.files.is_empty() {
            return Err(failure(Code::Invalid, "choose a file first"));
        }
        Ok(out)
    }

    fn field(&self, wanted: &str) -> &str {
        self.fields.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
    }

    /// Puts the files into a folder, one after the other: what is put stays, though one behind it cannot be.
    async fn put(self, home: &Arc<Home>, folder: &str) -> Result<(), Failure> {
        for (called, bytes) in self.files {
            let path = path_of(&format!("{folder}/{called}"))?;
            changing(home, move |home| home.put_file(&path, &bytes)).await?;
        }
        Ok(())
    }
}

pub(super) async fn put(AppState(home): Shared, form: Multipart) -> Page {
    let form = FilesForm::read(form).await?;
    let parts = ["folder", "into"].map(|name| form.field(name).trim_matches('/').to_owned());
    let folder = folder_of(&parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("/"))?;
    form.put(&home, folder.as_str()).await?;
    Ok(to(&page_of(folder.as_str())))
}

/// Gives a task with files: they lie in a folder of their own, which its words name.
pub(super) async fn give_task(AppState(home): Shared, form: Multipart) -> Page {
    let form = FilesForm::read(form).await?;
    let folder = bailey_interface::given_folder(home.clock.now().wall_ms);
    let words = format!("{}{}", form.field("words").replace("\r\n", "\n"), bailey_interface::given_words(&folder));
    form.put(&home, &folder).await?;
    let body = JsonBody(TaskBody { words, origin: None });
    let Json(view) = tasks::give_task(AppState(home), HeaderMap::new(), body).await?;
    Ok(to(&format!("/talk/{}", view.summary.id)))
}

pub(super) async fn move_file(AppState(home): Shared, Path(id): Path<String>, Form(body): Form<MoveFileBody>) -> Page {
    let Json(file) = files::move_file(AppState(home), Path(id), JsonBody(body)).await?;
    Ok(to(&format!("/files/{}", file.id)))
}

pub(super) async fn trash_file(
    AppState(home): Shared,
    Path(id): Path<String>,
    Form(body): Form<FileVersionBody>,
) -> Page {
    let Json(file) = files::trash_file(AppState(home), Path(id), JsonBody(body)).await?;
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    // A folder that nothing lies in any more is gone.
    Ok(to(if folder.is_empty() { "/files" } else { "/files/trash" }))
}

pub(super) async fn restore_file(AppState(home): Shared, Path(id): Path<String>) -> Page {
    let Json(file) = files::restore_file(AppState(home), Path(id)).await?;
    Ok(to(&format!("/files/{}", file.id)))
}

pub(super) async fn bring_back(AppState(home): Shared, Path(of): Path<(String, String)>) -> Page {
    let Json(file) = files::bring_back(AppState(home), Path(of)).await?;
    Ok(to(&format!("/files/{}", file.id)))
}
