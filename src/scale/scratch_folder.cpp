#include "scale/scratch_folder.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace creto {
namespace {

namespace fs = std::filesystem;

constexpr const char* scratch_prefix = "creto-scratch-";
constexpr const char* advice = "; name a folder with room on a disk by TMPDIR";

/// Whoever holds a folder holds the lock in it; it appears there already locked.
void remove_left(const fs::path& under) {
    std::error_code ignored;
    for (fs::directory_iterator at{under, ignored}, end; at != end; at.increment(ignored)) {
        if (ignored) return;
        if (!at->path().filename().string().starts_with(scratch_prefix)) continue;
        struct stat found {};
        if (::lstat(at->path().c_str(), &found) != 0 || !S_ISDIR(found.st_mode) ||
            found.st_uid != ::geteuid())
            continue;
        auto lock = File::open((at->path() / "lock").string(), File::Mode::read);
        if (!lock) continue;
        const auto is_ours = lock->try_lock();
        if (is_ours && *is_ours) fs::remove_all(at->path(), ignored);
    }
}

Result<std::string> place(const std::string& under) {
    if (!under.empty()) return under;
    std::error_code failed;
    const fs::path found = fs::temp_directory_path(failed);
    if (!failed) return found.string();
    const char* named = std::getenv("TMPDIR");
    Error error = system_error(
        named == nullptr ? "/tmp" : named, "looking for a folder to work in", failed.value()
    );
    error.message += advice;
    return fail(std::move(error));
}

}  // namespace

Result<std::unique_ptr<ScratchFolder>> ScratchFolder::make(const std::string& under) {
    const auto where = place(under);
    if (!where) return tl::unexpected<Error>(where.error());
    remove_left(*where);
    std::string name = (fs::path{*where} / (std::string{scratch_prefix} + "XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) {
        Error error = system_error(*where, "making a folder there", errno);
        error.message += advice;
        return fail(std::move(error));
    }
    std::unique_ptr<ScratchFolder> out{new ScratchFolder{name}};
    auto lock = File::open(name + "/lock.new", File::Mode::create);
    if (!lock) return tl::unexpected<Error>(lock.error());
    if (auto locked = lock->try_lock(); !locked) return tl::unexpected<Error>(locked.error());
    if (auto named = rename_durably(name + "/lock.new", name + "/lock"); !named)
        return tl::unexpected<Error>(named.error());
    out->lock_ = std::move(*lock);
    struct statfs system {};
    if (::statfs(name.c_str(), &system) == 0)
        out->is_memory_ = system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC;
    return out;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;  // Nobody can be told; the next one tries again.
    fs::remove_all(path_, ignored);
}

}  // namespace creto
