// One writer a table. The lock is an advisory flock on FILE.lock, which holds the writer's process id as
// text; the kernel drops it when the process ends in whatever way. Readers never take it.
#pragma once

#include <filesystem>

namespace hacscale::detail {

class WriterLock {
public:
    // Throws WorkError: another writer holds it (its process is named), or the folder cannot be written.
    explicit WriterLock(const std::filesystem::path& table);
    ~WriterLock();
    WriterLock(WriterLock&& other) noexcept;
    WriterLock& operator=(WriterLock&&) = delete;

private:
    std::filesystem::path file_;
    int descriptor_ = -1;
};

// Throws WorkError, naming the process, while a writer holds the table's lock. Nothing is written, so it
// works where only reading is allowed.
void refuse_while_written(const std::filesystem::path& table);

}  // namespace hacscale::detail
