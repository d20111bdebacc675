/* Made by cbindgen: `UPDATE_HEADER=1 cargo test -p ksplat-capi --test header`; do not edit. */

#ifndef KSPLAT_H
#define KSPLAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Parses the reports of a log of `len` bytes, and returns them as a JSON array: see the
 * documentation of `ksplat::output::json`. The string ends with a NUL byte and must be freed with
 * `ksplat_free`.
 *
 * Returns NULL if `log` is NULL and `len` is not 0.
 *
 * # Safety
 *
 * `log` must point to `len` bytes, at most `PTRDIFF_MAX`, that no thread writes during the call.
 */
char *ksplat_parse(const uint8_t *log, size_t len);

/**
 * Frees a string that `ksplat_parse` returned. NULL is ignored.
 *
 * # Safety
 *
 * `json` must be NULL, or a string from `ksplat_parse` that was not freed.
 */
void ksplat_free(char *json);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KSPLAT_H */
