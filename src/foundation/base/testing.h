#pragma once

#include <gmock/gmock.h>

#include "foundation/base/result.h"

/// Matchers for Result, for tests only.
///
///     ASSERT_THAT(result, Succeeds());
///     EXPECT_THAT(writer.append(big), FailsWith(ErrorKind::invalid, HasSubstr("at most 1 MiB")));
namespace bascule {

MATCHER(Succeeds, negation ? "fails" : "succeeds") {
    if (!arg) {
        *result_listener << "failed: " << arg.error().message();
    }
    return bool(arg);
}

MATCHER_P(FailsWith, kind, "fails with the kind " + std::string(name(kind))) {
    if (arg) {
        *result_listener << "succeeded";
        return false;
    }
    *result_listener << "failed with " << name(arg.error().kind()) << ": " << arg.error().message();
    return arg.error().kind() == kind;
}

MATCHER_P2(FailsWith, kind, message, "fails with the kind " + std::string(name(kind))) {
    if (arg) {
        *result_listener << "succeeded";
        return false;
    }
    *result_listener << "failed with " << name(arg.error().kind()) << ": " << arg.error().message();
    return arg.error().kind() == kind &&
           testing::SafeMatcherCast<const std::string&>(message).Matches(arg.error().message());
}

}  // namespace bascule
