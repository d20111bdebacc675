/* Made by cbindgen: `UPDATE_HEADER=1 cargo test -p ksplat-capi --test header`; do not edit. */

#ifndef KSPLAT_H
#define KSPLAT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Errors: a function returns a `ksplat_error`, 0 on success. `ksplat_error_text` describes the
 * code, `ksplat_last_error` the last error of the calling thread in detail. On errors, results
 * that are pointers are NULL, and other results are not written. No function aborts or unwinds,
 * with one exception: a process whose memory is exhausted is aborted. A panic of the library is
 * KSPLAT_ERROR_INTERNAL, and its message is printed to standard error.
 *
 * Strings: results are JSON, or text as constants of the library. JSON is UTF-8 with a NUL byte
 * at the end, belongs to the caller, and is freed with `ksplat_free`, not with `free`. Text of a
 * log is escaped, so it is safe to print. JSON as an argument is a pointer and a length in bytes,
 * without the NUL byte. Arguments are not kept after the call.
 *
 * Threads: all functions may be called from any thread, with the same objects. Calls with one
 * object wait for each other; queries of an index run at the same time. An object is freed when
 * no other thread uses it. Objects are independent of each other.
 */


/**
 * The result of a function: 0 is success.
 *
 * `ksplat_error_text` describes a code, `ksplat_last_error` the last error of the thread in detail.
 */
typedef enum {
  /**
   * Success.
   */
  KSPLAT_ERROR_NONE = 0,
  /**
   * A pointer is NULL that must not be.
   */
  KSPLAT_ERROR_NULL = 1,
  /**
   * A length is greater than `PTRDIFF_MAX`.
   */
  KSPLAT_ERROR_LENGTH = 2,
  /**
   * JSON is not valid UTF-8.
   */
  KSPLAT_ERROR_UTF8 = 3,
  /**
   * A text is not JSON, or JSON of something else.
   */
  KSPLAT_ERROR_JSON = 4,
  /**
   * A signature was made by another version of the library, and is not comparable.
   */
  KSPLAT_ERROR_VERSION = 5,
  /**
   * An index has no report with this number.
   */
  KSPLAT_ERROR_NUMBER = 6,
  /**
   * An option or its value is unknown.
   */
  KSPLAT_ERROR_OPTION = 7,
  /**
   * The library has a defect. The object is unusable from now on, but can be freed.
   */
  KSPLAT_ERROR_INTERNAL = 8,
} ksplat_error;

/**
 * An option of a `ksplat_parser`, and the unit of its value.
 *
 * The part of a report beyond a limit is left out, which the report records in `corrupted` or
 * `diagnostics`.
 */
typedef enum {
  /**
   * The maximum number of lines of a report, at least 1; 4096 by default.
   */
  KSPLAT_OPTION_LINES = 1,
  /**
   * The maximum number of frames of all stacks of a report, at least 1; 1024 by default.
   */
  KSPLAT_OPTION_FRAMES = 2,
  /**
   * The maximum number of reports that are open at the same time, at least 1; 16 by default.
   */
  KSPLAT_OPTION_OPEN = 3,
  /**
   * Whether to return information reports too, 0 or 1: out-of-memory kills, failed page
   * allocations, damaged file systems; 0 by default.
   */
  KSPLAT_OPTION_INFORMATION = 4,
  /**
   * Whether to parse lines of programs other than the kernel, 0 or 1: panics of Go programs and
   * of other systems; 0 by default.
   */
  KSPLAT_OPTION_ANY_PROGRAM = 5,
  /**
   * The silence after which `ksplat_monitor_tick` completes the open reports, in milliseconds;
   * 10000 by default.
   */
  KSPLAT_OPTION_QUIET_MS = 6,
  /**
   * The silence after which `ksplat_monitor_tick` returns a report that may continue, in
   * milliseconds; 1000 by default.
   */
  KSPLAT_OPTION_PAUSE_MS = 7,
} ksplat_option;

/**
 * An index of signatures, which groups the reports of one bug.
 */
typedef struct ksplat_index ksplat_index;

/**
 * Finds the reports of one log that is still being written, such as the console of a machine.
 *
 * It needs at most 32 MB of memory with the default limits.
 */
typedef struct ksplat_monitor ksplat_monitor;

