// Text from files made harmless in each output format. Names of models, kernels and layers come from users'
// files and vendors' libraries, and may hold markup.
#pragma once

#include <string>
#include <string_view>

namespace hacscale::report {

// For HTML text and quoted attributes. Control characters that HTML forbids become U+FFFD.
std::string html_escape(std::string_view text);
// For JSON inside <script>: "<", ">", "&" and the two line separators of old script engines become \uXXXX, so
// that no text can close the element or open a comment. The input is valid JSON, where these only stand
// inside strings.
std::string script_escape(std::string_view json);
// For Markdown text and table cells, on one line: markup characters are escaped, line breaks become spaces.
std::string markdown_escape(std::string_view text);
// One CSV field (RFC 4180). A text that a spreadsheet would run as a formula gets a leading apostrophe.
std::string csv_text(std::string_view text);

}  // namespace hacscale::report
