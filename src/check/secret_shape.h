/* Whether a text looks like a secret, by what it is called or by its shape. Pure; says what it looks like, never what it is. */
#pragma once
#include "base/view.h"

/* "a private key", "a token of GitHub", …; NULL: no shape that is known. Linear; only the first megabyte is looked at. */
const char *hf_secret_shape(hf_sv text);
/* A name that ends as those of secrets do: DB_PASSWORD, apiToken, --client-secret, API_KEY_PROD; not TOKEN_URL, SECRET_NAME, MAX_TOKENS. */
bool hf_secret_name(hf_sv name);
/* A value that may be a secret: not empty, no number nor boolean, no path, reference or template. */
bool hf_secret_value(hf_sv value);
