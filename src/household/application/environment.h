#pragma once

#include "foundation/base/clock.h"
#include "foundation/sql/blob_store.h"
#include "foundation/sql/database.h"
#include "foundation/sql/writer.h"

namespace bascule::application {

/// What use cases and consumers stand on. Everything outlives them.
struct Environment {
    sql::Database& database;
    sql::Writer& writer;
    sql::BlobStore& blobs;
    const Clock& clock;
};

}  // namespace bascule::application
