// Python's pickles, as far as a dictionary from texts to numbers goes: the form of HALP's and MDP's latency tables
// (Python's pickletools.py defines the opcodes). Neither direction needs Python, and nothing that a file says is ever
// executed: an opcode that would import, call or build something is refused by its name.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hacscale::detail {

// Protocol 2, which Python 2.3 and all later ones load: an empty dictionary, then its items in the order given, as
// BINUNICODE and BINFLOAT, 1,000 at a time as Python does.
class PickleWriter {
public:
    explicit PickleWriter(std::ostream& out);
    // `key` is UTF-8 and of less than 2^32 bytes; a key is added once.
    void add(std::string_view key, double value);
    void finish();  // after the last item; the stream's state says whether all has arrived

private:
    std::ostream& out_;
    int open_items_ = 0;  // since the last mark
};

using PickledNumbers = std::vector<std::pair<std::string, double>>;  // in the order of the file

// One dictionary from texts to floats or whole numbers, in protocols 2 to 5. Throws InputError, which names `origin` and the
// byte, for anything else: other values, a key twice, a truncated file, bytes after the end.
PickledNumbers read_pickle(std::string_view bytes, const std::string& origin);

}  // namespace hacscale::detail
