//! A program outside the workspace that embeds the library: `.ci/external` builds it against the unpacked
//! package, with all features, and runs it there. Its argument is the folder of the package.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use ksplat::cluster::{Index, Observation};
use ksplat::disasm::Syntax;
use ksplat::output::bugs::{self, Bug, BugMember};
use ksplat::output::json::{self, AuditRecord, ReportRecord};
use ksplat::output::{audit, escape, html, text};
use ksplat::fingerprint::Signature;
use ksplat::store::{Sighting, Store};
use ksplat::symbolize::{Image, Symbolizer};
use ksplat::{Analyzer, Arch, Event, Kind, Limits, Monitor, Parser, Report};

type Answer = Result<(), Box<dyn Error>>;

/// The package that is tested.
struct Package(PathBuf);

impl Package {
    fn read(&self, path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
        let path = self.0.join(path);
        fs::read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

/// The jobs of an embedder, each with the features of Cargo.toml that it needs.
const JOBS: &[(&[&str], &str, fn(&Package) -> Answer)] = &[
    (&["default"], "reports", read_reports),
    (&["default"], "monitor", follow_a_console),
    (&["default"], "cluster", group_reports),
    (&["default"], "bisect", audit_a_bisection),
    (&["atlas"], "atlas", find_the_files_of_suspects),
    (&["disasm", "disasm-intel"], "code", decode_a_code_line),
    (&["disasm", "disasm-arm", "disasm-powerpc", "disasm-riscv"], "trap", explain_traps),
    (&["disasm-remote"], "remote", decode_for_another_module),
    (&["symbolize"], "symbols", resolve_symbols),
    (&["qr"], "qr", read_a_panic_screen),
    (&["serde"], "json", write_and_read_json),
    (&["serde"], "html", write_a_page),
    (&["store"], "store", remember_bugs),
];

fn main() -> Answer {
    let mut arguments = env::args().skip(1);
    let package = Package(PathBuf::from(arguments.next().ok_or("the folder of the package")?));
    // The features of the package's Cargo.toml: one without a job here is an error.
    for feature in arguments {
        let is_used = JOBS.iter().any(|(features, ..)| features.contains(&feature.as_str()));
        assert!(is_used, "no job uses the feature `{feature}`: add one to .ci/external.rs");
    }
    for (_, name, job) in JOBS {
        job(&package).map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: ok");
    }
    Ok(())
}

/// The first report of a log.
fn first(log: &[u8]) -> Result<Report<'_>, &'static str> {
    ksplat::reports(log).next().ok_or("no report")
}

/// Ranks suspects with their files, by the built-in atlas and by one that is built here.
fn find_the_files_of_suspects(package: &Package) -> Answer {
    use ksplat::atlas::{Atlas, build::Builder};

    let log = package.read("tests/duplicates/queue-add.log")?;
    let mut report = first(&log)?;
    ksplat::suspects::annotate(&mut report, Atlas::builtin());
    let suspect = report.suspects.first().ok_or("no suspect")?;
    assert_eq!(suspect.file.as_deref(), Some("net/batman-adv/bat_iv_ogm.c"));
    assert!(!suspect.lists.is_empty() && suspect.probability > 0.0);
    let mut builder = Builder::new();
    builder.add("lib/demo.c", b"int demo(void)\n{\n}\n");
    let bytes = builder.finish();
    let file = Atlas::read(&bytes)?.files("demo").next().ok_or("no file")?;
    assert_eq!(file.to_string(), "lib/demo.c");
    Ok(())
}

/// Titles, kinds, stacks, registers and text of a log; limits and information reports.
fn read_reports(package: &Package) -> Answer {
    let log = package.read("corpus/divide-error/divide.log")?;
    let report = first(&log)?;
    assert_eq!(report.title(), "divide error in cm_rate_div");
    assert_eq!(report.kind, Kind::DivideError);
    assert_eq!(report.kernel.arch, Some(Arch::X86_64));
    assert_eq!(report.registers.get("rcx"), Some(0));
    let stack = report.crash_stack().ok_or("no stack")?;
    assert_eq!(stack.frames[0].function.as_deref(), Some("cm_rate_div"));
    assert!(ksplat::text(&log, &report).contains("\ndivide error: 0000 [#1]"));

    let mut shown = String::new();
    text::write(&mut shown, "divide.log", &report, text::TextOptions::default())?;
    assert!(shown.starts_with("divide error in cm_rate_div\n"), "{shown}");
    assert_eq!(escape::escape("a\u{1b}[31m").to_string(), "a\\x1b[31m");

    // An owned report outlives its log.
    let kept: Report<'static> = report.into_owned();
    drop(log);
    assert_eq!(kept.task.comm.as_deref(), Some("Web Content"));

    let log = package.read("corpus/gpf/io-queue-sqe.log")?;
    let parser = Parser::new().with_limits(Limits::default().with_frames(4));
    let report = parser.reports(&log).next().ok_or("no report")?;
    assert_eq!(report.stacks.iter().map(|stack| stack.frames.len()).sum::<usize>(), 4);
    assert_eq!(report.diagnostics.len(), 1);

    let log = package.read("corpus/out-of-memory/stress.log")?;
    assert_eq!(ksplat::reports(&log).count(), 0);
    assert_ne!(Parser::new().with_information(true).reports(&log).count(), 0);
    Ok(())
}

/// `encoding::of` accepts a line of text and refuses an ELF file; `qr::log` refuses an address without data.
fn read_a_panic_screen(_: &Package) -> Answer {
    use ksplat::encoding::{self, Encoding};

    assert_eq!(encoding::of(b"[    1.0] a line\n"), Ok(Encoding::Bytes));
    assert!(encoding::of(b"\x7fELF").is_err());
    assert_eq!(ksplat::qr::log(b"https://panic.example/?a=x86_64"), Err(ksplat::qr::Error::NoData));
    Ok(())
}

/// A console in pieces has the reports of the whole log.
fn follow_a_console(package: &Package) -> Answer {
    let log = package.read("corpus/divide-error/divide.log")?;
    let mut monitor: Monitor = Parser::new().with_quiet(Duration::from_secs(2)).monitor();
    let mut started = Vec::new();
    let mut finished = Vec::new();
    let mut handle = |event| match event {
        Event::Started(start) => started.push(start.line),
        Event::Finished(report) => finished.push(*report),
        _ => {}
    };
    for piece in log.chunks(100) {
        monitor.push(piece).for_each(&mut handle);
    }
    monitor.tick(Duration::from_secs(1)).for_each(&mut handle);
    monitor.tick(Duration::from_secs(3)).for_each(&mut handle);
    monitor.finish().for_each(&mut handle);
    let reports: Vec<_> = ksplat::reports(&log).map(Report::into_owned).collect();
    assert_eq!(started, reports.iter().map(|report| report.span.line).collect::<Vec<_>>());
    assert_eq!(finished, reports);
    Ok(())
}

/// Two titles of one bug, in logs that do not outlive their fingerprints.
fn group_reports(package: &Package) -> Answer {
    let mut index = Index::new();
    let mut titles = Vec::new();
    for name in ["queue-add", "schedule-buff"] {
        let log = package.read(&format!("tests/duplicates/{name}.log"))?;
        let report = first(&log)?;
        let signature = Signature::of(&report).into_owned();
        titles.push(report.title().to_owned());
        let known = index.same(&signature);
        assert_eq!(known.is_some(), !index.is_empty());
        index.add(&signature, Observation { time: None, count: 1 });
    }
    assert_ne!(titles[0], titles[1]);
    let clusters = index.clusters();
    assert_eq!((clusters.len(), clusters[0].count), (1, 2));
    assert!(index.compare(0, 1).is_some_and(|found| found.score > ksplat::cluster::ATTACH));

    let members = titles.iter().map(|title| BugMember::new("a.log", 0, title)).collect();
    let mut table = String::new();
    bugs::write(&mut table, &[Bug::new(&clusters[0], members)], false)?;
    assert!(table.contains(&format!("      2 {}", titles[0])), "{table}");
    Ok(())
}

/// A bisection that an unrelated crash misled.
fn audit_a_bisection(package: &Package) -> Answer {
    use ksplat::bisect;

    let log = package.read("tests/bisections/003_36161d8f652fb016.txt")?;
    let bisection = bisect::parse(&log)?;
    let judged = bisect::audit(&bisection, bisect::AuditOptions::default());
    assert_eq!(judged.trust, bisect::Trust::Wrong);
    assert!(judged.audited.culprit.as_deref().is_some_and(|it| it.starts_with("69879c01a0c3")));
    let mut line = String::new();
    audit::write_summary(&mut line, "bisection.txt", &judged, text::TextOptions::default())?;
    assert!(line.starts_with("bisection.txt: wrong: 76313c70c52f"), "{line}");
    let mut json = Vec::new();
    json::write_audit(&mut json, &AuditRecord::new("bisection.txt", judged))?;
    assert!(String::from_utf8(json)?.contains("\"trust\":\"wrong\""));
    Ok(())
}

/// A code line without a report.
fn decode_a_code_line(_: &Package) -> Answer {
    let code = ksplat::disasm::parse_code(b"48 c1 ea 03 <0f> b6 04 02")?;
    let trap = |syntax| {
        let instructions = ksplat::disasm::decode(&code, syntax);
        instructions.into_iter().find(|instruction| instruction.trapping).map(|found| found.text)
    };
    assert_eq!(trap(Syntax::Att).as_deref(), Some("movzbl (%rdx,%rax,1),%eax"));
    assert_eq!(trap(Syntax::Intel).as_deref(), Some("movzx eax,byte ptr [rdx+rax]"));
    assert!(ksplat::disasm::parse_code(b"48 zz").is_err());
    Ok(())
}

/// The dump of a trap by `show_regs()` and `dump_kernel_instr()` of riscv.
const RISCV: &str = "\
Unable to handle kernel access to user memory without uaccess routines at virtual address 0000000000000008
epc : cm_read+0x10/0x20
 ra : cm_open+0x8/0x20
epc : ffffffff80001234 ra : ffffffff80001238 sp : ff20000000013bc0
 a0 : 0000000000000000 a5 : 0000000000000000
status: 0000000200000120 badaddr: 0000000000000008 cause: 000000000000000d
[<ffffffff80001234>] cm_read+0x10/0x20
Code: 7a98 8d19 953e (651c)
---[ end trace 0000000000000000 ]---
";

/// The trapping instruction of an architecture for each of the decoders.
fn explain_traps(package: &Package) -> Answer {
    let analyzer = Analyzer::new().with_syntax(Syntax::Att);
    let traps = [
        ("corpus/divide-error/divide.log", "idiv %ecx", "divides by %ecx, which is 0"),
        (
            "corpus/null-deref/arm64.log",
            "str x2, [x1, #0x68]",
            "writes 8 bytes at 0x0000000000000068",
        ),
        (
            "corpus/null-deref/powerpc.log",
            "std r10, 0x68(r9)",
            "writes 8 bytes at 0x0000000000000068",
        ),
    ];
    let mut logs = Vec::new();
    for (path, instruction, summary) in traps {
        logs.push((path, package.read(path)?, instruction, summary));
    }
    logs.push(("riscv64", RISCV.into(), "c.ld a5, 8(a0)", "reads 8 bytes at 0x0000000000000008"));
    for (path, log, instruction, summary) in &logs {
        let mut report = first(log)?;
        analyzer.annotate(&mut report);
        let instructions = report.code.iter().flat_map(|code| &code.instructions);
        let trap = instructions.filter(|it| it.trapping).map(|it| it.text.as_str()).next();
        assert_eq!(trap, Some(*instruction), "{path}");
        let explanation = report.explanation.ok_or("no explanation")?;
        assert!(explanation.summary.starts_with(summary), "{path}: {}", explanation.summary);
    }
    Ok(())
}

/// The functions that two modules of WebAssembly call; elsewhere the decoders of this program are used.
fn decode_for_another_module(package: &Package) -> Answer {
    use ksplat::disasm::remote;

    remote::use_decoders(|_| Vec::new());
    assert!(remote::answer(b"no question").is_empty());
    let log = package.read("corpus/null-deref/arm64.log")?;
    let mut report = first(&log)?;
    Analyzer::new().annotate(&mut report);
    assert!(report.code.is_some_and(|code| !code.instructions.is_empty()));
    Ok(())
}

/// Files, lines, inlined functions and the variable of an access, out of a vmlinux and a module.
fn resolve_symbols(package: &Package) -> Answer {
    let (vmlinux, module) =
        (package.read("tests/fixture/vmlinux")?, package.read("tests/fixture/demo.ko")?);
    let images = || -> Result<_, ksplat::symbolize::Error> {
        let mut symbolizer = Symbolizer::new(Image::parse(&vmlinux)?);
        symbolizer.add_module("demo", Image::parse(&module)?);
        Ok(symbolizer)
    };
    let line = images()?.rewrite(b" demo_fail+0x6/0xe [demo]").ok_or("no line")?;
    assert!(String::from_utf8(line)?.contains("demo.c:16"));

    let log = package.read("tests/fixture/oops.log")?;
    let mut report = first(&log)?;
    Analyzer::new().with_symbolizer(images()?).annotate(&mut report);
    let frame = &report.crash_stack().ok_or("no stack")?.frames[1];
    assert_eq!((frame.file.as_deref(), frame.line), (Some("init/main.c"), Some(28)));
    let mut shown = String::new();
    text::write(&mut shown, "oops.log", &report, text::TextOptions::default())?;
    assert!(shown.contains("probably node->next->in.count"), "{shown}");
    Ok(())
}

/// A report as JSON and back.
fn write_and_read_json(package: &Package) -> Answer {
    let log = package.read("corpus/divide-error/divide.log")?;
    let mut report = first(&log)?;
    Analyzer::new().annotate(&mut report);
    let signature = Signature::of(&report).into_owned();
    let record = ReportRecord::new("divide.log", 0, report).with_signature(Some(signature));
    let mut line = Vec::new();
    json::write(&mut line, &record)?;
    let line = String::from_utf8(line)?;
    assert!(line.starts_with("{\"file\":\"divide.log\",\"index\":0,"), "{line}");
    assert_eq!(json::read(&line)?, record);
    assert!(json::read("{}").is_err());
    Ok(())
}

/// Clusters as a page for a browser.
fn write_a_page(package: &Package) -> Answer {
    let log = package.read("tests/duplicates/queue-add.log")?;
    let report = first(&log)?;
    let mut index = Index::new();
    index.add(&Signature::of(&report), Observation::default());
    let clusters = index.clusters();
    let members = vec![BugMember::new("queue-add.log", 0, report.title())];
    let mut page = Vec::new();
    html::write(&mut page, &[Bug::new(&clusters[0], members)], 1)?;
    let page = String::from_utf8(page)?;
    assert!(page.contains("general protection fault in batadv_iv_ogm_queue_add"));
    Ok(())
}

/// A file of bugs that is opened again.
fn remember_bugs(package: &Package) -> Answer {
    let path = Path::new("bugs.ksplat");
    let mut bugs = Vec::new();
    for name in ["queue-add", "schedule-buff"] {
        let log = package.read(&format!("tests/duplicates/{name}.log"))?;
        let report = first(&log)?;
        let sighting = Sighting::new(Signature::of(&report), Some(1), name.to_owned());
        let store = Store::open(path)?;
        let outcome = store.add(&[sighting])?[0];
        assert_eq!(outcome.new, bugs.is_empty());
        store.label(outcome.bug, "wontfix")?;
        bugs.push(outcome.bug);
    }
    assert_eq!(bugs[0], bugs[1]);
    let contents = Store::open_read_only(path)?.load()?;
    assert_eq!(contents.bugs[&bugs[0]].labels(), ["wontfix"]);
    assert_eq!(contents.known.len(), 2);
    Ok(())
}
