/* Prints the reports of a log as JSON, through the C ABI:
 *
 *     cargo build --release -p ksplat-capi
 *     cc -Icrates/capi crates/capi/example.c target/release/libksplat_c.a -o ksplat-c -lpthread -ldl -lm
 *     ./ksplat-c console.log
 */
#include <stdio.h>
#include <stdlib.h>

#include "ksplat.h"

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t len = 0, room = 1 << 16, got;
	unsigned char *log = malloc(room);
	char *json;

	if (!file || !log) {
		fprintf(stderr, "usage: %s LOG\n", argv[0]);
		return 2;
	}
	while ((got = fread(log + len, 1, room - len, file)) > 0) {
		len += got;
		if (len == room) {
			room *= 2;
			log = realloc(log, room);
			if (!log)
				return 2;
		}
	}
	fclose(file);

	json = ksplat_parse(log, len);
	if (!json)
		return 2;
	puts(json);
	ksplat_free(json);
	free(log);
	return 0;
}
