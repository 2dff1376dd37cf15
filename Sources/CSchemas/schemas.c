#include "CSchemas.h"

// #embed is C23; clang has it in every language mode as an extension.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char model_schema[] = {
#embed "../../schemas/nnrun-1.schema.json"
};
const unsigned char *const nnrun_model_schema = model_schema;
const size_t nnrun_model_schema_count = sizeof model_schema;

static const unsigned char draft07_metaschema[] = {
#embed "draft-07.schema.json"
};
const unsigned char *const nnrun_draft07_metaschema = draft07_metaschema;
const size_t nnrun_draft07_metaschema_count = sizeof draft07_metaschema;
