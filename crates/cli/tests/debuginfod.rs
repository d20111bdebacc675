//! Images from a server that the test runs on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::{fs, thread};

const KERNEL: &str = "0123456789abcdef0123456789abcdef01234567";
const MODULE: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// Serves the fixture by build ID until the test ends; returns the address.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let asked = |id: &str| request.starts_with(&format!("GET /buildid/{id}/debuginfo "));
            let file = match () {
                () if asked(KERNEL) => Some("tests/fixture/vmlinux"),
                () if asked(MODULE) => Some("tests/fixture/demo.ko"),
                () => None,
            };
            let body = file.map(|file| fs::read(file).unwrap()).unwrap_or_default();
            let status = if file.is_some() { "200 OK" } else { "404 Not Found" };
            let len = body.len();
            write!(
                connection,
                "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            connection.write_all(&body).unwrap();
        }
    });
    format!("http://{address}/")
}

fn ksplat(url: &str, cache: &std::path::Path, log: &str) -> (String, String) {
    let path = cache.join("console.log");
    fs::create_dir_all(cache).unwrap();
    fs::write(&path, log).unwrap();
    let output = common::ksplat()
        .args(["parse", "--debuginfod"])
        .arg(&path)
        .env("DEBUGINFOD_URLS", url)
        .env("XDG_CACHE_HOME", cache)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn images_are_fetched_by_build_id_and_kept() {
    let cache = std::env::temp_dir().join(format!("ksplat-debuginfod-{}", std::process::id()));
    let log = include_str!("../../../tests/fixture/oops.log");
    let log = log
        .replace("6.1.0-fixture #1", &format!("6.1.0-fixture #1 {KERNEL}"))
        .replace("[demo]", &format!("[demo {MODULE}]"));
    let url = server();
    let (out, err) = ksplat(&url, &cache, &log);
    assert_eq!(err, "");
    assert!(out.contains("walk+0xd                                init/main.c:28"), "{out}");
    assert!(out.contains("demo_fail+0x6 [demo]                    demo.c:16"), "{out}");
    // A cached image is not requested again.
    let (again, err) = ksplat("http://127.0.0.1:1/", &cache, &log);
    assert_eq!((again, err.as_str()), (out, ""));
    // A build ID that no server has, and an invalid one.
    let other = log.replace(KERNEL, "1123456789abcdef0123456789abcdef01234567");
    let (_, err) = ksplat(&url, &cache, &other);
    assert!(err.contains("404") && err.contains("no image of 6.1.0-fixture is installed"), "{err}");
    let (_, err) = ksplat(&url, &cache, &log.replace(KERNEL, ""));
    assert!(err.contains("no image of 6.1.0-fixture is installed"), "{err}");
    fs::remove_dir_all(&cache).unwrap();
}
