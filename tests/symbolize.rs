//! Frames to files and lines, by the images of tests/fixture (see its build.sh).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use ksplat::disasm::Syntax;
use ksplat::symbolize::{Image, Index, Location, Symbolizer};
use ksplat::{Confidence, Report, Verdict, disasm, explain};
use proptest::prelude::*;

const VMLINUX: &[u8] = include_bytes!("fixture/vmlinux");
const COMPRESSED: &[u8] = include_bytes!("fixture/vmlinux.compressed");
const DWARF_4: &[u8] = include_bytes!("fixture/vmlinux.dwarf4");
const STRIPPED: &[u8] = include_bytes!("fixture/vmlinux.stripped");
const SYMBOLS: &[u8] = include_bytes!("fixture/System.map");
const MODULE: &[u8] = include_bytes!("fixture/demo.ko");

/// An oops of the fixture: `node->next` is NULL.
const OOPS: &str = include_str!("fixture/oops.log");

fn symbolizer(vmlinux: &'static [u8]) -> Symbolizer<'static> {
    let mut symbolizer = Symbolizer::new(Image::parse(vmlinux).expect("an image"));
    symbolizer.add_module("demo", Image::parse(MODULE).expect("a module"));
    symbolizer
}

fn resolved<'log>(symbolizer: &Symbolizer<'_>, log: &'log str) -> Report<'log> {
    let mut report = ksplat::reports(log.as_bytes()).next().expect("a report");
    disasm::annotate(&mut report, Syntax::Att);
    explain::annotate(&mut report, Syntax::Att);
    symbolizer.annotate(&mut report);
    report
}

/// `walk init/main.c:28`, with an `=` before what was inlined.
fn frames(report: &Report<'_>) -> Vec<String> {
    let stack = report.crash_stack().expect("a stack");
    let frame = |frame: &ksplat::Frame<'_>| {
        let mark = if frame.inline { "= " } else { "" };
        let function = frame.function.as_deref().unwrap_or("?");
        match (&frame.file, frame.line) {
            (Some(file), Some(line)) => format!("{mark}{function} {file}:{line}"),
            _ => format!("{mark}{function}"),
        }
    };
    stack.frames.iter().map(frame).collect()
}

const WANT: [&str; 9] = [
    "= next_count init/main.c:18",
    "walk init/main.c:28",
    "= add /src/linux/demo.c:6",
    "demo_fail /src/linux/demo.c:16",
    "init_module /src/linux/demo.c:21",
    // The symbol of the name that has this size.
    "twice kernel/panic.c:15",
    "twice init/main.c:23",
    // A call at the end of the function before.
    "last_call init/main.c:39",
    "twice kernel/panic.c:13",
];

#[test]
fn frames_get_files_lines_and_what_was_inlined() {
    for image in [VMLINUX, COMPRESSED, DWARF_4] {
        let report = resolved(&symbolizer(image), OOPS);
        let found = frames(&report);
        let want: Vec<_> = WANT.iter().map(|want| want.replace("/src/linux/", "")).collect();
        assert_eq!(found, want);
        let check = report.image_check.as_ref().expect("a check");
        assert_eq!((check.verdict, check.release), (Verdict::Same, Some(true)));
        assert_eq!(check.warnings, [""; 0]);
        let code = check.code.as_ref().expect("the code");
        assert_eq!((code.same, code.patched, code.other.len()), (21, 0, 0));
        let blame = report.blame.as_ref().expect("a blame");
        assert_eq!((blame.file.as_deref(), blame.line), (Some("init/main.c"), Some(28)));
    }
}

#[test]
fn the_access_has_its_name_in_both_syntaxes() {
    for syntax in [Syntax::Att, Syntax::Intel] {
        let mut report = ksplat::reports(OOPS.as_bytes()).next().expect("a report");
        disasm::annotate(&mut report, syntax);
        explain::annotate(&mut report, syntax);
        symbolizer(VMLINUX).annotate(&mut report);
        let member = report.explanation.expect("an explanation").member.expect("a member");
        assert_eq!(member.expression, "node->next->in.count", "{syntax:?}");
    }
}

#[test]
fn the_access_is_named_in_the_words_of_the_source() {
    let report = resolved(&symbolizer(VMLINUX), OOPS);
    let member = report.explanation.expect("an explanation").member.expect("a member");
    assert_eq!(
        (member.expression.as_str(), member.of.as_str()),
        ("node->next->in.count", "struct node")
    );
    assert_eq!((member.offset, member.confidence), (0x10, Confidence::Likely));
    // The variable itself is in the register.
    let direct = "BUG: kernel NULL pointer dereference, address: 0000000000000018\n\
        CPU: 0 PID: 1 Comm: init Not tainted 6.1.0-fixture #1\nRIP: 0010:walk+0x9/0x30\n\
        Code: 55 53 48 89 fb 48 83 ec 08 <48> 8b 47 18 8b 78 10\nRAX: 0000000000000000 \
        RDI: 0000000000000000\nCR2: 0000000000000018\nCall Trace:\n twice+0x9/0x10\n";
    let report = resolved(&symbolizer(VMLINUX), direct);
    let member = report.explanation.expect("an explanation").member.expect("a member");
    assert_eq!(
        (member.expression.as_str(), member.confidence),
        ("node->next", Confidence::Certain)
    );
    // Nothing where the debug information does not say.
    let report = resolved(&symbolizer(STRIPPED), OOPS);
    assert_eq!(report.explanation.expect("an explanation").member, None);
}

