// A folder for what a later process takes on trust (plans that a library executes), kept from other users.
//
// The rule: nothing is read from, or written to, a folder or file that somebody else could have written. Both must belong
// to the user that the process runs as, or to root, and neither group nor others may write to them (base/trust.hpp); for root, that
// leaves what root owns. A link in a file's place is not followed; behind one in the folder's place, it is the folder that
// has to pass. What is made here is for its owner alone.
// The folder is opened once and looked at through that handle, so it cannot be exchanged in between, and nobody who
// may write to a folder above can do more than make the cache be refused.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace hacscale {

class PrivateFolder {
public:
    enum class IfAbsent { leave, make };

    // Opens the folder; absent ones are made, with those above them, when that is asked for.
    PrivateFolder(std::filesystem::path path, IfAbsent absent);
    ~PrivateFolder();
    PrivateFolder(const PrivateFolder&) = delete;
    PrivateFolder& operator=(const PrivateFolder&) = delete;

    bool usable() const { return handle_ >= 0; }
    // Why it is not used, in words: it is not trusted, or cannot be opened. Empty where it is usable, and where there
    // is none.
    const std::string& distrust_reason() const { return distrust_reason_; }

    // A file's text; nothing when it is not there, cannot be read or is not trusted, and then `distrust_reason` gains the
    // reason (not for one that is not there).
    std::optional<std::string> read(const std::string& name, std::string& distrust_reason) const;
    // Under another name first, so that a reader sees the old text or the new one. Whether it is there now.
    bool replace(const std::string& name, const std::string& text) const;
    // At the end of the file, in one piece. Whether it is there now.
    bool append(const std::string& name, const std::string& text) const;
    void remove(const std::string& name) const;
    // Why a file of this name could not be read or written; empty when it could, or is not there.
    std::string obstacle(const std::string& name) const;

private:
    std::filesystem::path path_;
    int handle_ = -1;
    std::string distrust_reason_;
};

// Where backends remember between processes which kernel runs a layer:
// $HACSCALE_PLAN_CACHE, else $XDG_CACHE_HOME/hacscale, else ~/.cache/hacscale. Empty when nothing is to be
// kept on disk: HACSCALE_PLAN_CACHE is set to nothing, or there is no home. Not made here.
std::filesystem::path plan_cache_folder();

// Why what a backend chooses cannot be kept in `file` of that folder, as a warning; empty when it can, or
// when it is not to be. Makes the folder, for its owner alone; PrivateFolder says which ones are used.
std::string plan_cache_obstacle(const std::string& file);

}  // namespace hacscale
