#pragma once

#include <string_view>

#include "foundation/base/hash.h"
#include "foundation/sql/value.h"
#include "household/application/records.h"

/// How a File lies in the table `files`: `select <file_columns()> from files …`.
namespace bascule::application {

std::string_view file_columns();
Result<File> read_file_row(const sql::Row& row);

/// The name of the blob that holds the file's content. Errors: `corrupt`.
Result<Sha256Digest> content_digest(const File& file);

}  // namespace bascule::application
