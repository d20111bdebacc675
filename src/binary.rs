//! Whether a file is text at all.

/// Returns whether the start of a file is binary: more than one byte of twenty is a control character that no
/// console prints.
///
/// Random bytes have a tenth of them, logs have none. NUL is not counted, because pstore pads with it. Parsing
/// accepts binary files; a caller that opens files by name rejects them first, because the name is a mistake.
///
/// # Examples
///
/// ```
/// assert!(ksplat::is_binary(b"\x7fELF\x02\x01\x01"));
/// assert!(!ksplat::is_binary(b"\x1b[31mkernel BUG at fs/a.c:1!\r\n"));
/// ```
pub fn is_binary(start: &[u8]) -> bool {
    let count = |run: &[u8]| run.iter().fold(0, |count, b| count + u8::from(is_odd(*b)));
    // The count of a run fits into a byte, so that the compiler vectorises the loop.
    let odd: usize = start.chunks(u8::MAX.into()).map(|run| usize::from(count(run))).sum();
    odd > start.len() / 20
}

/// Returns whether a byte is 1 to 6, 0x0e to 0x1f except escape, or delete.
fn is_odd(b: u8) -> bool {
    let is_control = (b.wrapping_sub(1) < 6) | (b.wrapping_sub(0x0e) < 0x12);
    is_control && b != 0x1b || b == 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_make_a_binary() {
        for byte in 0..=255 {
            let is = matches!(byte, 1..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
            assert_eq!(is_odd(byte), is, "{byte:#x}");
        }
        let mut log = [b'a'; 2000];
        log[..100].fill(1);
        assert!(!is_binary(&log), "one of twenty");
        log[1999] = 1;
        assert!(is_binary(&log));
    }
}
