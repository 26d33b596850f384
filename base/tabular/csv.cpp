#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/tabular/tabular.hpp"
#include "base/text/utf8.hpp"
#include "base/text/wording.hpp"

namespace hacscale {
namespace {

struct Line {
    int number = 1;  // of its first line
    std::vector<std::string> fields;
};

class Csv {
public:
    Csv(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
        if (has_zero_byte(text_)) {
            throw InputError(origin_ + ": has a NUL byte, expected CSV, which is text");
        }
        if (!is_utf8(text_))
            throw InputError(origin_ + ": has bytes that are no UTF-8, expected CSV, which is text");
    }

    // False at the end.
    bool next(Line& line) {
        while (at_ < text_.size() && at_line_break()) skip_line_break();
        if (at_ >= text_.size()) return false;
        line = {line_, {}};
        while (true) {
            line.fields.push_back(field());
            if (at_ >= text_.size()) return true;
            if (at_line_break()) {
                skip_line_break();
                return true;
            }
            ++at_;  // the comma
        }
    }

    [[noreturn]] void fail(const std::string& what) const { throw InputError(origin_, line_, what); }

private:
    bool at_line_break() const { return text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n"; }
    void skip_line_break() {
        at_ += text_[at_] == '\n' ? 1 : 2;
        ++line_;
    }

    std::string field() {
        if (at_ < text_.size() && text_[at_] == '"') return quoted_field();
        const std::size_t begin = at_;
        while (at_ < text_.size() && text_[at_] != ',' && !at_line_break()) {
            if (text_[at_] == '"') fail("a quote within a field that does not begin with one");
            ++at_;
        }
        return std::string(text_.substr(begin, at_ - begin));
    }

    std::string quoted_field() {
        const int began = line_;
        std::string field;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\n') ++line_;
            if (text_[at_] != '"') {
                field += text_[at_];
                continue;
            }
            if (text_.substr(at_, 2) == "\"\"") {
                field += '"';
                ++at_;
                continue;
            }
            ++at_;
            if (at_ < text_.size() && text_[at_] != ',' && !at_line_break()) {
                fail("a quoted field is followed by more text, expected a comma or the line's end");
            }
            return field;
        }
        line_ = began;
        fail("a quoted field that begins here does not end");
    }

    std::string_view text_;
    const std::string& origin_;
    std::size_t at_ = 0;
    int line_ = 1;
};

}  // namespace

TabularFile parse_csv(std::string_view text, const std::string& origin,
                      const std::vector<std::string>& known) {
    Csv csv(text, origin);
    Line heading;
    if (!csv.next(heading)) throw InputError(origin + ": is empty, expected a line with the columns' names");
    const auto columns = std::make_shared<TabularColumns>();
    *columns = {origin, TabularFormat::csv, heading.fields, {}};
    for (std::size_t i = 0; i < heading.fields.size(); ++i) {
        const std::string& name = heading.fields[i];
        const auto fail = [&](const std::string& what) {
            throw InputError(origin, heading.number, fmt::format("column {}: '{}' {}", i + 1, name, what));
        };
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            fail("is no column of such a file" + detail::did_you_mean(name, known));
        }
        if (!columns->index.emplace(name, i).second) fail("is there twice");
    }
    TabularFile file{heading.fields, {}};
    Line line;
    while (csv.next(line)) {
        if (line.fields.size() != file.columns.size()) {
            throw InputError(origin, line.number,
                             fmt::format("has {} fields, expected {} as in the heading", line.fields.size(),
                                         file.columns.size()));
        }
        std::vector<TabularValue> values;
        for (std::string& field : line.fields) values.push_back({std::move(field), false, false});
        file.rows.emplace_back(columns, fmt::format("{}:{}", origin, line.number), std::move(values));
    }
    return file;
}

}  // namespace hacscale
