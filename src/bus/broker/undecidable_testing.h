#pragma once

#include <string>
#include <vector>

namespace bascule::broker {

/// A pattern and the `data` of an event that no search decides which only learns what clashes:
/// nine pigeons in eight holes, as arrays. Whether pigeon p sits in hole h is an array `a` of two
/// elements, and a field that fits in either of some elements is a clause.
struct Undecidable {
    std::string pattern;
    std::string data;
};

inline Undecidable undecidable() {
    constexpr int holes = 8;
    constexpr int pigeons = holes + 1;
    std::string yes[pigeons][holes];
    std::string no[pigeons][holes];
    std::string text;
    int clauses = 0;
    const auto add_clause = [&](const std::vector<std::string*>& elements) {
        const std::string name = "\"c" + std::to_string(clauses++) + "\":";
        text += (text.empty() ? "" : ",") + name + "[1]";
        for (std::string* element : elements) {
            *element += (element->empty() ? "" : ",") + name + "1";
        }
    };
    for (int p = 0; p < pigeons; ++p) {
        std::vector<std::string*> somewhere;
        for (int h = 0; h < holes; ++h) {
            somewhere.push_back(&yes[p][h]);
            for (int other = 0; other < p; ++other) {
                add_clause({&no[p][h], &no[other][h]});
            }
        }
        add_clause(somewhere);
    }
    std::string data;
    for (int p = 0; p < pigeons; ++p) {
        for (int h = 0; h < holes; ++h) {
            data += (data.empty() ? "" : ",") + std::string("\"a\":[{") + yes[p][h] + "},{" +
                    no[p][h] + "}]";
        }
    }
    return {R"({"detail":{"data":{"a":{)" + text + "}}}}", "{" + data + "}"};
}

}  // namespace bascule::broker
