// Data of the page's charts as text that takes little room: JSON of a hundred charts is most of a report, and
// shrinks to a sixth.
#pragma once

#include <string>
#include <string_view>

namespace hacscale::report {

// The text as gzip (RFC 1952) in base64 (RFC 4648): letters, digits, '+', '/' and '=' only, so that it can
// stand in a page as it is. Equal texts give equal results. page/packed.js reads it.
std::string packed_text(std::string_view text);

}  // namespace hacscale::report
