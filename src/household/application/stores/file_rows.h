#pragma once

#include <string_view>

#include "foundation/sql/value.h"
#include "household/application/records.h"

/// How a File lies in the table `files`: `select <file_columns()> from files …`.
namespace bascule::application {

std::string_view file_columns();
Result<File> read_file_row(const sql::Row& row);

}  // namespace bascule::application
