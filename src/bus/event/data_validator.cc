#include "bus/event/data_validator.h"

#include <cstdint>
#include <string>

#include "bus/event/builders.h"
#include "bus/event/envelope.h"
#include "foundation/json/number.h"
#include "foundation/json/raw.h"
#include "foundation/json/reader.h"

namespace bascule::event {

namespace {

constexpr Field change_fields[] = {{"field", FieldKind::id}};
constexpr Field date_range_fields[] = {{"startDate", FieldKind::day}, {"endDate", FieldKind::day}};
constexpr Field chunk_fields[] = {{"index", FieldKind::count}, {"count", FieldKind::count}};

/// Where in the event we are: a chain on the stack that becomes a pointer only if there is a fault
/// to report.
struct Place {
    const Place* up = nullptr;
    std::string_view name;
    std::size_t index = 0;
    bool is_item = false;

    std::string pointer() const {
        return up == nullptr
                   ? "/" + std::string(name)
                   : up->pointer() + "/" + (is_item ? std::to_string(index) : std::string(name));
    }
};

bool is_day(std::string_view text) {
    constexpr std::string_view shape = "dddd-dd-dd";
    if (text.size() != shape.size()) {
        return false;
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !is_digit : text[i] != '-') {
            return false;
        }
    }
    const int month = (text[5] - '0') * 10 + (text[6] - '0');
    const int day = (text[8] - '0') * 10 + (text[9] - '0');
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

bool is_count(std::string_view number) {
    constexpr std::int64_t count_max = (std::int64_t{1} << 53) - 1;
    const auto value = json::int64_of(number);
    return value && *value >= 0 && *value <= count_max;
}

bool is_percent(std::string_view number) {
    return json::compare_numbers(number, "0") >= 0 && json::compare_numbers(number, "100") <= 0;
}

bool is_option(const Field& field, const json::Text& text) {
    for (const std::string_view option : field.options) {
        if (text == option) {
            return true;
        }
    }
    return false;
}

std::string wanted(const Field& field) {
    switch (field.kind) {
        case FieldKind::id:
            return "a non-empty string";
        case FieldKind::text:
            return "a string";
        case FieldKind::day:
            return "a date YYYY-MM-DD";
        case FieldKind::count:
            return "an integer ≥ 0 (at most 2^53 - 1)";
        case FieldKind::percent:
            return "a number from 0 to 100";
        case FieldKind::flag:
            return "true or false";
        case FieldKind::ids:
            return "an array of at most 1000 non-empty strings";
        case FieldKind::words:
            return "an array of non-empty strings, at least one";
        case FieldKind::changes:
            return "an array of {field, oldValue, newValue}";
        case FieldKind::date_range:
            return "an object {startDate, endDate}";
        case FieldKind::chunk:
            return "an object {index, count}";
        case FieldKind::one_of:
            break;
    }
    std::string text = "one of";
    for (const std::string_view option : field.options) {
        text.append(text.size() == 6 ? " \"" : ", \"").append(option).append("\"");
    }
    return text;
}

class DataWalk {
  public:
    DataWalk(std::string_view data, std::size_t faults_max, std::vector<Fault>& faults)
        : data_(data), reader_(data), faults_max_(faults_max), faults_(faults) {}

    void run(const Type& type) {
        const Place data{.name = "data"};
        if (reader_.peek() != json::Kind::object) {
            add(data, "must be an object, is " + shown(reader_.skip()));
            return;
        }
        object(type.fields, data);
        if (const auto whole = reader_.finish(); !whole) {
            add(data, "is no JSON: " + whole.error().message());
        }
    }

  private:
    static constexpr std::size_t none = SIZE_MAX;

    /// Enters the object that comes next and checks its members against `fields`.
    void object(std::span<const Field> fields, const Place& place) {
        std::uint32_t seen = 0;
        reader_.enter_object();
        while (const auto key = reader_.next_member()) {
            const std::size_t index = index_of(fields, *key);
            if (index == none) {
                reader_.skip();
                continue;
            }
            const Place member{.up = &place, .name = fields[index].name};
            if ((seen & (1U << index)) != 0) {
                add(member, "appears twice");
            }
            seen |= 1U << index;
            value(fields[index], member);
        }
        for (std::size_t i = 0; i < fields.size() && !reader_.failed(); ++i) {
            if ((seen & (1U << i)) == 0 && fields[i].presence != Presence::optional) {
                add(Place{.up = &place, .name = fields[i].name},
                    "is missing; must be " + wanted(fields[i]));
            }
        }
    }

    static std::size_t index_of(std::span<const Field> fields, const json::Text& key) {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (key == fields[i].name) {
                return i;
            }
        }
        return none;
    }

