//! The class of a value as an address.

use super::space::Space;
use crate::arch::{Arch, Area};
use crate::model::AddressClass;

use AddressClass::{
    Ascii, DirectMap, ErrPtr, Module, NonCanonical, Null, Poison, Text, Unknown, User, Vmalloc,
};

/// The patterns that the kernel writes over unused memory: include/linux/poison.h.
#[rustfmt::skip] // rows
pub(super) const POISONS: &[(u64, &str)] = &[
    (0xdead_0000_0000_0100, "LIST_POISON1: the entry was removed from its list"),
    (0xdead_0000_0000_0122, "LIST_POISON2: the entry was removed from its list"),
    (0xdead_0000_0000_0200, "LIST_POISON2: the entry was removed from its list"),
    (0x5dea_dbee_f000_0100, "LIST_POISON1: the entry was removed from its list"),
    (0x5dea_dbee_f000_0122, "LIST_POISON2: the entry was removed from its list"),
    (0x6b6b_6b6b_6b6b_6b6b, "POISON_FREE: the memory was freed"),
    (0x5a5a_5a5a_5a5a_5a5a, "POISON_INUSE: the memory is uninitialized"),
    (0xa5a5_a5a5_a5a5_a5a5, "POISON_END: behind an object"),
    (0xbbbb_bbbb_bbbb_bbbb, "SLUB_RED_INACTIVE: beside an object"),
    (0xcccc_cccc_cccc_cccc, "a red zone or code that was freed"),
    (0x0000_0000_6b6b_6b6b, "POISON_FREE: the memory was freed"),
    (0x0000_0000_5a5a_5a5a, "POISON_INUSE: the memory is uninitialized"),
    (0x0000_0000_0000_0100, "LIST_POISON1: the entry was removed from its list"),
    (0x0000_0000_0000_0122, "LIST_POISON2: the entry was removed from its list"),
];

/// The largest offset of a field from a NULL pointer or a poison pattern: a page.
const NEAR: u64 = 4096;

/// The largest error number of a pointer: include/linux/err.h.
const MAX_ERRNO: u64 = 4095;

/// The largest error number that has a name: `ERECALLCONFLICT` in include/linux/errno.h.
const MAX_NAMED: u64 = 530;

/// Returns the offset of the KASAN shadow of an architecture.
pub(super) fn shadow_offset(arch: Arch) -> Option<u64> {
    arch.info().shadow.as_ref().map(|shadow| shadow.offset)
}

/// Returns the first of the eight bytes whose shadow is at an address, if it is a shadow address.
///
/// The shadows of NULL, of user space and of non-canonical addresses are at addresses without other
/// use.
pub(super) fn behind_shadow(space: Space, address: u64) -> Option<u64> {
    let shadow = space.arch.info().shadow.as_ref()?;
    let place = address.wrapping_sub(shadow.offset);
    let is_shadow = shadow.own.contains(&address) || class(space, address) == NonCanonical;
    (place >> 61 == 0 && is_shadow).then_some(place << 3)
}

/// Returns the poison pattern that a value is equal or near to, with or without its tag.
pub(super) fn poison(arch: Arch, value: u64) -> Option<&'static str> {
    let tag = arch.info().tag;
    let is_untagged = tag != 0 && value & tag == 0;
    let mask = if is_untagged { !tag } else { u64::MAX };
    // On 32-bit machines the list poisons are small numbers, as are fields of NULL pointers.
    let is_near = |poison: u64| poison & mask > NEAR && value.abs_diff(poison & mask) < NEAR;
    POISONS.iter().find(|(poison, _)| is_near(*poison)).map(|(_, name)| *name)
}

/// Returns the class of a value.
pub(super) fn class(space: Space, value: u64) -> AddressClass {
    let arch = space.arch;
    let is_wide = space.bits == 64;
    let top = if is_wide { u64::MAX } else { u64::from(u32::MAX) };
    if value < NEAR {
        return Null;
    }
    if value > top - MAX_ERRNO {
        return ErrPtr;
    }
    if poison(arch, value).is_some() {
        return Poison;
    }
    // Four letters are too few to distinguish text from an address.
    let is_letter = |b: u8| (0x20..0x7f).contains(&b);
    if is_wide && value.to_le_bytes().into_iter().all(is_letter) {
        return Ascii;
    }
    match space.area(value) {
        Some(Area::User) => User,
        Some(Area::NonCanonical) => NonCanonical,
        Some(Area::Linear) => DirectMap,
        Some(Area::Vmalloc) => Vmalloc,
        Some(Area::Text) => Text,
        Some(Area::Module) => Module,
        None => Unknown,
    }
}

/// Returns whether a value may be an error number.
pub(super) fn is_error(value: u64, space: Space) -> bool {
    (1..=MAX_NAMED).contains(&error_number(value, space))
}

fn error_number(value: u64, space: Space) -> u64 {
    let top = if space.bits == 64 { 0 } else { u64::from(u32::MAX) + 1 };
    top.wrapping_sub(value)
}

