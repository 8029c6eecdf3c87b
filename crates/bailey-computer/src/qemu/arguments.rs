//! What QEMU is told: no device but what a guest needs, no default of its own, no name of a file.

use serde_json::json;

use super::Accelerator;
use crate::engine::Resources;
use bailey_wire::Port;

/// Address space QEMU needs beside the guest's memory, in MiB: its libraries, stacks of its threads, translated code.
pub(super) const BESIDE_MIB: u64 = 3 * 1024;
/// Most translated code kept, in MiB.
const TRANSLATED_MIB: u32 = 256;

/// Returns QEMU's arguments. `{fd:NAME}` stands for a descriptor.
pub(super) fn of(
    resources: &Resources,
    accelerator: Accelerator,
    has_disk: bool,
    waits_for_memory: bool,
) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut add = |name: &str, value: String| words.extend([format!("-{name}"), value]);
    add("machine", "microvm,rtc=on".into());
    match accelerator {
        Accelerator::Kvm => {
            add("accel", "kvm".into());
            add("cpu", "host".into());
        }
        Accelerator::Emulation => {
            add("accel", format!("tcg,tb-size={TRANSLATED_MIB}"));
            add("cpu", "max".into());
        }
    }
    add("m", format!("{}M", resources.memory_mib));
    add("smp", resources.processors.to_string());
    add("sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny".into());
    add("display", "none".into());
    add("kernel", "/proc/self/fd/{fd:kernel}".into());
    add("initrd", "/proc/self/fd/{fd:initrd}".into());
    // The timer of an emulated machine on a loaded host cannot be measured against another: its rate is said.
    add("append", "console=ttyS0 rdinit=/init panic=-1 quiet tsc_early_khz=2000000".into());
    add("chardev", "socket,id=console,fd={fd:console}".into());
    add("serial", "chardev:console".into());
    add("chardev", "socket,id=qmp,fd={fd:qmp}".into());
    add("mon", "chardev=qmp,mode=control".into());
    add("device", "virtio-serial-device,max_ports=3".into());
    for (number, name, port) in [(1, "control", Port::Control), (2, "egress", Port::Egress)] {
        add("chardev", format!("socket,id={name},fd={{fd:{name}}}"));
        add("device", format!("virtserialport,chardev={name},name={},nr={number}", port.name()));
    }
    add("add-fd", "fd={fd:root},set=1".into());
    let file = json!({"driver": "file", "filename": "/dev/fdset/1", "read-only": true});
    let root = json!({"driver": "raw", "node-name": "root", "read-only": true, "file": file});
    add("blockdev", root.to_string());
    add("device", "virtio-blk-device,drive=root".into());
    if has_disk {
        add("object", "secret,id=key,file=/proc/self/fd/{fd:key}".into());
        add("add-fd", "fd={fd:disk},set=2".into());
        let file = json!({"driver": "file", "filename": "/dev/fdset/2", "discard": "unmap"});
        let encrypt = json!({"format": "luks", "key-secret": "key"});
        // A disk names no other file, whatever its header says.
        let disk = json!({"driver": "qcow2", "node-name": "disk", "backing": null, "discard": "unmap", "encrypt": encrypt, "file": file});
        add("blockdev", disk.to_string());
        add("device", "virtio-blk-device,drive=disk".into());
    }
    add("object", "rng-builtin,id=random".into());
    add("device", "virtio-rng-device,rng=random".into());
    if waits_for_memory {
        add("incoming", "defer".into());
        words.push("-S".into());
    }
    words.extend(["-nodefaults", "-no-user-config", "-no-reboot"].map(str::to_owned));
    words
}