    void value(const Field& field, const Place& place) {
        const json::Kind kind = reader_.peek();
        if (kind == json::Kind::null && field.presence != Presence::required) {
            reader_.null();
            return;
        }
        switch (field.kind) {
            case FieldKind::ids:
                list(field, kind, transaction_ids_max, place);
                return;
            case FieldKind::words:
                list(field, kind, none, place);
                return;
            case FieldKind::changes:
                changes(field, kind, place);
                return;
            case FieldKind::date_range:
                part(field, kind, date_range_fields, place);
                return;
            case FieldKind::chunk:
                chunk(field, kind, place);
                return;
            default:
                break;
        }
        const std::size_t begin = reader_.byte();
        if (!scalar_fits(field, kind) && !reader_.failed()) {
            add(place, "must be " + wanted(field) + ", is " +
                           shown(data_.substr(begin, reader_.byte() - begin)));
        }
    }

    /// Passes the scalar that comes next, whatever it is, and says whether it fits.
    bool scalar_fits(const Field& field, json::Kind kind) {
        if (kind == json::Kind::string) {
            const json::Text text = reader_.string();
            switch (field.kind) {
                case FieldKind::id:
                    return !text.raw().empty();
                case FieldKind::text:
                    return true;
                case FieldKind::day:
                    return is_day(text.is_escaped() ? text.decoded() : text.raw());
                case FieldKind::one_of:
                    return is_option(field, text);
                default:
                    return false;
            }
        }
        const std::string_view raw = reader_.skip();
        switch (field.kind) {
            case FieldKind::count:
                return kind == json::Kind::number && is_count(raw);
            case FieldKind::percent:
                return kind == json::Kind::number && json::is_number(raw) && is_percent(raw);
            case FieldKind::flag:
                return kind == json::Kind::boolean;
            default:
                return false;
        }
    }

    /// True if the value is of the container's kind; else it is passed over and reported.
    bool is_container(const Field& field, json::Kind kind, json::Kind container,
                      const Place& place) {
        if (kind == container) {
            return true;
        }
        add(place, "must be " + wanted(field) + ", is " + shown(reader_.skip()));
        return false;
    }

    void list(const Field& field, json::Kind kind, std::size_t items_max, const Place& place) {
        if (!is_container(field, kind, json::Kind::array, place)) {
            return;
        }
        constexpr Field item{"", FieldKind::id};
        std::size_t items = 0;
        reader_.enter_array();
        for (; reader_.next_item(); ++items) {
            value(item, Place{.up = &place, .index = items, .is_item = true});
        }
        if (items > items_max || (field.kind == FieldKind::words && items == 0)) {
            add(place, "must be " + wanted(field) + ", has " + std::to_string(items));
        }
    }

    void changes(const Field& field, json::Kind kind, const Place& place) {
        if (!is_container(field, kind, json::Kind::array, place)) {
            return;
        }
        reader_.enter_array();
        for (std::size_t i = 0; reader_.next_item(); ++i) {
            const Place item{.up = &place, .index = i, .is_item = true};
            if (reader_.peek() == json::Kind::object) {
                object(change_fields, item);
            } else {
                add(item,
                    "must be an object {field, oldValue, newValue}, is " + shown(reader_.skip()));
            }
        }
    }

    void part(const Field& field, json::Kind kind, std::span<const Field> fields,
              const Place& place) {
        if (is_container(field, kind, json::Kind::object, place)) {
            object(fields, place);
        }
    }

    void chunk(const Field& field, json::Kind kind, const Place& place) {
        const std::size_t begin = reader_.byte();
        const std::size_t faults = faults_.size();
        part(field, kind, chunk_fields, place);
        if (kind != json::Kind::object || faults_.size() != faults || reader_.failed()) {
            return;
        }
        const std::string_view raw = data_.substr(begin, reader_.byte() - begin);
        if (json::int64_of(json::member_raw(raw, "count").value_or("0")) == 0) {
            add(Place{.up = &place, .name = "count"}, "must be an integer ≥ 1, is 0");
        }
    }

    void add(const Place& place, std::string message) {
        if (faults_.size() < faults_max_) {
            faults_.push_back({place.pointer(), std::move(message)});
        }
    }

    std::string_view data_;
    json::Reader reader_;
    std::size_t faults_max_;
    std::vector<Fault>& faults_;
};

}  // namespace

void check_data(const Type& type, std::string_view data, std::size_t faults_max,
                std::vector<Fault>& faults) {
    DataWalk(data, faults_max, faults).run(type);
}

}  // namespace bascule::event
