// A disk that fails. SQLite's files go through this layer to the real ones, and the n-th operation that changes something fails:
// with an error, because the disk is full, or because the process is killed or the power fails at that moment.
//
// The power cut is a model of what a disk may do: of each file, what was written before its last sync is there, and of what was
// written since then any part, in any order, down to half a write. Names of files are taken as they are.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace hacscale::testing {

enum class Fault {
    error_once,  // the n-th operation fails, and those after it succeed
    error,       // it and all after it fail
    full_disk,  // from then on nothing grows: writes and the log's index fail, half of the first write arrives
    kill,       // the process ends there, with half of a write
    power_cut,  // the process ends there, and files are what the disk has
};

inline const char* name_of(Fault fault) {
    switch (fault) {
        case Fault::error_once:
            return "one I/O error";
        case Fault::error:
            return "I/O errors from there on";
        case Fault::full_disk:
            return "full disk";
        case Fault::kill:
            return "kill";
        case Fault::power_cut:
            return "power cut";
    }
    return "";
}

// What is on the disk of one file, and what was written since its last sync.
struct DiskImage {
    struct Change {
        std::size_t offset = 0;  // the file's new size where nothing was written
        std::string bytes;
        bool truncates = false;
    };
    std::string durable;
    std::vector<Change> pending;

    static void apply(std::string& content, const Change& change) {
        if (change.truncates) {
            content.resize(change.offset);
            return;
        }
        content.resize(std::max(content.size(), change.offset + change.bytes.size()));
        content.replace(change.offset, change.bytes.size(), change.bytes);
    }
    void sync() {
        for (const Change& change : pending) apply(durable, change);
        pending.clear();
    }
    // As a disk may have it after a power cut.
    std::string after_power_cut(std::mt19937& random) const {
        std::string content = durable;
        const auto chance = random() % 3;  // nothing of what is pending, all of it, or any part
        for (Change change : pending) {
            if (chance == 0 || (chance == 2 && random() % 2 == 0)) continue;
            if (chance == 2 && random() % 4 == 0) change.bytes.resize(change.bytes.size() / 2);
            apply(content, change);
        }
        return content;
    }
};

// Registered as SQLite's default while it lives. One at a time.
class FaultyFiles {
public:
    FaultyFiles() : real_(sqlite3_vfs_find(nullptr)), layer_(*real_), methods_(methods()) {
        current() = this;
        layer_.zName = "faulty";
        layer_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
        layer_.xOpen = open;
        layer_.xDelete = remove;
        sqlite3_vfs_register(&layer_, 1);
    }
    ~FaultyFiles() {
        sqlite3_vfs_unregister(&layer_);
        sqlite3_vfs_register(real_, 1);
        current() = nullptr;
    }
    FaultyFiles(const FaultyFiles&) = delete;
    FaultyFiles& operator=(const FaultyFiles&) = delete;

    // The n-th operation from now on fails, n from 1.
    void arm(Fault fault, int n, unsigned seed = 1) {
        fault_ = fault;
        left_ = n;
        armed_ = true;
        hit_ = false;
        halved_ = false;
        random_.seed(seed);
        images_.clear();
    }
    void disarm() { armed_ = false; }
    bool hit() const { return hit_; }  // the operation was reached

private:
    struct File {
        sqlite3_file base;
        std::string* path;  // null for a temporary file
        sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };
    enum class Operation { write, truncate, sync, remove, create, map_index, lock_index };

    static FaultyFiles*& current() {
        static FaultyFiles* files = nullptr;
        return files;
    }
    static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

    static int error_of(Operation operation) {
        switch (operation) {
            case Operation::write:
                return SQLITE_IOERR_WRITE;
            case Operation::truncate:
                return SQLITE_IOERR_TRUNCATE;
            case Operation::sync:
                return SQLITE_IOERR_FSYNC;
            case Operation::remove:
                return SQLITE_IOERR_DELETE;
            case Operation::create:
                return SQLITE_CANTOPEN;
            case Operation::map_index:
                return SQLITE_IOERR_SHMMAP;
            case Operation::lock_index:
                return SQLITE_IOERR_SHMLOCK;
        }
        return SQLITE_IOERR;
    }

