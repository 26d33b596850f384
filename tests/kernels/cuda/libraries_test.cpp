// Finding libraries in made-up folders. What is opened is a small library of the tests.
#include "kernels/cuda/libraries.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include "tests/temp_folder.hpp"

namespace hacscale::cuda {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Sets variables of the environment, and puts back what was there.
class Environment {
public:
    ~Environment() {
        for (const auto& [name, value] : before_) put(name, value);
    }
    void set(const std::string& name, const std::optional<std::string>& value) {
        const char* old = std::getenv(name.c_str());
        before_.emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
        put(name, value);
    }

private:
    static void put(const std::string& name, const std::optional<std::string>& value) {
        if (value) {
            setenv(name.c_str(), value->c_str(), 1);
        } else {
            unsetenv(name.c_str());
        }
    }
    std::map<std::string, std::optional<std::string>> before_;
};

class Libraries : public ::testing::Test {
protected:
    Libraries() {
        for (const char* name : {"HACSCALE_CUDA_LIBS", "VIRTUAL_ENV"}) environment_.set(name, std::nullopt);
        environment_.set("HOME", (folder_ / "home").string());
        environment_.set("PATH", (folder_ / "bin").string());
    }

    fs::path make_folder(const std::string& name) const {
        fs::create_directories(folder_ / name);
        return folder_ / name;
    }
    // A library that can be opened, under another name.
    fs::path put_library(const std::string& folder, const std::string& name) const {
        const fs::path file = make_folder(folder) / name;
        fs::copy_file(HACSCALE_TEST_LIBRARY, file);
        return file;
    }
    static bool lists(const fs::path& folder) {
        const auto folders = library_folders();
        return std::find(folders.begin(), folders.end(), folder) != folders.end();
    }

    hacscale::testing::TempFolder folder_;
    Environment environment_;
};

TEST_F(Libraries, KnowsWhereThePythonPackagesPutTheirs) {
    const std::string site = "lib/python3.11/site-packages/nvidia/";
    const fs::path environment = make_folder("venv/" + site + "cudnn/lib");
    const fs::path user = make_folder("home/.local/" + site + "cu13/lib");
    const fs::path system = make_folder("prefix/" + site + "cuda_cupti/lib");
    make_folder("prefix/bin");
    std::ofstream(folder_ / "prefix/bin/python3") << "";
    environment_.set("VIRTUAL_ENV", (folder_ / "venv").string());
    environment_.set("PATH", (folder_ / "prefix/bin").string());
    EXPECT_TRUE(lists(environment));
    EXPECT_TRUE(lists(user));
    EXPECT_TRUE(lists(system));
}

TEST_F(Libraries, TakesTheHighestVersionFirst) {
    for (const char* python : {"python3.9", "python3.13", "python3.11"}) {
        make_folder(std::string("venv/lib/") + python + "/site-packages/nvidia/cudnn/lib");
    }
    environment_.set("VIRTUAL_ENV", (folder_ / "venv").string());
    std::vector<std::string> order;
    for (const fs::path& folder : library_folders()) {
        for (const fs::path& part : folder) {
            if (part.string().starts_with("python3.")) order.push_back(part);
        }
    }
    EXPECT_EQ(order, (std::vector<std::string>{"python3.13", "python3.11", "python3.9"}));
}

// Somebody else's code would run with root's rights.
TEST_F(Libraries, AreNotTakenByRootFromWhereOthersMayWrite) {
    if (geteuid() != 0) GTEST_SKIP() << "skipped: only root's process is that careful";
    put_library("chosen", "libhacscale_foreign.so.1");
    environment_.set("HACSCALE_CUDA_LIBS", (folder_ / "chosen").string());
    fs::permissions(folder_ / "chosen", fs::perms::others_write, fs::perm_options::add);
    ::testing::internal::CaptureStderr();
    const Library library = open_library("libhacscale_foreign.so.1", "unused advice");
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr((folder_ / "chosen").string()));
    EXPECT_EQ(library.handle, nullptr);
    EXPECT_FALSE(lists(folder_ / "chosen"));
}

