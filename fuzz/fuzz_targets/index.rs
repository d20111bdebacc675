//! Any cache file: the index of an image, or one that was damaged; the same is answered twice.
#![no_main]

use ksplat::symbolize::{Image, Index, Symbolizer};
use libfuzzer_sys::fuzz_target;

const VMLINUX: &[u8] = include_bytes!("../../tests/fixture/vmlinux");

/// An index with some bytes changed, or, if the first byte is odd, the bytes themselves.
fn file(image: &Image<'_>, data: &[u8]) -> Vec<u8> {
    let Some((0, changes)) = data.split_first().map(|(first, rest)| (first % 2, rest)) else {
        return data.to_vec();
    };
    let mut file = image.index().expect("an index");
    for change in changes.chunks_exact(3) {
        let at = usize::from(change[0]) << 8 | usize::from(change[1]);
        let len = file.len();
        file[at % len] ^= change[2];
    }
    file
}

fuzz_target!(|data: &[u8]| {
    let image = Image::parse(VMLINUX).expect("the fixture");
    let file = file(&image, data);
    let build_id = image.build_id().unwrap_or_default();
    let Ok(index) = Index::parse(&file, build_id) else { return };
    let symbolizer = Symbolizer::new(image.with_index(index));
    for address in (0xffff_ffff_8100_0000u64..0xffff_ffff_8100_0100).step_by(8) {
        let first = symbolizer.locations_at(address);
        assert_eq!(symbolizer.locations_at(address), first);
    }
});
