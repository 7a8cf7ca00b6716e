#include "bus/pattern/explain_json.h"

#include "foundation/json/writer.h"

namespace bascule::pattern {

namespace {

void write(json::Writer& writer, const std::vector<std::string>& texts) {
    writer.begin_array();
    for (const std::string& text : texts) {
        writer.string(text);
    }
    writer.end_array();
}

void write(json::Writer& writer, const Explanation::Field& field) {
    writer.begin_object().member("path", field.path).member("verdict", name(field.verdict));
    writer.key("wanted").begin_array();
    for (const std::string& term : field.wanted) {
        writer.raw(term);
    }
    writer.end_array().key("values").begin_array();
    for (const Explanation::Value& value : field.values) {
        writer.begin_object().member("at", value.at).member_raw("value", value.json);
        writer.member("cut", value.is_cut).member("fits", value.fits);
        writer.member("chosen", value.is_chosen).end_object();
    }
    writer.end_array().member("valueCount", field.value_count);
    writer.member("container", field.is_container).key("apartFrom");
    write(writer, field.apart_from);
    writer.end_object();
}

}  // namespace

std::string explanation_json(const Explanation& explanation) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object()
        .member("matches", explanation.matches())
        .member("verdict", name(explanation.verdict))
        .key("ways")
        .begin_array();
    for (const Explanation::Way& way : explanation.ways) {
        writer.begin_object().key("branches");
        write(writer, way.branches);
        writer.member("verdict", name(way.verdict)).key("fields").begin_array();
        for (const Explanation::Field& field : way.fields) {
            write(writer, field);
        }
        writer.end_array().end_object();
    }
    writer.end_array().member("wayCount", explanation.way_count).end_object();
    return out;
}

}  // namespace bascule::pattern
