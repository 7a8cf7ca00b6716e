#include "bus/broker/letter_store.h"

#include <charconv>

#include "foundation/base/hash.h"
#include "foundation/json/value.h"
#include "foundation/json/writer.h"

namespace bascule::broker {

namespace {

// An entry is one line of JSON, then for a letter a line feed and the event's body as it stood in
// the log. JSON has no raw line feeds, so the first one is the border.
constexpr char border = '\n';
constexpr std::uint64_t rewrite_bytes_min = 1 << 20;

std::string letter_entry(const delivery::Letter& letter, std::string_view body) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("letter", letter.consumer).member("offset", letter.offset.value());
    writer.member("key", letter.key_hash).member("reason", static_cast<int>(letter.reason));
    writer.member("opened", to_unix_ms(letter.opened)).member("attempts", letter.attempts);
    writer.member("redrives", letter.redrives).key("history").begin_array();
    for (const delivery::Attempt& attempt : letter.history) {
        writer.begin_object().member("at", to_unix_ms(attempt.at)).member("error", attempt.error);
        writer.end_object();
    }
    writer.end_array().member("first", letter.first_error).member("last", letter.last_error);
    writer.member("fingerprint", letter.fingerprint).end_object();
    return out.append(1, border).append(body);
}

std::string closing_entry(std::string_view consumer, Offset offset, delivery::LetterClosing how,
                          std::string_view reason, WallTime at) {
    std::string out;
    json::Writer(out)
        .begin_object()
        .member("closed", consumer)
        .member("offset", offset.value())
        .member("how", static_cast<int>(how))
        .member("reason", reason)
        .member("at", to_unix_ms(at))
        .end_object();
    return out;
}

std::string text_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return std::string(value == nullptr ? "" : value->as_string().value_or(""));
}

std::int64_t integer_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    return value == nullptr ? 0 : value->as_int64().value_or(0);
}

/// Hashes use all 64 bits, which int64 cannot hold.
std::uint64_t hash_of(const json::Value& object, std::string_view key) {
    const json::Value* value = object.find(key);
    std::uint64_t hash = 0;
    if (value != nullptr) {
        const std::string_view digits = value->as_number().value_or("0");
        std::from_chars(digits.data(), digits.data() + digits.size(), hash);
    }
    return hash;
}

delivery::Letter letter_of(const json::Value& root) {
    delivery::Letter letter{
        .consumer = text_of(root, "letter"),
        .offset = Offset(static_cast<std::uint64_t>(integer_of(root, "offset"))),
        .key_hash = hash_of(root, "key"),
        .reason = static_cast<delivery::LetterReason>(integer_of(root, "reason")),
        .opened = from_unix_ms(integer_of(root, "opened")),
        .attempts = static_cast<std::uint32_t>(integer_of(root, "attempts")),
        .redrives = static_cast<std::uint32_t>(integer_of(root, "redrives"))};
    if (const json::Value* history = root.find("history"); history != nullptr) {
        for (const json::Value& item : history->items()) {
            letter.history.push_back(
                {.at = from_unix_ms(integer_of(item, "at")), .error = text_of(item, "error")});
        }
    }
    letter.first_error = text_of(root, "first");
    letter.last_error = text_of(root, "last");
    letter.fingerprint = text_of(root, "fingerprint");
    return letter;
}

}  // namespace

Result<std::unique_ptr<LetterStore>> LetterStore::open(io::Disk& disk, io::Strand& strand,
                                                       std::string path) {
    std::unique_ptr<LetterStore> store(new LetterStore());
    store->file_ = TRY(log::FramedFile::open(
        disk, strand, std::move(path), log::FramedFile::Options{},
        [&](log::FramedFile::Entry entry) { return store->replay(as_text(entry)); }));
    return store;
}

Result<> LetterStore::replay(std::string_view entry) {
    const std::size_t end = entry.find(border);
    const json::Value root = TRY(json::Value::parse(entry.substr(0, end)));
    if (root.find("letter") != nullptr) {
        delivery::Letter letter = letter_of(root);
        const Key key{letter.consumer, letter.offset};
        letters_[key] = {
            .letter = std::move(letter),
            .body = std::string(end == std::string_view::npos ? "" : entry.substr(end + 1))};
        return {};
    }
    const Key key{text_of(root, "closed"),
                  Offset(static_cast<std::uint64_t>(integer_of(root, "offset")))};
    const auto found = letters_.find(key);
    if (found == letters_.end()) {
        return {};  // its letter was forgotten by an earlier rewrite
    }
    found->second.closed = true;
    found->second.how = static_cast<delivery::LetterClosing>(integer_of(root, "how"));
    found->second.closing_reason = text_of(root, "reason");
    found->second.closed_at = from_unix_ms(integer_of(root, "at"));
    closed_.emplace(found->second.closed_at, key);
    return {};
}

void LetterStore::write(delivery::Letter letter, std::string body) {
    file_->append(as_bytes(letter_entry(letter, body)));
    const Key key{letter.consumer, letter.offset};
    letters_[key] = {.letter = std::move(letter), .body = std::move(body)};
}

void LetterStore::close(const std::string& consumer, const delivery::CloseLetter& closing) {
    const Key key{consumer, closing.offset};
    const auto found = letters_.find(key);
    if (found == letters_.end() || found->second.closed) {
        return;
    }
    file_->append(
        as_bytes(closing_entry(consumer, closing.offset, closing.how, closing.reason, closing.at)));
    found->second.closed = true;
    found->second.how = closing.how;
    found->second.closing_reason = closing.reason;
    found->second.closed_at = closing.at;
    closed_.emplace(closing.at, key);
    forget_oldest_closed();
}

void LetterStore::forget_oldest_closed() {
    while (closed_.size() > closed_kept_max) {
        const auto found = letters_.find(closed_.begin()->second);
        if (found != letters_.end() && found->second.closed) {
            letters_.erase(found);
        }
        closed_.erase(closed_.begin());
    }
}

void LetterStore::sync(io::Completion<> done) {
    rewrite_if_worthwhile();
    file_->sync(std::move(done));
}

void LetterStore::rewrite_if_worthwhile() {
    const bool mostly_history = file_->entries() > 2 * (letters_.size() + closed_.size()) + 64;
    if (!file_->damage().empty() || (mostly_history && file_->size() > rewrite_bytes_min)) {
        std::vector<std::string> snapshot;
        for (const auto& [key, stored] : letters_) {
            snapshot.push_back(letter_entry(stored.letter, stored.body));
            if (stored.closed) {
                snapshot.push_back(closing_entry(key.first, key.second, stored.how,
                                                 stored.closing_reason, stored.closed_at));
            }
        }
        // A failed rewrite leaves file and buffer as they were; the sync that follows reports.
        file_->rewrite(snapshot, [](const Result<>&) {});
    }
}

const LetterStore::Stored* LetterStore::find(const std::string& consumer, Offset offset) const {
    const auto found = letters_.find({consumer, offset});
    return found == letters_.end() ? nullptr : &found->second;
}

const std::string& LetterStore::damage() const { return file_->damage(); }

}  // namespace bascule::broker
