//! Logs of several benches.

#![allow(dead_code, reason = "not each bench reads all of them")]
#![allow(clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};

/// The logs in a directory and its subdirectories.
pub(crate) fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths
        .flat_map(|path| match path.extension() {
            None => corpus(&path),
            Some(extension) if extension == "log" => fs::read(&path).into_iter().collect(),
            Some(_) => Vec::new(),
        })
        .collect()
}

/// A report that needs all lazy tables, except those of architectures other than x86; `f3 a4` is an
/// instruction that the formatter of iced-x86 writes.
pub(crate) const FIRST: &[u8] =
    b"BUG: kernel NULL pointer dereference, address: 0000000000000068\n\
    #PF: supervisor write access in kernel mode\nRIP: 0010:cm_route_update+0x15/0x20\n\
    Code: 48 8b 87 88 00 00 00 <48> 89 50 68 f3 a4 c3\n\
    RAX: 0000000000000000 RDX: 00000000fffee1d9 RDI: ffff8df1c28e1b40\n\
    CR2: 0000000000000068\nCall Trace:\n cm_update+0x1/0x2\n";

/// The title cases, 514 logs of syzkaller: beside the repository, absent elsewhere.
pub(crate) const TITLES: &str = "../shared/cases/titles";

/// The entries of a directory; prints a message and returns none if it is missing.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        eprintln!("skipped: {} is missing", folder.display());
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

/// The logs of the cases in a directory, without their headers and expected reports.
pub(crate) fn cases(folder: &Path) -> Vec<Vec<u8>> {
    let files = entries(folder).into_iter().filter_map(|path| fs::read(path).ok());
    files
        .filter_map(|file| {
            let is_bare = file.starts_with(b"\n");
            let header = file.windows(2).position(|pair| pair == b"\n\n").map(|end| end + 2);
            let rest = file.get(if is_bare { 1 } else { header? }..)?;
            let end = rest.windows(9).position(|end| end == b"\nREPORT:\n");
            rest.get(..end.unwrap_or(rest.len())).map(<[u8]>::to_vec)
        })
        .collect()
}

/// Lines of kernels, init systems and fuzzers; `{}` is a number.
const LINES: &[&str] = &[
    "[{}] usb 1-1: new high-speed USB device number {} using dummy_hcd",
    "[{}] EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
    "[{}][   T{}] audit: type=1400 audit(1599836143.{}:5): avc:  denied  { execmem } for  pid={}",
    "[{}][    C1] hrtimer: interrupt took {} ns",
    "[{}] netlink: 24 bytes leftover after parsing attributes in process `syz-executor.{}'.",
    "[{}] IPv6: ADDRCONF(NETDEV_CHANGE): veth{}: link becomes ready",
    "[  OK  ] Started Journal Service {}.",
    "{}:34:15 executing program {}:",
    "r0 = socket$inet6_tcp(0xa, 0x1, 0x{})",
    "[{}] device bridge_slave_{} entered promiscuous mode",
    "[{}] loop{}: detected capacity change from 0 to 512",
    "[{}] 8021q: adding VLAN 0 to HW filter on device team{}",
];

/// A log of at least `size` bytes without a report.
pub(crate) fn benign(size: usize) -> Vec<u8> {
    let mut log = String::with_capacity(size + 256);
    let mut number = 1u64;
    while log.len() < size {
        // A linear congruential generator: the same log on every run.
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let line = LINES.get((number >> 33) as usize % LINES.len()).copied().unwrap_or_default();
        log.push_str(
            &line.replace("{}", &format!("{:>5}.{:06}", number >> 52, (number >> 20) % 1_000_000)),
        );
        log.push('\n');
    }
    log.into_bytes()
}
