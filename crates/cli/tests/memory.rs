//! Hostile packed inputs and images: each command stays within a limit of memory that the system enforces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// The limit of the address space in KiB, with one arena of the allocator and two threads.
const LIMIT: u64 = 256 << 10;

/// The size of a log that does not fit.
const LOG: usize = 256 << 20;

const REPORT: &str = "BUG: KASAN: use-after-free in walk+0xd/0x30\nRead of size 8 at addr ffff888001286000 by task a/1\n\
    Call Trace:\n walk+0xd/0x30\n demo_fail+0x6/0xe\n kernel_init+0x1/0x2\n ret_from_fork+0x1/0x2\n";

/// Standard output, standard error and the exit status of the program within the limit.
fn bounded(folder: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    common::top();
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {LIMIT} && exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_ksplat"))
        .args(args)
        .env("MALLOC_ARENA_MAX", "1")
        .env("RAYON_NUM_THREADS", "2")
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// A folder with `large.gz`, a log with a report at both ends, and a copy.
fn logs(name: &str) -> PathBuf {
    let folder = common::folder(name);
    let pack = |bytes: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    let part = b"usb 1-1: new device\n".repeat((8 << 20) / 20);
    let parts = pack(&part).repeat(LOG / part.len());
    let log = [pack(REPORT.as_bytes()), parts, pack(REPORT.as_bytes())].concat();
    for copy in ["large.gz", "again.gz"] {
        fs::write(folder.join(copy), &log).unwrap();
    }
    folder
}

#[test]
fn packed_logs_are_read_piece_by_piece() {
    let folder = logs("memory");
    common::top();
    let image = fs::canonicalize("tests/fixture/vmlinux").unwrap();
    let image = image.to_str().unwrap();
    let title = "KASAN: use-after-free Read in walk";
    let twice = |text: &str, word: &str| assert_eq!(text.matches(word).count(), 2, "{text}");

    let (out, err, status) = bounded(&folder, &["--title", "--all", "large.gz"]);
    assert_eq!((err.as_str(), status), ("", Some(1)));
    twice(&out, title);
    let (out, err, _) = bounded(&folder, &["--format", "jsonl", "large.gz", "again.gz"]);
    assert_eq!((out.lines().count(), err.as_str()), (4, ""));
    let (out, err, _) = bounded(&folder, &["symbolize", "--vmlinux", image, "large.gz"]);
    assert!(out.len() > LOG, "{} bytes: {err}", out.len());
    twice(&out, "\nwalk (init/main.c:11 ");
    let (out, err, _) = bounded(&folder, &["cluster", "large.gz", "again.gz"]);
    assert!(out.contains("2 logs, 4 reports, 1 bug"), "{out}{err}");
    let (out, err, _) = bounded(&folder, &["store", "add", "bugs", "large.gz"]);
    assert!(out.contains(title), "{out}{err}");

    // Commands that need the whole log report the limit.
    for args in [["--text", "--format=json", "large.gz"], ["bisect", "--quiet", "large.gz"]] {
        let (_, err, status) = bounded(&folder, &args);
        assert!(err.contains("unpacks to more than 32 MiB: unpack it to a file"), "{err}");
        assert_eq!((err.lines().count(), status), (1, Some(2)));
    }
    // The limit is reported, after the reports that were found before it.
    let (out, err, status) = bounded(&folder, &["--title", "--max-unpacked", "100M", "large.gz"]);
    assert_eq!((out.matches(title).count(), status), (1, Some(2)), "{out}");
    assert_eq!(
        err,
        "ksplat: large.gz: unpacks to more than 100 MiB; the rest is not read: --max-unpacked allows more\n"
    );
    fs::remove_dir_all(folder).unwrap();
}

/// An ELF file whose sections of debug information are one stream of zeros.
fn bomb() -> Vec<u8> {
    let names = [".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_ranges"];
    let size = 250_u64 << 20;
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    (0..size >> 20).for_each(|_| packer.write_all(&zeros).unwrap());
    // `Elf64_Chdr`: ELFCOMPRESS_ZLIB, the size and the alignment.
    let head = [1, size, 1].map(u64::to_le_bytes).concat();
    let data = [head, packer.finish().unwrap()].concat();
    let strings = format!("\0{}\0.shstrtab\0", names.join("\0"));
    let section = |name: &str, kind: u32, flags: u64, offset: usize, size: usize| {
        let name = u32::try_from(strings.find(name).unwrap()).unwrap();
        let words = [flags, 0, offset as u64, size as u64, 0, 1, 0].map(u64::to_le_bytes).concat();
        [name.to_le_bytes().to_vec(), kind.to_le_bytes().to_vec(), words].concat()
    };
    let (text, table) = (64 + data.len(), 64 + data.len() + strings.len());
    let mut sections = vec![0; 64];
    for name in names {
        sections.extend(section(name, 1, 0x800, 64, data.len()));
    }
    sections.extend(section(".shstrtab", 3, 0, text, strings.len()));
    let count = u16::try_from(names.len() + 2).unwrap();
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    elf.extend([2_u16, 62].map(u16::to_le_bytes).concat());
    elf.extend(1_u32.to_le_bytes());
    elf.extend([0, 0, table as u64].map(u64::to_le_bytes).concat());
    elf.extend(0_u32.to_le_bytes());
    elf.extend([64, 0, 0, 64, count, count - 1].map(u16::to_le_bytes).concat());
    [elf, data, strings.into_bytes(), sections].concat()
}

#[test]
fn sections_of_an_image_are_unpacked_to_a_limit() {
    let folder = common::folder("memory-image");
    fs::write(folder.join("vmlinux"), bomb()).unwrap();
    fs::write(folder.join("log"), REPORT).unwrap();
    let (out, err, status) = bounded(&folder, &["--vmlinux", "vmlinux", "log"]);
    assert!(err.contains("vmlinux: the debug information unpacks to 1310720000 bytes"), "{err}");
    assert!(out.contains("walk") && status == Some(1), "{out}");
    fs::remove_dir_all(folder).unwrap();
}
