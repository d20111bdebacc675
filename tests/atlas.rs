//! The atlas: look-ups, equal output for equal sources, and arbitrary bytes as an atlas.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::atlas::build::Builder;
use ksplat::atlas::{Atlas, Error, FileClass, Hints};
use proptest::prelude::*;

const MAINTAINERS: &str = "List of maintainers\n\nCM FILESYSTEM\nM:\tA Person <person@example.org>\n\
    L:\tlinux-cm@example.org (moderated)\nS:\tMaintained\nF:\tfs/cm/\nX:\tfs/cm/other.c\n\n\
    CM DRIVERS\nL:\tcm-drivers@example.org\nS:\tOrphan\nF:\tdrivers/*/cm*\n\nTHE REST\nF:\t*\nF:\t*/\n";

fn tree() -> Vec<u8> {
    let mut builder = Builder::new();
    for (path, text) in [
        ("MAINTAINERS", MAINTAINERS),
        ("fs/cm/dir.c", "int cm_read(struct file *file)\n{\n}\nstatic int init(void)\n{\n}\n"),
        ("fs/cm/other.c", "int cm_other(void)\n{\n}\n"),
        ("fs/cm/Makefile", "obj-$(CONFIG_CM) += cm.o\ncm-y := dir.o other.o\n"),
        ("drivers/net/cm-net.c", "static int init(void)\n{\n}\nint cm_up(void)\n{\n}\n"),
        ("drivers/net/Makefile", "obj-m += cm-net.o\n"),
        ("arch/x86/lib/cm.S", "SYM_FUNC_START(cm_copy)\n"),
        ("arch/arm64/lib/cm.S", "SYM_FUNC_START(cm_copy)\n"),
        ("arch/ia64/kernel/cm.c", "int cm_flush(void)\n{\n}\nint cm_map(void)\n{\n}\n"),
        ("drivers/s390/cio/cm.c", "int cm_channel(void)\n{\n}\n"),
        ("mm/cm.c", "int cm_map(void)\n{\n}\n"),
        ("arch/arm/xen/cm.c", "int cm_grant(void)\n{\n}\n"),
        ("drivers/iommu/arm/cm.c", "int cm_smmu(void)\n{\n}\n"),
        ("rust/cm.rs", "pub fn update_ref(&self) {\n"),
    ] {
        builder.add(path, text.as_bytes());
    }
    builder.finish()
}

fn paths(atlas: Atlas<'_>, name: &str) -> Vec<String> {
    atlas.files(name).map(|file| file.to_string()).collect()
}

#[test]
fn functions_have_files() {
    let bytes = tree();
    let atlas = Atlas::read(&bytes).unwrap();
    assert_eq!(paths(atlas, "cm_read"), ["fs/cm/dir.c"]);
    assert_eq!(paths(atlas, "init"), ["drivers/net/cm-net.c", "fs/cm/dir.c"]);
    assert_eq!(paths(atlas, "::update_ref"), ["rust/cm.rs"]);
    assert_eq!(paths(atlas, "cm_write"), [""; 0]);
    assert_eq!(atlas.module("cm").next().unwrap().to_string(), "fs/cm");
    assert_eq!(atlas.module("cm_net").next().unwrap().to_string(), "drivers/net/cm-net.c");
    assert_eq!(atlas.files("cm_copy").next().unwrap().class(), FileClass::Library);
}

#[test]
fn a_name_in_several_files_is_resolved() {
    let bytes = tree();
    let atlas = Atlas::read(&bytes).unwrap();
    let found =
        |function, hints| atlas.resolve(function, hints).map(|place| place.file.to_string());
    let none = Hints::default();
    assert_eq!(found("init", none), None);
    assert_eq!(found("init", Hints { module: Some("cm"), ..none }).unwrap(), "fs/cm/dir.c");
    assert_eq!(
        found("init", Hints { module: Some("cm_net"), ..none }).unwrap(),
        "drivers/net/cm-net.c"
    );
    assert_eq!(found("init", Hints { near: &["fs/cm"], ..none }).unwrap(), "fs/cm/dir.c");
    assert_eq!(
        found("cm_copy", Hints { arch: Some("x86_64"), ..none }).unwrap(),
        "arch/x86/lib/cm.S"
    );
    assert_eq!(
        found("cm_copy", Hints { arch: Some("arm64"), ..none }).unwrap(),
        "arch/arm64/lib/cm.S"
    );
    // A function that is in no tree is in the directory of its module.
    assert_eq!(found("cm_new", Hints { module: Some("cm"), ..none }).unwrap(), "fs/cm");
}

