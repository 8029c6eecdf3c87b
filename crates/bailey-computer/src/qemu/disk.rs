//! Disks: made, copied, put back and destroyed by `qemu-img`, in the jail. A disk's header may have been written by a QEMU that was taken
//! over; whoever reads it has nothing else in reach.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};

use serde_json::json;
use tokio::time::timeout;

use super::{Qemu, machine, open_disk, secret};
use crate::ComputerError;
use crate::engine::{DiskKey, Place};
use crate::launch::{Handed, Jailed};

/// What is overwritten of a disk that is destroyed, in bytes: its header, and where it keeps its wrapped key.
const HEADER_BYTES: usize = 4 << 20;
/// Memory that `qemu-img` may take, in MiB.
const TOOL_MIB: u32 = 512;
/// What each key is unwrapped with: the key is random and long, so guessing it is no cheaper for this being quick.
const UNWRAP_MS: u32 = 10;

/// How often making a disk is tried: `qemu-img` measures how fast it unwraps a key, and on a loaded machine finds it took no time at all.
const MEASURINGS: u32 = 10;

/// Names a disk for `qemu-img`, with the key that opens it.
fn named(disk: &str, key: &str) -> String {
    let file = json!({"driver": "file", "filename": format!("/proc/self/fd/{{fd:{disk}}}")});
    let encrypt = json!({"format": "luks", "key-secret": key});
    format!("json:{}", json!({"driver": "qcow2", "backing": null, "encrypt": encrypt, "file": file}))
}

fn key_object(key: &str) -> [String; 2] {
    ["--object".into(), format!("secret,id={key},file=/proc/self/fd/{{fd:{key}}}")]
}

impl Qemu {
    async fn tool(&self, words: Vec<String>, handed: &[Handed<'_>]) -> Result<(), ComputerError> {
        let mut order = self.order(&self.tool, words, TOOL_MIB);
        order.devices.clear();
        order.writes = vec!["disk".into(), "copy".into()];
        let jailed = Jailed::start(&self.launcher, order, handed, None).await?;
        match timeout(machine::SAVED_WITHIN, jailed.ended()).await {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(status) => {
                let how = status.map(|status| status.to_string()).unwrap_or_default();
                Err(ComputerError::Qemu(format!("qemu-img: {how}: {}", jailed.complaint())))
            }
            Err(_) => Err(ComputerError::Qemu("qemu-img takes too long".into())),
        }
    }

    pub(super) async fn create_disk(&self, place: &Place, key: &DiskKey) -> Result<(), ComputerError> {
        let failed = |source| ComputerError::File { path: place.folder().into(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(place.folder()).map_err(failed)?;
        let path = place.disk();
        let failed = |source| ComputerError::File { path: path.clone(), source };
        let disk =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        if let Some(identity) = self.identity {
            std::os::unix::fs::fchown(&disk, Some(identity.user), Some(identity.group)).map_err(failed)?;
        }
        let secret = secret(key)?;
        let mut words: Vec<String> = ["create", "-q", "-f", "qcow2"].map(str::to_owned).into();
        words.extend(key_object("key"));
        words.extend([
            "-o".into(),
            format!("encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time={UNWRAP_MS}"),
            "/proc/self/fd/{fd:disk}".into(),
            self.resources.disk_bytes.to_string(),
        ]);
        let handed = [("disk", disk.as_fd()), ("key", secret.as_fd())];
        let mut made = self.tool(words.clone(), &handed).await;
        for _ in 1..MEASURINGS {
            if !matches!(&made, Err(ComputerError::Qemu(why)) if why.contains("accurate CPU usage")) {
                break;
            }
            made = self.tool(words.clone(), &handed).await;
        }
        if made.is_err() {
            let _ = fs::remove_file(&path);
        }
        made
    }

    /// Puts the disk back to a snapshot.
    pub(super) async fn revert_disk(&self, place: &Place, key: &DiskKey, name: &str) -> Result<(), ComputerError> {
        self.change_snapshot("-a", place, key, name).await
    }

    /// Removes a snapshot from the disk.
    pub(super) async fn forget_on_disk(&self, place: &Place, key: &DiskKey, name: &str) -> Result<(), ComputerError> {
        self.change_snapshot("-d", place, key, name).await
    }

    async fn change_snapshot(&self, how: &str, place: &Place, key: &DiskKey, name: &str) -> Result<(), ComputerError> {
        let mut words: Vec<String> = ["snapshot", "-q", how, name].map(str::to_owned).into();
        words.extend(key_object("key"));
        words.push(named("disk", "key"));
        let (disk, secret) = (open_disk(place)?, secret(key)?);
        self.tool(words, &[("disk", disk.as_fd()), ("key", secret.as_fd())]).await
    }

    pub(super) async fn copy_disk(
        &self,
        from: &Place,
        key: &DiskKey,
        to: &Place,
        new_key: &DiskKey,
    ) -> Result<(), ComputerError> {
        self.create_disk(to, new_key).await?;
        let mut words: Vec<String> = ["convert", "-q", "-n"].map(str::to_owned).into();
        words.extend(key_object("key"));
        words.extend(key_object("other"));
        words.extend([named("disk", "key"), "--target-image-opts".into()]);
        words.push(
            "driver=qcow2,encrypt.key-secret=other,file.driver=file,file.filename=/proc/self/fd/{fd:copy}".into(),
        );
        let (disk, copy) = (open_disk(from)?, open_disk(to)?);
        let (secret, other) = (secret(key)?, secret(new_key)?);
        let handed: [(&str, BorrowedFd<'_>); 4] =
            [("disk", disk.as_fd()), ("copy", copy.as_fd()), ("key", secret.as_fd()), ("other", other.as_fd())];
        self.tool(words, &handed).await
    }

    /// Takes the key out of the disk's header, overwrites the header, and removes everything. What cannot be taken out, because the disk is
    /// damaged, is overwritten all the same; then it says so, and the key has to be destroyed where it is kept.
    pub(super) async fn destroy_disk(&self, place: &Place, key: &DiskKey) -> Result<(), ComputerError> {
        let mut words: Vec<String> = ["amend", "-q", "--force"].map(str::to_owned).into();
        words.extend(key_object("key"));
        words.extend(["-o".into(), "encrypt.state=inactive,encrypt.old-secret=key".into(), named("disk", "key")]);
        let (mut disk, secret) = (open_disk(place)?, secret(key)?);
        let erased = self.tool(words, &[("disk", disk.as_fd()), ("key", secret.as_fd())]).await;
        let failed = |source| ComputerError::File { path: place.folder().into(), source };
        overwrite(&mut disk).map_err(failed)?;
        fs::remove_dir_all(place.folder()).map_err(failed)?;
        erased
    }
}

fn overwrite(disk: &mut File) -> std::io::Result<()> {
    let length = usize::try_from(disk.metadata()?.len()).unwrap_or(HEADER_BYTES).min(HEADER_BYTES);
    disk.write_all(&vec![0; length])?;
    disk.sync_all()
}
