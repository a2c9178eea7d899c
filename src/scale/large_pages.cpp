#include "scale/large_pages.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sys/mman.h>

namespace creto {
namespace {

/// Sanitizers have an allocator of their own, which marks all that is freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#elif defined(__has_feature)
constexpr bool is_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool is_sanitized = false;
#endif
constexpr std::size_t mebibyte = 1024 * 1024;
constexpr std::size_t reserved_least = 1'024 * mebibyte;
constexpr std::uintptr_t page = 2 * mebibyte;

/// So many bytes from where the heap stands now; 0 when it is not ours to grow, or the system refused.
std::size_t advise(std::uintptr_t from) {
    const std::uintptr_t begin = (from + page - 1) / page * page;
    const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(sbrk(0)) / page * page;
    if (begin >= end) return 0;
    const std::size_t bytes = end - begin;
    return madvise(reinterpret_cast<void*>(begin), bytes, MADV_HUGEPAGE) == 0 ? bytes : 0;
}

/// What the machine has, less an eighth.
std::size_t memory_bytes() {
    const auto pages = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
    const auto bytes = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
    return std::max(reserved_least, pages * bytes / 8 * 7);
}

std::size_t reserve() {
    mallopt(M_MMAP_MAX, 0);         // All from the heap,
    mallopt(M_TRIM_THRESHOLD, -1);  // and nothing of it back to the system.
    void* first = nullptr;
    for (std::size_t bytes = memory_bytes(); first == nullptr && bytes >= reserved_least;
         bytes /= 2)
        first = std::malloc(bytes);
    mallopt(M_MMAP_MAX, 65'536);
    mallopt(M_MMAP_THRESHOLD, 32 * static_cast<int>(mebibyte));
    mallopt(M_TOP_PAD, 64 * static_cast<int>(mebibyte));
    if (first == nullptr) return 0;
    const std::size_t bytes = advise(reinterpret_cast<std::uintptr_t>(first));
    std::free(first);
    return bytes;
}

}  // namespace

std::size_t use_large_pages() {
    static const std::size_t reserved = is_sanitized ? 0 : reserve();
    return reserved;
}

}  // namespace creto