    // Counts an operation. Returns the code that it fails with, or SQLITE_OK. `half` does half of it.
    template <typename Half>
    int fails(Operation operation, const Half& half) {
        if (!armed_) return SQLITE_OK;
        --left_;
        if (left_ > 0) return SQLITE_OK;
        const bool first = left_ == 0;
        hit_ = true;
        switch (fault_) {
            case Fault::error_once:
                if (!first) return SQLITE_OK;
                [[fallthrough]];
            case Fault::error:
                errno = EIO;
                return error_of(operation);
            case Fault::full_disk:
                if (operation != Operation::write && operation != Operation::map_index) return SQLITE_OK;
                if (!std::exchange(halved_, true)) half();
                errno = ENOSPC;
                return operation == Operation::write ? SQLITE_FULL : SQLITE_IOERR_SHMSIZE;
            case Fault::kill:
                half();
                ::_exit(0);
            case Fault::power_cut:
                cut_power();
                ::_exit(0);
        }
        return SQLITE_OK;
    }
    int fails(Operation operation) {
        return fails(operation, [] {});
    }

    void cut_power() {
        for (const auto& [path, image] : images_) {
            if (!std::filesystem::exists(path)) continue;
            std::ofstream(path, std::ios::binary | std::ios::trunc) << image.after_power_cut(random_);
        }
    }
    DiskImage& image_of(const std::string& path) {
        const auto [found, fresh] = images_.try_emplace(path);
        if (fresh) {
            std::ifstream stream(path, std::ios::binary);
            found->second.durable.assign(std::istreambuf_iterator<char>(stream), {});
        }
        return found->second;
    }
    void note(File* file, DiskImage::Change change) {
        if (armed_ && fault_ == Fault::power_cut && file->path != nullptr) {
            image_of(*file->path).pending.push_back(std::move(change));
        }
    }

    static int open(sqlite3_vfs*, const char* name, sqlite3_file* opened, int flags, int* out_flags) {
        FaultyFiles& files = *current();
        File* file = ::new (static_cast<void*>(opened)) File{};
        const bool creates =
            name != nullptr && (flags & SQLITE_OPEN_CREATE) != 0 && ::access(name, F_OK) != 0;
        if (creates) {
            if (const int code = files.fails(Operation::create); code != SQLITE_OK) return code;
        }
        if (name != nullptr && files.armed_ && files.fault_ == Fault::power_cut) files.image_of(name);
        const int code = files.real_->xOpen(files.real_, name, file->real(), flags, out_flags);
        if (code != SQLITE_OK) return code;
        if (name != nullptr) file->path = new std::string(name);
        file->base.pMethods = &files.methods_;
        return SQLITE_OK;
    }
    static int remove(sqlite3_vfs*, const char* name, int sync) {
        FaultyFiles& files = *current();
        if (const int code = files.fails(Operation::remove); code != SQLITE_OK) return code;
        files.images_.erase(name);
        return files.real_->xDelete(files.real_, name, sync);
    }
    static int close(sqlite3_file* opened) {
        File* file = of(opened);
        delete std::exchange(file->path, nullptr);
        return file->real()->pMethods->xClose(file->real());
    }
    static int write(sqlite3_file* opened, const void* data, int size, sqlite3_int64 offset) {
        File* file = of(opened);
        const auto* methods = file->real()->pMethods;
        const int code = current()->fails(Operation::write,
                                          [&] { methods->xWrite(file->real(), data, size / 2, offset); });
        if (code != SQLITE_OK) return code;
        current()->note(file, {static_cast<std::size_t>(offset),
                               std::string(static_cast<const char*>(data), static_cast<std::size_t>(size))});
        return methods->xWrite(file->real(), data, size, offset);
    }
    static int truncate(sqlite3_file* opened, sqlite3_int64 size) {
        File* file = of(opened);
        if (const int code = current()->fails(Operation::truncate); code != SQLITE_OK) return code;
        current()->note(file, {static_cast<std::size_t>(size), {}, true});
        return file->real()->pMethods->xTruncate(file->real(), size);
    }
    // The model knows what was synced; the machine's disk need not.
    static int sync(sqlite3_file* opened, int) {
        File* file = of(opened);
        if (const int code = current()->fails(Operation::sync); code != SQLITE_OK) return code;
        if (file->path != nullptr) {
            if (const auto image = current()->images_.find(*file->path); image != current()->images_.end()) {
                image->second.sync();
            }
        }
        return SQLITE_OK;
    }
    static int map_index(sqlite3_file* opened, int region, int size, int extend, void volatile** memory) {
        File* file = of(opened);
        if (extend != 0) {
            if (const int code = current()->fails(Operation::map_index); code != SQLITE_OK) {
                *memory = nullptr;
                return code;
            }
        }
        return file->real()->pMethods->xShmMap(file->real(), region, size, extend, memory);
    }
    static int lock_index(sqlite3_file* opened, int offset, int count, int flags) {
        File* file = of(opened);
        if ((flags & SQLITE_SHM_LOCK) != 0) {
            if (const int code = current()->fails(Operation::lock_index); code != SQLITE_OK) return code;
        }
        return file->real()->pMethods->xShmLock(file->real(), offset, count, flags);
    }

