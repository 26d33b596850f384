// One YAML document as a tree in which every value knows its line. Stricter than YAML: no anchors, aliases or
// tags, no repeated keys, keys are plain words. Nesting and size are bounded, so that no input can exhaust
// stack or memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hacscale::detail {

struct YamlEntry;

struct YamlNode {
    enum class Kind { null, scalar, sequence, mapping };
    Kind kind = Kind::null;
    int line = 0;                    // counted from 1
    std::string text;                // scalar
    bool quoted = false;             // scalar: a quoted "3" is text, not a number
    std::vector<YamlNode> items;     // sequence
    std::vector<YamlEntry> entries;  // mapping, in the order of the file

    // The value of a mapping's key, null when it is not there.
    const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
    std::string key;
    int line = 0;
    YamlNode value;
};

// Throws InputError with `origin` and the line for anything but exactly one document of valid UTF-8.
YamlNode parse_yaml(std::string_view text, const std::string& origin);

// The value in words, for "found ..." in a message.
std::string describe(const YamlNode& node);

}  // namespace hacscale::detail
