#include "cli/chain_verb.h"

#include <unordered_map>
#include <vector>

#include "cli/cli.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace bascule::cli {

namespace {

std::string text_at(const json::Value& item, std::string_view pointer) {
    const json::Value* found = item.at(pointer);
    return std::string(found == nullptr ? "" : found->as_string().value_or(""));
}

/// Rows in the order of the tree; the server lists events in the order they were stored, so a cause
/// comes before its effects.
class Tree {
  public:
    explicit Tree(std::span<const json::Value> events)
        : events_(events), shown_(events.size(), false) {
        for (std::size_t i = 0; i < events.size(); ++i) {
            children_[text_at(events[i], "/parent")].push_back(i);
        }
    }

    std::string text() {
        add_below("", 0);
        for (std::size_t i = 0; i < events_.size(); ++i) {
            if (!shown_[i]) {
                add(i, 0);  // its cause is not here, or it is its own ancestor
            }
        }
        return table_.text();
    }

  private:
    void add(std::size_t index, std::size_t level) {
        shown_[index] = true;
        const json::Value& item = events_[index];
        const json::Value* recorded = item.find("recordedAt");
        const auto ms = recorded == nullptr ? std::nullopt : recorded->as_int64();
        const std::string branch = level == 0 ? "" : std::string((level - 1) * 3, ' ') + "└─ ";
        table_.add({ms ? utc_text(*ms) : "", text_at(item, "/position"),
                    branch + text_at(item, "/event/eventType"), text_at(item, "/event/source"),
                    text_at(item, "/event/eventId")});
        add_below(text_at(item, "/event/eventId"), level + 1);
    }

    void add_below(const std::string& parent, std::size_t level) {
        constexpr std::size_t level_max = 64;
        const auto children = children_.find(parent);
        if (children == children_.end() || level > level_max) {
            return;
        }
        for (const std::size_t child : children->second) {
            if (!shown_[child]) {
                add(child, level);
            }
        }
    }

    std::span<const json::Value> events_;
    std::unordered_map<std::string, std::vector<std::size_t>> children_;
    std::vector<bool> shown_;
    Table table_{{"RECORDED", "POSITION", "EVENT", "SOURCE", "ID"}};
};

}  // namespace

std::string chain_table(std::span<const json::Value> events) { return Tree(events).text(); }

int show_chain(const std::string& correlation_id, const Target& target, Output output) {
    auto session = Session::open(target);
    if (!session) {
        print_error(session.error().message);
        return session.error().exit_code;
    }
    const auto chain = session->json({.path = "/v1/chains/" + percent_encoded(correlation_id)});
    if (!chain) {
        print_error(chain.error().message);
        return chain.error().exit_code;
    }
    const json::Value* events = chain->find("events");
    const auto items = events == nullptr ? std::span<const json::Value>() : events->items();
    if (output == Output::json) {
        print(rendered_object(*chain, output));
    } else if (output == Output::table) {
        print(chain_table(items));
    } else {
        constexpr Column columns[] = {{"", "/recordedAt"},      {"", "/position"},
                                      {"", "/event/eventType"}, {"", "/event/source"},
                                      {"", "/event/eventId"},   {"", "/parent"}};
        print(rendered_list(items, columns, output));
    }
    return exit_yes;
}

}  // namespace bascule::cli
