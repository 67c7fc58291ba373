#include "base/moment.h"

#include <stdio.h>

/* Days from 1970-01-01 to the first of March of a year that begins then, so that the leap day is a year's last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t era = year / 400, of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool field(hf_sv s, size_t at, size_t n, int64_t low, int64_t high, int64_t *ret)
{
	uint64_t v;

	if (at + n > s.len || !hf_sv_to_u64(hf_sv_slice(s, at, n), &v) || (int64_t)v < low || (int64_t)v > high)
		return false;
	*ret = (int64_t)v;
	return true;
}

bool hf_moment_parse(hf_sv s, int64_t *ret_s)
{
	int64_t year, month, day, hour, minute, second, offset_h = 0, offset_m = 0, sign = 0;
	size_t at = 19;

	if (!field(s, 0, 4, 1, 9999, &year) || !field(s, 5, 2, 1, 12, &month) || !field(s, 8, 2, 1, 31, &day) ||
	    !field(s, 11, 2, 0, 23, &hour) || !field(s, 14, 2, 0, 59, &minute) || !field(s, 17, 2, 0, 60, &second) ||
	    s.ptr[4] != '-' || s.ptr[7] != '-' || (s.ptr[10] != 'T' && s.ptr[10] != 't') || s.ptr[13] != ':' ||
	    s.ptr[16] != ':')
		return false;
	if (at < s.len && s.ptr[at] == '.')
		for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';)
			at++;
	hf_sv zone = hf_sv_skip(s, at);
	if (!hf_sv_eq_ascii(zone, HF_SV("Z"))) {
		if (zone.len != 6 || zone.ptr[3] != ':' || !field(zone, 1, 2, 0, 23, &offset_h) ||
		    !field(zone, 4, 2, 0, 59, &offset_m) || (zone.ptr[0] != '+' && zone.ptr[0] != '-'))
			return false;
		sign = zone.ptr[0] == '+' ? 1 : -1;
	}
	*ret_s = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second -
		 sign * (offset_h * 60 + offset_m) * 60;
	return true;
}

hf_sv hf_moment_format(int64_t s, char out[HF_MOMENT_MAX])
{
	const int64_t first = days_of(1, 1, 1) * 86400, last = days_of(9999, 12, 31) * 86400 + 86399;

	s = s < first ? first : s > last ? last : s;
	int64_t days = s / 86400 - (s % 86400 < 0), rest = s - days * 86400;
	int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t from_march = (5 * of_year + 2) / 153, day = of_year - (153 * from_march + 2) / 5 + 1;
	int64_t month = from_march + (from_march < 10 ? 3 : -9), year = year_of_era + era * 400 + (month <= 2);
	int n = snprintf(out, HF_MOMENT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
			 (unsigned)month % 100, (unsigned)day % 100, (unsigned)(rest / 3600) % 100,
			 (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));

	return (hf_sv){ out, (size_t)n };
}
