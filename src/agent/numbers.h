/* The sensor's own sums in the form that outputs and state show: gathered by the loop about once a second, without a word to the
 * kernel but what hf_sensor_account asks. */
#pragma once
#include "agent/seeder.h"
#include "sensor/sensor.h"
#include "sink/sink.h"

struct hf_numbers;

/* Probes the hooks once: the sensor has to be open. */
struct hf_numbers *hf_numbers_new(void);
void hf_numbers_free(struct hf_numbers *n);
/* Lives until the next call. @seeder may be NULL. */
const struct hf_sink_numbers *hf_numbers_gather(struct hf_numbers *n, struct hf_sensor *sensor,
						const struct hf_containers *containers, struct hf_seeder *seeder);
