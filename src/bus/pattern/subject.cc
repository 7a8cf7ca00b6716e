#include "bus/pattern/subject.h"

#include "foundation/base/check.h"

namespace bascule::pattern {

Subject& Subject::text(std::string_view path, std::string_view value) {
    return mount({.path = path, .kind = Kind::text, .content = value});
}

Subject& Subject::number(std::string_view path, std::int64_t value) {
    return mount({.path = path, .kind = Kind::number, .number = value});
}

Subject& Subject::json(std::string_view path, std::string_view value) {
    return mount({.path = path, .kind = Kind::json, .content = value});
}

Subject& Subject::mount(const Mount& mount) {
    CHECK(count_ < mounts_max);
    mounts_[count_++] = mount;
    return *this;
}

}  // namespace bascule::pattern
