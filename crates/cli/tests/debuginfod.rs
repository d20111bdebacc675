//! Images from a server that the test runs on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

const KERNEL: &str = "0123456789abcdef0123456789abcdef01234567";
const MODULE: &str = "fedcba9876543210fedcba9876543210fedcba98";
const OTHER: &str = "1123456789abcdef0123456789abcdef01234567";

/// The images by their build IDs.
fn fixture(id: &str) -> Option<Vec<u8>> {
    let file = match id {
        KERNEL => "vmlinux",
        MODULE => "demo.ko",
        _ => return None,
    };
    Some(fs::read(format!("{}/../../tests/fixture/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap())
}

/// A server whose responses are those of `answer` for a build ID.
struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn of(answer: fn(&str) -> Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
                let request = lines.next().unwrap().unwrap();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                count.fetch_add(1, Ordering::Relaxed);
                let id = request.strip_prefix("GET /buildid/").unwrap();
                let body = answer(id.split('/').next().unwrap());
                let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
                let body = body.unwrap_or_default();
                let len = body.len();
                write!(
                    connection,
                    "HTTP/1.1 {status}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
                )
                .unwrap();
                // The program may have closed the connection.
                let _ = connection.write_all(&body);
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// A cache, and logs whose images are fetched to it.
struct Cache(PathBuf);

impl Cache {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("ksplat-{}-fetch-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn image(&self, id: &str) -> PathBuf {
        self.0.join(id).join("debuginfo")
    }

    /// Standard output and standard error for a log with the build ID of a kernel.
    fn run(&self, url: &str, id: &str, change: impl FnOnce(&mut Command)) -> (String, String) {
        self.read(url, &log(id), change)
    }

    fn read(&self, url: &str, log: &str, change: impl FnOnce(&mut Command)) -> (String, String) {
        let path = self.0.join("console.log");
        fs::write(&path, log).unwrap();
        let mut command = common::ksplat();
        command.args(["parse", "--debuginfod"]).arg(&path);
        command.env("DEBUGINFOD_URLS", url).env("DEBUGINFOD_CACHE_PATH", &self.0);
        change(&mut command);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    /// Returns the files in the cache, except the log.
    fn files(&self) -> Vec<PathBuf> {
        let inside =
            |folder: PathBuf| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let folders = inside(self.0.clone()).filter(|path| path.is_dir());
        folders.flat_map(inside).collect()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn log(id: &str) -> String {
    let log = include_str!("../../../tests/fixture/oops.log");
    log.replace("6.1.0-fixture #1", &format!("6.1.0-fixture #1 {id}"))
}

const RESOLVED: &str = "walk+0xd                                init/main.c:28";

#[test]
fn images_are_fetched_by_build_id_and_kept() {
    let (cache, server) = (Cache::new("kept"), Server::of(fixture));
    let log = log(KERNEL).replace("[demo]", &format!("[demo {MODULE}]"));
    // Without `DEBUGINFOD_CACHE_PATH` the cache is that of the user.
    let run = |url: &str| {
        cache.read(url, &log, |command| {
            command.env_remove("DEBUGINFOD_CACHE_PATH").env("XDG_CACHE_HOME", &cache.0);
        })
    };
    let (out, err) = run(&server.url);
    assert_eq!(err, "");
    assert!(out.contains(RESOLVED), "{out}");
    assert!(out.contains("demo_fail+0x6 [demo]                    demo.c:16"), "{out}");
    let image = cache.0.join("ksplat").join(KERNEL).join("debuginfo");
    assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & 0o777, 0o600);
    // A cached image is not requested again.
    assert_eq!(run("http://127.0.0.1:1/"), (out, String::new()));
    assert_eq!(server.requests(), 2);
    // An invalid build ID.
    let (_, err) = cache.run(&server.url, "", |_| {});
    assert!(err.contains("no image of 6.1.0-fixture is installed"), "{err}");
}

#[test]
fn an_image_is_stored_if_its_build_id_matches() {
    let cache = Cache::new("checked");
    let page = Server::of(|_| Some(b"sorry".to_vec()));
    let other = Server::of(|_| fixture(MODULE));
    let good = Server::of(fixture);
    for (server, why) in [(&page, "not an ELF file"), (&other, MODULE)] {
        let (_, err) = cache.run(&server.url, KERNEL, |_| {});
        assert!(err.contains(why) && err.contains(&server.url), "{err}");
        assert_eq!(cache.files(), [""; 0].map(PathBuf::from));
    }
    let limited = |limit: &str| {
        cache.run(&good.url, KERNEL, |command| {
            command.args(["--fetch-max", limit]);
        })
    };
    let (_, err) = limited("1000");
    assert!(err.contains("the image has more than 1000 bytes"), "{err}");
    let (_, err) = cache.run(&good.url, KERNEL, |command| {
        command.env("DEBUGINFOD_MAXSIZE", "2000");
    });
    assert!(err.contains("the image has more than 2000 bytes"), "{err}");
    assert_eq!(cache.files(), [""; 0].map(PathBuf::from));
    // The next server has it.
    let (out, err) = cache.run(&format!("{} {}", page.url, good.url), KERNEL, |_| {});
    assert!(out.contains(RESOLVED) && err.lines().count() == 2, "{out}{err}");
    // A damaged file in the cache is fetched again.
    fs::write(cache.image(KERNEL), "sorry").unwrap();
    let (out, err) = cache.run(&good.url, KERNEL, |_| {});
    let module = "ksplat: demo: no image of this module; its frames are not resolved\n";
    assert!(out.contains(RESOLVED) && err == module, "{out}{err}");
}

#[test]
fn a_missing_image_is_asked_for_once_in_an_hour() {
    let (cache, server) = (Cache::new("missing"), Server::of(fixture));
    let (_, err) = cache.run(&server.url, OTHER, |_| {});
    assert!(err.contains("404") && err.contains("no image of 6.1.0-fixture is installed"), "{err}");
    let (_, err) = cache.run(&server.url, OTHER, |_| {});
    assert!(err.contains("no server had this image within an hour"), "{err}");
    assert_eq!(server.requests(), 1);
    let file = OpenOptions::new().write(true).open(cache.image(OTHER)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3601)).unwrap();
    cache.run(&server.url, OTHER, |_| {});
    assert_eq!(server.requests(), 2);
    // A server that does not respond may have it.
    let unknown = OTHER.replace("11", "22");
    cache.run("http://127.0.0.1:1/", &unknown, |_| {});
    assert!(!cache.image(&unknown).exists());
}

#[test]
fn only_regular_files_of_the_cache_are_believed() {
    let (cache, server) = (Cache::new("links"), Server::of(fixture));
    let image = cache.image(KERNEL);
    fs::create_dir_all(image.parent().unwrap()).unwrap();
    let fixture =
        fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixture/vmlinux"));
    symlink(fixture.unwrap(), &image).unwrap();
    let refused = || {
        let (out, err) = cache.run(&server.url, KERNEL, |_| {});
        assert!(err.contains("is not a regular file of this user: remove it"), "{err}");
        assert!(!out.contains(RESOLVED), "{out}");
    };
    refused();
    fs::remove_file(&image).unwrap();
    // Opening a pipe without a writer blocks.
    assert!(Command::new("mkfifo").arg(&image).status().unwrap().success());
    refused();
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_server_without_a_response_is_skipped() {
    let cache = Cache::new("silent");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    for limit in ["option", "environment"] {
        let (_, err) = cache.run(&url, KERNEL, |command| {
            match limit {
                "option" => command.args(["--fetch-timeout", "1"]),
                _ => command.env("DEBUGINFOD_TIMEOUT", "1"),
            };
        });
        assert!(err.contains(&url) && err.contains("timeout"), "{err}");
    }
}
