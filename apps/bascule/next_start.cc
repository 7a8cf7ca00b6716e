#include "next_start.h"

#include <array>
#include <string_view>

namespace bascule {

namespace {

constexpr std::array<std::string_view, 4> sections{"server", "storage", "bus", "retention"};

std::string text_of(const config::Node& root, std::string_view section) {
    const config::Node* node = root.find(section);
    return node == nullptr ? "" : config::to_json(*node);
}

}  // namespace

NextStart::NextStart(const config::Node& root, const broker::BusConfig& consumers) {
    for (const std::string_view section : sections) {
        sections_.emplace(section, text_of(root, section));
    }
    for (const broker::ConsumerConfig& consumer : consumers.consumers) {
        policies_.emplace(consumer.name, consumer.policy);
    }
}

std::vector<std::string> NextStart::waiting(const config::Node& root,
                                            const broker::BusConfig& consumers) {
    std::vector<std::string> names;
    for (const std::string_view section : sections) {
        if (text_of(root, section) != sections_.at(std::string(section))) {
            names.emplace_back(section);
        }
    }
    std::map<std::string, delivery::Policy> running;
    for (const broker::ConsumerConfig& consumer : consumers.consumers) {
        const auto known = policies_.find(consumer.name);
        const bool is_new = known == policies_.end();
        running.emplace(consumer.name, is_new ? consumer.policy : known->second);
        if (!is_new && known->second != consumer.policy) {
            names.push_back("consumers." + consumer.name);
        }
    }
    policies_ = std::move(running);
    return names;
}

}  // namespace bascule