/**
 * The options of parsing. NULL in place of one means the default options.
 *
 * Monitors keep a copy: later changes do not affect them.
 */
typedef struct ksplat_parser ksplat_parser;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Parses the reports of a log of `len` bytes, and returns them as a JSON array: see the
 * documentation of `ksplat::output::json`. The string ends with a NUL byte and must be freed with
 * `ksplat_free`.
 *
 * Returns NULL on errors, which `ksplat_last_error` describes: `log` is NULL and `len` is not 0, or
 * `len` is greater than `PTRDIFF_MAX`. `ksplat_parse_with` has options, signatures and text.
 *
 * # Safety
 *
 * `log` must point to `len` bytes, at most `PTRDIFF_MAX`, that no thread writes during the call.
 */
char *ksplat_parse(const uint8_t *log, size_t len);

/**
 * Parses the reports of a log of `len` bytes, and writes them to `*reports`: a JSON array, in the
 * order in which they start, each as an object:
 *
 * | field | value |
 * |---|---|
 * | `report` | the report, as `ksplat_parse` returns it: see `docs/src/json.md` |
 * | `signature` | its signature, as an index compares it: see `ksplat_index_add` |
 * | `text` | the report as text for people, as `ksplat parse` prints it |
 *
 * Each report is explained before it is signed. A hang is signed with the other hangs of the log.
 * `parser` may be NULL, which has the default options. The string is freed with `ksplat_free`.
 *
 * Errors, with which `*reports` is NULL: `KSPLAT_ERROR_NULL` if `reports` is NULL, or `log` while
 * `len` is not 0; `KSPLAT_ERROR_LENGTH`; `KSPLAT_ERROR_INTERNAL`. No content of a log is an error.
 *
 * ```c
 * char *reports;
 *
 * if (ksplat_parse_with(NULL, log, len, &reports))
 *     errx(1, "%s", ksplat_last_error());
 * puts(reports);
 * ksplat_free(reports);
 * ```
 *
 * # Safety
 *
 * `parser` must be NULL or a parser that is not freed; `log` must point to `len` bytes that no
 * thread writes during the call; `reports` must be NULL or point to a pointer.
 */
ksplat_error ksplat_parse_with(const ksplat_parser *parser,
                               const uint8_t *log,
                               size_t len,
                               char **reports);

/**
 * Frees a string that a function of this library wrote or returned, except those of
 * `ksplat_error_text` and `ksplat_last_error`. NULL is ignored.
 *
 * # Safety
 *
 * `json` must be NULL, or such a string that was not freed.
 */
void ksplat_free(char *json);

/**
 * Describes an error code in a few words, such as `a pointer is NULL`.
 *
 * `code` is a `ksplat_error`; another number is `an unknown error`. The text is constant: do not
 * free it.
 */
const char *ksplat_error_text(int32_t code);

/**
 * Describes the last error of a function of this library on the calling thread, with details such
 * as the line and column of wrong JSON. Empty before the first error; successful calls keep it.
 *
 * The text belongs to the library. It is valid until the next error or the end of the thread.
 *
 * ```c
 * if (ksplat_index_add(index, json, strlen(json), NULL, NULL))
 *     fprintf(stderr, "%s\n", ksplat_last_error());
 * ```
 */
const char *ksplat_last_error(void);

/**
 * Makes an empty index, and writes its address to `*index`, or NULL on errors. The caller owns it
 * and frees it with `ksplat_index_free`.
 *
 * Errors: `KSPLAT_ERROR_NULL` if `index` is NULL.
 *
 * ```c
 * ksplat_index *index;
 * char *clusters;
 *
 * if (ksplat_index_new(&index) ||
 *     ksplat_index_add(index, reports, strlen(reports), NULL, NULL) ||
 *     ksplat_index_clusters(index, &clusters))
 *     errx(1, "%s", ksplat_last_error());
 * ```
 *
 * # Safety
 *
 * `index` must be NULL or point to a pointer.
 */
ksplat_error ksplat_index_new(ksplat_index **index);

