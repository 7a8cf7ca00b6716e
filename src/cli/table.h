#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bascule::cli {

/// Columns of text for a terminal, as wide as their widest cell, two blanks apart. Widths count
/// code points; line ends and other control characters in cells become blanks, and long cells are
/// cut with an ellipsis: those of the last column, where nothing must line up behind them, later.
class Table {
  public:
    static constexpr std::size_t cell_width_max = 60;
    static constexpr std::size_t last_cell_width_max = 1000;

    explicit Table(std::vector<std::string> headers);

    void align_right(std::size_t column) { right_[column] = true; }
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.size() == 1; }
    std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;  ///< the first is the header
    std::vector<bool> right_;
};

/// Characters, not bytes, of a UTF-8 text.
std::size_t width_of(std::string_view text);

/// One line of RFC 4180: quotes where needed.
std::string csv_line(const std::vector<std::string>& cells);

}  // namespace bascule::cli