/// Returns the error number in a pointer, with its name.
pub(super) fn error(value: u64, space: Space) -> String {
    let number = error_number(value, space);
    match ERRORS.iter().find(|(error, _)| *error == number) {
        Some((_, name)) => format!("ERR_PTR(-{number}), {name}"),
        None => format!("ERR_PTR(-{number})"),
    }
}

/// include/uapi/asm-generic/errno-base.h, errno.h and include/linux/errno.h.
#[rustfmt::skip] // rows
const ERRORS: &[(u64, &str)] = &[
    (1, "EPERM"), (2, "ENOENT"), (3, "ESRCH"), (4, "EINTR"), (5, "EIO"), (6, "ENXIO"), (7, "E2BIG"),
    (8, "ENOEXEC"), (9, "EBADF"), (10, "ECHILD"), (11, "EAGAIN"), (12, "ENOMEM"), (13, "EACCES"),
    (14, "EFAULT"), (15, "ENOTBLK"), (16, "EBUSY"), (17, "EEXIST"), (18, "EXDEV"), (19, "ENODEV"),
    (20, "ENOTDIR"), (21, "EISDIR"), (22, "EINVAL"), (23, "ENFILE"), (24, "EMFILE"), (25, "ENOTTY"),
    (26, "ETXTBSY"), (27, "EFBIG"), (28, "ENOSPC"), (29, "ESPIPE"), (30, "EROFS"), (31, "EMLINK"),
    (32, "EPIPE"), (33, "EDOM"), (34, "ERANGE"), (35, "EDEADLK"), (36, "ENAMETOOLONG"),
    (38, "ENOSYS"), (39, "ENOTEMPTY"), (40, "ELOOP"), (61, "ENODATA"), (62, "ETIME"),
    (71, "EPROTO"), (74, "EBADMSG"), (75, "EOVERFLOW"), (84, "EILSEQ"), (90, "EMSGSIZE"),
    (95, "EOPNOTSUPP"), (97, "EAFNOSUPPORT"), (98, "EADDRINUSE"), (104, "ECONNRESET"),
    (105, "ENOBUFS"), (107, "ENOTCONN"), (110, "ETIMEDOUT"), (111, "ECONNREFUSED"),
    (115, "EINPROGRESS"), (116, "ESTALE"), (117, "EUCLEAN"), (121, "EREMOTEIO"),
    (512, "ERESTARTSYS"), (517, "EPROBE_DEFER"), (524, "ENOTSUPP"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_class() {
        for (value, want) in [
            (0x58, Null),
            (0x4141_403c, User),
            (0xffff_ffff_ffff_fff4, ErrPtr),
            (0xdead_0000_0000_0100, Poison),
            (0x6b6b_6b6b_6b6b_6bc3, Poison),
            (0x6f77_206f_6c6c_6568, Ascii),
            (0xdfff_fc00_0000_000b, NonCanonical),
            (0xffff_8880_1b9e_8280, DirectMap),
            (0xffff_c900_0aac_f9d8, Vmalloc),
            (0xffff_ffff_81c7_4e8d, Text),
            (0xffff_ffff_c04b_d540, Module),
        ] {
            assert_eq!(class(Space::usual(Arch::X86_64), value), want, "{value:#x}");
        }
        assert_eq!(class(Space::usual(Arch::X86), 0xffff_fff4), ErrPtr);
        assert_eq!(class(Space::usual(Arch::X86), 0x4141_4034), User);
        assert_eq!(class(Space::usual(Arch::X86), 0x6b6b_6b73), Poison);
        assert_eq!(class(Space::usual(Arch::S390x), 0x3ff_7fd0_2658), Unknown);
    }

    #[test]
    fn ok_behind_shadow() {
        for (arch, address, want) in [
            (Arch::X86_64, 0xdfff_fc00_0000_000b, Some(0x58)),
            (Arch::X86_64, 0xffff_fbff_f000_0000, Some(0xffff_ffff_8000_0000)),
            (Arch::X86_64, 0xffff_8880_0000_1000, None),
            (Arch::Arm64, 0xdfff_8000_0000_0001, Some(8)),
            // The linear map.
            (Arch::Arm64, 0xffff_0000_c2a8_0e68, None),
            (Arch::S390x, 0xdfff_fc00_0000_000b, None),
        ] {
            assert_eq!(behind_shadow(Space::usual(arch), address), want, "{address:#x}");
        }
    }

    #[test]
    fn ok_error() {
        assert_eq!(
            error(0xffff_ffff_ffff_fff4, Space::usual(Arch::X86_64)),
            "ERR_PTR(-12), ENOMEM"
        );
        assert_eq!(error(0xffff_fff4, Space::usual(Arch::X86)), "ERR_PTR(-12), ENOMEM");
        assert_eq!(error(0xffff_ffff_ffff_f001, Space::usual(Arch::X86_64)), "ERR_PTR(-4095)");
    }
}
