#include <iostream>
#include <string>

#include "bus/pattern/pattern.h"
#include "foundation/json/reader.h"
#include "foundation/json/writer.h"

// Answers lines {"pattern": TEXT, "event": TEXT} with what our parser and plain matcher say to the
// pair, as tools/ruler's program does with AWS's: {"match": BOOL} or {"refused": MESSAGE}.
namespace {

struct Pair {
    std::string pattern;
    std::string event;
};

bascule::Result<Pair> read(const std::string& line) {
    bascule::json::Reader reader(line);
    Pair pair;
    if (reader.enter_object()) {
        while (const auto key = reader.next_member()) {
            if (*key == "pattern") {
                pair.pattern = reader.string().decoded();
            } else if (*key == "event") {
                pair.event = reader.string().decoded();
            } else {
                reader.skip();
            }
        }
    }
    TRY(reader.finish());
    return pair;
}

std::string answer(const Pair& pair) {
    using bascule::pattern::Pattern;
    std::string out;
    bascule::json::Writer writer(out);
    writer.begin_object();
    if (const auto pattern = Pattern::parse(pair.pattern)) {
        bascule::pattern::Subject subject;
        subject.json("", pair.event);
        writer.key("match").boolean(pattern->matches(subject));
    } else {
        writer.key("refused").string(pattern.error().message());
    }
    writer.end_object();
    return out;
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        const auto pair = read(line);
        if (!pair) {
            std::cerr << "not a pair: " << pair.error().message() << '\n';
            return 2;
        }
        std::cout << answer(*pair) << '\n';
    }
    return 0;
}
