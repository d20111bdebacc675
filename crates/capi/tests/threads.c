/* Parses a log in several threads at once, and compares the JSON of all: for the thread sanitizer. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksplat.h"

enum { THREADS = 4, TIMES = 8 };

static unsigned char log_bytes[1 << 16];
static size_t log_len;

static void *parse(void *unused)
{
	char *first = ksplat_parse(log_bytes, log_len);

	(void)unused;
	for (int time = 1; time < TIMES; time++) {
		char *json = ksplat_parse(log_bytes, log_len);

		if (!first || !json || strcmp(first, json))
			abort();
		ksplat_free(json);
	}
	return first;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	pthread_t threads[THREADS];
	char *jsons[THREADS];

	if (!file)
		return 2;
	log_len = fread(log_bytes, 1, sizeof(log_bytes), file);
	fclose(file);
	/* Builds the tables of the process first: the sanitizer does not see the synchronization in the standard library. */
	ksplat_free(ksplat_parse(log_bytes, log_len));
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, parse, NULL))
			return 2;
	for (int i = 0; i < THREADS; i++) {
		void *json;

		if (pthread_join(threads[i], &json))
			return 2;
		jsons[i] = json;
		if (strcmp(jsons[0], jsons[i]))
			return 1;
	}
	puts(jsons[0]);
	for (int i = 0; i < THREADS; i++)
		ksplat_free(jsons[i]);
	return 0;
}
