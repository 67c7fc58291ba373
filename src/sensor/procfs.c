#include "sensor/procfs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

/* The next word between blanks; false at the end. */
static bool next_word(hf_sv *rest, hf_sv *ret)
{
	while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
		*rest = hf_sv_skip(*rest, 1);
	size_t n = 0;
	while (n < rest->len && rest->ptr[n] != ' ' && rest->ptr[n] != '\t' && rest->ptr[n] != '\n')
		n++;
	*ret = hf_sv_first(*rest, n);
	*rest = hf_sv_skip(*rest, n);
	return n > 0;
}

static bool hex(hf_sv s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s.len || s.len > 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
							: 16;
		if (digit > 15)
			return false;
		v = v << 4 | digit;
	}
	*ret = v;
	return true;
}

static bool to_u32(hf_sv s, uint32_t *ret)
{
	uint64_t v;

	if (!hf_sv_to_u64(s, &v) || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

int hf_proc_stat_parse(hf_sv text, struct hf_proc_stat *ret, struct hf_err *err)
{
	struct hf_proc_stat s = { 0 };
	size_t open = hf_sv_index(text, '('), close = hf_sv_last_index(text, ')');
	hf_sv rest, word;
	bool ok = open != SIZE_MAX && close != SIZE_MAX && close > open;

	ok = ok && to_u32(hf_sv_trim(hf_sv_first(text, open)), &s.pid);
	if (ok)
		s.name = hf_sv_slice(text, open + 1, close - open - 1);
	rest = ok ? hf_sv_skip(text, close + 1) : (hf_sv){ 0 };
	for (int field = 3; ok && field <= 22; field++) { /* numbered as in proc(5) */
		ok = next_word(&rest, &word);
		if (ok && field == 3)
			s.state = word.ptr[0];
		else if (ok && field == 4)
			ok = to_u32(word, &s.parent_pid);
		else if (ok && field == 7)
			s.terminal = to_u32(word, &s.terminal) ? s.terminal : 0;
		else if (ok && field == 22)
			ok = hf_sv_to_u64(word, &s.start_ticks);
	}
	if (!ok)
		return hf_fail(err, HF_E_FORMAT, "stat of a process has not the fields of proc(5)");
	*ret = s;
	return 0;
}

/* The word number @i (from 0) of a line. */
static hf_sv word_at(hf_sv line, size_t i)
{
	hf_sv word = { 0 };

	do {
		if (!next_word(&line, &word))
			return (hf_sv){ 0 };
	} while (i--);
	return word;
}

void hf_proc_status_parse(hf_sv text, struct hf_proc_status *ret)
{
	struct hf_proc_status s = { 0 };
	hf_sv line, rest = text, word;

	while (hf_sv_next(&rest, '\n', &line)) {
		if (hf_sv_starts(line, HF_SV("Uid:"))) {
			to_u32(word_at(line, 2), &s.uid);
		} else if (hf_sv_starts(line, HF_SV("Gid:"))) {
			to_u32(word_at(line, 2), &s.gid);
		} else if (hf_sv_starts(line, HF_SV("CapEff:"))) {
			hex(word_at(line, 1), &s.capabilities);
		} else if (hf_sv_starts(line, HF_SV("NSpid:"))) { /* a number a level, the innermost last */
			hf_sv words = hf_sv_skip(line, 6);
			while (next_word(&words, &word))
				to_u32(word, &s.pid_in_namespace);
		}
	}
	*ret = s;
}

static bool has_controller(hf_sv controllers, hf_sv wanted)
{
	hf_sv one;

	while (hf_sv_next(&controllers, ',', &one))
		if (hf_sv_eq(one, wanted))
			return true;
	return false;
}

bool hf_proc_cgroup_parse(hf_sv text, hf_sv v1_controller, hf_sv *ret_path)
{
	hf_sv line, rest = text, id, controllers, path;

	while (hf_sv_next(&rest, '\n', &line)) {
		if (!hf_sv_cut(line, ':', &id, &line) || !hf_sv_cut(line, ':', &controllers, &path))
			continue;
		if (v1_controller.len ? !has_controller(controllers, v1_controller)
				      : !hf_sv_eq(id, HF_SV("0")) || controllers.len)
			continue;
		*ret_path = path;
		return path.len > 0;
	}
	return false;
}

/* begin-end perms offset major:minor inode path */
static bool parse_map(hf_sv line, struct hf_proc_map *ret, bool *ret_wanted)
{
	hf_sv range, permissions, offset, device, inode, begin, end, major, minor;
	struct hf_proc_map m = { 0 };
	uint64_t major_n, minor_n;

	if (!next_word(&line, &range) || !next_word(&line, &permissions) || !next_word(&line, &offset) ||
	    !next_word(&line, &device) || !next_word(&line, &inode))
		return false;
	if (!hf_sv_cut(range, '-', &begin, &end) || !hex(begin, &m.begin) || !hex(end, &m.end) ||
	    !hf_sv_cut(device, ':', &major, &minor) || !hex(major, &major_n) || !hex(minor, &minor_n) ||
	    !hf_sv_to_u64(inode, &m.inode) || permissions.len < 4)
		return false;
	m.major = (uint32_t)major_n;
	m.minor = (uint32_t)minor_n;
	while (line.len && line.ptr[0] == ' ')
		line = hf_sv_skip(line, 1);
	m.path = line;
	*ret_wanted = permissions.ptr[2] == 'x' && m.inode && m.path.len && m.path.ptr[0] == '/';
	*ret = m;
	return true;
}

bool hf_proc_maps_next(hf_sv *rest, struct hf_proc_map *ret, size_t *unparsed)
{
	hf_sv line;
	bool wanted;

	while (hf_sv_next(rest, '\n', &line)) {
		if (!line.len)
			continue;
		if (!parse_map(line, ret, &wanted))
			++*unparsed;
		else if (wanted)
			return true;
	}
	return false;
}

/* Eight hexadecimal digits are a 32 bit word of the address in network order, read as one of this machine. */
static bool parse_endpoint(hf_sv text, uint8_t address[16], uint32_t *ret_n, uint16_t *ret_port)
{
	hf_sv words, port;
	uint64_t v;

	if (!hf_sv_cut(text, ':', &words, &port) || (words.len != 8 && words.len != 32) || port.len != 4 ||
	    !hex(port, &v))
		return false;
	*ret_port = (uint16_t)v;
	*ret_n = (uint32_t)words.len / 2;
	for (size_t i = 0; i < words.len / 8; i++) {
		if (!hex(hf_sv_slice(words, 8 * i, 8), &v))
			return false;
		uint32_t word = (uint32_t)v;
		memcpy(address + 4 * i, &word, 4);
	}
	return true;
}

/* "0: LOCAL REMOTE STATE queues timer retransmits uid timeout inode …" */
static bool parse_socket(hf_sv line, struct hf_proc_socket *ret)
{
	struct hf_proc_socket s = { 0 };
	hf_sv state = word_at(line, 3), inode = word_at(line, 9);
	uint32_t remote_n;
	uint64_t v;

	if (!parse_endpoint(word_at(line, 1), s.local, &s.address_n, &s.local_port) ||
	    !parse_endpoint(word_at(line, 2), s.remote, &remote_n, &s.remote_port) || remote_n != s.address_n ||
	    !hex(state, &v) || v > 255 || !hf_sv_to_u64(inode, &s.inode))
		return false;
	s.state = (uint8_t)v;
	*ret = s;
	return true;
}

bool hf_proc_socket_next(hf_sv *rest, struct hf_proc_socket *ret, size_t *unparsed)
{
	hf_sv line;

	while (hf_sv_next(rest, '\n', &line)) {
		hf_sv trimmed = hf_sv_trim(line);
		if (!trimmed.len || hf_sv_starts(trimmed, HF_SV("sl ")))
			continue;
		if (parse_socket(trimmed, ret))
			return true;
		++*unparsed;
	}
	return false;
}

hf_sv hf_socket_address_text(const uint8_t *address, size_t n, char out[46])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (n == 16 && memcmp(address, mapped, sizeof mapped) == 0) {
		address += 12;
		n = 4;
	}
	return hf_sv_of(inet_ntop(n == 4 ? AF_INET : AF_INET6, address, out, 46));
}

hf_sv hf_proc_read(int proc, uint32_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof path, "%u/%s", pid, name);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n < size) {
		ssize_t got = read(fd, buffer + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	hf_fd_close(&fd);
	return (hf_sv){ buffer, n };
}