/**
 * Adds the reports of `len` bytes of JSON. The JSON is one of these, or an array of them, such as
 * the result of `ksplat_parse_with` or `ksplat_monitor_push`:
 *
 * - an object with the member `signature`, which is used: an element of these results;
 * - a signature;
 * - a report, as `ksplat_parse` returns it; one without an explanation is explained first.
 *
 * An object whose `event` is `started` is skipped. A `revised` report is added like another one.
 *
 * Reports are numbered from 0 in the order in which they are added. Writes the number of the first
 * one to `*first`, and the number of added reports to `*count`, unless these are NULL. If none is
 * added, `*first` is the number that the next one will have.
 *
 * Errors, with which nothing is added or written: `KSPLAT_ERROR_NULL` if `index` or `json` is
 * NULL; `KSPLAT_ERROR_LENGTH`; `KSPLAT_ERROR_UTF8`; `KSPLAT_ERROR_JSON`; `KSPLAT_ERROR_VERSION` if
 * a signature was made by another version; `KSPLAT_ERROR_INTERNAL`.
 *
 * # Safety
 *
 * `index` must be NULL or an index that is not freed; `json` must be NULL or point to `len` bytes
 * that no thread writes during the call; `first` and `count` must be NULL or point to such a number.
 */
ksplat_error ksplat_index_add(ksplat_index *index,
                              const char *json,
                              size_t len,
                              uint32_t *first,
                              size_t *count);

/**
 * Finds the at most `top` known reports that are most similar to a report, and writes them to
 * `*matches`: a JSON array, the most similar first. `json`, of `len` bytes, is one object as of
 * `ksplat_index_add`, which is not added.
 *
 * | field | value |
 * |---|---|
 * | `report` | the number of the known report; of equal ones the lowest |
 * | `title` | its title |
 * | `score` | the probability that both are of one bug, from 0 to 1 |
 * | `evidence` | the features in words, the heaviest first |
 * | `features` | the features that both have, each from 0 to 1 |
 *
 * The string is freed with `ksplat_free`.
 *
 * Errors, with which `*matches` is NULL: as of `ksplat_index_add`, and `KSPLAT_ERROR_NULL` if
 * `matches` is NULL.
 *
 * # Safety
 *
 * As that of `ksplat_index_add`; `matches` must be NULL or point to a pointer.
 */
ksplat_error ksplat_index_match(const ksplat_index *index,
                                const char *json,
                                size_t len,
                                size_t top,
                                char **matches);

/**
 * Finds a known report of the same bug as a report, and writes its number to `*report`, or -1 if
 * there is none. `json`, of `len` bytes, is one object as of `ksplat_index_add`, which is not added.
 *
 * The rules are those of `ksplat_index_clusters`, except for links by title and decisions: a
 * report without a stack may be in a cluster, but has no result here.
 *
 * Errors, with which nothing is written: as of `ksplat_index_add`, and `KSPLAT_ERROR_NULL` if
 * `report` is NULL.
 *
 * # Safety
 *
 * As that of `ksplat_index_add`; `report` must be NULL or point to such a number.
 */
ksplat_error ksplat_index_same(const ksplat_index *index,
                               const char *json,
                               size_t len,
                               int64_t *report);

/**
 * Writes the signature of a report to `*signature`, as JSON: to store the index, and to add it to
 * another one. Equal reports have the signature of the most detailed one of them.
 *
 * The string is freed with `ksplat_free`.
 *
 * Errors, with which `*signature` is NULL: `KSPLAT_ERROR_NULL` if `index` or `signature` is NULL;
 * `KSPLAT_ERROR_NUMBER` if the index has no such report.
 *
 * # Safety
 *
 * `index` must be NULL or an index that is not freed; `signature` must be NULL or point to a
 * pointer.
 */
ksplat_error ksplat_index_signature(const ksplat_index *index, uint32_t report, char **signature);

/**
 * Decides that two reports are of one bug: `ksplat_index_clusters` joins their clusters, unless
 * `ksplat_index_cannot_link` forbids it.
 *
 * Errors: `KSPLAT_ERROR_NULL` if `index` is NULL; `KSPLAT_ERROR_NUMBER` if the index lacks one of
 * the reports.
 *
 * # Safety
 *
 * `index` must be NULL or an index that is not freed.
 */
ksplat_error ksplat_index_must_link(ksplat_index *index, uint32_t a, uint32_t b);

