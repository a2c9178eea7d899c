// File: a file descriptor, and the operating system's refusals as sentences for people.
//
// Why      Everything here that can fail names the path, says what happened and what to do.
// Holds    Closes what it opened. write_all() and read_all() finish or fail; no short counts.
#pragma once

#include <string>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace creto {

/// An Error for `number` (errno) met while `doing` something to `path`: disk full, read-only, …
[[nodiscard]] Error system_error(const std::string& path, const char* doing, int number);

class File {
public:
    File() = default;
    ~File() { close(); }
    File(File&& other) noexcept
        : fd_{std::exchange(other.fd_, -1)}, path_{std::move(other.path_)} {}
    File& operator=(File&& other) noexcept {
        close();
        fd_ = std::exchange(other.fd_, -1);
        path_ = std::move(other.path_);
        return *this;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    enum class Mode { read, write, create };  ///< create: new, or emptied; mode 0600.
    [[nodiscard]] static Result<File> open(const std::string& path, Mode mode);

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] const std::string& path() const { return path_; }
    /// The name changed; for messages.
    void moved_to(std::string path) { path_ = std::move(path); }
    [[nodiscard]] Result<std::size_t> size() const;
    /// The whole content. Errors: limit when it is over `max` bytes.
    [[nodiscard]] Result<Bytes> read_all(std::size_t max) const;
    [[nodiscard]] Result<void> write_all(std::size_t offset, ByteView bytes);
    /// Grows the file to `size` with zeros, with space on the disk where the file system can.
    [[nodiscard]] Result<void> allocate(std::size_t from, std::size_t size);
    [[nodiscard]] Result<void> truncate(std::size_t size);
    /// Content and length are on the disk.
    [[nodiscard]] Result<void> sync_data();
    /// The same, with the file's own data (owner, times, and a folder's names).
    [[nodiscard]] Result<void> sync();
    /// Takes the file for this process, until it is closed. False: another has it.
    [[nodiscard]] Result<bool> try_lock();
    void close();

private:
    int fd_ = -1;
    std::string path_;
};

[[nodiscard]] bool file_exists(const std::string& path);
/// Makes created and renamed names in the folder of `path` durable.
[[nodiscard]] Result<void> sync_folder_of(const std::string& path);
/// `from` takes the place of `to`, durably and at once.
[[nodiscard]] Result<void> rename_durably(const std::string& from, const std::string& to);

}  // namespace creto
