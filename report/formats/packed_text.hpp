// The page's charts as text that takes little room: what charts share is written once, and the rest is packed.
//
// Charts of one kind share their whole specification but for data and the values of some signals, and a page
// has a hundred of them. So the page carries each shared part, the frame, once, and for each chart what
// differs; page/page.js joins them again.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace hacscale::report {

class ChartFrames {
public:
    struct Packed {
        int frame = 0;
        std::string new_frame;  // the frame's text where this chart is the first of it, else empty
        // {"signals": {NAME: VALUE}, "data": {NAME: ROWS}}; ROWS is {"fields": [...], "rows": [[...]]} where
        // all data of the set have the same fields, else the list of the data.
        std::string contents;
    };

    // `spec` is a whole specification as JSON text.
    Packed pack(const std::string& spec);

private:
    struct Frame {
        int number = 0;
        nlohmann::json signals;  // their values in the chart that came first
    };
    std::map<std::string, Frame> frames_;  // by the specification without data and values
};

// Data of the page's charts as text that takes little room: JSON of a hundred charts is most of a report, and shrinks to a
// sixth.
// The text as gzip (RFC 1952) in base64 (RFC 4648): letters, digits, '+', '/' and '=' only, so that it can
// stand in a page as it is. Equal texts give equal results. page/packed.js reads it.
std::string packed_text(std::string_view text);

}  // namespace hacscale::report
