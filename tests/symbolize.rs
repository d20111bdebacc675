//! Frames to files and lines, with the images of tests/fixture (see its build.sh).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use ksplat::atlas::Atlas;
use ksplat::disasm::Syntax;
use ksplat::symbolize::{Error, Image, Location, Symbolizer};
use ksplat::{
    Report,
    model::{Confidence, ImageVerdict},
};
use proptest::prelude::*;

const VMLINUX: &[u8] = include_bytes!("fixture/vmlinux");
const COMPRESSED: &[u8] = include_bytes!("fixture/vmlinux.compressed");
const DWARF_4: &[u8] = include_bytes!("fixture/vmlinux.dwarf4");
/// By clang with link-time optimization: units refer to entries of each other.
const LTO: &[u8] = include_bytes!("fixture/vmlinux.lto");
/// By gcc with `-gsplit-dwarf`: the functions are in other files.
const SPLIT: &[u8] = include_bytes!("fixture/vmlinux.split");
/// By dwz: entries of two units are in a partial unit.
const DWZ: &[u8] = include_bytes!("fixture/vmlinux.dwz");
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
    ksplat::Analyzer::new().without_suspects().annotate(&mut report);
    symbolizer.annotate(&mut report);
    ksplat::suspects::annotate(&mut report, Atlas::builtin());
    report
}

/// `walk init/main.c:28`, with `=` before inlined functions.
fn frames(report: &Report<'_>) -> Vec<String> {
    let stack = report.crash_stack().expect("a stack");
    let frame = |frame: &ksplat::model::Frame<'_>| {
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
    // The symbol with this name and size.
    "twice kernel/panic.c:15",
    "twice init/main.c:23",
    // A call at the end of the previous function.
    "last_call init/main.c:39",
    "twice kernel/panic.c:13",
];

#[test]
fn debug_information_is_unpacked_to_a_limit() {
    let image = || Image::parse(COMPRESSED).expect("an image");
    let Err(Error::UnpackedSize { size, limit: 10, .. }) =
        image().with_max_unpacked(10).check_unpacked()
    else {
        panic!("10 bytes are enough");
    };
    let report = |limit| frames(&resolved_by(image().with_max_unpacked(limit)));
    assert_eq!(report(size)[0], WANT[0]);
    assert_eq!(report(size - 1)[0], "walk");
}

