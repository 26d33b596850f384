#include "report/text/escape.hpp"

namespace hacscale::report {

namespace {

bool forbidden_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

// Adds the character as HTML's text shows it.
void add_shown(std::string& text, char c) {
    switch (c) {
        case '&':
            text += "&amp;";
            break;
        case '<':
            text += "&lt;";
            break;
        case '>':
            text += "&gt;";
            break;
        default:
            if (forbidden_control(c)) {
                text += "\ufffd";
            } else {
                text += c;
            }
    }
}

}  // namespace

std::string html_escape(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                add_shown(escaped, c);
        }
    }
    return escaped;
}

std::string script_escape(std::string_view json) {
    std::string escaped;
    escaped.reserve(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
        const std::string_view rest = json.substr(i, 3);
        if (json[i] == '<') {
            escaped += "\\u003c";
        } else if (json[i] == '>') {
            escaped += "\\u003e";
        } else if (json[i] == '&') {
            escaped += "\\u0026";
        } else if (rest == "\u2028" || rest == "\u2029") {
            escaped += rest == "\u2028" ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            escaped += json[i];
        }
    }
    return escaped;
}

std::string markdown_escape(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '\n':
            case '\r':
                escaped += ' ';
                break;
            case '\\':
            case '`':
            case '*':
            case '_':
            case '[':
            case ']':
            case '|':
            case '~':
                escaped += '\\';
                escaped += c;
                break;
            default:
                add_shown(escaped, c);
        }
    }
    return escaped;
}

std::string csv_text(std::string_view text) {
    const bool formula =
        !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
    const bool quoted = text.find_first_of(",\"\n\r") != std::string_view::npos;
    std::string field;
    if (quoted) field += '"';
    if (formula) field += '\'';
    for (const char c : text) {
        if (c == '"') field += '"';
        field += c;
    }
    if (quoted) field += '"';
    return field;
}

}  // namespace hacscale::report
