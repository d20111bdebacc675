//! The layout of an atlas, which is read in place.
//!
//! All numbers are little-endian. Names are not stored: the first bits of the hash of a name select a
//! bucket, and sixteen more identify the entry in it. So an unknown name collides with a known one in
//! about one case of four thousand, and 650,000 names need 2.8 megabytes.
//!
//! | part | each | contains |
//! |---|---|---|
//! | head | [`HEAD`] bytes | [`MAGIC`], [`VERSION`], the checksum of the bytes after it, the length, [`Part`]s: start and count |
//! | buckets | u32 | the first entry of each bucket, one more for the end |
//! | marks | u16 | of each entry, sixteen bits of its hash |
//! | values | u16, or u24 if there are more | of each entry, a file; or, from the number of files on, a list |
//! | list counts | u32 | the number of lists of two files, of three, and so on |
//! | lists | u16 | the files of names with several definitions, the shortest lists first |
//! | files | 5 bytes | directory (u16), class (u8), set of sections (u16) |
//! | file marks | u32 | the offset of every sixteenth file name |
//! | file names | | a byte of length, the name |
//! | directory marks | u32 | the offset of each directory, one more for the end |
//! | directory text | | names of directories |
//! | sets | 3 × u16 | the sections of a file, the most specific first; 0xffff is unused |
//! | sections | u32 | the offset of each section, one more for the end |
//! | section text | | `STATUS\tNAME\t` and the numbers of the mailing lists (u16) |
//! | list marks | u32 | the offset of each mailing list, one more for the end |
//! | list text | | addresses of mailing lists |
//! | patterns | | shared bytes (u8), other bytes (u8), section (u16), those bytes; a trailing `!` excludes |

/// The first bytes of every atlas.
pub(super) const MAGIC: &[u8; 8] = b"KSATLAS\n";
/// The version of the layout and of the classes.
pub(super) const VERSION: u32 = 1;
/// The offset of the checksum, and of the bytes that it covers.
pub(super) const CHECKSUM: usize = 12;
pub(super) const COVERED: usize = CHECKSUM + 8;
/// The length of the head.
pub(super) const HEAD: usize = COVERED + 8 + 8 * Part::ALL.len();

/// The bytes of an entry of the table of files.
pub(super) const FILE: usize = 5;
/// The distance of files with a mark.
pub(super) const MARKED: usize = 16;
/// The maximum number of sections of a file.
pub(super) const SECTIONS_OF_FILE: usize = 3;
/// No section.
pub(super) const NO_SECTION: u16 = u16::MAX;
/// The maximum number of files of a name.
#[cfg(feature = "atlas")]
pub(super) const MAX_FILES: usize = 16;
/// The maximum number of files of an atlas.
#[cfg(feature = "atlas")]
pub(super) const MAX_ALL_FILES: usize = u16::MAX as usize;

/// The parts of an atlas, in their order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    Buckets,
    Marks,
    Values,
    ListCounts,
    Lists,
    Files,
    FileMarks,
    FileNames,
    DirectoryMarks,
    DirectoryText,
    Sets,
    Sections,
    SectionText,
    MailMarks,
    MailText,
    Patterns,
}

impl Part {
    pub(super) const ALL: [Self; 16] = [
        Self::Buckets,
        Self::Marks,
        Self::Values,
        Self::ListCounts,
        Self::Lists,
        Self::Files,
        Self::FileMarks,
        Self::FileNames,
        Self::DirectoryMarks,
        Self::DirectoryText,
        Self::Sets,
        Self::Sections,
        Self::SectionText,
        Self::MailMarks,
        Self::MailText,
        Self::Patterns,
    ];
}

/// The hash of a name, equal on all machines and in all versions.
pub(super) fn hash(name: &str) -> u64 {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0x6b73_706c_6174, 0x0061_746c_6173);
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// The checksum of an atlas.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    use std::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0, 1);
    hasher.write(bytes);
    hasher.finish()
}

/// The bucket of `buckets` and the mark of a name.
pub(super) fn place(name: &str, buckets: usize) -> (usize, u16) {
    let hash = hash(name);
    let bucket = (u128::from(hash >> 16) * buckets as u128) >> 48;
    #[allow(clippy::cast_possible_truncation, reason = "below the number of buckets; sixteen bits")]
    (bucket as usize, hash as u16)
}

pub(super) fn u16_at(bytes: &[u8], index: usize) -> Option<u16> {
    let at = index.checked_mul(2)?;
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

pub(super) fn u24_at(bytes: &[u8], index: usize) -> Option<u32> {
    let at = index.checked_mul(3)?;
    bytes.get(at..)?.first_chunk::<3>().map(|[a, b, c]| u32::from_le_bytes([*a, *b, *c, 0]))
}

pub(super) fn u32_at(bytes: &[u8], index: usize) -> Option<u32> {
    let at = index.checked_mul(4)?;
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}