#[test]
fn symbols_alone_name_functions() {
    let list = || Symbolizer::new(Image::parse_list(SYMBOLS).expect("a list"));
    for symbolizer in [symbolizer(STRIPPED), list()] {
        let report = resolved(&symbolizer, OOPS);
        let found = frames(&report);
        assert_eq!((found[0].as_str(), found.last().unwrap().as_str()), ("walk", "twice"));
        assert_eq!(report.image_check.expect("a check").verdict, Verdict::Same);
    }
    for (list, why) in [
        (&b""[..], "neither an ELF file"),
        (b"no list\n", "neither an ELF file"),
        (b"0000000000000000 T _text\n0000000000000000 T f\n", "kptr_restrict"),
    ] {
        let error = Image::parse_list(list).expect_err("no list").to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn another_build_is_told_and_not_believed() {
    let check = |from: &str, to: &str| {
        let log = OOPS.replace(from, to);
        let report = resolved(&symbolizer(VMLINUX), &log);
        (frames(&report), report.image_check.expect("a check"))
    };
    let (_, other) = check("6.1.0-fixture", "6.1.0-other");
    assert_eq!((other.verdict, other.release), (Verdict::Other, Some(false)));
    assert_eq!(other.warnings, ["the image is of 6.1.0-fixture, the log of 6.1.0-other"]);
    let id = "6.1.0-fixture #1 1123456789abcdef0123456789abcdef01234567";
    let (_, other) = check("6.1.0-fixture #1", id);
    assert_eq!((other.verdict, other.build_id), (Verdict::Other, Some(false)));
    let (_, same) = check("6.1.0-fixture #1", &id.replace("112345", "012345"));
    assert_eq!((same.verdict, same.build_id), (Verdict::Same, Some(true)));
    // A module of another build; the frames of functions with another size stay as they are.
    let (found, other) =
        check("0xe [demo]", "0x2f0 [demo 0edcba9876543210fedcba9876543210fedcba98]");
    assert_eq!(other.verdict, Verdict::Other);
    assert!(other.warnings[0].starts_with("the build id of module demo is fedcba98"), "{other:?}");
    assert!(found.contains(&"demo_fail".to_owned()), "{found:?}");
    let (_, other) = check("55 53 48 89 fb 48 83 ec", "41 57 41 56 41 55 41 54");
    assert_eq!(other.verdict, Verdict::Other);
    assert_eq!(other.code.expect("code").other, [0, 1, 2, 3, 4, 5, 6, 7]);
    // What the kernel changes when it boots: a call to a nop.
    let (_, patched) = check("e8 2b 00 00 00", "0f 1f 44 00 00");
    assert_eq!((patched.verdict, patched.code.expect("code").patched), (Verdict::Same, 3));
}

#[test]
fn lines_of_a_log_are_rewritten() {
    let symbolizer = symbolizer(VMLINUX);
    let rewritten = |line: &str| {
        symbolizer.rewrite(line.as_bytes()).map(|line| String::from_utf8(line).unwrap())
    };
    for (line, want) in [
        ("RIP: 0010:walk+0xd/0x30", "RIP: 0010:walk (init/main.c:18 init/main.c:28) "),
        ("[    1.5]  ? twice+0x9/0x10", "[ 1.5] ? twice (init/main.c:23) "),
        (" [<ffffffff81000029>] twice+0x9/0x10", "twice (init/main.c:23) "),
        (" demo_fail+0x6/0xe [demo]", "demo_fail (demo.c:6 demo.c:16) demo"),
        ("#0: (&l){+.+.}, at: twice+0x9/0x10", "#0: (&l){+.+.}, at: twice (init/main.c:23) "),
    ] {
        assert_eq!(rewritten(line).as_deref(), Some(want), "{line}");
    }
    for line in
        ["", "no frame", " unknown+0x1/0x2", " twice+0x9/0x1000", " walk+0x100/0x30", "+0x+0x+0x"]
    {
        assert_eq!(rewritten(line), None, "{line}");
    }
}

#[test]
fn addresses_are_those_of_other_readers() {
    // All addresses of the code, against the crate addr2line.
    let symbolizer = Symbolizer::new(Image::parse(VMLINUX).expect("an image"));
    let file = object::File::parse(VMLINUX).expect("an ELF file");
    let dwarf = gimli::Dwarf::load(|id| -> Result<_, gimli::Error> {
        use object::{Object, ObjectSection};
        let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
        Ok(gimli::EndianSlice::new(data.unwrap_or_default(), gimli::LittleEndian))
    });
    let context = addr2line::Context::from_dwarf(dwarf.expect("sections")).expect("a context");
    let mut count = 0;
    for address in 0xffff_ffff_8100_0000u64..0xffff_ffff_8100_00f0 {
        let mut want = Vec::new();
        let mut found = context.find_frames(address).skip_all_loads().expect("frames");
        while let Some(frame) = found.next().expect("a frame") {
            let Some(place) = frame.location else { continue };
            let function = frame.function.map(|f| f.raw_name().unwrap().into_owned());
            let file = place.file.map(|file| file.strip_prefix("/src/linux/").unwrap().to_owned());
            want.push((function, file, place.line, place.column));
        }
        let found = symbolizer.locations_at(address);
        count += found.len();
        let column = |location: &Location| location.column.or(location.line.map(|_| 0));
        let found: Vec<_> =
            found.iter().map(|l| (l.function.clone(), l.file.clone(), l.line, column(l))).collect();
        assert_eq!(found, want, "{address:#x}");
    }
    assert!(count > 200, "{count}");
}

/// The fixture's image with an index in place of its debug information.
fn indexed(index: &[u8]) -> Result<Symbolizer<'_>, String> {
    let image = Image::parse(VMLINUX).expect("an image");
    let index = Index::parse(index, image.build_id().expect("an id")).map_err(|e| e.to_string())?;
    let mut symbolizer = Symbolizer::new(image.with_index(index));
    symbolizer.add_module("demo", Image::parse(MODULE).expect("a module"));
    Ok(symbolizer)
}

#[test]
fn an_index_tells_what_the_image_tells() {
    let plain = symbolizer(VMLINUX);
    let index = Image::parse(VMLINUX).expect("an image").index().expect("an index");
    let symbolizer = indexed(&index).expect("an index");
    for address in 0xffff_ffff_8100_0000u64..0xffff_ffff_8100_0100 {
        assert_eq!(symbolizer.locations_at(address), plain.locations_at(address), "{address:#x}");
    }
    for address in [0, 0xffff_ffff_80ff_ffff, 0xffff_ffff_9100_0000, u64::MAX] {
        assert_eq!(symbolizer.locations_at(address), [], "{address:#x}");
    }
    assert_eq!(resolved(&symbolizer, OOPS), resolved(&plain, OOPS));
    // The same bytes each time, whatever the threads do.
    assert_eq!(Image::parse(VMLINUX).expect("an image").index().expect("an index"), index);
    for image in [STRIPPED, MODULE] {
        let is_module = image.len() == MODULE.len();
        assert_eq!(Image::parse(image).expect("an image").index().is_ok(), is_module);
    }
}

#[test]
fn an_index_that_is_not_whole_is_not_believed() {
    let index = Image::parse(VMLINUX).expect("an image").index().expect("an index");
    let why = |index: &[u8]| indexed(index).expect_err("refused");
    assert_eq!(why(&[]), "the index is cut off");
    assert_eq!(why(&index[..index.len() - 1]), "the index is cut off");
    assert_eq!(why(VMLINUX), "no index of this version");
    let other = Image::parse(VMLINUX).expect("an image").build_id().map(<[u8]>::len);
    assert_eq!(other, Some(20));
    assert_eq!(
        Index::parse(&index, &[1; 20]).expect_err("refused").to_string(),
        "the index of another image"
    );
    let plain = symbolizer(VMLINUX);
    for at in 0..index.len() {
        let mut damaged = index.clone();
        damaged[at] ^= 0x10;
        let Ok(symbolizer) = indexed(&damaged) else { continue };
        // The image itself is asked then.
        assert_eq!(frames(&resolved(&symbolizer, OOPS)), frames(&resolved(&plain, OOPS)), "{at}");
    }
}

#[test]
fn a_symbolizer_is_shared_between_threads() {
    let symbolizer = symbolizer(VMLINUX);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(frames(&resolved(&symbolizer, OOPS)).len(), WANT.len()));
        }
    });
}

#[test]
fn what_is_no_image_is_refused() {
    for data in [&b""[..], b"\x7fELF", b"MZ", &VMLINUX[..100]] {
        assert!(Image::parse(data).is_err(), "{data:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_damage_is_too_odd(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<prop::sample::Index>(),
        is_module in any::<bool>(),
        is_cut in any::<bool>(),
    ) {
        let mut data = if is_module { MODULE } else { VMLINUX }.to_vec();
        for (at, byte) in flips {
            let at = at.index(data.len());
            data[at] = byte;
        }
        if is_cut {
            data.truncate(cut.index(data.len()));
        }
        let Ok(image) = Image::parse(&data) else { return Ok(()) };
        let symbolizer = Symbolizer::new(image);
        resolved(&symbolizer, OOPS);
        for address in (0xffff_ffff_8100_0000u64..0xffff_ffff_8100_0100).step_by(16) {
            symbolizer.locations_at(address);
        }
    }
}
