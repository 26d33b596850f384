// The entry that libFuzzer calls. It is compiled once for each fuzzer: HACSCALE_FUZZER is the fuzzer's function.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/fuzzers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    hacscale::fuzzing::HACSCALE_FUZZER({reinterpret_cast<const char*>(data), size});
    return 0;
}
