#include "base/yaml/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/text/utf8.hpp"

namespace hacscale::detail {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 20;
constexpr std::size_t max_depth = 16;
constexpr int max_values = 100'000;

int line_at(std::string_view text, std::size_t offset) {
    return 1 + static_cast<int>(
                   std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

void check_text(std::string_view text, const std::string& origin) {
    if (text.size() > max_bytes) {
        throw InputError(origin, 1,
                         fmt::format("the file has {} bytes, expected at most {}", text.size(), max_bytes));
    }
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '\0') throw InputError(origin, line_at(text, i), "a NUL byte, expected text");
        const std::size_t length = character_at_front(text.substr(i));
        if (length == 0) throw InputError(origin, line_at(text, i), "bytes that are no UTF-8 text");
        i += length;
    }
}

int line_of(const YAML::Mark& mark) {
    return mark.line < 0 ? 1 : mark.line + 1;
}

// Builds the tree from the parser's events. A collection is built on a stack and moves into its parent when
// it ends.
class TreeBuilder : public YAML::EventHandler {
public:
    explicit TreeBuilder(const std::string& origin) : origin_(origin) {}

    YamlNode take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        add(node_at(mark, YamlNode::Kind::null));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw InputError(origin_, line_of(mark), "an alias (*name), expected the value itself");
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        // The file is UTF-8, but yaml-cpp turns these two escapes into single bytes.
        if (!is_utf8(value)) {
            throw InputError(origin_, line_of(mark),
                             "the escape \\N or \\_, expected the character itself (U+0085 or U+00A0)");
        }
        if (has_zero_byte(value)) {
            throw InputError(origin_, line_of(mark),
                             "a zero byte (the escape \\0), expected a text without one");
        }
        YamlNode node = node_at(mark, YamlNode::Kind::scalar);
        node.text = value;
        node.quoted = tag == "!";
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, YamlNode::Kind::sequence);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, YamlNode::Kind::mapping);
    }
    void OnMapEnd() override { close(); }

private:
    struct Frame {
        YamlNode node;
        bool key_read = false;  // mapping: the next value belongs to `key`
        std::string key;
        int key_line = 0;
    };

    static YamlNode node_at(const YAML::Mark& mark, YamlNode::Kind kind) {
        YamlNode node;
        node.kind = kind;
        node.line = line_of(mark);
        return node;
    }

    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
        if (anchor != 0) {
            throw InputError(origin_, line_of(mark), "an anchor (&name), expected the value alone");
        }
    }

    void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
        if (tag.empty() || tag == "?" || tag == "!") return;
        throw InputError(origin_, line_of(mark), fmt::format("a tag ({}), expected the value alone", tag));
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
        refuse_anchor(mark, anchor);
        if (tag != "!") refuse_tag(mark, tag);
        if (frames_.size() == max_depth) {
            throw InputError(origin_, line_of(mark),
                             fmt::format("values nested more than {} deep", max_depth));
        }
        frames_.push_back({.node = node_at(mark, kind), .key = {}});
    }

    void close() {
        YamlNode node = std::move(frames_.back().node);
        frames_.pop_back();
        add(std::move(node));
    }

    void add(YamlNode node) {
        if (++values_ > max_values) {
            throw InputError(origin_, node.line, fmt::format("more than {} values", max_values));
        }
        if (frames_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node.kind == YamlNode::Kind::sequence) {
            frame.node.items.push_back(std::move(node));
        } else if (frame.key_read) {
            frame.node.entries.push_back({std::move(frame.key), frame.key_line, std::move(node)});
            frame.key_read = false;
        } else {
            start_entry(frame, node);
        }
    }

    void start_entry(Frame& frame, const YamlNode& key) const {
        if (key.kind != YamlNode::Kind::scalar) {
            throw InputError(origin_, key.line, fmt::format("{} as a key, expected a word", describe(key)));
        }
        for (const YamlEntry& entry : frame.node.entries) {
            if (entry.key == key.text) {
                throw InputError(origin_, key.line,
                                 fmt::format("the key '{:.60}' stands here again; it was given on line {}",
                                             key.text, entry.line));
            }
        }
        // Finding repeats takes time with the square of the keys; no mapping that is read here has more.
        if (frame.node.entries.size() >= 64) {
            throw InputError(origin_, key.line, "more than 64 keys in one mapping");
        }
        frame.key = key.text;
        frame.key_line = key.line;
        frame.key_read = true;
    }

    const std::string& origin_;
    std::vector<Frame> frames_;
    YamlNode root_;
    int values_ = 0;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
    for (const YamlEntry& entry : entries) {
        if (entry.key == key) return &entry.value;
    }
    return nullptr;
}

YamlNode parse_yaml(std::string_view text, const std::string& origin) {
    check_text(text, origin);
    std::istringstream stream{std::string(text)};
    try {
        YAML::Parser parser(stream);
        TreeBuilder builder(origin);
        if (!parser.HandleNextDocument(builder)) {
            throw InputError(origin, 1, "the file is empty, expected a mapping");
        }
        YamlNode root = builder.take();
        TreeBuilder second(origin);
        if (parser.HandleNextDocument(second)) {
            throw InputError(origin, second.take().line, "a second document, expected one only");
        }
        return root;
    } catch (const YAML::Exception& error) {
        // The message may end within a character: it names a byte.
        throw InputError(origin, line_of(error.mark), fmt::format("no valid YAML: {}", as_utf8(error.msg)));
    }
}

std::string describe(const YamlNode& node) {
    switch (node.kind) {
        case YamlNode::Kind::null:
            return "nothing";
        case YamlNode::Kind::sequence:
            return "a list";
        case YamlNode::Kind::mapping:
            return "a mapping";
        case YamlNode::Kind::scalar:
            break;
    }
    return fmt::format("{}'{:.60}'", node.quoted ? "the text " : "", node.text);
}

}  // namespace hacscale::detail
