// TestSupport: folders that go away, files to damage, and child processes to kill; tests only.
//
// Why      Killed processes, full disks and read-only ones must be real ones. A child is this test
//          program again, running one test whose name starts with DISABLED_; disks are small
//          memory file systems in the child's own mount namespace, which ends with it.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <sys/mount.h>
#include <sys/wait.h>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace creto::testing_support {

class TestFolder {
public:
    TestFolder() {
        std::string name = std::filesystem::temp_directory_path() / "creto-test-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }

private:
    std::string path_;
};

inline bool says(const Error& error, const std::string& words) {
    return error.message.find(words) != std::string::npos;
}
inline Bytes read_file(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return Bytes(std::istreambuf_iterator<char>{in}, {});
}
inline void write_file(const std::string& path, ByteView bytes) {
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out << as_text(bytes);
    if (!out.flush()) std::abort();
}
/// The files of a folder whose names end in `ending`.
inline std::vector<std::string> files_in(const std::string& dir, const std::string& ending) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(dir))
        if (entry.path().string().ends_with(ending)) found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
    return found;
}
/// Where `needle` first stands in the file; npos if nowhere.
inline std::size_t find_in_file(const std::string& path, const std::string& needle) {
    const Bytes bytes = read_file(path);
    return as_text(bytes).find(needle);
}
inline void flip_byte(const std::string& path, std::size_t offset) {
    Bytes bytes = read_file(path);
    bytes.at(offset) ^= 0x10U;
    write_file(path, bytes);
}

/// One DISABLED_ test of this program in a process of its own. Its standard output is ours to read.
class Child {
public:
    /// `test`: "Suite.DISABLED_Name". `argument`: what child_argument() gives in the child.
    Child(const std::string& test, const std::string& argument) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        const std::string filter = "--gtest_filter=" + test;
        const std::string program = std::filesystem::read_symlink("/proc/self/exe");
        std::vector<std::string> words{program, filter, "--gtest_also_run_disabled_tests"};
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        std::string variable = "CRETO_TEST_CHILD=" + argument;
        std::vector<char*> environment{variable.data()};
        for (char** entry = environ; *entry != nullptr; ++entry)
            if (!std::string_view{*entry}.starts_with("GTEST_")) environment.push_back(*entry);
        environment.push_back(nullptr);
        if (::posix_spawn(
                &pid_, program.c_str(), &actions, nullptr, arguments.data(), environment.data()
            ) != 0)
            std::abort();
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        output_ = ends[0];
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) (void)kill();
        ::close(output_);
    }

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The next whole line that the child prints; none at the end.
    std::optional<std::string> line() {
        std::size_t end = 0;
        while ((end = buffer_.find('\n')) == std::string::npos)
            if (!read_more()) return std::nullopt;
        std::string found = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return found;
    }
    /// The rest of what it prints.
    std::string rest() {
        while (read_more()) {
        }
        return std::exchange(buffer_, {});
    }
    /// Ends it at once, as a power cut would end the process.
    int kill() {
        ::kill(pid_, SIGKILL);
        return wait();
    }
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return status;
    }

private:
    bool read_more() {
        char chunk[4096];
        const ssize_t count = ::read(output_, chunk, sizeof chunk);
        if (count > 0) buffer_.append(chunk, static_cast<std::size_t>(count));
        return count > 0;
    }

    pid_t pid_ = -1;
    int output_ = -1;
    std::string buffer_;
};

/// In the child: the argument it was given. None when somebody runs the DISABLED_ tests by hand.
inline const char* child_argument() {
    return std::getenv("CRETO_TEST_CHILD");
}
/// In the child: a line for the parent, at once.
inline void tell(const std::string& text) {
    const std::string line = "tell " + text + "\n";
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::abort();
}
/// In the parent: what the child told next; none at the end.
inline std::optional<std::string> told(Child& child) {
    for (auto line = child.line(); line; line = child.line())
        if (line->starts_with("tell ")) return line->substr(5);
    return std::nullopt;
}

struct ChildOutcome {
    bool skipped = false;  ///< The child told that it cannot run here, and why.
    bool passed = false;
    std::string text;  ///< All that it printed.
};
/// Runs the child to its end.
inline ChildOutcome run_child(const std::string& test, const std::string& argument) {
    Child child{test, argument};
    ChildOutcome outcome;
    outcome.text = child.rest();
    const int status = child.wait();
    const auto printed = [&](const char* words) {
        return outcome.text.find(words) != std::string::npos;
    };
    outcome.skipped = printed("tell skip");
    outcome.passed =
        WIFEXITED(status) && WEXITSTATUS(status) == 0 && printed("[  PASSED  ] 1 test");
    return outcome;
}

/// In the child: a file system of its own of `bytes` at `dir`. False: not allowed here.
inline bool mount_small_disk(const std::string& dir, std::size_t bytes) {
    const bool root = ::geteuid() == 0;
    if (::unshare(root ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    const std::string size = "size=" + std::to_string(bytes);
    return ::mount("tmpfs", dir.c_str(), "tmpfs", 0, size.c_str()) == 0;
}
inline bool make_read_only(const std::string& dir) {
    return ::mount("tmpfs", dir.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
}

}  // namespace creto::testing_support
