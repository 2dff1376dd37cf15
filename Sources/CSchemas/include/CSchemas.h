// The JSON Schemas that the program carries, as the very bytes of their files (not NUL-terminated).
#pragma once
#include <stddef.h>

extern const unsigned char *const nnrun_model_schema;
extern const size_t nnrun_model_schema_count;
extern const unsigned char *const nnrun_draft07_metaschema;
extern const size_t nnrun_draft07_metaschema_count;
