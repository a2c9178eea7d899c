#include "rocks/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>

namespace creto {

namespace {

const char* what_to_do(int number) {
    switch (number) {
        case ENOSPC:
        case EDQUOT:
            return "the disk is full; free space there and start again";
        case EROFS:
            return "the file system is read-only; make it writable or choose another folder";
        case EACCES:
        case EPERM:
            return "no permission; give this user read and write access to it";
        case EFBIG:
            return "the file would be larger than this process may write; raise `ulimit -f`";
        case EMFILE:
        case ENFILE:
            return "too many open files; raise `ulimit -n`";
        case ENOENT:
            return "it does not exist; create the folder first";
        case EIO:
            return "the disk reports an error; check it before starting again";
        default:
            return "check the disk and start again";
    }
}

}  // namespace

Error system_error(const std::string& path, const char* doing, int number) {
    const std::string reason = std::error_code(number, std::generic_category()).message();
    return {ErrorCode::io, path + ": " + doing + ": " + reason + ": " + what_to_do(number)};
}

Result<File> File::open(const std::string& path, Mode mode) {
    int flags = O_CLOEXEC;
    if (mode == Mode::read) flags |= O_RDONLY;
    if (mode == Mode::write) flags |= O_RDWR;
    if (mode == Mode::create) flags |= O_RDWR | O_CREAT | O_TRUNC;
    File file;
    file.path_ = path;
    do {
        file.fd_ = ::open(path.c_str(), flags, S_IRUSR | S_IWUSR);
    } while (file.fd_ < 0 && errno == EINTR);
    if (file.fd_ < 0) return fail(system_error(path, "opening", errno));
    return file;
}

Result<std::size_t> File::size() const {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return fail(system_error(path_, "looking at", errno));
    return static_cast<std::size_t>(status.st_size);
}

Result<Bytes> File::read_all(std::size_t max) const {
    const auto length = size();
    if (!length) return tl::unexpected<Error>(length.error());
    if (*length > max) {
        return fail(
            ErrorCode::limit,
            path_ + ": " + std::to_string(*length) + " bytes, the limit is " + std::to_string(max)
        );
    }
    Bytes bytes(*length);
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count =
            ::pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_error(path_, "reading", errno));
        if (count == 0) bytes.resize(done);  // It became shorter meanwhile.
        done += static_cast<std::size_t>(count);
    }
    return bytes;
}

Result<void> File::write_all(std::size_t offset, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_error(path_, "writing", errno));
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::size_t>(count);
    }
    return {};
}

Result<void> File::allocate(std::size_t from, std::size_t size) {
    if (size <= from) return {};
    int done = 0;
    do {
        done = ::fallocate(fd_, 0, static_cast<off_t>(from), static_cast<off_t>(size - from));
    } while (done != 0 && errno == EINTR);
    if (done == 0) return {};
    if (errno != EOPNOTSUPP) return fail(system_error(path_, "allocating space in", errno));
    return truncate(size);
}

Result<void> File::truncate(std::size_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) == 0) return {};
    return fail(system_error(path_, "setting the length of", errno));
}

Result<void> File::sync_data() {
    if (::fdatasync(fd_) == 0) return {};
    return fail(system_error(path_, "syncing", errno));
}

Result<void> File::sync() {
    if (::fsync(fd_) == 0) return {};
    return fail(system_error(path_, "syncing", errno));
}

Result<bool> File::try_lock() {
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    return fail(system_error(path_, "locking", errno));
}

void File::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

bool file_exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

Result<void> sync_folder_of(const std::string& path) {
    std::string folder = std::filesystem::path(path).parent_path().string();
    if (folder.empty()) folder = ".";
    auto opened = File::open(folder, File::Mode::read);
    if (!opened) return tl::unexpected<Error>(opened.error());
    return opened->sync();
}

Result<void> rename_durably(const std::string& from, const std::string& to) {
    if (std::rename(from.c_str(), to.c_str()) != 0)
        return fail(system_error(to, "replacing", errno));
    return sync_folder_of(to);
}

}  // namespace creto
