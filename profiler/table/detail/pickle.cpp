#include "profiler/table/detail/pickle.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "base/error.hpp"
#include "base/text/utf8.hpp"

namespace hacscale::detail {
namespace {

constexpr int items_a_mark = 1000;
// A file of a few bytes a value may ask for many: what no table needs is refused before memory is.
constexpr std::size_t max_text_bytes = 1000;
constexpr std::size_t max_open_values = std::size_t{1} << 22;

// Of pickletools.py, those that such a dictionary has.
namespace opcode {
constexpr std::uint8_t mark = '(';
constexpr std::uint8_t stop = '.';
constexpr std::uint8_t binfloat = 'G';
constexpr std::uint8_t binint = 'J';
constexpr std::uint8_t binint1 = 'K';
constexpr std::uint8_t binint2 = 'M';
constexpr std::uint8_t binunicode = 'X';
constexpr std::uint8_t binget = 'h';
constexpr std::uint8_t long_binget = 'j';
constexpr std::uint8_t binput = 'q';
constexpr std::uint8_t long_binput = 'r';
constexpr std::uint8_t setitem = 's';
constexpr std::uint8_t setitems = 'u';
constexpr std::uint8_t empty_dict = '}';
constexpr std::uint8_t proto = 0x80;
constexpr std::uint8_t long1 = 0x8a;
constexpr std::uint8_t short_binunicode = 0x8c;
constexpr std::uint8_t binunicode8 = 0x8d;
constexpr std::uint8_t memoize = 0x94;
constexpr std::uint8_t frame = 0x95;
}  // namespace opcode

// Opcodes of pickles that are no such dictionary, so that a message can name what was found.
struct NamedOpcode {
    std::uint8_t code;
    std::string_view name;
};
constexpr std::array other_opcodes{
    NamedOpcode{'c', "GLOBAL"},     NamedOpcode{0x93, "STACK_GLOBAL"}, NamedOpcode{'R', "REDUCE"},
    NamedOpcode{0x81, "NEWOBJ"},    NamedOpcode{0x92, "NEWOBJ_EX"},    NamedOpcode{'b', "BUILD"},
    NamedOpcode{'i', "INST"},       NamedOpcode{'o', "OBJ"},           NamedOpcode{'P', "PERSID"},
    NamedOpcode{'Q', "BINPERSID"},  NamedOpcode{0x82, "EXT1"},         NamedOpcode{0x83, "EXT2"},
    NamedOpcode{0x84, "EXT4"},      NamedOpcode{']', "EMPTY_LIST"},    NamedOpcode{'l', "LIST"},
    NamedOpcode{'a', "APPEND"},     NamedOpcode{'e', "APPENDS"},       NamedOpcode{')', "EMPTY_TUPLE"},
    NamedOpcode{'t', "TUPLE"},      NamedOpcode{0x85, "TUPLE1"},       NamedOpcode{0x86, "TUPLE2"},
    NamedOpcode{0x87, "TUPLE3"},    NamedOpcode{'N', "NONE"},          NamedOpcode{0x88, "NEWTRUE"},
    NamedOpcode{0x89, "NEWFALSE"},  NamedOpcode{'d', "DICT"},          NamedOpcode{'F', "FLOAT"},
    NamedOpcode{'I', "INT"},        NamedOpcode{'L', "LONG"},          NamedOpcode{0x8b, "LONG4"},
    NamedOpcode{'S', "STRING"},     NamedOpcode{'T', "BINSTRING"},     NamedOpcode{'U', "SHORT_BINSTRING"},
    NamedOpcode{'V', "UNICODE"},    NamedOpcode{'B', "BINBYTES"},      NamedOpcode{'C', "SHORT_BINBYTES"},
    NamedOpcode{0x8e, "BINBYTES8"}, NamedOpcode{0x96, "BYTEARRAY8"},   NamedOpcode{0x8f, "EMPTY_SET"},
    NamedOpcode{0x90, "ADDITEMS"},  NamedOpcode{0x91, "FROZENSET"},    NamedOpcode{'0', "POP"},
    NamedOpcode{'1', "POP_MARK"},   NamedOpcode{'2', "DUP"},           NamedOpcode{'p', "PUT"},
    NamedOpcode{'g', "GET"},        NamedOpcode{0x97, "NEXT_BUFFER"},  NamedOpcode{0x98, "READONLY_BUFFER"},
};

void put_byte(std::ostream& out, std::uint8_t byte) {
    out.put(static_cast<char>(byte));
}

class PickleReader {
public:
    PickleReader(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

    PickledNumbers run() {
        constexpr std::uint8_t first_protocol = 2;
        constexpr std::uint8_t last_protocol = 5;
        if (bytes_.empty() || byte() != opcode::proto) {
            at_ = 0;
            fail("is no pickle of protocol 2 or newer (pickle.dump(table, file, protocol=2) writes one)");
        }
        if (const std::uint8_t protocol = byte(); protocol < first_protocol || protocol > last_protocol) {
            fail(fmt::format("has protocol {}, expected {} to {}", protocol, first_protocol, last_protocol));
        }
        while (!step()) {
        }
        if (at_ != bytes_.size()) fail("has bytes after the pickle's end");
        return std::move(items_);
    }

private:
    struct Mark {};
    struct Dictionary {};
    using Value = std::variant<Mark, Dictionary, std::string, double>;

    [[noreturn]] void fail(const std::string& what) const {
        throw InputError(fmt::format("{}: byte {}: {}", origin_, at_, what));
    }

    std::string_view take(std::uint64_t count) {
        if (count > bytes_.size() - at_) fail("the file ends within the pickle; it may be truncated");
        const std::string_view taken = bytes_.substr(at_, count);
        at_ += count;
        return taken;
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).front()); }
    // Little-endian, as all of a pickle's integers.
    std::uint64_t integer(int size) {
        constexpr int bits = 8;
        std::uint64_t value = 0;
        int shift = 0;
        for (const char part : take(static_cast<std::uint64_t>(size))) {
            value |= std::uint64_t{static_cast<std::uint8_t>(part)} << shift;
            shift += bits;
        }
        return value;
    }
    double real() {
        constexpr int bits = 8;
        std::uint64_t value = 0;  // big-endian, other than integers
        for (const char part : take(sizeof value)) value = value << bits | static_cast<std::uint8_t>(part);
        return std::bit_cast<double>(value);
    }
    // Two's complement of any number of bytes.
    double long_integer() {
        constexpr int most_bytes = 8;
        const int size = byte();
        if (size > most_bytes) fail("has a whole number of more than 64 bits");
        if (size == 0) return 0.0;
        const int unused = 8 * (most_bytes - size);
        return static_cast<double>(static_cast<std::int64_t>(integer(size) << unused) >> unused);
    }

