//! Controls of the agent's own computer: its jail, its ports, its disk.

use crate::mutations::Mutation;

const TAKEN_OVER: &str = "jail::qemu_that_was_taken_over_reaches_no_file_no_network_and_no_program";

pub(super) const COMPUTER: &[Mutation] = &[
    Mutation {
        control: "computer/no-network-card",
        edits: &[(
            "crates/bailey-computer/src/qemu/arguments.rs",
            r#"    add("object", "rng-builtin,id=random".into());"#,
            r#"    add("netdev", "user,id=net".into());
    add("device", "virtio-net-device,netdev=net".into());
    add("object", "rng-builtin,id=random".into());"#,
        )],
        test: "outside::root_in_the_guest_reaches_no_network",
    },
    Mutation {
        control: "jail/landlock",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            "    let landlock_whole = renounce_files(&order, &descriptors)?;",
            r#"    let landlock_whole = order.program.is_empty() && renounce_files(&order, &descriptors)?;
    rustix::thread::set_no_new_privs(true).map_err(|error| failed("new rights")(&error))?;"#,
        )],
        test: TAKEN_OVER,
    },
    Mutation {
        control: "jail/no-network",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            "    let wanted = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC",
            "    let wanted = CloneFlags::CLONE_NEWIPC",
        )],
        test: TAKEN_OVER,
    },
    Mutation {
        control: "jail/folders-hidden",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            r#"        mount("tmpfs", *folder, "tmpfs", flags, Some(c"size=4k,mode=0555"))?;"#,
            "        let _ = (folder, flags);",
        )],
        test: TAKEN_OVER,
    },
    Mutation {
        control: "jail/system-calls",
        edits: &[(
            "crates/bailey-computer/src/qemu/arguments.rs",
            r#"    add("sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny".into());
"#,
            "",
        )],
        test: TAKEN_OVER,
    },
    Mutation {
        control: "jail/own-account",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            "        rustix::thread::set_thread_res_uid(user, user, user)?;\n        if rustix::thread::set_thread_uid(Uid::ROOT).is_ok() {",
            "        let _ = user;\n        if rustix::process::getpid().is_init() {",
        )],
        test: TAKEN_OVER,
    },
    Mutation {
        control: "jail/other-descriptors-closed",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            "        let _ = nix::unistd::close(number);",
            "        let _ = number;",
        )],
        test: "jail::descriptors_that_were_left_open_are_closed",
    },
    Mutation {
        control: "jail/never-root",
        edits: &[(
            "crates/bailey-computer/src/jail.rs",
            r#"        return Err(io::Error::other("root needs an account to change to"));"#,
            "        let _ = order;",
        )],
        test: "jail::nothing_is_started_that_would_keep_the_rights_of_root",
    },
    Mutation {
        control: "computer/window",
        edits: &[(
            "crates/bailey-wire/src/mux.rs",
            "stream.window = stream.window.checked_sub(u32::from(value)).ok_or(WireError::Overrun)?;",
            "stream.window = stream.window.saturating_sub(u32::from(value));",
        )],
        test: "main::rules_of_the_port_are_kept",
    },
    Mutation {
        control: "computer/stream-limit",
        edits: &[(
            "crates/bailey-wire/src/mux.rs",
            "        if self.streams.len() < self.port.max_streams() {\n            let id = self.named(number);",
            "        if self.last > 0 {\n            let id = self.named(number);",
        )],
        test: "outside::guests_that_flood_or_speak_garbage_cost_the_host_no_more_than_the_bounds",
    },
    Mutation {
        control: "computer/disk-bound",
        edits: &[(
            "crates/bailey-computer/src/qemu/disk.rs",
            "            self.resources.disk_bytes.to_string(),",
            "            (self.resources.disk_bytes * 2).to_string(),",
        )],
        test: "outside::guests_that_fill_their_disk_or_never_read_stay_within_their_bounds",
    },
    Mutation {
        control: "computer/pause-stops-processors",
        edits: &[(
            "crates/bailey-computer/src/qemu/machine.rs",
            r#"let stopping = async { self.qmp.lock().await.run("stop", json!({})).await };"#,
            r#"let stopping = async { self.qmp.lock().await.run("query-status", json!({})).await };"#,
        )],
        test: "lifecycle::paused_machines_do_nothing_and_resumed_ones_know_the_time",
    },
    Mutation {
        control: "computer/key-erased",
        edits: &[
            (
                "crates/bailey-computer/src/qemu/disk.rs",
                r#""encrypt.state=inactive,encrypt.old-secret=key".into()"#,
                r#""lazy_refcounts=off".into()"#,
            ),
            ("crates/bailey-computer/src/qemu/disk.rs", "        overwrite(&mut disk).map_err(failed)?;\n", ""),
        ],
        test: "lifecycle::disks_are_copied_under_a_new_key_and_cannot_be_read_once_destroyed",
    },
    Mutation {
        control: "computer/copy-has-own-key",
        edits: &[
            (
                "crates/bailey-computer/src/qemu/disk.rs",
                "        self.create_disk(to, new_key).await?;",
                "        self.create_disk(to, key).await?;",
            ),
            (
                "crates/bailey-computer/src/qemu/disk.rs",
                "let (secret, other) = (secret(key)?, secret(new_key)?);",
                "let _ = new_key;\n        let (secret, other) = (secret(key)?, secret(key)?);",
            ),
        ],
        test: "lifecycle::disks_are_copied_under_a_new_key_and_cannot_be_read_once_destroyed",
    },
    Mutation {
        control: "computer/memory-whole",
        edits: &[(
            "crates/bailey-computer/src/sealed.rs",
            "piece.to_be_bytes().into_iter().chain([u8::from(is_last)])",
            "piece.to_be_bytes().into_iter().chain([u8::from(is_last && piece == u32::MAX)])",
        )],
        test: "tests::saved_memory_opens_only_whole_unchanged_and_with_its_key",
    },
    Mutation {
        control: "computer/memory-sealed",
        edits: &[
            (
                "crates/bailey-computer/src/sealed.rs",
                "        let sealed = key.seal_in_place_append_tag(nonce(number, next.is_empty()), Aad::empty(), &mut piece);\n        sealed.map_err(|_| io::Error::other(\"a piece cannot be sealed\"))?;\n",
                "        let _ = (&key, number);\n        piece.extend([0; TAG_BYTES]);\n",
            ),
            (
                "crates/bailey-computer/src/sealed.rs",
                r#"let plain =
            key.open_in_place(nonce(number, next.is_empty()), Aad::empty(), &mut piece).map_err(|_| changed())?;"#,
                "let _ = (&key, number);\n        let plain = piece.get(..piece.len().saturating_sub(TAG_BYTES)).ok_or_else(changed)?;",
            ),
        ],
        test: "lifecycle::snapshots_bring_back_memory_and_disk_with_the_time_and_randomness_of_now",
    },
    Mutation {
        control: "computer/image-checked",
        edits: &[(
            "crates/bailey-computer/src/image.rs",
            "    if wanted != Some(&hex(&hash.finalize())) {",
            "    if wanted.is_none() {",
        )],
        test: "lifecycle::images_that_were_changed_do_not_start",
    },
    Mutation {
        control: "computer/time-of-now",
        edits: &[(
            "crates/bailey-computer/src/qemu/machine.rs",
            "        self.ports.control.set_clock(unix_nanos()).await?;\n",
            "        let _ = unix_nanos();\n",
        )],
        test: "lifecycle::snapshots_bring_back_memory_and_disk_with_the_time_and_randomness_of_now",
    },
    Mutation {
        control: "computer/randomness-of-now",
        edits: &[(
            "crates/bailey-computer/src/qemu/machine.rs",
            "        self.ports.control.reseed().await\n",
            "        Ok(())\n",
        )],
        test: "lifecycle::snapshots_bring_back_memory_and_disk_with_the_time_and_randomness_of_now",
    },
];
