/* Made by `cbindgen --config src/cbindgen.toml src/capi.rs`; do not edit. */

#ifndef KSPLAT_H
#define KSPLAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Finds the reports of a log of `len` bytes, and gives them as a JSON array: see the documentation of
 * `ksplat::output::json`. The string ends with a NUL byte and is freed by `ksplat_free`.
 *
 * NULL if `log` is NULL and `len` is not 0, or if there is no memory for the answer.
 *
 * # Safety
 *
 * `log` must point to `len` bytes that nobody writes in the meantime.
 */
char *ksplat_parse(const uint8_t *log,
                   size_t len);

/**
 * Frees what `ksplat_parse` gave; NULL is nothing to free.
 *
 * # Safety
 *
 * `json` must be NULL, or come from `ksplat_parse` and not have been freed.
 */
void ksplat_free(char *json);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KSPLAT_H */
