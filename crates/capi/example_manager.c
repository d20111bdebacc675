/* A fuzzer's manager in small: the console arrives in pieces, and each new bug is filed once.
 *
 *     cargo build --release -p ksplat-capi
 *     cc -Icrates/capi crates/capi/example_manager.c target/release/libksplat_c.a -o manager -lpthread -ldl -lm
 *     ./manager console.log
 *
 * Prints the reports as JSON, the events as they came, and the clusters.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksplat.h"

/* Ends the program if a function failed. */
static void check(ksplat_error error, const char *what)
{
	if (error == KSPLAT_ERROR_NONE)
		return;
	fprintf(stderr, "%s: %s (%s)\n", what, ksplat_error_text(error), ksplat_last_error());
	exit(2);
}

/* Ends the program if a function did not fail as it should. */
static void refuse(ksplat_error error, ksplat_error expected)
{
	if (error == expected && ksplat_last_error()[0])
		return;
	fprintf(stderr, "error %d instead of %d\n", error, expected);
	exit(3);
}

/* Files the reports of some events; what a program with a JSON parser would do for each. */
static void file(ksplat_index *bugs, char *events)
{
	uint32_t first;
	size_t count;

	check(ksplat_index_add(bugs, events, strlen(events), &first, &count), "add");
	if (strcmp(events, "[]"))
		puts(events);
	for (uint32_t report = first; report < first + count; report++) {
		char *signature, *matches;
		int64_t known;
		int same;

		check(ksplat_index_signature(bugs, report, &signature), "signature");
		check(ksplat_index_same(bugs, signature, strlen(signature), &known), "same");
		check(ksplat_index_match(bugs, signature, strlen(signature), 3, &matches), "match");
		check(ksplat_same_bug(signature, strlen(signature), signature, strlen(signature), &same),
		      "same bug");
		fprintf(stderr, "report %u: %s, as report %lld; itself: %d\n", (unsigned)report,
			known == report ? "a new bug" : "seen", (long long)known, same);
		puts(matches);
		ksplat_free(matches);
		ksplat_free(signature);
	}
	ksplat_free(events);
}

/* Errors are codes: nothing is written, and nothing crashes. */
static void misuse(ksplat_parser *options, ksplat_index *bugs)
{
	static const char text[] = "{\"report\": 1}", bytes[] = "\"\xff\"";
	char *json = (char *)text;

	refuse(ksplat_parse_with(options, NULL, 5, &json), KSPLAT_ERROR_NULL);
	if (json)
		exit(3);
	refuse(ksplat_parse_with(options, (const uint8_t *)text, SIZE_MAX, &json), KSPLAT_ERROR_LENGTH);
	refuse(ksplat_parser_set(options, KSPLAT_OPTION_FRAMES, 0), KSPLAT_ERROR_OPTION);
	refuse(ksplat_index_add(NULL, text, strlen(text), NULL, NULL), KSPLAT_ERROR_NULL);
	refuse(ksplat_index_add(bugs, text, strlen(text), NULL, NULL), KSPLAT_ERROR_JSON);
	refuse(ksplat_index_add(bugs, bytes, strlen(bytes), NULL, NULL), KSPLAT_ERROR_UTF8);
	refuse(ksplat_index_must_link(bugs, 0, UINT32_MAX), KSPLAT_ERROR_NUMBER);
	refuse(ksplat_index_cannot_link(bugs, UINT32_MAX, 0), KSPLAT_ERROR_NUMBER);
	refuse(ksplat_index_signature(bugs, UINT32_MAX, &json), KSPLAT_ERROR_NUMBER);
	refuse(ksplat_monitor_tick(NULL, 0, &json), KSPLAT_ERROR_NULL);
}

int main(int argc, char **argv)
{
	static const char whole[] = "kernel BUG at fs/a.c:1!\nRIP: 0010:f+0x1/0x2\n";
	FILE *console = argc == 2 ? fopen(argv[1], "rb") : NULL;
	ksplat_parser *options;
	ksplat_monitor *monitor;
	ksplat_index *bugs;
	uint8_t chunk[512];
	uint64_t now = 0;
	char *json;
	size_t got;

	if (!console) {
		fprintf(stderr, "usage: %s LOG\n", argv[0]);
		return 2;
	}
	check(ksplat_parser_new(&options), "parser");
	check(ksplat_parser_set(options, KSPLAT_OPTION_LINES, 1024), "lines");
	check(ksplat_parser_set(options, KSPLAT_OPTION_INFORMATION, 1), "information");
	check(ksplat_parser_set(options, KSPLAT_OPTION_PAUSE_MS, 500), "pause");
	check(ksplat_monitor_new(options, &monitor), "monitor");
	check(ksplat_index_new(&bugs), "index");

	while ((got = fread(chunk, 1, sizeof(chunk), console)) > 0) {
		check(ksplat_monitor_push(monitor, chunk, got, &json), "push");
		file(bugs, json);
		check(ksplat_monitor_tick(monitor, now += 100, &json), "tick");
		file(bugs, json);
	}
	/* The machine has stopped. */
	check(ksplat_monitor_finish(monitor, &json), "finish");
	file(bugs, json);
	fclose(console);

	/* A whole log, whose reports are filed in the same way. */
	check(ksplat_parse_with(options, (const uint8_t *)whole, strlen(whole), &json), "parse");
	file(bugs, json);
	misuse(options, bugs);
	check(ksplat_index_clusters(bugs, &json), "clusters");
	puts(json);
	ksplat_free(json);

	ksplat_index_free(bugs);
	ksplat_monitor_free(monitor);
	ksplat_parser_free(options);
	return 0;
}