    // Version 2: without memory maps of the file itself, whose changes nobody sees.
    static sqlite3_io_methods methods() {
        sqlite3_io_methods methods{};
        methods.iVersion = 2;
        methods.xClose = close;
        methods.xWrite = write;
        methods.xTruncate = truncate;
        methods.xSync = sync;
        methods.xShmMap = map_index;
        methods.xShmLock = lock_index;
        methods.xRead = [](sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
            return of(file)->real()->pMethods->xRead(of(file)->real(), data, size, offset);
        };
        methods.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
            return of(file)->real()->pMethods->xFileSize(of(file)->real(), size);
        };
        methods.xLock = [](sqlite3_file* file, int lock) {
            return of(file)->real()->pMethods->xLock(of(file)->real(), lock);
        };
        methods.xUnlock = [](sqlite3_file* file, int lock) {
            return of(file)->real()->pMethods->xUnlock(of(file)->real(), lock);
        };
        methods.xCheckReservedLock = [](sqlite3_file* file, int* held) {
            return of(file)->real()->pMethods->xCheckReservedLock(of(file)->real(), held);
        };
        methods.xFileControl = [](sqlite3_file* file, int operation, void* argument) {
            return of(file)->real()->pMethods->xFileControl(of(file)->real(), operation, argument);
        };
        methods.xSectorSize = [](sqlite3_file* file) {
            return of(file)->real()->pMethods->xSectorSize(of(file)->real());
        };
        methods.xDeviceCharacteristics = [](sqlite3_file* file) {
            return of(file)->real()->pMethods->xDeviceCharacteristics(of(file)->real());
        };
        methods.xShmBarrier = [](sqlite3_file* file) {
            of(file)->real()->pMethods->xShmBarrier(of(file)->real());
        };
        methods.xShmUnmap = [](sqlite3_file* file, int removes) {
            return of(file)->real()->pMethods->xShmUnmap(of(file)->real(), removes);
        };
        return methods;
    }

    sqlite3_vfs* real_;
    sqlite3_vfs layer_;
    sqlite3_io_methods methods_;
    Fault fault_ = Fault::error;
    bool armed_ = false;
    bool hit_ = false;
    bool halved_ = false;
    int left_ = 0;
    std::mt19937 random_;
    std::map<std::string, DiskImage> images_;
};

}  // namespace hacscale::testing
