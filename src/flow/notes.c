#include "flow/notes.h"

#include "flow/expected.h"

void hf_flow_note_add(struct hf_flow_notes *notes, struct hf_arena *a, hf_sv what, hf_sv why)
{
	for (size_t i = 0; i < notes->list.n; i++)
		if (hf_sv_eq(notes->list.at[i].what, what) && hf_sv_eq(notes->list.at[i].why, why))
			return;
	struct hf_flow_note *n = hf_vec_push(a, &notes->list);

	if (n)
		*n = (struct hf_flow_note){ what, why };
}

void hf_flow_note_of_flow(struct hf_flow_notes *notes, struct hf_arena *a, const struct hf_flow_graph *g,
			  const struct hf_flow *f, hf_sv why)
{
	char text[800];

	hf_flow_note_add(notes, a, hf_arena_dup(a, hf_flow_text(g, f, text, sizeof text)), why);
}
