/* Connections of the webhook, and until when each of them must have come on. libmicrohttpd lets those go that send nothing; one that sends a byte from
 * time to time is let go by this. Any thread. */
#pragma once
#include <pthread.h>
#include <stdint.h>

struct hf_admission_connection;

struct hf_admission_connections {
	struct hf_admission_connection *first;
	pthread_mutex_t lock;
};

void hf_admission_connections_init(struct hf_admission_connections *);
/* None may be open any more. */
void hf_admission_connections_done(struct hf_admission_connections *);
/* @fd stays open until hf_admission_connection_closed. */
struct hf_admission_connection *hf_admission_connection_opened(struct hf_admission_connections *, int fd,
							       int64_t due_ms);
void hf_admission_connection_closed(struct hf_admission_connections *, struct hf_admission_connection *);
/* INT64_MAX: for as long as it takes. NULL is no connection, and nothing happens. */
void hf_admission_connection_due(struct hf_admission_connection *, int64_t due_ms);
/* Ends those that are late. */
void hf_admission_connections_sweep(struct hf_admission_connections *, int64_t now_ms);
