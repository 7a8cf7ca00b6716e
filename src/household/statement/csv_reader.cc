#include "household/statement/csv_reader.h"

#include <algorithm>
#include <cstring>

#include "household/statement/text.h"

namespace bascule::statement {

bool CsvRecord::is_blank() const {
    return std::ranges::all_of(cells, [](std::string_view cell) { return trimmed(cell).empty(); });
}

CsvReader::CsvReader(std::string_view text, char delimiter, std::size_t begin)
    : text_(text),
      delimiter_(delimiter),
      line_end_(text.find('\n') == std::string_view::npos ? '\r' : '\n'),
      position_(begin) {}

bool CsvReader::at_line_end(std::size_t position) const {
    return position >= text_.size() || text_[position] == line_end_ ||
           (text_[position] == '\r' && position + 1 < text_.size() && text_[position + 1] == '\n');
}

std::size_t CsvReader::skip_line_end(std::size_t position) const {
    if (position < text_.size() && text_[position] == '\r' && line_end_ == '\n') {
        ++position;
    }
    return std::min(position + 1, text_.size());
}

/// Whether a quote that ends before `after_quote` closes its cell; blanks may follow it.
bool CsvReader::ends_quoted(std::size_t after_quote, std::size_t& next_cell) const {
    std::size_t at = after_quote;
    while (at < text_.size() && text_[at] == ' ') {
        ++at;
    }
    next_cell = at;
    return at_line_end(at) || text_[at] == delimiter_;
}

std::string_view CsvReader::quoted_cell(std::size_t open, std::size_t& next_cell, bool& closed) {
    const std::size_t begin = open + 1;
    bool escaped = false;
    std::size_t at = begin;
    while (true) {
        const auto* quote =
            at < text_.size()
                ? static_cast<const char*>(std::memchr(text_.data() + at, '"', text_.size() - at))
                : nullptr;
        if (quote == nullptr) {
            closed = false;
            quotes_close_ = false;
            return {};
        }
        at = static_cast<std::size_t>(quote - text_.data());
        if (at + 1 < text_.size() && text_[at + 1] == '"') {
            // `""` is one quote, except as the whole of an empty cell, whose first quote is the
            // opening one.
            escaped = true;
            at += 2;
            continue;
        }
        if (ends_quoted(at + 1, next_cell)) {
            break;
        }
        ++at;
    }
    closed = true;
    const std::string_view raw = text_.substr(begin, at - begin);
    if (!escaped) {
        return raw;
    }
    std::string& cell = unescaped_.emplace_back();
    cell.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        cell += raw[i];
        i += raw[i] == '"' && i + 1 < raw.size() && raw[i + 1] == '"' ? 1 : 0;
    }
    return cell;
}

bool CsvReader::next(CsvRecord& record) {
    if (!unescaped_.empty()) {
        unescaped_.clear();
    }
    if (position_ >= text_.size()) {
        record.cells.clear();
        return false;
    }
    record.begin = position_;
    split(record, quotes_close_);
    return true;
}

void CsvReader::split(CsvRecord& record, bool quotes) {
    record.cells.clear();
    record.has_open_quote = false;
    std::size_t at = record.begin;
    while (true) {
        std::size_t start = at;
        while (start < text_.size() && text_[start] == ' ') {
            ++start;
        }
        const bool protects =
            start + 1 < text_.size() && text_[start] == '=' && text_[start + 1] == '"';
        const std::size_t quote = protects ? start + 1 : start;
        std::size_t end = at;
        bool closed = false;
        if (quote < text_.size() && text_[quote] == '"') {
            const std::string_view cell =
                quotes && quotes_close_ ? quoted_cell(quote, end, closed) : std::string_view();
            if (closed) {
                record.cells.push_back(cell);
            }
            record.has_open_quote = record.has_open_quote || !closed;
        }
        if (!closed) {
            end = at;
            while (end < text_.size() && text_[end] != delimiter_ && text_[end] != line_end_) {
                ++end;
            }
            const bool carriage_return =
                line_end_ == '\n' && end > at && text_[end - 1] == '\r' && at_line_end(end);
            record.cells.push_back(text_.substr(at, end - at - (carriage_return ? 1 : 0)));
        }
        if (end >= text_.size() || text_[end] != delimiter_) {
            record.end =
                end > record.begin && text_[end - 1] == '\r' && line_end_ == '\n' ? end - 1 : end;
            position_ = skip_line_end(end);
            return;
        }
        at = end + 1;
    }
}

}  // namespace bascule::statement