/// The oops of the fixture, by an image.
fn resolved_by(image: Image<'static>) -> Report<'static> {
    resolved(&Symbolizer::new(image), OOPS)
}

#[test]
fn frames_get_files_lines_and_inlined_functions() {
    for image in [VMLINUX, COMPRESSED, DWARF_4] {
        let report = resolved(&symbolizer(image), OOPS);
        let found = frames(&report);
        let want: Vec<_> = WANT.iter().map(|want| want.replace("/src/linux/", "")).collect();
        assert_eq!(found, want);
        let check = report.image_check.as_ref().expect("a check");
        assert_eq!((check.verdict, check.release), (ImageVerdict::Same, Some(true)));
        assert_eq!(check.warnings, [""; 0]);
        let code = check.code.as_ref().expect("the code");
        assert_eq!((code.same, code.patched, code.other.len()), (21, 0, 0));
        let blame = report.blame.as_ref().expect("a blame");
        assert_eq!((blame.file.as_deref(), blame.line), (Some("init/main.c"), Some(28)));
    }
}

#[test]
fn an_analyzer_resolves_as_well() {
    let want = resolved(&symbolizer(VMLINUX), OOPS);
    let mut report = ksplat::reports(OOPS.as_bytes()).next().expect("a report");
    let analyzer = ksplat::Analyzer::new().with_symbolizer(symbolizer(VMLINUX));
    analyzer.annotate(&mut report);
    assert_eq!(report, want);
    // Suspects are ranked after the frames are resolved.
    let inlined = report.suspects.iter().find(|suspect| suspect.function == "next_count");
    assert_eq!(inlined.expect("a suspect").file.as_deref(), Some("init/main.c"));
    let mut plain = ksplat::reports(OOPS.as_bytes()).next().expect("a report");
    ksplat::Analyzer::new().without_instructions().annotate(&mut plain);
    assert!(plain.code.expect("code").instructions.is_empty() && plain.explanation.is_some());
}

#[test]
fn the_access_has_its_name_in_both_syntaxes() {
    for syntax in [Syntax::Att, Syntax::Intel] {
        let mut report = ksplat::reports(OOPS.as_bytes()).next().expect("a report");
        ksplat::Analyzer::new().with_syntax(syntax).annotate(&mut report);
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
    // Nothing without debug information for it.
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
        assert_eq!(report.image_check.expect("a check").verdict, ImageVerdict::Same);
    }
    for (list, why) in [
        (&b""[..], "neither an ELF file"),
        (b"no list\n", "(line 1)"),
        (b"0000000000000001 T _text\nno list\n", "(line 2)"),
        (b"0000000000000000 T _text\n0000000000000000 T f\n", "kptr_restrict"),
    ] {
        let error = Image::parse_list(list).expect_err("no list").to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn an_image_of_another_build_is_reported_and_not_used() {
    let check = |from: &str, to: &str| {
        let log = OOPS.replace(from, to);
        let report = resolved(&symbolizer(VMLINUX), &log);
        (frames(&report), report.image_check.expect("a check"))
    };
    let (_, other) = check("6.1.0-fixture", "6.1.0-other");
    assert_eq!((other.verdict, other.release), (ImageVerdict::Other, Some(false)));
    assert_eq!(other.warnings, ["the image is of 6.1.0-fixture, the log of 6.1.0-other"]);
    let id = "6.1.0-fixture #1 1123456789abcdef0123456789abcdef01234567";
    let (_, other) = check("6.1.0-fixture #1", id);
    assert_eq!((other.verdict, other.build_id), (ImageVerdict::Other, Some(false)));
    let (_, same) = check("6.1.0-fixture #1", &id.replace("112345", "012345"));
    assert_eq!((same.verdict, same.build_id), (ImageVerdict::Same, Some(true)));
    // A module of another build; frames of functions with another size are unchanged.
    let (found, other) =
        check("0xe [demo]", "0x2f0 [demo 0edcba9876543210fedcba9876543210fedcba98]");
    assert_eq!(other.verdict, ImageVerdict::Other);
    assert!(other.warnings[0].starts_with("the build id of module demo is fedcba98"), "{other:?}");
    assert!(found.contains(&"demo_fail".to_owned()), "{found:?}");
    let (_, other) = check("55 53 48 89 fb 48 83 ec", "41 57 41 56 41 55 41 54");
    assert_eq!(other.verdict, ImageVerdict::Other);
    assert_eq!(other.code.expect("code").other, [0, 1, 2, 3, 4, 5, 6, 7]);
    // Code that the kernel patches at boot: a call to a nop.
    let (_, patched) = check("e8 2b 00 00 00", "0f 1f 44 00 00");
    assert_eq!((patched.verdict, patched.code.expect("code").patched), (ImageVerdict::Same, 3));
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

/// The functions and lines at an address by a context of addr2line over the whole image.
fn found_by_one_context(context: &addr2line::Context<Slice<'_>>, address: u64) -> Vec<Location> {
    let mut found = Vec::new();
    let mut frames = context.find_frames(address).skip_all_loads().expect("frames");
    while let Some(frame) = frames.next().expect("a frame") {
        let Some(place) = frame.location else { continue };
        let mut location = Location::default();
        location.function = frame.function.map(|f| f.raw_name().unwrap().into_owned());
        location.file = place.file.map(str::to_owned);
        (location.line, location.column) = (place.line, place.column.filter(|column| *column > 0));
        found.push(location);
    }
    found
}

type Slice<'a> = gimli::EndianSlice<'a, gimli::LittleEndian>;

#[test]
fn contexts_of_single_units_find_what_one_over_all_finds() {
    for (image, at_least) in [(VMLINUX, 200), (DWARF_4, 200), (LTO, 100), (SPLIT, 100), (DWZ, 100)]
    {
        let symbolizer = Symbolizer::new(Image::parse(image).expect("an image"));
        let file = object::File::parse(image).expect("an ELF file");
        let dwarf = gimli::Dwarf::load(|id| -> Result<_, gimli::Error> {
            use object::{Object, ObjectSection};
            let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
            Ok(Slice::new(data.unwrap_or_default(), gimli::LittleEndian))
        });
        let context = addr2line::Context::from_dwarf(dwarf.expect("sections")).expect("a context");
        let mut count = 0;
        for address in 0xffff_ffff_8100_0000u64..0xffff_ffff_8100_00f0 {
            let mut want = found_by_one_context(&context, address);
            let mut found = symbolizer.locations_at(address);
            count += found.len();
            // Paths below the build directory of the kernel are shown without it.
            for file in found.iter_mut().filter_map(|location| location.file.as_mut()) {
                if !file.starts_with('/') {
                    file.insert_str(0, "/src/linux/");
                }
            }
            // Padding and split units have lines without a function; the name is that of the
            // symbol.
            if let (Some(want), Some(found)) = (want.last_mut(), found.last()) {
                assert!(found.function.is_some(), "{address:#x}");
                want.function = want.function.take().or_else(|| found.function.clone());
            }
            assert_eq!(found, want, "{address:#x}");
        }
        assert!(count > at_least, "{count} of {at_least}");
        for address in [0, 0xffff_ffff_80ff_ffff, 0xffff_ffff_9100_0000, u64::MAX] {
            assert_eq!(symbolizer.locations_at(address), [], "{address:#x}");
        }
    }
}

#[test]
fn units_that_refer_to_others_have_names() {
    let at = |image, address| {
        let symbolizer = Symbolizer::new(Image::parse(image).expect("an image"));
        let found = symbolizer.locations_at(address);
        let text = |location: &Location| {
            let (function, file) = (location.function.as_deref(), location.file.as_deref());
            format!("{} {}:{}", function.unwrap(), file.unwrap(), location.line.unwrap())
        };
        found.iter().map(text).collect::<Vec<_>>()
    };
    // A function that both units declare, and one that is inlined from the other unit.
    let one = ["shared_function units/shared.h:10", "one units/one.c:9"];
    assert_eq!(at(DWZ, 0xffff_ffff_8100_000a), one);
    assert_eq!(at(LTO, 0xffff_ffff_8100_0008), one);
    let two = ["of_two units/two.c:6", "one units/one.c:9"];
    assert_eq!(at(LTO, 0xffff_ffff_8100_001a), two);
    assert_eq!(at(SPLIT, 0xffff_ffff_8100_003d), ["walk init/main.c:18"]);
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
fn invalid_images_are_refused() {
    for data in [&b""[..], b"\x7fELF", b"MZ", &VMLINUX[..100]] {
        let error = Image::parse(data).expect_err("refused");
        assert!(matches!(error, Error::NotElf { .. }), "{error:?}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

/// An image with one unit from 0x1000 to 0x2000, with these abbreviations and entries.
fn image(abbreviations: &[u8], entries: &[u8], ranges: &[u8]) -> Vec<u8> {
    let mut info = vec![4, 0, 0, 0, 0, 0, 8]; // DWARF 4, 8 bytes an address
    info.extend(entries);
    let len = u32::try_from(info.len()).unwrap();
    info.splice(0..0, len.to_le_bytes());
    let mut file = object::write::Object::new(
        object::BinaryFormat::Elf,
        object::Architecture::X86_64,
        object::Endianness::Little,
    );
    let text = file.add_section(vec![], b".text".to_vec(), object::SectionKind::Text);
    file.append_section_data(text, &[0x90; 0x2000], 16);
    for (name, data) in
        [(".debug_abbrev", abbreviations), (".debug_info", &info), (".debug_ranges", ranges)]
    {
        let section = file.add_section(vec![], name.into(), object::SectionKind::Debug);
        file.append_section_data(section, data, 1);
    }
    file.write().expect("an image")
}

/// A unit and a function from 0x1000 to 0x2000, as abbreviations 1 and 2, with these children.
fn function(inside: &[u8], abbreviations: &[u8]) -> (Vec<u8>, Vec<u8>) {
    const RANGE: [u8; 16] = [0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0];
    // Tag, children, DW_AT_low_pc as DW_FORM_addr, DW_AT_high_pc as DW_FORM_data8.
    let ranged = |code, tag| [code, tag, 1, 0x11, 0x01, 0x12, 0x07, 0, 0];
    let abbreviations = [&ranged(1, 0x11)[..], &ranged(2, 0x2e), abbreviations, &[0]].concat();
    (abbreviations, [&[1][..], &RANGE, &[2], &RANGE, inside].concat())
}

#[test]
fn damaged_units_cost_little() {
    // DW_TAG_inlined_subroutine with children and without attributes: a million nested ones.
    let (abbreviations, entries) = function(&vec![3; 1 << 20], &[3, 0x1d, 1, 0, 0]);
    let nested = image(&abbreviations, &entries, &[]);
    // With DW_AT_ranges as DW_FORM_sec_offset: many entries that share a million ranges.
    let (abbreviations, entries) =
        function(&[3, 0, 0, 0, 0].repeat(100_000), &[3, 0x1d, 0, 0x55, 0x17, 0, 0]);
    let range = [0x100_u64.to_le_bytes(), 0x200_u64.to_le_bytes()].concat();
    let ranges = image(&abbreviations, &entries, &range.repeat(100_000));
    // A hundred thousand attributes without bytes (DW_FORM_flag_present), in as many entries; the
    // code of the abbreviation is out of order.
    let flags = [&[0x90, 1, 0x34, 0][..], &[0x3f, 0x19].repeat(100_000), &[0, 0]].concat();
    let (abbreviations, entries) = function(&[0x90, 1].repeat(100_000), &flags);
    let flags = image(&abbreviations, &entries, &[]);
    for data in [nested, ranges, flags] {
        let symbolizer = Symbolizer::new(Image::parse(&data).expect("an image"));
        // Any result is found within the stack of a thread and the time of a test.
        let found = symbolizer.locations_at(0x1804);
        assert!(found.len() < 2, "{found:?}");
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
