//! Files: lists, content up and down in pieces, and what the person does with them.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue};
use bailey_gate::family::files::{BadPath, FileId, FilePath, Folder};
use bailey_interface::{
    EmptiedView, FileVersionBody, FileVersionView, FileVersionsView, FileView, FolderView, MoveFileBody, PieceBody,
    UploadBody, UploadView,
};
use bailey_ledger::{FileError, FileRow, MadeBy, VersionRow, composed};
use tokio::sync::mpsc;

use super::carried::{FILE_POLICY, picture, to_keep};
use super::*;
use crate::files::Undone;

/// Most bytes of one piece of an upload: in base64 it fits into a request's body.
const MAX_PIECE: usize = 2_500_000;
/// Files that are sent at once: each takes a thread for as long as its reader takes.
const SENDING: usize = 8;
static SENDS: Semaphore = Semaphore::const_new(SENDING);

impl From<Undone> for Failure {
    fn from(error: Undone) -> Self {
        let code = match &error {
            Undone::File(FileError::Refused(_)) => Code::Conflict,
            Undone::File(FileError::Store(StoreError::Full)) => Code::DiskFull,
            Undone::File(FileError::Store(_)) => Code::Internal,
            Undone::Invalid(_) => Code::Invalid,
            Undone::Missing(_) => Code::NotFound,
            Undone::Busy => Code::Busy,
        };
        failure(code, error.to_string())
    }
}

/// What is listed.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct Where {
    /// The folder; the top if none is said.
    #[serde(default)]
    pub(super) folder: String,
    /// The path behind which the files begin.
    #[serde(default)]
    pub(super) after: String,
    /// One file, in place of a folder.
    #[serde(default)]
    pub(super) path: String,
}

/// Returns text of a path without a stroke before and behind it, in the one form of Unicode.
fn plain(text: &str) -> String {
    composed(text).trim_matches('/').to_owned()
}

pub(super) fn path_of(text: &str) -> Result<FilePath, Failure> {
    FilePath::new(&plain(text)).map_err(|why: BadPath| failure(Code::Invalid, why.to_string()))
}

pub(super) fn folder_of(text: &str) -> Result<Folder, Failure> {
    Folder::new(&plain(text)).map_err(|why: BadPath| failure(Code::Invalid, why.to_string()))
}

fn file_id(text: &str) -> Result<FileId, Failure> {
    parse::<Nonce>("file", text).map(|id| *id.as_bytes())
}

fn number(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| failure(Code::Invalid, format!("`{}` is no number of a version", visible(text))))
}

fn version_view(row: &VersionRow) -> FileVersionView {
    FileVersionView {
        version: row.seen.version,
        bytes: row.seen.size,
        sha256: row.seen.digest.to_string(),
        made_ms: row.made_ms,
        action: match row.by {
            MadeBy::Person => None,
            MadeBy::Action(id) => Some(id.to_string()),
        },
        after_reading: row.labels.untrusted,
        after_secrets: row.labels.confidential,
    }
}

pub(super) fn view(row: &FileRow) -> FileView {
    FileView {
        id: Nonce::from_bytes(row.newest.seen.file).to_string(),
        path: row.path.as_str().to_owned(),
        newest: version_view(&row.newest),
        trashed_ms: row.trashed_ms,
    }
}

pub(super) async fn folder(AppState(home): Shared, Query(which): Query<Where>) -> Answer<FolderView> {
    let read = move |home: &Home| {
        let (used_bytes, most_bytes) = (home.ledger.file_bytes()?, home.vault.most_file_bytes());
        if !which.path.is_empty() {
            let path = path_of(&which.path)?;
            let missing = || failure(Code::NotFound, format!("there is no file `{}`; list its folder", path.as_str()));
            let file = home.ledger.file_at(&path)?.ok_or_else(missing)?;
            let folder = file.path.folder().as_str().to_owned();
            let files = vec![view(&file)];
            return Ok(FolderView { folder, folders: Vec::new(), files, more: false, used_bytes, most_bytes });
        }
        let folder = folder_of(&which.folder)?;
        let missing = || failure(Code::NotFound, format!("there is no folder `{}`", folder.as_str()));
        let found = home.ledger.folder(&folder, &plain(&which.after))?.ok_or_else(missing)?;
        Ok(FolderView {
            folder: folder.as_str().to_owned(),
            folders: found.folders,
            files: found.files.iter().map(view).collect(),
            more: found.more,
            used_bytes,
            most_bytes,
        })
    };
    reading(&home, read).await.map(Json)
}

pub(super) async fn trashed(AppState(home): Shared) -> Answer<Vec<FileView>> {
    reading(&home, |home| Ok(home.ledger.trashed_files()?.iter().map(view).collect())).await.map(Json)
}

pub(super) async fn versions(AppState(home): Shared, Path(id): Path<String>) -> Answer<FileVersionsView> {
    let id = file_id(&id)?;
    let read = move |home: &Home| {
        let file = view(&home.file(&id)?);
        let versions = home.ledger.versions(&id)?.iter().map(version_view).collect();
        Ok(FileVersionsView { file, versions })
    };
    reading(&home, read).await.map(Json)
}

/// Content as it is sent: pictures as such, everything else to be kept, not shown.
pub(super) type Content = ([(HeaderName, HeaderValue); 3], Body);