TEST_F(Libraries, FollowsTheLinkBehindPython) {
    const fs::path packages = make_folder("real/lib/python3.12/dist-packages/nvidia/cudnn/lib");
    make_folder("real/bin");
    make_folder("bin");
    std::ofstream(folder_ / "real/bin/python3.12") << "";
    fs::create_symlink(folder_ / "real/bin/python3.12", folder_ / "bin/python3");
    EXPECT_TRUE(lists(packages));
}

TEST_F(Libraries, ListsFoldersThatAreThereOnceAndTheChosenOnesFirst) {
    const fs::path chosen = make_folder("chosen");
    environment_.set("HACSCALE_CUDA_LIBS",
                     (folder_ / "absent").string() + ":" + chosen.string() + "::" + chosen.string());
    const auto folders = library_folders();
    ASSERT_FALSE(folders.empty());
    EXPECT_EQ(folders.front(), chosen);
    EXPECT_EQ(std::count(folders.begin(), folders.end(), chosen), 1);
    for (const fs::path& folder : folders) EXPECT_TRUE(fs::is_directory(folder)) << folder;
}

TEST_F(Libraries, OpensFromTheChosenFolderFirst) {
    put_library("home/.local/lib/python3.11/site-packages/nvidia/cudnn/lib", "libhacscale_first.so.1");
    const fs::path chosen = put_library("chosen", "libhacscale_first.so.1");
    environment_.set("HACSCALE_CUDA_LIBS", (folder_ / "chosen").string());
    const Library library = open_library("libhacscale_first.so.1", "unused advice");
    ASSERT_NE(library.handle, nullptr) << library.reason;
    EXPECT_EQ(library.path, chosen);
    EXPECT_EQ(library.reason, "");
    EXPECT_NE(library.symbol("hacscale_test_library"), nullptr);
    EXPECT_EQ(library.symbol("hacscale_no_such_function"), nullptr);
}

TEST_F(Libraries, OpensFromThePythonPackages) {
    const fs::path file =
        put_library("home/.local/lib/python3.11/site-packages/nvidia/cudnn/lib", "libhacscale_second.so.1");
    const Library library = open_library("libhacscale_second.so.1", "unused advice");
    ASSERT_NE(library.handle, nullptr) << library.reason;
    EXPECT_EQ(library.path, file);
}

TEST_F(Libraries, ANameWithoutAVersionStandsForTheHighest) {
    put_library("chosen", "libhacscale_third.so.1.9.0");
    const fs::path highest = put_library("chosen", "libhacscale_third.so.1.10.0");
    put_library("chosen", "libhacscale_third_other.so");
    environment_.set("HACSCALE_CUDA_LIBS", (folder_ / "chosen").string());
    const Library library = open_library("libhacscale_third.so", "unused advice");
    ASSERT_NE(library.handle, nullptr) << library.reason;
    EXPECT_EQ(library.path, highest);
}

TEST_F(Libraries, SaysWhatIsMissingAndHowToGetIt) {
    const Library library = open_library("libhacscale_absent.so.7", "install the package 'absent'");
    EXPECT_EQ(library.handle, nullptr);
    EXPECT_EQ(library.symbol("anything"), nullptr);
    EXPECT_THAT(library.reason, HasSubstr("libhacscale_absent.so.7 was not found"));
    EXPECT_THAT(library.reason, HasSubstr("install the package 'absent'"));
}

TEST_F(Libraries, SaysWhyAFileThatIsThereCannotBeOpened) {
    const fs::path file = make_folder("broken") / "libhacscale_broken.so.1";
    std::ofstream(file) << "not a library";
    environment_.set("HACSCALE_CUDA_LIBS", (folder_ / "broken").string());
    const Library library = open_library("libhacscale_broken.so.1", "install it again");
    EXPECT_EQ(library.handle, nullptr);
    EXPECT_THAT(library.reason, HasSubstr("cannot be loaded"));
    EXPECT_THAT(library.reason, HasSubstr(file.string()));
    EXPECT_THAT(library.reason, HasSubstr("install it again"));
}

}  // namespace
}  // namespace hacscale::cuda