    std::string text(int size_bytes) {
        const std::uint64_t size = integer(size_bytes);
        if (size > max_text_bytes) {
            fail(fmt::format("has a text of {} bytes, expected at most {}", size, max_text_bytes));
        }
        const std::string_view bytes = take(size);
        if (!is_utf8(bytes)) fail("has a text that is no UTF-8");
        if (has_zero_byte(bytes)) fail("has a text with a zero byte");
        return std::string(bytes);
    }

    // Whether the pickle has ended.
    bool step() {
        const std::size_t begin = at_;
        if (stack_.size() >= max_open_values) {
            fail(fmt::format("has more than {} values before they are entered", max_open_values));
        }
        const std::uint8_t code = byte();
        switch (code) {
            case opcode::frame:  // says how many bytes come at once
                (void)integer(8);
                return false;
            case opcode::empty_dict:
                if (has_dictionary_) fail("has a dictionary within the table, expected numbers");
                has_dictionary_ = true;
                stack_.emplace_back(Dictionary{});
                return false;
            case opcode::mark:
                stack_.emplace_back(Mark{});
                return false;
            case opcode::short_binunicode:
                stack_.emplace_back(text(1));
                return false;
            case opcode::binunicode:
                stack_.emplace_back(text(4));
                return false;
            case opcode::binunicode8:
                stack_.emplace_back(text(8));
                return false;
            case opcode::binfloat:
                stack_.emplace_back(real());
                return false;
            case opcode::binint:
                stack_.emplace_back(static_cast<double>(static_cast<std::int32_t>(integer(4))));
                return false;
            case opcode::binint1:
                stack_.emplace_back(static_cast<double>(integer(1)));
                return false;
            case opcode::binint2:
                stack_.emplace_back(static_cast<double>(integer(2)));
                return false;
            case opcode::long1:
                stack_.emplace_back(long_integer());
                return false;
            case opcode::memoize:
                remember(memo_.size());
                return false;
            case opcode::binput:
                remember(integer(1));
                return false;
            case opcode::long_binput:
                remember(integer(4));
                return false;
            case opcode::binget:
                recall(integer(1));
                return false;
            case opcode::long_binget:
                recall(integer(4));
                return false;
            case opcode::setitem:
                set_items(stack_.size() < 2 ? 0 : stack_.size() - 2);
                return false;
            case opcode::setitems:
                set_marked_items();
                return false;
            case opcode::stop:
                if (stack_.size() != 1 || !std::holds_alternative<Dictionary>(stack_.front())) {
                    fail("is no dictionary of latencies");
                }
                return true;
            default:
                at_ = begin;
                refuse(code);
        }
    }

