//! Logs that are packed by gzip, xz or zstd.

use std::io::Read;

/// The maximum memory in KiB for an xz archive: `xz -9` needs 65 MiB, and its header can ask for 4 GiB.
const MAX_XZ: u32 = 128 << 10;

/// Unpacks bytes if they are packed.
///
/// # Errors
///
/// They are damaged, or unpack to more than `most` bytes: the end of a sentence.
pub(crate) fn whole(bytes: Vec<u8>, most: usize) -> Result<Vec<u8>, String> {
    let packed = bytes.as_slice();
    let (name, reader): (_, Box<dyn Read + '_>) = match packed {
        [0x1f, 0x8b, ..] => ("gzip", Box::new(flate2::bufread::MultiGzDecoder::new(packed))),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            ("xz", Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, MAX_XZ)))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => match ruzstd::decoding::StreamingDecoder::new(packed) {
            Ok(decoder) => ("zstd", Box::new(decoder)),
            Err(error) => return Err(format!("is damaged zstd data: {error}")),
        },
        _ => return Ok(bytes),
    };
    let mut log = Vec::new();
    let read = reader.take(most as u64 + 1).read_to_end(&mut log);
    match read {
        Ok(len) if len > most => Err(format!(
            "unpacks to more than {} MB: the program `ksplat` reads it",
            most / 1_000_000
        )),
        Ok(_) => Ok(log),
        Err(error) => Err(format!("is damaged {name} data: {error}")),
    }
}