/**
 * Decides that two reports are of different bugs: `ksplat_index_clusters` keeps them apart. Reports
 * with equal signatures stay together.
 *
 * Errors: `KSPLAT_ERROR_NULL` if `index` is NULL; `KSPLAT_ERROR_NUMBER` if the index lacks one of
 * the reports.
 *
 * # Safety
 *
 * `index` must be NULL or an index that is not freed.
 */
ksplat_error ksplat_index_cannot_link(ksplat_index *index, uint32_t a, uint32_t b);

/**
 * Groups the reports by bug, and writes the clusters to `*clusters`: a JSON array, the largest
 * first. Each report is in one cluster; the order in which reports were added does not matter.
 *
 * | field | value |
 * |---|---|
 * | `id` | a name that is stable while no report is added |
 * | `title`, `kind`, `family`, `impact`, `count`, `titles`, `kernels`, `subsystem`, `links`, `perhaps` | as `ksplat cluster --format json` prints them |
 * | `exemplar` | the number of a report with the most frequent signature |
 * | `summary` | what its trapping instruction did, or which function is blamed |
 * | `reports` | the numbers of the reports, ascending |
 *
 * The string is freed with `ksplat_free`.
 *
 * Errors, with which `*clusters` is NULL: `KSPLAT_ERROR_NULL` if `index` or `clusters` is NULL;
 * `KSPLAT_ERROR_INTERNAL`.
 *
 * # Safety
 *
 * `index` must be NULL or an index that is not freed; `clusters` must be NULL or point to a pointer.
 */
ksplat_error ksplat_index_clusters(const ksplat_index *index,
                                   char **clusters);

/**
 * Frees an index. NULL is ignored.
 *
 * # Safety
 *
 * `index` must be NULL, or an index that was not freed and that no other thread uses.
 */
void ksplat_index_free(ksplat_index *index);

/**
 * Decides whether two reports are of one bug, and writes 1 or 0 to `*same`: whether they would be in one
 * cluster of an index that has only these. `a` and `b`, of `a_len` and `b_len` bytes, are each one
 * object as of `ksplat_index_add`.
 *
 * Errors, with which nothing is written: as of `ksplat_index_add`, and `KSPLAT_ERROR_NULL` if
 * `same` is NULL.
 *
 * ```c
 * int same;
 *
 * if (ksplat_same_bug(a, strlen(a), b, strlen(b), &same))
 *     errx(1, "%s", ksplat_last_error());
 * puts(same ? "one bug" : "two bugs");
 * ```
 *
 * # Safety
 *
 * `a` and `b` must be NULL or point to so many bytes that no thread writes during the call; `same`
 * must be NULL or point to an `int`.
 */
ksplat_error ksplat_same_bug(const char *a,
                             size_t a_len,
                             const char *b,
                             size_t b_len,
                             int *same);

/**
 * Makes a monitor at the start of a log, and writes its address to `*monitor`, or NULL on errors.
 * The caller owns it and frees it with `ksplat_monitor_free`. `parser` is copied; NULL has the
 * default options.
 *
 * Errors: `KSPLAT_ERROR_NULL` if `monitor` is NULL.
 *
 * ```c
 * ksplat_monitor *monitor;
 * char *events;
 *
 * if (ksplat_monitor_new(NULL, &monitor))
 *     errx(1, "%s", ksplat_last_error());
 * while ((got = read(console, chunk, sizeof(chunk))) > 0) {
 *     if (ksplat_monitor_push(monitor, chunk, got, &events))
 *         errx(1, "%s", ksplat_last_error());
 *     puts(events);
 *     ksplat_free(events);
 * }
 * ```
 *
 * # Safety
 *
 * `parser` must be NULL or a parser that is not freed, `monitor` NULL or point to a pointer.
 */
ksplat_error ksplat_monitor_new(const ksplat_parser *parser, ksplat_monitor **monitor);

