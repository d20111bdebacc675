//! Addresses to lines: one context for each unit, compared with one context of addr2line over all
//! units.
//!
//! The image is the fixture, or the one in `KSPLAT_VMLINUX`.

use std::env;
use std::fs;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ksplat::symbolize::{Image, Symbolizer};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

const FIXTURE: &[u8] = include_bytes!("../tests/fixture/vmlinux");

/// Pseudo-random addresses inside of functions, the same each time.
fn addresses(data: &[u8], count: usize) -> Vec<u64> {
    let Ok(file) = object::File::parse(data) else { return Vec::new() };
    let is_code = |symbol: &object::Symbol<'_, '_>| {
        symbol.kind() == SymbolKind::Text && symbol.size() > 0 && symbol.is_definition()
    };
    let functions: Vec<_> =
        file.symbols().filter(is_code).map(|symbol| (symbol.address(), symbol.size())).collect();
    let mut state = 1u64;
    let mut next = || {
        // Knuth's MMIX generator, of which the high bits are used.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut address = || {
        let (start, size) = *functions.get(usize::try_from(next()).ok()? % functions.len())?;
        Some(start + next() % size)
    };
    (0..count).map_while(|_| address()).collect()
}

type Reader<'a> = gimli::EndianSlice<'a, gimli::LittleEndian>;

/// The crate addr2line, without relocations, which a linked image does not need.
fn context(data: &[u8]) -> Option<addr2line::Context<Reader<'_>>> {
    let file = object::File::parse(data).ok()?;
    let dwarf = gimli::Dwarf::load(|id| -> Result<_, gimli::Error> {
        let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
        Ok(gimli::EndianSlice::new(data.unwrap_or_default(), gimli::LittleEndian))
    });
    addr2line::Context::from_dwarf(dwarf.ok()?).ok()
}

fn frames(context: &addr2line::Context<Reader<'_>>, address: u64) -> usize {
    let Ok(mut found) = context.find_frames(address).skip_all_loads() else { return 0 };
    let mut count = 0;
    while let Ok(Some(frame)) = found.next() {
        count += usize::from(frame.location.is_some());
        black_box(frame.function.and_then(|function| function.raw_name().ok().map(|n| n.len())));
    }
    count
}

fn symbolize(c: &mut Criterion) {
    let named = env::var_os("KSPLAT_VMLINUX").and_then(|path| fs::read(path).ok());
    let data = named.as_deref().unwrap_or(FIXTURE);
    let addresses = addresses(data, 1000);
    let open = || Image::parse(data).ok().map(Symbolizer::new);
    let all = |symbolizer: Option<Symbolizer<'_>>, count: usize| -> usize {
        let Some(symbolizer) = symbolizer else { return 0 };
        addresses.iter().take(count).map(|address| symbolizer.locations_at(*address).len()).sum()
    };
    let peer = |count: usize| -> usize {
        let Some(context) = context(data) else { return 0 };
        addresses.iter().take(count).map(|address| frames(&context, *address)).sum()
    };
    // Both have the same results.
    assert!(all(open(), 1000) >= 1000);
    assert_eq!(all(open(), 1000), peer(1000));

    let mut group = c.benchmark_group("symbolize");
    group.sample_size(10);
    for count in [1, 20, 1000] {
        group.bench_function(format!("{count} by units"), |b| b.iter(|| all(open(), count)));
        group.bench_function(format!("{count} by addr2line"), |b| b.iter(|| peer(count)));
    }
    let warm = open();
    group.bench_function("one more", |b| {
        let mut next = addresses.iter().cycle();
        b.iter(|| warm.as_ref().zip(next.next()).map(|(warm, at)| warm.locations_at(*at)));
    });
    group.bench_function("the symbols", |b| {
        b.iter(|| Image::parse(data).map(|image| Symbolizer::new(image).rewrite(b" walk+0x1/0x2")));
    });
    group.finish();
}

criterion_group!(benches, symbolize);
criterion_main!(benches);
