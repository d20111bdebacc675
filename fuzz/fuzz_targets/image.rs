//! Any image: nothing panics, and repeated lookups have the same result.
#![no_main]

use ksplat::symbolize::{Image, Symbolizer};
use libfuzzer_sys::fuzz_target;

const LINES: [&str; 3] =
    ["RIP: 0010:walk+0xd/0x30", " demo_fail+0x6/0xe", " start_kernel.cold+0x0/0xc"];

fuzz_target!(|data: &[u8]| {
    let _ = Image::parse_list(data);
    let Ok(image) = Image::parse(data) else { return };
    let symbolizer = Symbolizer::new(image);
    let addresses = || (0xffff_ffff_8100_0000u64..0xffff_ffff_8100_0100).step_by(24);
    addresses().for_each(|address| drop(symbolizer.locations_at(address)));
    let first: Vec<_> = addresses().map(|address| symbolizer.locations_at(address)).collect();
    for line in LINES {
        let _ = symbolizer.rewrite(line.as_bytes());
    }
    let again = addresses().map(|address| symbolizer.locations_at(address));
    assert!(again.eq(first));
});
