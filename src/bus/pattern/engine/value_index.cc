#include "bus/pattern/engine/value_index.h"

#include <algorithm>
#include <utility>

namespace bascule::pattern {

namespace {

std::string backwards(std::string_view text) { return {text.rbegin(), text.rend()}; }

/// The ASCII characters at a text's front: of these each stands for itself in both cases and for
/// nothing else, so whatever matches the text begins with them.
std::string_view ascii_front(std::string_view text) {
    return text.substr(
        0, static_cast<std::size_t>(
               std::find_if(text.begin(), text.end(), [](char c) { return !is_ascii({&c, 1}); }) -
               text.begin()));
}

std::string_view ascii_back(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && is_ascii(text.substr(text.size() - size - 1, 1))) {
        ++size;
    }
    return text.substr(text.size() - size);
}

}  // namespace

Entry ValueIndex::Builder::entry(std::uint32_t owner, const Check& check) {
    texts_.checks.push_back(check);
    return {owner, static_cast<std::uint32_t>(texts_.checks.size() - 1)};
}

void ValueIndex::Builder::add(const ValueSet& set, std::uint32_t owner) {
    for (const std::string& text : set.texts) {
        whole_texts_.emplace_back(text, Entry{owner});
    }
    for (const OwnNumber& number : set.numbers) {
        numbers_.push_back({number, owner});
    }
    for (std::size_t word = 0; word < others_.words.size(); ++word) {
        if ((set.words & (1U << word)) != 0) {
            others_.words[word].push_back(owner);
        }
    }
    if (set.everything) {
        others_.everything.push_back(owner);
    }
    for (const Check& check : set.checks) {
        add(check, owner);
    }
}

void ValueIndex::Builder::add(const Check& check, std::uint32_t owner) {
    if (const auto* const plain = std::get_if<PlainPrefix>(&check)) {
        prefixes_.emplace_back(plain->text, Entry{owner});
    } else if (const auto* const suffix = std::get_if<PlainSuffix>(&check)) {
        suffixes_.emplace_back(backwards(suffix->text), Entry{owner});
    } else if (const auto* const equals = std::get_if<FoldedEquals>(&check)) {
        if (equals->is_ascii) {
            folded_texts_.emplace_back(ascii_lower(equals->text), Entry{owner});
        } else {
            folded_prefixes_.emplace_back(ascii_lower(ascii_front(equals->text)),
                                          entry(owner, check));
        }
    } else if (const auto* const front = std::get_if<FoldedPrefix>(&check)) {
        folded_prefixes_.emplace_back(ascii_lower(ascii_front(front->text)),
                                      front->is_ascii ? Entry{owner} : entry(owner, check));
    } else if (const auto* const back = std::get_if<FoldedSuffix>(&check)) {
        folded_suffixes_.emplace_back(backwards(ascii_lower(ascii_back(back->text))),
                                      back->is_ascii ? Entry{owner} : entry(owner, check));
    } else if (const auto* const wildcard = std::get_if<Wildcard>(&check)) {
        add_wildcard(*wildcard, owner);
    } else if (const auto* const range = std::get_if<Range>(&check)) {
        ranges_.push_back({*range, owner});
    } else if (const auto* const cidr = std::get_if<Cidr>(&check)) {
        addresses_.push_back({*cidr, owner});
    }
}

/// A wildcard hangs under what its matches begin with, or end with, or else under the longest piece
/// that they contain.
void ValueIndex::Builder::add_wildcard(const Wildcard& wildcard, std::uint32_t owner) {
    const auto& pieces = wildcard.pieces;
    const std::string& front = pieces.front();
    const std::string& back = pieces.back();
    const bool is_alone = pieces.size() == 2 && (front.empty() || back.empty());
    const Entry last = is_alone || (pieces.size() == 3 && front.empty() && back.empty())
                           ? Entry{owner}
                           : entry(owner, wildcard);
    if (!back.empty() && back.size() > front.size()) {
        suffixes_.emplace_back(backwards(back), last);
    } else if (!front.empty() || pieces.size() == 2) {
        prefixes_.emplace_back(front, last);
    } else {
        const auto longest = std::max_element(
            pieces.begin(), pieces.end(),
            [](const auto& left, const auto& right) { return left.size() < right.size(); });
        pieces_.emplace_back(*longest, last);
    }
}

ValueIndex ValueIndex::Builder::build() && {
    ValueIndex index;
    const auto kind = [](const auto& collected, Texts::Kind it) {
        return static_cast<std::uint8_t>(collected.empty() ? 0 : it);
    };
    texts_.kinds = kind(folded_texts_, Texts::has_folded) | kind(prefixes_, Texts::has_prefixes) |
                   kind(suffixes_, Texts::has_suffixes) |
                   kind(folded_prefixes_, Texts::has_folded_prefixes) |
                   kind(folded_suffixes_, Texts::has_folded_suffixes) |
                   kind(pieces_, Texts::has_pieces) | kind(addresses_, Texts::has_addresses);
    const bool has_words = std::any_of(others_.words.begin(), others_.words.end(),
                                       [](const auto& owners) { return !owners.empty(); });
    const bool has_others =
        has_words || !(numbers_.empty() && ranges_.empty() && others_.everything.empty());
    index.whole_texts_ = TextTable(std::move(whole_texts_));
    if (texts_.kinds != 0) {
        texts_.folded = TextTable(std::move(folded_texts_));
        texts_.prefixes = ByteTrie(std::move(prefixes_));
        texts_.suffixes = ByteTrie(std::move(suffixes_));
        texts_.folded_prefixes = ByteTrie(std::move(folded_prefixes_));
        texts_.folded_suffixes = ByteTrie(std::move(folded_suffixes_));
        texts_.pieces = PieceAutomaton(std::move(pieces_));
        texts_.addresses = AddressIndex(std::move(addresses_));
        index.texts_ = std::make_unique<const Texts>(std::move(texts_));
    }
    if (has_others) {
        others_.numbers = NumberTable(std::move(numbers_));
        others_.ranges = RangeIndex(std::move(ranges_));
        index.others_ = std::make_unique<const Others>(std::move(others_));
    }
    return index;
}

std::size_t ValueIndex::memory_bytes() const {
    std::size_t bytes = sizeof *this + whole_texts_.memory_bytes();
    if (texts_ != nullptr) {
        bytes += sizeof *texts_ + texts_->folded.memory_bytes() + texts_->prefixes.memory_bytes() +
                 texts_->suffixes.memory_bytes() + texts_->folded_prefixes.memory_bytes() +
                 texts_->folded_suffixes.memory_bytes() + texts_->pieces.memory_bytes() +
                 texts_->addresses.memory_bytes() + texts_->checks.capacity() * sizeof(Check);
    }
    if (others_ != nullptr) {
        std::size_t owners = others_->everything.capacity();
        for (const auto& list : others_->words) {
            owners += list.capacity();
        }
        bytes += sizeof *others_ + others_->numbers.memory_bytes() +
                 others_->ranges.memory_bytes() + owners * sizeof(std::uint32_t);
    }
    return bytes;
}

}  // namespace bascule::pattern
