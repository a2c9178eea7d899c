#include "scale/large_pages.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <sys/mman.h>

namespace creto {
namespace {

constexpr int mebibyte = 1024 * 1024;
constexpr int reserved_mib = 1'024;
constexpr std::uintptr_t page = 2 * mebibyte;

/// So many bytes from where the heap stands now; 0 when it is not ours to grow, or the system refused.
std::size_t advise(std::uintptr_t from) {
    const std::uintptr_t begin = (from + page - 1) / page * page;
    const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(sbrk(0)) / page * page;
    if (begin >= end) return 0;
    const std::size_t bytes = end - begin;
    return madvise(reinterpret_cast<void*>(begin), bytes, MADV_HUGEPAGE) == 0 ? bytes : 0;
}

std::size_t reserve() {
    // All from the heap, and nothing of it back to the system.
    mallopt(M_MMAP_THRESHOLD, 32 * mebibyte);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
    mallopt(M_TOP_PAD, reserved_mib * mebibyte);
    void* const first = std::malloc(page);
    mallopt(M_TOP_PAD, 64 * mebibyte);
    const std::size_t bytes = advise(reinterpret_cast<std::uintptr_t>(first));
    std::free(first);
    return bytes;
}

}  // namespace

std::size_t use_large_pages() {
    static const std::size_t reserved = reserve();
    return reserved;
}

}  // namespace creto
