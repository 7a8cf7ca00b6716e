#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "foundation/base/uuid.h"

namespace bascule::sql {

/// A folder of a test's own, removed with everything in it. For tests only.
class TestFolder {
  public:
    TestFolder() : path_(std::filesystem::temp_directory_path() / ("bascule-" + new_uuid())) {
        std::filesystem::create_directories(path_);
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;

    std::string path(const std::string& name = "") const {
        return name.empty() ? path_.string() : (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

}  // namespace bascule::sql
