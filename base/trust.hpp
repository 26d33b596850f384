// What a process may take from a folder that the environment names, or that others may have written to.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hacscale {

// Why a folder or file of this owner and mode (stat's st_uid, st_mode) is not trusted by a process of `user`, and what
// to do; empty when it is. Trusted is what belongs to that user or to root and what neither group nor others may write
// to; for root, that leaves what root owns.
std::string distrust(const std::string& path, unsigned owner, unsigned mode, unsigned user);

// Who started the process, and whose rights it has.
struct ProcessUser {
    unsigned real = 0;
    unsigned effective = 0;
};
ProcessUser process_user();

// Why no code is loaded from this folder, as distrust(): only a process with root's rights, or with the rights of
// another user than started it, asks. Elsewhere whoever sets the environment can run code of theirs anyway.
std::string code_distrust(const std::filesystem::path& folder, const ProcessUser& user);

// Those folders that code may be loaded from. One that is left out is told on standard error, once a process.
std::vector<std::filesystem::path> code_folders(const std::vector<std::filesystem::path>& folders,
                                                const ProcessUser& user = process_user());

}  // namespace hacscale
