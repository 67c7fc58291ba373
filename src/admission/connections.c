#include "admission/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/limits.h"

struct hf_admission_connection {
	struct hf_admission_connection *next, *before;
	int64_t due_ms; /* atomic */
	int fd;
};

void hf_admission_connections_init(struct hf_admission_connections *all)
{
	all->first = NULL;
	pthread_mutex_init(&all->lock, NULL);
}

void hf_admission_connections_done(struct hf_admission_connections *all)
{
	pthread_mutex_destroy(&all->lock);
}

struct hf_admission_connection *hf_admission_connection_opened(struct hf_admission_connections *all, int fd,
							       int64_t due_ms)
{
	struct hf_admission_connection *c = hf_calloc(1, sizeof *c);

	*c = (struct hf_admission_connection){ .due_ms = due_ms, .fd = fd };
	pthread_mutex_lock(&all->lock);
	c->next = all->first;
	if (c->next)
		c->next->before = c;
	all->first = c;
	pthread_mutex_unlock(&all->lock);
	return c;
}

void hf_admission_connection_closed(struct hf_admission_connections *all, struct hf_admission_connection *c)
{
	pthread_mutex_lock(&all->lock);
	if (c->next)
		c->next->before = c->before;
	if (c->before)
		c->before->next = c->next;
	else
		all->first = c->next;
	pthread_mutex_unlock(&all->lock);
	free(c);
}

void hf_admission_connection_due(struct hf_admission_connection *c, int64_t due_ms)
{
	if (c)
		__atomic_store_n(&c->due_ms, due_ms, __ATOMIC_RELAXED);
}

void hf_admission_connections_sweep(struct hf_admission_connections *all, int64_t now_ms)
{
	pthread_mutex_lock(&all->lock);
	for (struct hf_admission_connection *c = all->first; c; c = c->next)
		if (__atomic_load_n(&c->due_ms, __ATOMIC_RELAXED) < now_ms) {
			/* Whose descriptor it is closes it then, as when the other end had gone. */
			shutdown(c->fd, SHUT_RDWR);
			hf_admission_connection_due(c, INT64_MAX);
		}
	pthread_mutex_unlock(&all->lock);
}
