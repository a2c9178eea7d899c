#include "rocks/rocks_status.hpp"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace creto {

namespace {

bool says(const std::string& text, const char* words) {
    return text.find(words) != std::string::npos;
}

Error lock_error(const std::string& dir) {
    const auto owner = lock_owner(dir + "/LOCK");
    if (owner == ::getpid()) {
        return {ErrorCode::conflict, dir + ": this process has already opened the store"};
    }
    return {
        ErrorCode::conflict,
        dir + ": another creto process uses this folder" +
            (owner ? " (pid " + std::to_string(*owner) + ")" : "") +
            "; stop it, or choose another folder"};
}

const char* what_to_do(const rocksdb::Status& status, const std::string& text) {
    if (status.IsCorruption()) {
        return "run `creto fsck` on the node's folder; peers can supply what is missing";
    }
    if (status.IsNoSpace() || says(text, "No space left")) {
        return "the disk is full; free space there and start again";
    }
    if (says(text, "Read-only file system")) {
        return "the file system is read-only; make it writable or choose another folder";
    }
    if (says(text, "Permission denied")) {
        return "no permission; give this user read and write access to it";
    }
    if (says(text, "File too large")) {
        return "a file would be larger than this process may write; raise `ulimit -f`";
    }
    if (says(text, "Too many open files")) return "raise `ulimit -n`";
    if (says(text, "does not exist") || says(text, "No such file")) {
        return "there is no store, or files of it are missing; run `creto fsck`";
    }
    return "check the disk and start again";
}

}  // namespace

Error rocks_error(const rocksdb::Status& status, const std::string& dir, const std::string& doing) {
    const std::string text = status.ToString();
    if (says(text, "lock hold by current process") || says(text, "While lock file"))
        return lock_error(dir);
    const ErrorCode code = status.IsCorruption() ? ErrorCode::corrupt : ErrorCode::io;
    return {code, dir + ": " + doing + ": " + text + ": " + what_to_do(status, text)};
}

std::optional<int> lock_owner(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return std::nullopt;
    std::ifstream locks{"/proc/locks"};
    // "1: POSIX  ADVISORY  WRITE 4242 fe:01:393301 0 EOF": owner, then device and inode.
    for (std::string line; std::getline(locks, line);) {
        int pid = 0;
        unsigned device_major = 0;
        unsigned device_minor = 0;
        std::uint64_t inode = 0;
        const int fields = std::sscanf(
            line.c_str(),
            "%*d: POSIX %*s %*s %d %x:%x:%" SCNu64,
            &pid,
            &device_major,
            &device_minor,
            &inode
        );
        if (fields == 4 && inode == file.st_ino && device_major == major(file.st_dev) &&
            device_minor == minor(file.st_dev) && pid > 0)
            return pid;
    }
    return std::nullopt;
}

}  // namespace creto