pub(super) async fn content(AppState(home): Shared, Path((id, n)): Path<(String, String)>) -> Result<Content, Failure> {
    let (id, n) = (file_id(&id)?, number(&n)?);
    let busy = "as many files are being sent as may be at once; come again when one has ended";
    let turn = SENDS.try_acquire().map_err(|_| failure(Code::Busy, busy))?;
    let read = move |home: &Home| {
        let (path, version) = (home.file(&id)?.path, home.file_version(&id, n)?);
        let pieces = home.ledger.pieces(&version.seen)?;
        let first = pieces.first().map(|(digest, _)| home.ledger.blob(digest)).transpose()?.flatten();
        Ok((path, pieces, first.as_deref().and_then(picture)))
    };
    let (path, pieces, picture) = reading(&home, read).await?;
    let (to, arriving) = mpsc::channel::<std::io::Result<Vec<u8>>>(1);
    tokio::task::spawn_blocking(move || {
        // The place is taken until the end.
        let _turn = turn;
        for (digest, _) in pieces {
            let gone = || std::io::Error::other("the file is not there any more");
            let piece =
                home.ledger.blob(&digest).map_err(std::io::Error::other).and_then(|piece| piece.ok_or_else(gone));
            let failed = piece.is_err();
            if to.blocking_send(piece).is_err() || failed {
                break;
            }
        }
    });
    let arriving = futures_util::stream::unfold(arriving, |mut arriving| async {
        let piece = arriving.recv().await?;
        Some((piece, arriving))
    });
    let (media, kept) = match picture {
        Some(media) => (media, HeaderValue::from_static("inline")),
        None => ("application/octet-stream", to_keep(path.name())),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CONTENT_DISPOSITION, kept),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY)),
    ];
    Ok((headers, Body::from_stream(arriving)))
}

/// Does something with files beside the threads that answer.
pub(super) async fn changing<T: Send + 'static>(
    home: &Arc<Home>,
    change: impl FnOnce(&Home) -> Result<T, Undone> + Send + 'static,
) -> Result<T, Failure> {
    reading(home, move |home| change(home).map_err(Failure::from)).await
}

pub(super) async fn begin_upload(AppState(home): Shared, JsonBody(body): JsonBody<UploadBody>) -> Answer<UploadView> {
    let path = path_of(&body.path)?;
    let id = changing(&home, move |home| home.begin_upload(path, body.bytes, body.follows)).await?;
    Ok(Json(UploadView { id: Nonce::from_bytes(id).to_string(), bytes: 0 }))
}

pub(super) async fn add_to_upload(
    AppState(home): Shared,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<PieceBody>,
) -> Answer<UploadView> {
    let upload = file_id(&id)?;
    let bad = || failure(Code::Invalid, format!("a piece is base64 of at most {MAX_PIECE} bytes"));
    let piece = BASE64.decode(&body.base64).map_err(|_| bad())?;
    if piece.len() > MAX_PIECE {
        return Err(bad());
    }
    let bytes = changing(&home, move |home| home.add_to_upload(upload, body.at, &piece)).await?;
    Ok(Json(UploadView { id, bytes }))
}

pub(super) async fn end_upload(AppState(home): Shared, Path(id): Path<String>) -> Answer<FileView> {
    let upload = file_id(&id)?;
    changing(&home, move |home| home.end_upload(&upload)).await.map(|file| Json(view(&file)))
}

pub(super) async fn move_file(
    AppState(home): Shared,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<MoveFileBody>,
) -> Answer<FileView> {
    let (id, to) = (file_id(&id)?, path_of(&body.to)?);
    changing(&home, move |home| home.move_file(&id, body.version, &to)).await.map(|file| Json(view(&file)))
}

pub(super) async fn trash_file(
    AppState(home): Shared,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<FileVersionBody>,
) -> Answer<FileView> {
    let id = file_id(&id)?;
    changing(&home, move |home| home.trash_file(&id, body.version)).await.map(|file| Json(view(&file)))
}

pub(super) async fn restore_file(AppState(home): Shared, Path(id): Path<String>) -> Answer<FileView> {
    let id = file_id(&id)?;
    changing(&home, move |home| home.restore_file(&id)).await.map(|file| Json(view(&file)))
}

pub(super) async fn bring_back(AppState(home): Shared, Path((id, n)): Path<(String, String)>) -> Answer<FileView> {
    let (id, n) = (file_id(&id)?, number(&n)?);
    changing(&home, move |home| home.bring_back(&id, n)).await.map(|file| Json(view(&file)))
}

pub(super) async fn empty_trash(
    AppState(home): Shared,
    caller: Caller,
    JsonBody(body): JsonBody<ProvenBody>,
) -> Answer<EmptiedView> {
    let leave = authorise(&home, purposes::empty_trash(), &body.proof, caller).await?;
    changing(&home, move |home| home.empty_trash(&leave)).await.map(|files| Json(EmptiedView { files }))
}

/// Longest content that a page looks into, in bytes.
const MAX_SHOWN: u64 = 4 * 1024 * 1024;

/// Returns the content of a version, or the beginning of a long one, for a page to show what it can of it.
pub(super) async fn content_of_version(home: &Arc<Home>, id: &str, n: u64) -> Result<Option<Vec<u8>>, Failure> {
    let id = file_id(id)?;
    let read = move |home: &Home| {
        let seen = home.file_version(&id, n)?.seen;
        if seen.size <= MAX_SHOWN {
            return Ok(home.ledger.file_content(&seen, MAX_SHOWN)?);
        }
        let pieces = home.ledger.pieces(&seen)?;
        Ok(pieces.first().map(|(digest, _)| home.ledger.blob(digest)).transpose()?.flatten())
    };
    reading(home, read).await
}
