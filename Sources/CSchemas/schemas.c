#include "CSchemas.h"

// #embed is C23; clang has it in every language mode as an extension.
#pragma clang diagnostic ignored "-Wc23-extensions"

const unsigned char nnrun_model_schema[] = {
#embed "../../schemas/nnrun-1.schema.json"
};
const size_t nnrun_model_schema_count = sizeof nnrun_model_schema;

const unsigned char nnrun_draft07_metaschema[] = {
#embed "draft-07.schema.json"
};
const size_t nnrun_draft07_metaschema_count = sizeof nnrun_draft07_metaschema;