#[test]
fn files_of_another_architecture_are_refused() {
    let bytes = tree();
    let atlas = Atlas::read(&bytes).unwrap();
    let found = |function, arch| {
        let hints = Hints { arch: Some(arch), ..Hints::default() };
        atlas.resolve(function, hints).map(|place| place.file.to_string())
    };
    for (function, arch, file) in [
        ("cm_flush", "x86_64", None),
        ("cm_channel", "i386", None),
        ("cm_channel", "s390x", Some("drivers/s390/cio/cm.c")),
        ("cm_grant", "arm64", Some("arch/arm/xen/cm.c")),
        ("cm_grant", "x86_64", None),
        ("cm_smmu", "arm64", Some("drivers/iommu/arm/cm.c")),
        ("cm_smmu", "x86_64", None),
        // The only remaining file is certain.
        ("cm_map", "loongarch64", Some("mm/cm.c")),
        ("cm_copy", "riscv64", None),
    ] {
        assert_eq!(found(function, arch).as_deref(), file, "{function} on {arch}");
    }
    // A report without an architecture excludes no file.
    assert!(atlas.resolve("cm_flush", Hints::default()).is_some());
}

#[test]
fn files_have_sections_without_people() {
    let bytes = tree();
    let atlas = Atlas::read(&bytes).unwrap();
    let section = atlas.files("cm_read").next().unwrap().sections().next().unwrap();
    assert_eq!((section.name, section.status), ("CM FILESYSTEM", "Maintained"));
    assert_eq!(section.lists().collect::<Vec<_>>(), ["linux-cm@example.org"]);
    assert_eq!(atlas.files("cm_other").next().unwrap().sections().count(), 0);
    let of = |path| atlas.sections(path).first().map(|section| section.name.to_owned());
    assert_eq!(of("fs/cm/new.c").as_deref(), Some("CM FILESYSTEM"));
    assert_eq!(of("fs/cm/dir.c").as_deref(), Some("CM FILESYSTEM"));
    assert_eq!(of("drivers/usb/cm_x.c").as_deref(), Some("CM DRIVERS"));
    assert_eq!(of("fs/other.c"), None);
    assert!(!String::from_utf8_lossy(&bytes).contains("person"));
}

#[test]
fn the_same_sources_are_the_same_bytes() {
    assert_eq!(tree(), tree());
    // An older tree adds files behind those of the newer one.
    let mut builder = Builder::new();
    builder.add("fs/new.c", b"int cm_moved(void)\n{\n}\n");
    builder.next_tree();
    builder.add("fs/a-old.c", b"int cm_moved(void)\n{\n}\n");
    let bytes = builder.finish();
    assert_eq!(paths(Atlas::read(&bytes).unwrap(), "cm_moved"), ["fs/new.c", "fs/a-old.c"]);
}

#[test]
fn the_built_in_atlas_is_complete() {
    let atlas = Atlas::builtin();
    assert!(atlas.name_count() > 600_000, "{atlas:?}");
    for (name, file) in [
        ("nilfs_dat_commit_free", "fs/nilfs2/dat.c"),
        ("__x64_sys_openat", "fs/open.c"),
        ("asm_exc_page_fault", "arch/x86/mm/fault.c"),
        ("kasan_report", "mm/kasan/report.c"),
    ] {
        assert_eq!(paths(atlas, name), [file]);
    }
    let section = atlas.files("nilfs_dat_commit_free").next().unwrap().sections().next().unwrap();
    assert!(section.lists().any(|list| list.starts_with("linux-nilfs@")));
    for name in ["", "\u{1b}[31m\u{202e}", &"a".repeat(10_000)] {
        assert_eq!(paths(atlas, name), [""; 0], "{name:?}");
    }
}

#[test]
fn bytes_that_are_no_atlas() {
    let bytes = tree();
    assert_eq!(Atlas::read(b""), Err(Error::Foreign));
    assert_eq!(Atlas::read(b"\x7fELF"), Err(Error::Foreign));
    assert_eq!(Atlas::read(&bytes[..8]), Err(Error::Cut));
    assert_eq!(Atlas::read(&bytes[..bytes.len() - 1]), Err(Error::Cut));
    let mut newer = bytes.clone();
    newer[8] = 9;
    assert_eq!(Atlas::read(&newer), Err(Error::Version(9)));
    assert!(Error::Version(9).to_string().contains("newer"));
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(Atlas::read(&damaged), Err(Error::Damaged));
}

proptest! {
    /// Bytes with a correct checksum may have any content.
    #[test]
    fn a_hostile_atlas_is_read_without_a_panic(
        changes in prop::collection::vec((20_usize..4000, any::<u8>()), 1..40),
        name in ".{0,40}",
    ) {
        let mut bytes = tree();
        for (at, byte) in changes {
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
        }
        ksplat::atlas::build::seal(&mut bytes);
        if let Ok(atlas) = Atlas::read(&bytes) {
            for name in [name.as_str(), "init", "cm_read", "cm_copy"] {
                for file in atlas.files(name) {
                    let _ = (file.to_string(), file.class(), file.sections().count());
                }
                let _ = atlas.resolve(name, Hints { module: Some("cm"), arch: Some("arm64"), near: &["fs/cm"], inline: true });
                let _ = atlas.sections(name);
            }
        }
    }

    /// Any sources make an atlas that can be read.
    #[test]
    fn any_sources_make_an_atlas(texts in prop::collection::vec(("[a-z/.]{0,20}[.][chSr]s?", ".{0,80}"), 0..8)) {
        let mut builder = Builder::new();
        for (path, text) in &texts {
            builder.add(path, text.as_bytes());
        }
        let bytes = builder.finish();
        Atlas::read(&bytes).unwrap();
    }
}
