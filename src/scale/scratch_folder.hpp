// ScratchFolder: a folder for one run, which goes away with it.
//
// Why      What is measured on a disk needs gigabytes there, and nobody wants to find them afterwards.
// Holds    Removed by the destructor. What a process left that was killed is removed by the next one that
//          makes a folder in the same place: a lock in it says whether its owner still lives.
// Errors   make(): io, with the folder and what to do: there is no such place, no permission, no room.
#pragma once

#include <memory>
#include <string>

#include "rocks/file.hpp"

namespace creto {

class ScratchFolder {
public:
    /// In `under`; empty: in $TMPDIR, or /tmp.
    [[nodiscard]] static Result<std::unique_ptr<ScratchFolder>> make(const std::string& under = "");
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();

    [[nodiscard]] const std::string& path() const { return path_; }
    /// The file system is memory: what is measured there says nothing about a disk.
    [[nodiscard]] bool is_memory() const { return is_memory_; }

private:
    explicit ScratchFolder(std::string path) : path_{std::move(path)} {}

    std::string path_;
    bool is_memory_ = false;
    File lock_;
};

}  // namespace creto
