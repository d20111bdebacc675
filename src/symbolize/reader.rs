//! A reader of debug information with a limit on its work.
//!
//! The crates addr2line and gimli take linear time for valid images. In a damaged one, a million
//! entries may share one list of ranges, and inlined functions may nest until the stack overflows.
//! All reads go through this type, which returns an error in both cases.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use gimli::{EndianSlice, Error, ReaderOffsetId, Result, RunTimeEndian};

/// The number of reads for each byte of debug information: each pass reads a byte at most once, and
/// there are four passes (abbreviations, units, functions, inlined functions).
const READS_PER_BYTE: u64 = 4;

/// The minimum for small images.
const MIN_READS: u64 = 1 << 20;

/// The number of reads that each lookup adds: it may visit entries again.
const READS_PER_LOOKUP: u64 = 1 << 20;

/// Bytes that cost one read when they are searched or copied together.
const BYTES_PER_READ: usize = 16;

/// The maximum number of bytes of stack for the recursion over inlined functions. A level takes
/// less than 2 KiB without optimization, and compilers nest some dozens at most.
const MAX_STACK: usize = 256 << 10;

thread_local! {
    /// The address of the stack at the start of the lookup of this thread.
    static STACK: Cell<usize> = const { Cell::new(0) };
}

/// The remaining reads for an image.
#[derive(Debug)]
pub(super) struct Budget(AtomicU64);

impl Budget {
    /// Makes the budget for debug information of a number of bytes.
    pub(super) fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes.saturating_mul(READS_PER_BYTE).max(MIN_READS)))
    }

    /// Runs one lookup.
    pub(super) fn lookup<T>(&self, run: impl FnOnce() -> T) -> T {
        let more = |left: u64| Some(left.saturating_add(READS_PER_LOOKUP));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        STACK.set(stack_address());
        run()
    }

    /// Returns whether another read is within the limits. Concurrent threads may lose counts: the
    /// limit is not exact.
    #[inline]
    fn spend(&self, reads: u64) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(reads), Ordering::Relaxed);
        left >= reads && STACK.get().abs_diff(stack_address()) <= MAX_STACK
    }
}

/// Returns an address in the caller's stack frame.
#[inline]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// A part of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    data: EndianSlice<'a, RunTimeEndian>,
    budget: &'a Budget,
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8], endian: RunTimeEndian, budget: &'a Budget) -> Self {
        Self { data: EndianSlice::new(data, endian), budget }
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.data.slice()
    }

    /// Returns the bytes as text; invalid UTF-8 becomes U+FFFD.
    pub(super) fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.data.slice())
    }

    /// Pays for a number of bytes, or returns the error of a section that ends here.
    #[inline]
    fn pay(&self, bytes: usize) -> Result<()> {
        let reads = 1 + (bytes / BYTES_PER_READ) as u64;
        if self.budget.spend(reads) { Ok(()) } else { Err(Error::UnexpectedEof(self.offset_id())) }
    }
}

use gimli::Reader as _;

impl gimli::Reader for Reader<'_> {
    type Endian = RunTimeEndian;
    type Offset = usize;

    #[inline]
    fn endian(&self) -> RunTimeEndian {
        self.data.endian()
    }

    #[inline]
    fn len(&self) -> usize {
        self.data.len()
    }

    #[inline]
    fn empty(&mut self) {
        self.data.empty();
    }

    #[inline]
    fn truncate(&mut self, len: usize) -> Result<()> {
        self.data.truncate(len)
    }

    #[inline]
    fn offset_from(&self, base: &Self) -> usize {
        self.data.offset_from(base.data)
    }

    #[inline]
    fn offset_id(&self) -> ReaderOffsetId {
        self.data.offset_id()
    }

    #[inline]
    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        self.data.lookup_offset_id(id)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let found = self.data.find(byte);
        self.pay(found.unwrap_or(self.data.len()))?;
        found.ok_or_else(|| Error::UnexpectedEof(self.offset_id()))
    }

    #[inline]
    fn skip(&mut self, len: usize) -> Result<()> {
        self.data.skip(len)
    }

    #[inline]
    fn split(&mut self, len: usize) -> Result<Self> {
        Ok(Self { data: self.data.split(len)?, ..*self })
    }

    #[inline]
    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        self.data.to_slice()
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        self.pay(self.data.len())?;
        gimli::Reader::to_string(&self.data)
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        self.pay(self.data.len())?;
        gimli::Reader::to_string_lossy(&self.data)
    }

    #[inline]
    fn read_u8(&mut self) -> Result<u8> {
        self.pay(0)?;
        self.data.read_u8()
    }

    #[inline]
    fn read_slice(&mut self, to: &mut [u8]) -> Result<()> {
        self.pay(0)?;
        gimli::Reader::read_slice(&mut self.data, to)
    }
}
