//! The list and the deletion of fetched images.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Build IDs of images, and the names of files of the cache, with their size and the day since 1970.
const IMAGES: [(&str, usize, u64); 4] = [
    ("0123456789abcdef0123456789abcdef01234567/debuginfo", 1000, 20_000),
    ("fedcba9876543210/debuginfo", 0, 20_001),
    ("fedcba9876543210/debuginfo.1.2.part", 7, 19_999),
    ("0123456789abcdef0123456789abcdef01234567.index", 35, 19_998),
];

/// Files of other programs in the cache.
const OTHERS: [&str; 4] = [
    "cache_clean_interval_s",
    "0123456789abcdef/executable",
    "0123456789abcdef0123456789abcdef01234567.txt",
    "readme/debuginfo",
];

/// Standard output and standard error of a command.
fn cache(command: &str, folder: &Path) -> (String, String) {
    let mut ksplat = common::ksplat();
    let output = ksplat.args(["cache", command]).env("DEBUGINFOD_CACHE_PATH", folder);
    let output = output.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

fn write(path: &Path, size: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, vec![0; size]).unwrap();
}

#[test]
fn fetched_images_are_listed_and_deleted() {
    let outer = common::folder("cache");
    let folder = outer.join("images");
    let path = folder.display().to_string();
    let nothing = |what| (format!("{path}: {what}files 0, bytes 0\n"), String::new());
    assert_eq!(cache("list", &folder), nothing(""));
    for (name, size, day) in IMAGES {
        write(&folder.join(name), size);
        let time = SystemTime::UNIX_EPOCH + Duration::from_hours(24) * u32::try_from(day).unwrap();
        let file = File::options().append(true).open(folder.join(name)).unwrap();
        file.set_modified(time).unwrap();
    }
    for name in OTHERS {
        write(&folder.join(name), 5);
    }
    // The target of a link belongs to another program.
    let elsewhere = outer.join("elsewhere");
    write(&elsewhere.join("debuginfo"), 9);
    symlink(&elsewhere, folder.join("aaaaaaaaaaaaaaaa")).unwrap();
    fs::create_dir(folder.join("bbbbbbbbbbbbbbbb")).unwrap();
    symlink(elsewhere.join("debuginfo"), folder.join("bbbbbbbbbbbbbbbb/debuginfo")).unwrap();

    let list = format!(
        "2024-10-05             0  fedcba9876543210  no server has it\n\
         2024-10-04          1000  0123456789abcdef0123456789abcdef01234567\n\
         2024-10-03             7  fedcba9876543210  incomplete\n\
         2024-10-02            35  0123456789abcdef0123456789abcdef01234567  unused: of an older version\n\
         {path}: files 4, bytes 1042\n"
    );
    assert_eq!(cache("list", &folder), (list, String::new()));
    let deleted = format!("{path}: deleted files 4, bytes 1042\n");
    assert_eq!(cache("clear", &folder), (deleted, String::new()));
    for (name, ..) in IMAGES {
        assert!(!folder.join(name).exists(), "{name}");
    }
    for name in OTHERS {
        assert!(folder.join(name).is_file(), "{name}");
    }
    assert!(elsewhere.join("debuginfo").is_file());
    assert!(!folder.join("fedcba9876543210").exists());
    assert_eq!(cache("clear", &folder), nothing("deleted "));
    fs::remove_dir_all(outer).unwrap();
}

#[test]
fn an_invalid_directory_is_reported() {
    let (out, err) = cache("list", Path::new("Cargo.toml"));
    assert!(out.is_empty() && err.starts_with("ksplat: Cargo.toml: Not a directory"), "{err}");
}