    [[noreturn]] void refuse(std::uint8_t code) const {
        for (const NamedOpcode& other : other_opcodes) {
            if (other.code != code) continue;
            fail(
                fmt::format("has the opcode {}, and a table is a dictionary from texts to plain floats; save "
                            "{{str(key): float(value) for key, value in table.items()}}",
                            other.name));
        }
        fail(fmt::format("0x{:02x} is no opcode of a pickle", code));
    }

    // Texts alone are recalled: they are the only values that Python's writer remembers and meets again. The
    // dictionary is never within itself.
    void remember(std::uint64_t index) {
        if (stack_.empty()) fail("remembers a value before there is one");
        const std::string* text = std::get_if<std::string>(&stack_.back());
        memo_[index] = text == nullptr ? std::nullopt : std::optional(*text);
    }
    void recall(std::uint64_t index) {
        const auto found = memo_.find(index);
        if (found == memo_.end() || !found->second) fail("refers to a value that is no text");
        stack_.emplace_back(*found->second);
    }

    void set_marked_items() {
        std::size_t begin = stack_.size();
        while (begin > 0 && !std::holds_alternative<Mark>(stack_[begin - 1])) --begin;
        if (begin == 0) fail("has items without a mark before them");
        stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(begin) - 1);
        set_items(begin - 1);
    }

    // The values from `begin` on are keys and values in turn; the dictionary is below them.
    void set_items(std::size_t begin) {
        if (begin == 0 || !std::holds_alternative<Dictionary>(stack_[begin - 1]) ||
            (stack_.size() - begin) % 2 != 0) {
            fail("has items that are no pairs of a key and a value");
        }
        for (std::size_t i = begin; i < stack_.size(); i += 2) {
            auto* const key = std::get_if<std::string>(&stack_[i]);
            const double* const value = std::get_if<double>(&stack_[i + 1]);
            if (key == nullptr || value == nullptr) fail("has an item that is no text with a number");
            if (!keys_.insert(*key).second) fail(fmt::format("has the key '{}' twice", *key));
            items_.emplace_back(std::move(*key), *value);
        }
        stack_.resize(begin);
    }

    std::string_view bytes_;
    const std::string& origin_;
    std::size_t at_ = 0;
    bool has_dictionary_ = false;
    std::vector<Value> stack_;
    std::unordered_map<std::uint64_t, std::optional<std::string>> memo_;
    std::unordered_set<std::string> keys_;
    PickledNumbers items_;
};

}  // namespace

PickleWriter::PickleWriter(std::ostream& out) : out_(out) {
    constexpr std::uint8_t protocol = 2;
    put_byte(out_, opcode::proto);
    put_byte(out_, protocol);
    put_byte(out_, opcode::empty_dict);
}

void PickleWriter::add(std::string_view key, double value) {
    constexpr unsigned byte = 0xff;
    if (open_items_ == items_a_mark) {
        put_byte(out_, opcode::setitems);
        open_items_ = 0;
    }
    if (open_items_ == 0) put_byte(out_, opcode::mark);
    ++open_items_;
    put_byte(out_, opcode::binunicode);
    for (int shift = 0; shift < 32; shift += 8) {
        put_byte(out_, static_cast<std::uint8_t>(key.size() >> shift & byte));
    }
    out_.write(key.data(), static_cast<std::streamsize>(key.size()));
    put_byte(out_, opcode::binfloat);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8)
        put_byte(out_, static_cast<std::uint8_t>(bits >> shift & byte));
}

void PickleWriter::finish() {
    if (open_items_ > 0) put_byte(out_, opcode::setitems);
    put_byte(out_, opcode::stop);
    out_.flush();
}

PickledNumbers read_pickle(std::string_view bytes, const std::string& origin) {
    return PickleReader(bytes, origin).run();
}

}  // namespace hacscale::detail
