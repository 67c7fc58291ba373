/* The first byte says which text of /proc, or a message of the process connector, the rest is. Any bytes are read or refused. */
#include <stdlib.h>

#include "sensor/connector_record.h"
#include "sensor/hierarchy.h"
#include "sensor/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(hf_sv part, hf_sv whole)
{
	if (part.len && (part.ptr < whole.ptr || part.ptr + part.len > whole.ptr + whole.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_proc_stat stat;
	struct hf_proc_status status;
	struct hf_proc_map map;
	struct hf_proc_socket socket;
	struct hf_connector_event event;
	size_t unparsed = 0, n = 0;
	struct hf_hierarchy hierarchy;
	char text[46];
	hf_sv path;

	if (!size)
		return 0;
	hf_sv whole = { (const char *)data + 1, size - 1 }, rest = whole;
	switch (data[0] % 7) {
	case 0:
		if (hf_proc_stat_parse(whole, &stat, NULL) == 0)
			inside(stat.name, whole);
		break;
	case 1:
		hf_proc_status_parse(whole, &status);
		break;
	case 2:
		if (hf_proc_cgroup_parse(whole, HF_SV("memory"), &path))
			inside(path, whole);
		break;
	case 3:
		for (; hf_proc_maps_next(&rest, &map, &unparsed); n++)
			inside(map.path, whole);
		break;
	case 4:
		for (; hf_proc_socket_next(&rest, &socket, &unparsed); n++)
			if (!hf_socket_address_text(socket.local, socket.address_n, text).len)
				abort();
		break;
	case 6:
		/* Both texts of the same bytes: lines of the one are none of the other. */
		for (uint32_t e = HF_HIERARCHY_NO_CONTAINERS; e <= HF_HIERARCHY_IN_V1; e++)
			if (hf_hierarchy_choose(whole, whole, (enum hf_hierarchy_evidence)e, &hierarchy, NULL) == 0 &&
			    (!hierarchy.point[0] || hf_hierarchy_is_v1(&hierarchy) != (hierarchy.v1_id > 0)))
				abort();
		break;
	default:
		while (hf_connector_next(&rest, &event, NULL) > 0)
			n++;
	}
	if (n > size)
		abort();
	return 0;
}
