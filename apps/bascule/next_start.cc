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
        part_sizes_.emplace(consumer.name, consumer.part_size);
    }
}

std::vector<std::string> NextStart::waiting(const config::Node& root,
                                            const broker::BusConfig& consumers) const {
    std::vector<std::string> names;
    for (const std::string_view section : sections) {
        if (text_of(root, section) != sections_.at(std::string(section))) {
            names.emplace_back(section);
        }
    }
    for (const broker::ConsumerConfig& consumer : consumers.consumers) {
        const auto began = part_sizes_.find(consumer.name);
        if (began != part_sizes_.end() && began->second != consumer.part_size) {
            names.push_back("consumers." + consumer.name + ".batch_size");
        }
    }
    return names;
}

}  // namespace bascule
