// Files as memory: the model's file, and the files of external data in its folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "models/formats/onnx/model.hpp"

namespace hacscale::onnx::detail {

// A file as memory that is read from disk when it is touched. The memory lives as long as a copy of the result.
// Throws InputError for what is no regular file, cannot be read, or has more than `max_bytes`; the text does not name the file.
Bytes mapped_file(const std::filesystem::path& file, std::uint64_t max_bytes);

// Where a tensor's numbers are in another file, as TensorProto.external_data says it.
struct ExternalPart {
    std::string location;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

// The files of external data of one model.
class ExternalFiles {
public:
    // Without a folder every part is refused.
    explicit ExternalFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // Throws InputError for a location that is absolute, has "..", or leads out of the folder by a symbolic link, and for a part
    // that is not within its file.
    Bytes part(const ExternalPart& part);

private:
    const Bytes& file(const std::string& location);

    std::filesystem::path folder_;
    std::map<std::string, Bytes> files_;
};

}  // namespace hacscale::onnx::detail
