/* bench_admission PORT REVIEWS RATE SECONDS CONNECTIONS: posts the lines of the file REVIEWS, in turn, to https://127.0.0.1:PORT/validate,
 * at a fixed rate whatever the answers do, on connections that stay open, and prints latencies as JSON. A request that has to wait for
 * a connection counts from when it was due: nothing of a server that stalls is left out. */
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 256, LINES_MAX = 65536, ANSWER_MAX = 1 << 20 };

static char *lines[LINES_MAX];
static size_t lines_n, total, next_one;
static double begin_s, rate;
static int port;
static double *latencies;
static char *outcomes; /* 'a'llowed, 'd'enied, 'e'rror */
static SSL_CTX *context;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static SSL *open_connection(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	SSL *s = SSL_new(context);

	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) || !SSL_set_fd(s, fd) || SSL_connect(s) != 1) {
		SSL_free(s);
		close(fd);
		return NULL;
	}
	return s;
}

static void close_connection(SSL *s)
{
	int fd = SSL_get_fd(s);

	SSL_free(s);
	close(fd);
}

/* The outcome of one request; 'e' leaves the connection of no use. */
static char post(SSL *s, const char *body, char *answer)
{
	size_t body_bytes = strlen(body), got = 0, whole = 0;
	char *request = NULL;
	int n = asprintf(&request,
			 "POST /validate?timeout=5s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 body_bytes, body);
	int sent = n > 0 ? SSL_write(s, request, n) : 0;

	free(request);
	if (sent != n)
		return 'e';
	while (!whole || got < whole) {
		int r = SSL_read(s, answer + got, (int)(ANSWER_MAX - 1 - got));
		if (r <= 0)
			return 'e';
		got += (size_t)r;
		answer[got] = 0;
		const char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "Content-Length: ");
		if (end && length && length < end)
			whole = (size_t)(end + 4 - answer) + strtoul(length + 16, NULL, 10);
		else if (end)
			return 'e';
	}
	if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
		return 'e';
	return strstr(answer, "\"allowed\":true") ? 'a' : 'd';
}

static void *work(void *unused)
{
	char *answer = malloc(ANSWER_MAX);
	SSL *s = open_connection();

	for (;;) {
		size_t i = __atomic_fetch_add(&next_one, 1, __ATOMIC_RELAXED);
		if (i >= total)
			break;
		double due = begin_s + (double)i / rate, wait = due - now_s();
		if (wait > 0) {
			struct timespec t = { (time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9) };
			nanosleep(&t, NULL);
		}
		if (!s)
			s = open_connection();
		outcomes[i] = s ? post(s, lines[i % lines_n], answer) : 'e';
		latencies[i] = now_s() - due;
		if (outcomes[i] == 'e' && s) {
			close_connection(s);
			s = NULL;
		}
	}
	if (s)
		close_connection(s);
	free(answer);
	return unused;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	FILE *f = argc == 6 ? fopen(argv[2], "r") : NULL;
	size_t room = 0, counts[256] = { 0 };
	ssize_t n;

	if (!f)
		return 2;
	while (lines_n < LINES_MAX && (n = getline(&lines[lines_n], &room, f)) > 0) {
		lines[lines_n][n - 1] = 0;
		lines_n++;
		room = 0;
	}
	fclose(f);
	port = atoi(argv[1]);
	rate = atof(argv[3]);
	total = (size_t)(rate * atof(argv[4]));
	int connections = atoi(argv[5]);
	if (!lines_n || !total || connections < 1 || connections > THREADS_MAX)
		return 2;
	latencies = calloc(total, sizeof *latencies);
	outcomes = calloc(total, 1);
	context = SSL_CTX_new(TLS_client_method());
	begin_s = now_s() + 0.5; /* connections are opened first */
	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	double seconds = now_s() - begin_s;
	for (size_t i = 0; i < total; i++)
		counts[(unsigned char)outcomes[i]]++;
	qsort(latencies, total, sizeof *latencies, by_size);
	printf("{\"requests\": %zu, \"per_second\": %.1f, \"allowed\": %zu, \"denied\": %zu, \"errors\": %zu, "
	       "\"p50_ms\": %.3f, "
	       "\"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
	       total, (double)total / seconds, counts['a'], counts['d'], counts['e'], latencies[total / 2] * 1e3,
	       latencies[total * 99 / 100] * 1e3, latencies[total * 999 / 1000] * 1e3, latencies[total - 1] * 1e3);
	SSL_CTX_free(context);
	return 0;
}