/**
 * Parses the next `len` bytes of the log, and writes the events that they caused to `*events`: a
 * JSON array, `[]` if there are none. Chunks may have any size; a chunk of some megabytes with very
 * many reports needs memory for all of them.
 *
 * | `event` | the other fields |
 * |---|---|
 * | `started` | `line`, from 1, `offset`, in bytes, `kind`, `title` of the first line of a report |
 * | `finished` | `report`, `signature`, `text`, as of `ksplat_parse_with`, of a report that is complete or makes a pause |
 * | `revised` | the same, of a report that continued after its pause: it replaces the one with the same `report.index` |
 *
 * `report.index` counts the reports of the log from 0. The string is freed with `ksplat_free`.
 *
 * Errors, with which `*events` is NULL: `KSPLAT_ERROR_NULL` if `monitor` or `events` is NULL, or
 * `chunk` while `len` is not 0; `KSPLAT_ERROR_LENGTH`; `KSPLAT_ERROR_INTERNAL`.
 *
 * # Safety
 *
 * `monitor` must be NULL or a monitor that is not freed; `chunk` must point to `len` bytes that no
 * thread writes during the call; `events` must be NULL or point to a pointer.
 */
ksplat_error ksplat_monitor_push(ksplat_monitor *monitor,
                                 const uint8_t *chunk,
                                 size_t len,
                                 char **events);

/**
 * Tells the time, and writes the events that it caused to `*events`, as `ksplat_monitor_push`
 * does. Call it about every second, also while the log is silent.
 *
 * `now_ms` is the time in milliseconds since any moment, the same for all calls: the monitor has
 * no clock. A report is returned when no line of it arrived for the time of
 * `KSPLAT_OPTION_PAUSE_MS`, or at once if the kernel halts; it is complete after a silence of
 * `KSPLAT_OPTION_QUIET_MS`.
 *
 * Errors, with which `*events` is NULL: `KSPLAT_ERROR_NULL` if `monitor` or `events` is NULL;
 * `KSPLAT_ERROR_INTERNAL`.
 *
 * # Safety
 *
 * `monitor` must be NULL or a monitor that is not freed, `events` NULL or point to a pointer.
 */
ksplat_error ksplat_monitor_tick(ksplat_monitor *monitor, uint64_t now_ms, char **events);

/**
 * Ends the log, and writes the events of all open reports to `*events`, as `ksplat_monitor_push`
 * does. The next bytes begin another log.
 *
 * Errors, with which `*events` is NULL: `KSPLAT_ERROR_NULL` if `monitor` or `events` is NULL;
 * `KSPLAT_ERROR_INTERNAL`.
 *
 * # Safety
 *
 * `monitor` must be NULL or a monitor that is not freed, `events` NULL or point to a pointer.
 */
ksplat_error ksplat_monitor_finish(ksplat_monitor *monitor, char **events);

/**
 * Frees a monitor. Reports that are open are lost: call `ksplat_monitor_finish` before. NULL is
 * ignored.
 *
 * # Safety
 *
 * `monitor` must be NULL, or a monitor that was not freed and that no other thread uses.
 */
void ksplat_monitor_free(ksplat_monitor *monitor);

/**
 * Makes a parser with the default options, and writes its address to `*parser`, or NULL on errors.
 * The caller owns it and frees it with `ksplat_parser_free`.
 *
 * Errors: `KSPLAT_ERROR_NULL` if `parser` is NULL.
 *
 * ```c
 * ksplat_parser *parser;
 * char *json;
 *
 * if (ksplat_parser_new(&parser) ||
 *     ksplat_parser_set(parser, KSPLAT_OPTION_FRAMES, 64) ||
 *     ksplat_parse_with(parser, log, len, &json))
 *     errx(1, "%s", ksplat_last_error());
 * ```
 *
 * # Safety
 *
 * `parser` must be NULL or point to a pointer.
 */
ksplat_error ksplat_parser_new(ksplat_parser **parser);

/**
 * Sets an option: `option` is a `ksplat_option`, which defines the unit of `value`.
 *
 * Errors, which leave the options unchanged: `KSPLAT_ERROR_NULL` if `parser` is NULL;
 * `KSPLAT_ERROR_OPTION` if there is no such option, or it cannot have this value.
 *
 * # Safety
 *
 * `parser` must be NULL or a parser that is not freed.
 */
ksplat_error ksplat_parser_set(ksplat_parser *parser, int32_t option, uint64_t value);

/**
 * Frees a parser. NULL is ignored.
 *
 * # Safety
 *
 * `parser` must be NULL, or a parser that was not freed and that no other thread uses.
 */
void ksplat_parser_free(ksplat_parser *parser);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* KSPLAT_H */
